"""The dates of the bars, found among the columns."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from lstm_strategy.bars.columns.dates.digits import (
    describe_digits,
)
from lstm_strategy.bars.columns.dates.read import (
    REMEDY,
    Dates,
    digits_of,
    is_hopeless,
    read_dates,
    refuse_unread,
)
from lstm_strategy.bars.columns.dates.times import add_times, read_times
from lstm_strategy.bars.columns.names import find_dates, find_tickers, find_times, list_labels
from lstm_strategy.bars.columns.numbers import null_if_missing
from lstm_strategy.bars.columns.values import Column, Rows
from lstm_strategy.errors import BarsError
from lstm_strategy.support import spell


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
        if dates is None or is_hopeless(dates) or dates.doubt:
            joined = None if dates and not is_hopeless(dates) else _join_times(columns, place, rows)
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
        numbers = digits_of(null_if_missing(numbers))
    if isinstance(numbers, np.ndarray):
        numbers = numbers[np.isfinite(numbers)]
    if not isinstance(numbers, np.ndarray) or not len(numbers):
        return f"column {column.label.strip()} holds no dates. {REMEDY}"
    return (
        f"{rows.cell(0, column)}: {numbers[0]:.15g} isn't a date "
        f"that can be read unambiguously{describe_digits(numbers)}. {REMEDY}"
    )


def _with_times(columns: Sequence[Column], place: int, dates: Dates, rows: Rows) -> DatedRows:
    """The dates, with the times that stand in a column of their own where they are mere days."""
    if not dates.has_times:
        labels = [column.label for column in columns]
        is_needed = not dates.index.is_unique and not any(
            _holds_several(columns[p]) for p in find_tickers(labels)
        )
        for other in find_times(labels):
            if other != place:
                found = add_times(columns[other], dates, rows, is_needed=is_needed)
                if found is not None:
                    index, notes = found
                    return DatedRows(index, (place, other), (*dates.notes, *notes))
    return DatedRows(dates.index, (place,), dates.notes)


def _holds_several(column: Column) -> bool:
    values = column.values
    distinct = values.unique() if isinstance(values, pa.ChunkedArray) else values
    return len(set(map(str, distinct))) > 1


def _join_times(columns: Sequence[Column], place: int, rows: Rows) -> DatedRows | None:
    """The dates where a column that is named as one of dates holds times of day, beside days."""
    for other in find_dates([column.label for column in columns]):
        dates = read_dates(columns[other], rows) if other != place else None
        if dates is not None and not dates.has_times and not is_hopeless(dates) and not dates.doubt:
            if read_times(columns[place], rows) is None:
                return None
            refuse_unread(columns[other], dates, rows)
            found = add_times(columns[place], dates, rows)
            if found is not None:
                return DatedRows(found[0], (other, place), (*dates.notes, *found[1]))
    return None


def _find_unnamed(columns: Sequence[Column], tried: set[int], rows: Rows) -> int | None:
    """The one column that isn't named as one of dates and yet holds nothing else."""
    found = []
    for place, column in enumerate(columns):
        is_text = isinstance(column.values, pa.ChunkedArray)
        is_digits = isinstance(column.values, np.ndarray) or (
            is_text and digits_of(null_if_missing(column.values)) is not None
        )
        if place in tried or (is_digits and (place or not _counts_time(column, rows))):
            continue
        head = np.zeros(_length(column), dtype=bool)
        head[:50] = True
        few = read_dates(column.take(head), rows)
        if few is not None and not is_hopeless(few) and len(few.unread) < 25:
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
