"""Which bars a run sees, and on which of them it may begin to trade."""

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd

from lstm_strategy.errors import TradingError


def bars_until(bars: pd.DataFrame, end: Any) -> pd.DataFrame:
    """Return the bars up to ``end``, inclusive; all of them for None.

    Raises:
        TradingError: ``end`` is no date, or leaves fewer than 2 bars.
    """
    kept = bars if end is None else _sliced(bars, slice(None, _slice_edge(bars, end, "end")))
    if len(kept) < 2:
        until = "" if end is None else f" up to end={end}"
        remedy = "Load more history" if end is None else "Choose a later end"
        raise TradingError(
            f"a run needs at least 2 bars{until}, got {len(kept)}; "
            f"the bars are {span_text(bars)}. {remedy}."
        )
    return kept


def first_bar_number(bars: pd.DataFrame, start: Any) -> int:
    """Return the number, counted from 1, of the first bar at or after ``start``; 1 for None.

    Raises:
        TradingError: ``start`` is no date, or lies behind the last bar.
    """
    if start is None:
        return 1
    n_tradable = len(_sliced(bars, slice(_slice_edge(bars, start, "start"), None)))
    if n_tradable == 0:
        raise TradingError(
            f"there is no bar at or after start={start}; the bars are {span_text(bars)}. "
            "Choose an earlier start or load more bars."
        )
    return len(bars) - n_tradable + 1


def _slice_edge(bars: pd.DataFrame, when: Any, name: str) -> Any:
    """Return what pandas slices the bars with; a date stands for the whole day."""
    if isinstance(when, str):
        return when
    if isinstance(when, dt.datetime | np.datetime64):
        stamp, zone = pd.Timestamp(when), pd.DatetimeIndex(bars.index).tz
        if zone is None and stamp.tz is not None:
            raise TradingError(
                f"{name} must have no timezone as the bars have none, got {when}. "
                "Leave it out, or localise the index of the bars."
            )
        return stamp.tz_localize(zone) if zone is not None and stamp.tz is None else stamp
    if isinstance(when, dt.date):
        return when.isoformat()
    raise TradingError(
        f'{name} must be a date such as "2013", "2013-05-02" or a Timestamp, got {when!r}.'
    )


def _sliced(bars: pd.DataFrame, edges: slice) -> pd.DataFrame:
    try:
        return bars.loc[edges]
    except (ValueError, TypeError, KeyError) as error:
        edge = edges.start if edges.stop is None else edges.stop
        raise TradingError(
            f'start and end must be dates such as "2013" or "2013-05-02", got {edge!r}.'
        ) from error


def span_text(bars: pd.DataFrame) -> str:
    """Return the first and the last date in words, for messages."""
    return f"from {bars.index[0]} to {bars.index[-1]}"


def span_dates(index: pd.Index) -> tuple[str, str]:
    """The first and the last date as text; with the time and its zone where bars are intraday.

    >>> span_dates(pd.date_range("2024-01-01", periods=30, freq="h", tz="UTC"))
    ('2024-01-01 00:00', '2024-01-02 05:00 UTC')
    """
    dates = pd.DatetimeIndex(index)
    first, last = dates[0], dates[-1]
    if (dates == dates.normalize()).all():
        return f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}"
    zone = "" if dates.tz is None else f" {dates.tz}"
    return f"{first:%Y-%m-%d %H:%M}", f"{last:%Y-%m-%d %H:%M}{zone}"
