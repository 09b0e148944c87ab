"""What each market of a portfolio did, and what the portfolio moves with."""

from collections.abc import Mapping

import pandas as pd

from lstm_strategy.evaluation.metrics import contribution_by_market
from lstm_strategy.evaluation.plots import plot_contributions
from lstm_strategy.evaluation.report.content import ReportContent
from lstm_strategy.evaluation.report.page import (
    PERCENT,
    SMALL_PERCENT,
    WHOLE,
    escape,
    picture_html,
    table_html,
    texts_of,
)
from lstm_strategy.support import number_text

_WIDE_INCHES, _PHONE_INCHES = 11.0, 5.2


def markets_section(content: ReportContent) -> str:
    """Return what each market did, in the order of time too, and the correlations as HTML.

    Markets that were still held when they ended are named.

    Args:
        content: What the page is made from.

    Returns:
        "" for a result of one market.
    """
    by_market = content.result.by_market
    if by_market.empty:
        return ""
    stranded = _stranded_line(content.result.order_counts_by_market)
    return (
        content.charts.markets
        + _still_contributions(content)
        + _markets_table(by_market)
        + stranded
        + _correlations_table(content)
    )


def _still_contributions(content: ReportContent) -> str:
    """The picture for print and for readers without scripts."""
    earned = contribution_by_market(content.result)
    last = ", ".join(
        f"{name} {number_text(value, SMALL_PERCENT)}" for name, value in earned.iloc[-1].items()
    )
    total = number_text(float(earned.iloc[-1].sum()), SMALL_PERCENT)
    alt = f"What each market earned over time. At the end: {last}; all markets {total}."
    caption = (
        "What each market earned after costs, as a percentage of the starting equity; together "
        "they are the change of the equity."
    )
    wide, phone = (
        plot_contributions(earned, width_inches=width) for width in (_WIDE_INCHES, _PHONE_INCHES)
    )
    return f'<div class="static">{picture_html(wide, alt, caption, on_phone=phone)}</div>'


def _markets_table(by_market: pd.DataFrame) -> str:
    ordered = by_market.sort_values("contribution", ascending=False, kind="stable")
    table = pd.DataFrame(
        {
            "Mean exposure": texts_of(ordered["exposure"], PERCENT),
            "Contribution": texts_of(ordered["contribution"], SMALL_PERCENT),
            "Turnover per year": texts_of(ordered["turnover"]),
            "Costs": texts_of(ordered["costs"], SMALL_PERCENT),
            **_funding_column(ordered),
            "Closed trades": texts_of(ordered["trades"], WHOLE),
        },
        index=ordered.index,
    )
    caption = "Each market, with contribution and costs as a percentage of the starting equity"
    return table_html(table, caption, first="Market")


def _funding_column(by_market: pd.DataFrame) -> dict[str, list[str]]:
    if not by_market["funding"].any():
        return {}
    return {"Funding paid": texts_of(by_market["funding"], SMALL_PERCENT)}


def _stranded_line(order_counts_by_market: Mapping[str, Mapping[str, int]]) -> str:
    names = [name for name, counts in order_counts_by_market.items() if counts.get("stranded")]
    if not names:
        return ""
    which = f"market {names[0]}, which" if len(names) == 1 else f"markets {', '.join(names)}, which"
    return (
        f"<p>A position was still open in {escape(which)} ended before the run did. It is valued "
        "at the last close.</p>"
    )


def _correlations_table(content: ReportContent) -> str:
    correlations = content.results.correlations(content.name)
    if correlations.empty:
        return ""
    table = pd.DataFrame({"Correlation": texts_of(correlations)}, index=correlations.index)
    caption = f"How the returns of {content.name} correlate with those of the other strategies"
    return table_html(table, caption, first="Strategy")
