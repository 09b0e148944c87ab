"""What the strategy earned by year and month."""

from calendar import month_abbr

import numpy as np
import pandas as pd

from lstm_strategy.evaluation.metrics import monthly_returns, yearly_returns
from lstm_strategy.evaluation.report.content import ReportContent
from lstm_strategy.evaluation.report.page import PERCENT, escape, shade_classes, table_html
from lstm_strategy.support import number_text

_MONTHS = range(1, 13)
_STRONG_MONTH, _STRONG_YEAR = 0.05, 0.2
_HOLIDAYS = 1  # such as New Year's Day: a weekday at the edge of a month without a bar


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
    text = f"{won:,} of {n_known:,} months were profitable."
    dates = pd.DatetimeIndex(equity.index)
    parts = _incomplete_parts(dates)
    if not parts:
        return text
    return (
        f"{text} The bars run from {dates[0]:%Y-%m-%d} to {dates[-1]:%Y-%m-%d}, so "
        f"{' and '.join(parts)} may be incomplete."
    )


def _incomplete_parts(dates: pd.DatetimeIndex) -> list[str]:
    """The months and years, in words, that may have more days than these dates."""
    day = np.timedelta64(1, "D")
    first, last = (np.datetime64(f"{date:%Y-%m-%d}") for date in dates[[0, -1]])
    month_start = first.astype("datetime64[M]").astype("datetime64[D]")
    month_end = (last.astype("datetime64[M]") + 1).astype("datetime64[D]") - day
    if (dates.day_of_week > 4).any():  # no exchange with weekends and holidays
        missed = [(first - month_start) // day, (month_end - last) // day]
    else:
        missed = [
            np.busday_count(month_start, first) - _HOLIDAYS,
            np.busday_count(last + day, month_end + day) - _HOLIDAYS,
        ]
    parts = []
    for which, days, is_edge in zip(
        ("first", "last"), missed, (dates[0].month == 1, dates[-1].month == 12), strict=True
    ):
        if days > 0:
            parts.append(f"the {which} month and year")
        elif not is_edge:
            parts.append(f"the {which} year")
    return parts
