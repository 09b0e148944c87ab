"""The tables of the report: costs, drawdowns, folds and trades, with text for their numbers."""

from collections.abc import Iterable

import pandas as pd

from lstm_strategy.evaluation.backtests import BacktestResult
from lstm_strategy.evaluation.metrics import drawdown
from lstm_strategy.evaluation.report.page import date_texts, escape, number_text, table_html

_N_TRADES, _N_DRAWDOWNS, _N_LIQUIDATIONS = 5, 5, 20


def worst_drawdowns(equity: pd.Series, *, n: int = _N_DRAWDOWNS) -> pd.DataFrame:
    """Return the deepest falls from a peak, each until the peak is reached again.

    Args:
        equity: Account value at each close.
        n: The most falls.

    Returns:
        One row for each fall, the deepest first: peak, bottom and recovered (dates; NaT while still
        below), depth (a negative fraction) and bars (from the peak to the recovery, or to the end).

    Example:
        >>> curve = pd.Series([10.0, 8.0, 9.0, 10.0, 9.5], pd.date_range("2024-01-01", periods=5))
        >>> worst_drawdowns(curve)[["depth", "bars"]].round(2).to_numpy().tolist()
        [[-0.2, 3.0], [-0.05, 1.0]]
    """
    depth = drawdown(equity)
    is_below = (depth < 0).to_numpy()
    number = (depth.eq(0) & depth.shift(-1).lt(0)).cumsum()
    position = pd.Series(range(len(equity)), index=equity.index)
    rows = []
    for _, under in depth[is_below].groupby(number[is_below]):
        first, last = int(position[under.index[0]]), int(position[under.index[-1]])
        has_recovered = last + 1 < len(equity)
        rows.append(
            {
                "peak": equity.index[first - 1],
                "bottom": under.idxmin(),
                "recovered": equity.index[last + 1] if has_recovered else pd.NaT,
                "depth": float(under.min()),
                "bars": last + has_recovered - first + 1,
            }
        )
    table = pd.DataFrame(rows, columns=["peak", "bottom", "recovered", "depth", "bars"])
    return table.sort_values("depth", kind="stable").head(n).reset_index(drop=True)


def drawdowns_table(equity: pd.Series, name: str) -> str:
    """Return the deepest falls from a peak as HTML."""
    worst = worst_drawdowns(equity)
    if worst.empty:
        return "<p>The equity never fell below an earlier peak.</p>"
    table = pd.DataFrame(
        {
            "Depth": [f"{depth:.1%}" for depth in worst["depth"]],
            "Peak": date_texts(worst["peak"]),
            "Bottom": date_texts(worst["bottom"]),
            "Recovered": date_texts(worst["recovered"], missing="not yet"),
            "Bars": [f"{bars:,}" for bars in worst["bars"]],
        },
        index=range(1, len(worst) + 1),
    )
    return table_html(table, f"The deepest falls of {name} from a peak", first="No.")


def folds_table(folds: pd.DataFrame) -> str:
    """Return the table of `fold_table` as HTML."""
    columns: dict[str, Iterable[str]] = {
        "First bar": date_texts(folds["first"]),
        "Last bar": date_texts(folds["last"]),
    }
    if "train_end" in folds:
        columns["Trained until"] = date_texts(folds["train_end"])
    columns |= {
        "Bars": [f"{bars:,}" for bars in folds["bars"]],
        "Return": [number_text(value, "{:+.1%}") for value in folds["total_return"]],
    }
    if "market_return" in folds:
        columns["Market"] = [number_text(value, "{:+.1%}") for value in folds["market_return"]]
    columns |= {
        "Sharpe": [number_text(value) for value in folds["sharpe"]],
        "Max drawdown": [number_text(value, "{:.1%}") for value in folds["max_drawdown"]],
        "Turnover per year": [number_text(value) for value in folds["turnover"]],
        "Trades": [f"{trades:,}" for trades in folds["trades"]],
    }
    table = pd.DataFrame(columns, index=folds.index)
    caption = "Each fold, forecast by a model that was trained on earlier bars"
    return table_html(table, caption, first="Fold")


def costs_tables(results: Iterable[BacktestResult], own: BacktestResult) -> str:
    """Return gross and net returns with what lies between, and liquidated positions, as HTML.

    Args:
        results: All strategies.
        own: The one that the report is about, whose liquidations are listed.
    """
    results = list(results)
    table = pd.DataFrame([_costs_of(result) for result in results]).set_index("label")
    unused = [name for name in ("Spread", "Impact", "Funding") if not table[name].any()]
    table = table.drop(columns=unused)
    readable = table.map(lambda value: number_text(value, "{:+.2%}"))
    caption = "From the gross to the net return, as fractions of the equity at the start"
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
            "Closed at": [f"{price:,.6g}" for price in shown["price"]],
            "Fee": [number_text(fee, "{:,.2f}") for fee in shown["fee"]],
        },
        index=date_texts(shown.index),
    )
    which = f"The first {len(shown)} of {len(liquidations):,} positions"
    if len(shown) == len(liquidations):
        which = "All positions"
    caption = f"{which} of {result.label} that were liquidated"
    return table_html(table, caption, first="Date")


def trades_tables(trades: pd.DataFrame) -> str:
    """Return all trades where they are few, else the last, best and worst of them, as HTML."""
    if trades.empty:
        return "<p>No trade was made.</p>"
    if len(trades) <= _N_TRADES:
        return table_html(_readable_trades(trades), "All trades", first="Entry")
    by_profit = trades.sort_values("pnl", kind="stable")
    chosen = {
        "last": trades.tail(_N_TRADES).iloc[::-1],
        "best": by_profit.tail(_N_TRADES).iloc[::-1],
        "worst": by_profit.head(_N_TRADES),
    }
    return "".join(
        table_html(
            _readable_trades(rows),
            f"The {kind} {_N_TRADES} of {len(trades):,} trades",
            first="Entry",
        )
        for kind, rows in chosen.items()
    )


def _readable_trades(trades: pd.DataFrame) -> pd.DataFrame:
    market = {"Market": trades["symbol"].to_list()} if "symbol" in trades else {}
    return pd.DataFrame(
        {
            **market,
            "Exit": date_texts(trades["exit"], missing="open"),
            "Side": ["long" if size > 0 else "short" for size in trades["size"]],
            "Units": [f"{abs(size):,.4g}" for size in trades["size"]],
            "In at": [f"{price:,.6g}" for price in trades["entry_price"]],
            "Out at": [number_text(price, "{:,.6g}") for price in trades["exit_price"]],
            "Return": [number_text(value, "{:+.2%}") for value in trades["return"]],
            "Profit": [number_text(value, "{:+,.0f}") for value in trades["pnl"]],
            **_funding_column(trades),
            "Bars": [f"{bars:,}" for bars in trades["bars"]],
        },
        index=date_texts(trades["entry"]),
    )


def _funding_column(trades: pd.DataFrame) -> dict[str, list[str]]:
    if not trades["funding"].any():
        return {}
    return {"Funding paid": [number_text(value, "{:,.0f}") for value in trades["funding"]]}
