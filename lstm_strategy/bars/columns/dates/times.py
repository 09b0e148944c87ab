"""Times of day that stand in a column of their own."""

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from lstm_strategy.bars.columns.dates.digits import (
    times_of_clock,
)
from lstm_strategy.bars.columns.dates.pieces import read_clock
from lstm_strategy.bars.columns.dates.read import Dates, digits_of, read_dates
from lstm_strategy.bars.columns.names import plain_name
from lstm_strategy.bars.columns.numbers import null_if_missing
from lstm_strategy.bars.columns.values import Column, Rows
from lstm_strategy.errors import BarsError


def read_times(column: Column, rows: Rows) -> tuple[np.ndarray, bool] | None:
    """Microseconds since midnight, and whether they were hours alone; None for anything else."""
    if isinstance(column.values, np.ndarray):
        is_whole = np.abs(column.values) < 2**62  # and neither missing nor infinite
        if not is_whole.all() or (column.values != np.floor(column.values)).any():
            return None
        return _read_clock_digits(column.values.astype("int64"), column, rows, n_digits=0)
    if isinstance(column.values, list):
        is_times = all(isinstance(value, dt.time) for value in column.values)
        texts = [str(value) for value in column.values] if is_times else []
    elif isinstance(column.values, pd.DatetimeIndex):
        return None
    else:
        text = null_if_missing(column.values)
        digits = digits_of(text)
        if digits is not None and len(digits) == len(text) and digits.dtype.kind == "i":
            lengths = pc.utf8_length(text)
            n_digits = (
                pc.max(lengths).as_py() if pc.all(pc.equal(lengths, lengths[0])).as_py() else 0
            )
            return _read_clock_digits(digits, column, rows, n_digits)
        texts = text.to_pylist()
    clocks = {word: None if word is None else read_clock(word.strip()) for word in set(texts)}
    if not texts or clocks.get(texts[0]) is None:
        return None
    for row, word in enumerate(texts):
        if clocks[word] is None:
            raise BarsError(
                f"{rows.cell(row, column)}: the time {word!r} can't be read. "
                "Write times as HH:MM:SS."
            )
    return np.array([clocks[word] for word in texts], dtype="int64"), False


def _read_clock_digits(
    digits: np.ndarray, column: Column, rows: Rows, n_digits: int
) -> tuple[np.ndarray, bool] | None:
    """Times of day from hhmmss, hhmm or hh; those that lost their leading zeros by their size."""
    if not len(digits) or digits.min() < 0 or digits.max() >= 10**9:
        return None
    is_hours = digits.max() <= 24 and n_digits <= 2 and len(np.unique(digits)) > 1
    if is_hours and plain_name(column.label) != "minute":
        return digits * 3_600_000_000, True
    likely = next(n for n, end in ((4, 2400), (6, 240_000), (9, 10**9)) if digits.max() < end)
    n_digits = n_digits if n_digits in (4, 6, 9) else likely
    times, is_time = times_of_clock(digits, n_digits)
    if not is_time.any():
        return None
    if not is_time.all():
        row = int(is_time.argmin())
        raise BarsError(
            f"{rows.cell(row, column)}: the time {digits[row]} can't be read. "
            "Write times as HH:MM:SS."
        )
    return times.astype("m8[us]").astype("int64"), False


def add_times(
    column: Column, days: Dates, rows: Rows
) -> tuple[pd.DatetimeIndex, tuple[str, ...]] | None:
    """Days with the times of day of another column; None if that holds none."""
    times = read_times(column, rows)
    if times is not None:
        note = (f"column {column.label.strip()} was read as hours of the day",) if times[1] else ()
        return days.index + pd.to_timedelta(times[0], unit="us").as_unit("us"), note
    whole = read_dates(column, rows)
    if whole is None or not whole.has_times or len(whole.unread):
        return None
    there = whole.index.tz_localize(None)
    is_same_day = there.normalize() == days.index
    return (whole.index, whole.notes) if is_same_day.all() else None


def reads_as_times(column: Column, rows: Rows) -> bool:
    """Whether a column holds times of day."""
    return read_times(column, rows) is not None
