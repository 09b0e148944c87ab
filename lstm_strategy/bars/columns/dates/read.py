"""A column read as dates."""

import datetime as dt
import re
from dataclasses import dataclass, replace
from typing import NoReturn

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lstm_strategy.bars.columns.dates.digits import (
    read_digits,
)
from lstm_strategy.bars.columns.dates.texts import (
    MixedZonesError,
    TextDates,
    read_iso,
    read_texts,
)
from lstm_strategy.bars.columns.names import plain_name
from lstm_strategy.bars.columns.numbers import null_if_missing
from lstm_strategy.bars.columns.values import Column, Rows, text_of
from lstm_strategy.errors import BarsError
from lstm_strategy.support import count_of, refuse_day

_UNIT = pd.DatetimeIndex(["2000-01-01"]).unit
REMEDY = "Write dates as YYYY-MM-DD HH:MM:SS."
_NAMED_ZONE = re.compile(r"\d:\d\d[\d:.,]*\s*[\[(]?([A-Za-z]{3,5}|[A-Za-z]+/[A-Za-z_/]+)[\])]?$")


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
    digits = digits_of(digits_alone)
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
            f"read ({count_of(count, 'such row')}). "
            f"{_find_remedy(column.values[row])}"
        )


def _find_remedy(value: object) -> str:
    """How to write a date that can't be read."""
    missing = refuse_day(str(value).strip())
    if missing:
        return missing
    zone = _NAMED_ZONE.search(str(value).strip())
    if zone is None:
        return REMEDY
    return (
        f"Instead of the zone's name, {zone.group(1)}, write its offset from UTC, as in "
        "2024-01-31 16:00:00-05:00, or leave it out."
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


def digits_of(text: pa.ChunkedArray) -> np.ndarray | None:
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


def is_hopeless(dates: Dates) -> bool:
    """Whether a column is none of dates rather than one of dates with a few bad ones."""
    return bool(dates.index.isna().all())


def _refuse_mixed_zones(column: Column, mixed: MixedZonesError, rows: Rows) -> NoReturn:
    later = max(mixed.with_zone, mixed.without_zone)
    raise BarsError(
        f"{rows.cell(later, column)}: dates with and without a timezone are "
        f"mixed: {_show(column, mixed.with_zone)} has one, {_show(column, mixed.without_zone)} "
        "has none. Give all of them a timezone, or none."
    ) from mixed
