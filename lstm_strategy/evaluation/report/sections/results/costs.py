"""What lies between the gross and the net return."""

import pandas as pd

from lstm_strategy.evaluation.backtests import BacktestResult
from lstm_strategy.evaluation.report.content import ReportContent
from lstm_strategy.evaluation.report.page import SMALL_PERCENT, date_texts, escape, table_html
from lstm_strategy.support import digits_text, number_text

_N_LIQUIDATIONS = 20


def costs_section(content: ReportContent) -> str:
    """Return gross and net returns with what lies between, and liquidated positions, as HTML."""
    results, own = list(content.results.results.values()), content.result
    table = pd.DataFrame([_costs_of(result) for result in results]).set_index("label")
    unused = [name for name in ("Spread", "Impact", "Funding") if not table[name].any()]
    table = table.drop(columns=unused)
    readable = table.map(lambda value: number_text(value, SMALL_PERCENT))
    caption = "From gross to net return, as a percentage of the starting equity"
    costs = table_html(readable, caption, first="Strategy", strong=own.label)
    others = [result.liquidation_note for result in results if result is not own]
    said = "".join(f"<p>{escape(note)}</p>" for note in others if note)
    return costs + _liquidations_table(own) + said


def _costs_of(result: BacktestResult) -> dict[str, object]:
    start, fills, metrics = result.equity.iloc[0], result.fills, result.metrics
    spread, impact = fills["spread"].sum(), fills["impact"].sum()
    fees = fills["commission"].sum() - spread - impact + result.rolls["amount"].sum()
    return {
        "label": result.label,
        "Gross return": metrics["gross_return"],
        "Commission": -fees / start,
        "Spread": -spread / start,
        "Impact": -impact / start,
        "Slippage": -fills["slippage_cost"].sum() / start,
        "Funding": -metrics["funding"],
        "Net return": metrics["total_return"],
    }


def _liquidations_table(result: BacktestResult) -> str:
    liquidations = result.liquidations
    if liquidations.empty:
        return ""
    shown = liquidations.head(_N_LIQUIDATIONS)
    market = {"Market": shown["symbol"].to_list()} if "symbol" in shown else {}
    table = pd.DataFrame(
        {
            **market,
            "Side": ["long" if size > 0 else "short" for size in shown["size"]],
            "Units": [f"{abs(size):,.4g}" for size in shown["size"]],
            "Exit price": [digits_text(price) for price in shown["price"]],
            "Fee": [number_text(fee, "{:,.2f}") for fee in shown["fee"]],
        },
        index=date_texts(shown.index),
    )
    which = f"The first {len(shown)} of {len(liquidations):,} liquidated positions"
    if len(shown) == len(liquidations):
        which = "All liquidated positions"
    caption = f"{which} of {result.label}"
    return table_html(table, caption, first="Date")
