"""Spans of bars: cut from one date to another, and described in words."""

import datetime as dt
import re

import numpy as np
import pandas as pd

from lstm_strategy.errors import TradingError
from lstm_strategy.support import refuse_day, spell

Date = str | dt.date | np.datetime64
"""A day or a moment: "2013", "2013-05-02", a date, a datetime or a Timestamp."""
_DAY_OR_MONTH_FIRST = re.compile(r"\s*\d{1,2}[/. -]\d{1,2}[/. -]")


def slice_bars(
    bars: pd.DataFrame, *, start: Date | None = None, end: Date | None = None
) -> pd.DataFrame:
    """Cut bars to those from one date to another, both inclusive.

    Args:
        bars: Bars, or anything else on a DatetimeIndex that rises.
        start: The first date; a year or a day stands for all of it. None for no limit.
        end: The last date, in the same way.

    Returns:
        The bars in between, at least one. Their frame may share its memory with `bars`.

    Raises:
        TradingError: If a date isn't one, or no bar lies in between.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> describe_span(slice_bars(sample_bars("sp500"), start="2013", end="2013-06"))
        '124 bars from 2013-01-02 to 2013-06-28'
    """
    kept = cut_bars(bars, start=start, end=end)
    if kept.empty:
        if start is not None and end is not None and _lies_after(start, end, bars.index):
            raise TradingError(
                f"{spell('start', str(start))} lies after {spell('end', str(end))}. Exchange the "
                "two dates."
            )
        raise TradingError(
            f"none of the {describe_span(bars)} lies between {start or 'the beginning'} and "
            f"{end or 'the end'}. Choose other dates."
        )
    return kept


def cut_bars(
    bars: pd.DataFrame, *, start: Date | None = None, end: Date | None = None
) -> pd.DataFrame:
    """Cut bars as `slice_bars` does, and return none where none lies in between.

    Args:
        bars: As in `slice_bars`.
        start: As in `slice_bars`.
        end: As in `slice_bars`.

    Raises:
        TradingError: If a date isn't one.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> len(cut_bars(sample_bars("sp500"), start="2019"))
        0
    """
    return _cut(_cut(bars, "start", start), "end", end)


def bars_until(bars: pd.DataFrame, end: Date | None) -> pd.DataFrame:
    """Cut bars to those up to a date, inclusive, of which a run needs two.

    Args:
        bars: The bars.
        end: The last date; a year or a day stands for all of it. None for all bars.

    Raises:
        TradingError: If `end` isn't a date, or leaves fewer than 2 bars.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> len(bars_until(sample_bars("sp500"), "1999"))
        252
    """
    kept = _cut(bars, "end", end)
    if len(kept) < 2:
        until = "" if end is None else f" up to {spell('end', str(end))}"
        remedy = "Load more history" if end is None else "Choose a later end"
        raise TradingError(
            f"a run needs at least 2 bars{until}, got {len(kept)} of {describe_span(bars)}. "
            f"{remedy}."
        )
    return kept


def first_bar_number(bars: pd.DataFrame, start: Date | None) -> int:
    """The number, counted from 1, of the first bar at or after a date.

    Args:
        bars: The bars.
        start: The date; a year or a day stands for its beginning. None for the first bar.

    Raises:
        TradingError: If `start` isn't a date, or lies after the last bar.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> first_bar_number(sample_bars("sp500"), "2000")
        253
    """
    n_after = len(_cut(bars, "start", start))
    if n_after == 0:
        raise TradingError(
            f"there is no bar at or after {spell('start', str(start))} among the "
            f"{describe_span(bars)}. Choose an earlier start or load more bars."
        )
    return len(bars) - n_after + 1


def describe_span(bars: pd.DataFrame | pd.Series) -> str:
    """How many bars, from when to when, in words.

    Args:
        bars: Bars, or a curve on their index; not empty.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> describe_span(sample_bars("sp500"))
        '5,031 bars from 1999-01-04 to 2018-12-31'
    """
    first, last = span_dates(bars.index)
    return f"{len(bars):,} bar{'s' if len(bars) > 1 else ''} from {first} to {last}"


def span_dates(index: pd.Index) -> tuple[str, str]:
    """The first and the last date as text; with the time and its zone where bars are intraday.

    Args:
        index: The dates; not empty.

    Example:
        >>> span_dates(pd.date_range("2024-01-01", periods=30, freq="h", tz="UTC"))
        ('2024-01-01 00:00', '2024-01-02 05:00 UTC')
    """
    dates = pd.DatetimeIndex(index)
    first, last = dates[0], dates[-1]
    if (dates == dates.normalize()).all():
        return f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}"
    zone = "" if dates.tz is None else f" {dates.tz}"
    return f"{first:%Y-%m-%d %H:%M}", f"{last:%Y-%m-%d %H:%M}{zone}"


def _cut(bars: pd.DataFrame, edge: str, date: Date | None) -> pd.DataFrame:
    """The bars on the right side of one edge, "start" or "end"."""
    if date is None:
        return bars
    moment = _localize(bars.index, edge, date)
    try:
        return bars.loc[moment:] if edge == "start" else bars.loc[:moment]
    except (ValueError, TypeError, KeyError) as error:
        raise _not_a_date(edge, date) from error


def _lies_after(start: Date, end: Date, index: pd.Index) -> bool:
    """Whether a span begins after its end, of which a year or a day stands for all of it."""
    first, last = _localize(index, "start", start), _localize(index, "end", end)
    if isinstance(first, str):
        first = pd.Period(first).start_time
    if isinstance(last, str):
        last = pd.Period(last).end_time
    return bool(first.tz_localize(None) > last.tz_localize(None))


def _localize(index: pd.Index, edge: str, date: Date) -> str | pd.Timestamp:
    """What pandas slices an index with; a date stands for the whole day."""
    if isinstance(date, str):
        if _DAY_OR_MONTH_FIRST.match(date):  # who knows which?
            raise _not_a_date(edge, date)
        return date
    if isinstance(date, dt.datetime | np.datetime64):
        moment, zone = pd.Timestamp(date), pd.DatetimeIndex(index).tz
        if zone is None and moment.tz is not None:
            raise TradingError(
                f"{spell(edge)} must have no timezone as the bars have none, got {date}. "
                "Leave it out, or localise the index of the bars."
            )
        return moment.tz_localize(zone) if moment.tz is None else moment
    if isinstance(date, dt.date):
        return date.isoformat()
    raise _not_a_date(edge, date)


def _not_a_date(edge: str, date: object) -> TradingError:
    missing = refuse_day(date)
    if missing:
        return TradingError(f"{spell(edge)} must be a date that exists, got {date!r}. {missing}")
    examples = '"2013", "2013-05-02" or a Timestamp'
    if spell(edge) != edge:
        examples = "2013, 2013-05 or 2013-05-02"
    is_turned = isinstance(date, str) and _DAY_OR_MONTH_FIRST.match(date)
    remedy = " Write the year first, then the month." if is_turned else ""
    return TradingError(f"{spell(edge)} must be a date such as {examples}, got {date!r}.{remedy}")
