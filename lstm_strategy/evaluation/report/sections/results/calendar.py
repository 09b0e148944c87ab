"""What the strategy earned by year and month."""

from calendar import month_abbr

import pandas as pd

from lstm_strategy.evaluation.metrics import monthly_returns, yearly_returns
from lstm_strategy.evaluation.report.content import ReportContent
from lstm_strategy.evaluation.report.page import PERCENT, escape, shade_classes, table_html
from lstm_strategy.support import number_text

_MONTHS = range(1, 13)
_STRONG_MONTH, _STRONG_YEAR = 0.05, 0.2


def calendar_section(content: ReportContent) -> str:
    """Return the returns of the strategy by month and year, beside holding by year, as HTML."""
    equity, held = content.result.equity, content.results.buy_and_hold
    months = monthly_returns(equity).set_axis([month_abbr[month] for month in _MONTHS], axis=1)
    years = pd.DataFrame({"Year": yearly_returns(equity)})
    if held is not None and held is not content.result:
        is_taken = held.label in (*months, *years)  # by a month or "Year"
        years[f"{held.label} (held)" if is_taken else held.label] = yearly_returns(held.equity)
    shades = pd.concat(
        [
            shade_classes(months.round(3), most=_STRONG_MONTH),  # what reads 0.0% has no shade
            shade_classes(years.round(3), most=_STRONG_YEAR),
        ],
        axis=1,
    )
    numbers = pd.concat([months, years], axis=1)
    readable = numbers.map(lambda value: "" if pd.isna(value) else number_text(value, PERCENT))
    caption = f"Returns of {content.result.label} by month and year"
    table = table_html(readable, caption, first="Year", shades=shades)
    return f"{table}<p>{escape(_describe_calendar(equity, months))}</p>"


def _describe_calendar(equity: pd.Series, months: pd.DataFrame) -> str:
    n_known, won = int(months.count().sum()), int((months > 0).to_numpy().sum())
    first, last = equity.index[[0, -1]]
    return (
        f"{won:,} of {n_known:,} months were profitable. The first month starts on "
        f"{first:%Y-%m-%d} and the last ends on {last:%Y-%m-%d}, so these months and their years "
        "may be incomplete."
    )
