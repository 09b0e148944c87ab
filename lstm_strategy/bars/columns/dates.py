"""The dates of the bars, from the columns that hold them."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lstm_strategy.bars.columns.date_digits import (
    describe_digits,
    read_digits,
    times_of_clock,
)
from lstm_strategy.bars.columns.date_pieces import read_clock
from lstm_strategy.bars.columns.date_texts import (
    MixedZonesError,
    TextDates,
    read_iso,
    read_texts,
)
from lstm_strategy.bars.columns.names import find_dates, find_times, list_labels, plain_name
from lstm_strategy.bars.columns.numbers import null_if_missing
from lstm_strategy.bars.columns.values import Column, Rows, text_of
from lstm_strategy.errors import BarsError
from lstm_strategy.support import spell

_UNIT = pd.DatetimeIndex(["2000-01-01"]).unit
_REMEDY = "Write dates as YYYY-MM-DD HH:MM:SS."


@dataclass(frozen=True, eq=False)
class Dates:
    """The dates of a column.

    Attributes:
        index: Shape (n_rows,), NaT where there is none.
        unread: The rows whose value isn't a date.
        has_times: Whether they say more than the day.
        doubt: Why they can't be read unambiguously; empty if they can.
        notes: What was decided and must be reported.
    """

    index: pd.DatetimeIndex
    unread: np.ndarray
    has_times: bool
    doubt: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class DatedRows:
    """Where the dates of the bars were found.

    Attributes:
        index: Shape (n_rows,).
        places: The columns that they came from.
        notes: What was decided and must be reported.
    """

    index: pd.DatetimeIndex
    places: tuple[int, ...]
    notes: tuple[str, ...]


def date_rows(columns: Sequence[Column], rows: Rows, *, chosen: int | None = None) -> DatedRows:
    """Find the dates of the bars among the columns.

    The first column counts that is named as one of dates and holds dates; if none is named so, the
    only column whose text is dates.

    Args:
        columns: All columns.
        rows: What their rows are called.
        chosen: The column that the user chose, if any.

    Raises:
        BarsError: If there is no column of dates, one of them can't be read, they can be read in
            more than one way, or some have a timezone and others none.
    """
    labels = [column.label for column in columns]
    places = [chosen] if chosen is not None else find_dates(labels)
    doubts = []
    for place in places:
        dates = read_dates(columns[place], rows)
        if dates is None or _is_hopeless(dates) or dates.doubt:
            joined = (
                None if dates and not _is_hopeless(dates) else _join_times(columns, place, rows)
            )
            if joined:
                return joined
            doubts.append(_describe_doubt(columns[place], dates, rows))
            continue
        refuse_unread(columns[place], dates, rows)
        return _with_times(columns, place, dates, rows)
    unnamed = _find_unnamed(columns, set(places), rows)
    dates = None if unnamed is None else read_dates(columns[unnamed], rows)
    if unnamed is not None and dates is not None:
        if dates.doubt:
            raise BarsError(dates.doubt)
        refuse_unread(columns[unnamed], dates, rows)
        note = f"the dates were taken from column {columns[unnamed].label.strip() or unnamed + 1}"
        found = _with_times(columns, unnamed, dates, rows)
        return DatedRows(found.index, found.places, (note, *found.notes))
    if doubts:
        raise BarsError(doubts[0])
    raise BarsError(
        "there is no column of dates such as Date, Datetime or Timestamp (found: "
        f"{list_labels(labels)}). Name the one that holds them: "
        f"{spell('columns', {'datetime': '…'})}."
    )


def read_dates(column: Column, rows: Rows) -> Dates | None:
    """Read a column as dates.

    Returns:
        The dates; None if nothing in it looks like a date.

    Raises:
        BarsError: If some dates have a timezone and others none.
    """
    values = column.values
    if isinstance(values, pd.DatetimeIndex):
        is_timed = np.asarray(values != values.normalize()) & np.asarray(values.notna())
        has_times = bool(is_timed.any()) or values.tz is not None
        return Dates(_in_usual_unit(values), np.zeros(0, dtype=int), has_times)
    if isinstance(values, np.ndarray):
        return _read_numbers(values.astype("float64"), values, column.label)
    try:
        return _read_objects(values) if isinstance(values, list) else _read_text(values, column)
    except MixedZonesError as mixed:
        _refuse_mixed_zones(column, mixed, rows)
    except ValueError as error:  # an hour that the clocks of a zone repeat or leave out
        raise BarsError(
            f"column {column.label.strip()}: the dates can't be put into their zone ({error}). "
            "Write them in UTC."
        ) from error


def _read_text(values: pa.ChunkedArray, column: Column) -> Dates | None:
    whole = _cast_whole(values)
    if whole is not None:
        return _read_numbers(whole.astype("float64"), whole, column.label)
    found = read_iso(values)
    if found is not None:
        return _from_text(found, "")
    text = null_if_missing(values)
    digits_alone, words = _without_words(text)
    digits = _digits_of(digits_alone)
    if digits is not None:
        floats = pc.cast(digits_alone, pa.float64()).to_numpy()
        dates = _read_numbers(floats, digits, column.label)
        return dates and replace(dates, unread=np.union1d(dates.unread, words).astype(int))
    if not pc.any(pc.is_valid(text)).as_py():
        return None
    return _from_text(read_texts(text), pc.drop_null(text)[0].as_py())


def _from_text(found: TextDates, first: str) -> Dates:
    doubt = ""
    if len(found.readings) > 1:
        words = {"dmy": "day/month", "mdy": "month/day", "ymd": "year/month"}
        ways = " and as ".join(words[reading] for reading in found.readings)
        doubt = f"dates such as {first!r} can be read as {ways}. Write them as YYYY-MM-DD."
    return Dates(_in_usual_unit(found.dates), found.unread, found.has_times, doubt, found.notes)


def refuse_unread(column: Column, dates: Dates, rows: Rows) -> None:
    """Name the first date of a column that can't be read, or can't be meant."""
    _refuse_impossible(column, dates.index, rows)
    if len(dates.unread):
        row, count = int(dates.unread[0]), len(dates.unread)
        raise BarsError(
            f"{rows.cell(row, column)}: the date {_show(column, row)} can't be "
            f"read ({count} {'row' if count == 1 else 'rows'} in all). {_REMEDY}"
        )


def _show(column: Column, row: int) -> str:
    value = column.values[row]
    return repr(value.as_py() if isinstance(value, pa.Scalar) else value)[:60]


def _refuse_impossible(column: Column, index: pd.DatetimeIndex, rows: Rows) -> None:
    """Name the first date that lies where no market was, or will be soon."""
    years = index.asi8.view(f"M8[{index.unit}]").astype("M8[Y]")
    is_far = (years < np.datetime64("1700")) | (years > np.datetime64("2261"))
    if is_far.any():
        row = int(is_far.argmax())
        raise BarsError(
            f"{rows.cell(row, column)}: the date {_show(column, row)} lies outside "
            "the years 1700 to 2261. Correct it."
        )


def _in_usual_unit(index: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """The index in the unit that pandas gives text, unless it is finer than that."""
    if index.unit == _UNIT or (index.unit == "ns" and (index.asi8[index.notna()] % 1000).any()):
        return index
    try:
        return index.as_unit(_UNIT)
    except (pd.errors.OutOfBoundsDatetime, OverflowError):
        return index


def _cast_whole(text: pa.ChunkedArray) -> np.ndarray | None:
    """Whole numbers without a gap, at the speed of pyarrow."""
    if text.null_count or not len(text):
        return None
    try:
        whole: np.ndarray = pc.cast(text, pa.int64()).to_numpy()
    except pa.ArrowInvalid:
        return None
    return whole


def _digits_of(text: pa.ChunkedArray) -> np.ndarray | None:
    """The numbers of a column that holds nothing but digits, without its gaps; None for others."""
    is_digits = pc.match_substring_regex(text, r"^-?\d{1,20}(\.\d{1,9})?$")
    if not pc.all(is_digits).as_py() or text.null_count == len(text):
        return None
    given = pc.drop_null(text)
    is_whole = not pc.any(pc.match_substring(given, ".")).as_py()
    try:
        digits: np.ndarray = pc.cast(given, pa.int64() if is_whole else pa.float64()).to_numpy()
    except pa.ArrowInvalid:  # more digits than an integer has
        digits = pc.cast(given, pa.float64()).to_numpy()
    return digits


def _without_words(text: pa.ChunkedArray) -> tuple[pa.ChunkedArray, np.ndarray]:
    """Text of digits with the few words in it made gaps, and the rows of these words."""
    is_digits = pc.fill_null(pc.match_substring_regex(text, r"^-?\d{6,20}(\.\d{1,9})?$"), True)
    words = np.flatnonzero(~is_digits.to_numpy())
    if not 0 < len(words) < len(text) / 2:
        return text, np.zeros(0, dtype=int)
    return pc.if_else(is_digits, text, pa.scalar(None, pa.string())), words


def _read_numbers(floats: np.ndarray, values: np.ndarray, label: str) -> Dates | None:
    given = ~np.isnan(floats)
    if len(values) == len(floats):
        values = values[given]
    if not len(values):
        return None
    found = read_digits(values, is_named_epoch=plain_name(label).startswith(("unix", "epoch")))
    if found is None:
        return None
    rows = np.flatnonzero(given)
    dates = pd.Series(found.dates, rows)
    index = found.dates if given.all() else pd.DatetimeIndex(dates.reindex(range(len(floats))))
    return Dates(_in_usual_unit(index), rows[found.is_unread], found.has_times)


def _read_objects(values: list[object]) -> Dates | None:
    given = [(row, v) for row, v in enumerate(values) if isinstance(v, dt.date)]
    if not given:
        return None
    aware = [row for row, v in given if getattr(v, "tzinfo", None) is not None]
    naive = [row for row, v in given if getattr(v, "tzinfo", None) is None]
    if aware and naive:
        raise MixedZonesError(with_zone=aware[0], without_zone=naive[0])
    texts = [v.isoformat(" ") if isinstance(v, dt.datetime) else str(v) for _, v in given]
    found = read_texts(text_of(texts))
    index = pd.Series(found.dates, [row for row, _ in given]).reindex(range(len(values)))
    unread = [row for row, v in enumerate(values) if v is not None and not isinstance(v, dt.date)]
    rows = np.array(sorted({*unread, *(given[n][0] for n in found.unread)}), dtype=int)
    return Dates(_in_usual_unit(pd.DatetimeIndex(index)), rows, found.has_times, notes=found.notes)


def _is_hopeless(dates: Dates) -> bool:
    """Whether a column is none of dates rather than one of dates with a few bad ones."""
    return bool(dates.index.isna().all())


def _describe_doubt(column: Column, dates: Dates | None, rows: Rows) -> str:
    if dates is not None and dates.doubt:
        return dates.doubt
    if dates is not None and len(dates.unread):
        try:
            refuse_unread(column, dates, rows)
        except BarsError as error:
            return str(error)
    numbers = column.values
    if isinstance(numbers, pa.ChunkedArray):
        numbers = _digits_of(null_if_missing(numbers))
    if isinstance(numbers, np.ndarray):
        numbers = numbers[np.isfinite(numbers)]
    if not isinstance(numbers, np.ndarray) or not len(numbers):
        return f"column {column.label.strip()} holds no dates. {_REMEDY}"
    return (
        f"{rows.cell(0, column)}: {numbers[0]:.15g} isn't a date "
        f"that can be read unambiguously{describe_digits(numbers)}. {_REMEDY}"
    )


def _refuse_mixed_zones(column: Column, mixed: MixedZonesError, rows: Rows) -> NoReturn:
    later = max(mixed.with_zone, mixed.without_zone)
    raise BarsError(
        f"{rows.cell(later, column)}: dates with and without a timezone are "
        f"mixed: {_show(column, mixed.with_zone)} has one, {_show(column, mixed.without_zone)} "
        "has none. Give all of them a timezone, or none."
    ) from mixed


def _with_times(columns: Sequence[Column], place: int, dates: Dates, rows: Rows) -> DatedRows:
    """The dates, with the times that stand in a column of their own where they are mere days."""
    if not dates.has_times:
        for other in find_times([column.label for column in columns]):
            if other != place:
                found = _add_times(columns[other], dates, rows)
                if found is not None:
                    index, notes = found
                    return DatedRows(index, (place, other), (*dates.notes, *notes))
    return DatedRows(dates.index, (place,), dates.notes)


def _join_times(columns: Sequence[Column], place: int, rows: Rows) -> DatedRows | None:
    """The dates where a column that is named as one of dates holds times of day, beside days."""
    if _read_times(columns[place], rows) is None:
        return None
    for other in find_dates([column.label for column in columns]):
        dates = read_dates(columns[other], rows) if other != place else None
        if (
            dates is not None
            and not dates.has_times
            and not _is_hopeless(dates)
            and not dates.doubt
        ):
            refuse_unread(columns[other], dates, rows)
            found = _add_times(columns[place], dates, rows)
            if found is not None:
                return DatedRows(found[0], (other, place), (*dates.notes, *found[1]))
    return None


def _add_times(
    column: Column, days: Dates, rows: Rows
) -> tuple[pd.DatetimeIndex, tuple[str, ...]] | None:
    """Days with the times of day of another column; None if that holds none."""
    times = _read_times(column, rows)
    if times is not None:
        note = (f"column {column.label.strip()} was read as hours of the day",) if times[1] else ()
        return days.index + pd.to_timedelta(times[0], unit="us").as_unit("us"), note
    whole = read_dates(column, rows)
    if whole is None or not whole.has_times or len(whole.unread):
        return None
    there = whole.index.tz_localize(None)
    is_same_day = there.normalize() == days.index
    return (whole.index, whole.notes) if is_same_day.all() else None


def _read_times(column: Column, rows: Rows) -> tuple[np.ndarray, bool] | None:
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
        digits = _digits_of(text)
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


def _find_unnamed(columns: Sequence[Column], tried: set[int], rows: Rows) -> int | None:
    """The one column that isn't named as one of dates and yet holds nothing else."""
    found = []
    for place, column in enumerate(columns):
        is_text = isinstance(column.values, pa.ChunkedArray)
        is_digits = isinstance(column.values, np.ndarray) or (
            is_text and _digits_of(null_if_missing(column.values)) is not None
        )
        if place in tried or (is_digits and (place or not _counts_time(column, rows))):
            continue
        head = np.zeros(_length(column), dtype=bool)
        head[:50] = True
        few = read_dates(column.take(head), rows)
        if few is not None and not _is_hopeless(few) and len(few.unread) < 25:
            found.append(place)
    if len(found) > 1:
        names = list_labels([columns[place].label for place in found])
        raise BarsError(
            f"several columns hold dates ({names}), and none has a usual name. Choose one: "
            f"{spell('columns', {'datetime': columns[found[0]].label.strip()})}."
        )
    return found[0] if found else None


def _counts_time(column: Column, rows: Rows) -> bool:
    """Whether digits of another name are dates: long ones that rise or fall from row to row."""
    dates = read_dates(column, rows)
    if dates is None or len(dates.unread) or not dates.has_times or dates.index.hasnans:
        return False
    steps = np.diff(dates.index.asi8)
    return bool(len(steps)) and bool((steps > 0).all() or (steps < 0).all())


def _length(column: Column) -> int:
    return len(column.values)


def reads_as_times(column: Column, rows: Rows) -> bool:
    """Whether a column holds times of day."""
    return _read_times(column, rows) is not None
