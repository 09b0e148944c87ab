"""What each market of a portfolio did, and what the portfolio moves with."""

from collections.abc import Mapping

import pandas as pd

from lstm_strategy.evaluation.report.content import ReportContent
from lstm_strategy.evaluation.report.page import (
    PERCENT,
    SMALL_PERCENT,
    WHOLE,
    escape,
    table_html,
    texts_of,
)


def markets_section(content: ReportContent) -> str:
    """Return what each market did, which were held when they ended, and the correlations as HTML.

    Args:
        content: What the page is made from.

    Returns:
        "" for a result of one market.
    """
    by_market = content.result.by_market
    if by_market.empty:
        return ""
    stranded = _stranded_line(content.result.order_counts_by_market)
    return _markets_table(by_market) + stranded + _correlations_table(content)


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
