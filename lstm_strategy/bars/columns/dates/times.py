"""Times of day that stand in a column of their own."""

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lstm_strategy.bars.columns.dates.digits import (
    times_of_clock,
)
from lstm_strategy.bars.columns.dates.pieces import read_clock
from lstm_strategy.bars.columns.dates.read import Dates, digits_of, read_dates
from lstm_strategy.bars.columns.names import plain_name
from lstm_strategy.bars.columns.numbers import cast_numbers, null_if_missing
from lstm_strategy.bars.columns.values import Column, Rows, text_of
from lstm_strategy.errors import BarsError

_MINUTES_OF_A_DAY = 1440
_LOOKS_LIKE_TIME = r"^\d{1,2}(:|\s?h|\.\d|\s*$|\s*[AaPp]\.?[Mm])"


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
    column: Column, days: Dates, rows: Rows, *, is_needed: bool = False
) -> tuple[pd.DatetimeIndex, tuple[str, ...]] | None:
    """Days with the times of day of another column; None if that holds none.

    Args:
        column: The column that may hold times.
        days: The days.
        rows: What the rows are called.
        is_needed: Whether the days alone can't tell the rows apart, so that what looks like a time
            and can't be read is refused.

    Raises:
        BarsError: If a time can't be read.
    """
    times = read_times(column, rows)
    label = column.label.strip()
    if times is not None:
        note = (f"column {label} was read as hours of the day",) if times[1] else ()
        return _add(days, times[0]), note
    fractions = _read_fractions(column)
    if fractions is not None:
        return _add(days, fractions), (f"column {label} was read as fractions of a day",)
    whole = read_dates(column, rows)
    if whole is None or not whole.has_times or len(whole.unread):
        return _add_zoned(column, days, rows, is_needed)
    there = whole.index.tz_localize(None)
    is_same_day = there.normalize() == days.index
    return (whole.index, whole.notes) if is_same_day.all() else None


def _add(days: Dates, microseconds: np.ndarray) -> pd.DatetimeIndex:
    return days.index + pd.to_timedelta(microseconds, unit="us").as_unit("us")


def _read_fractions(column: Column) -> np.ndarray | None:
    """Microseconds since midnight where all numbers are whole minutes as fractions of a day."""
    numbers = column.values
    if isinstance(numbers, pa.ChunkedArray):
        numbers = cast_numbers(null_if_missing(numbers))
    if not isinstance(numbers, np.ndarray) or not ((numbers >= 0) & (numbers < 1)).all():
        return None
    minutes = np.round(numbers * _MINUTES_OF_A_DAY)
    # of five decimals, as Excel shows them at least, the last is half a second
    is_whole = np.abs(numbers * _MINUTES_OF_A_DAY - minutes) < 0.01
    if not is_whole.all() or not minutes.any():
        return None
    return minutes.astype("int64") * 60_000_000


def _add_zoned(
    column: Column, days: Dates, rows: Rows, is_needed: bool
) -> tuple[pd.DatetimeIndex, tuple[str, ...]] | None:
    """Days with times that have a zone behind."""
    if not isinstance(column.values, pa.ChunkedArray) or len(pc.unique(column.values)) < 2:
        return None
    cells = null_if_missing(column.values)
    if not pc.any(pc.match_substring_regex(cells, _LOOKS_LIKE_TIME)).as_py():
        return None
    written = zip(days.index.strftime("%Y-%m-%d"), cells.to_pylist(), strict=True)
    text = text_of([None if cell is None else f"{day} {cell}" for day, cell in written])
    found = read_dates(Column(column.label, text), rows)
    if found is not None and not len(found.unread) and not found.doubt and found.has_times:
        return found.index, found.notes
    if not is_needed:
        return None
    row = int(found.unread[0]) if found is not None and len(found.unread) else 0
    raise BarsError(
        f"{rows.cell(row, column)}: the time {cells[row].as_py()!r} can't be read. Write times as "
        "HH:MM:SS, with nothing behind or a zone such as America/New_York."
    )


def reads_as_times(column: Column, rows: Rows) -> bool:
    """Whether a column holds times of day."""
    return read_times(column, rows) is not None
