"""The values of a column in one of four plain forms, whatever a file or a frame held."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa

Text: TypeAlias = pa.ChunkedArray
# Text, numbers (int64 or float64), dates, or objects that are none of these.
Values: TypeAlias = "Text | np.ndarray | pd.DatetimeIndex | list[Any]"


@dataclass(frozen=True, eq=False)
class Column:
    """One column as it was found.

    Attributes:
        label: Its name, written as the source writes it; empty where it has none.
        values: Its values in a plain form.
    """

    label: str
    values: Values

    def take(self, rows: np.ndarray | slice) -> "Column":
        """The column at some rows, given by a mask, by positions or by a slice."""
        if isinstance(rows, slice):
            return Column(self.label, self.values[rows])
        if isinstance(self.values, pa.ChunkedArray):
            chosen = self.values.filter if rows.dtype == bool else self.values.take
            return Column(self.label, chosen(pa.array(rows)))
        if isinstance(self.values, list):
            positions = np.flatnonzero(rows) if rows.dtype == bool else rows
            return Column(self.label, [self.values[row] for row in positions])
        return Column(self.label, self.values[rows])


@dataclass(frozen=True, eq=False)
class Rows:
    """What the rows are called in messages.

    Attributes:
        word: `"line"` for the lines of a file, from 1, or `"row"` for the rows of a frame, from 0.
        numbers: The number of each row.
    """

    word: str
    numbers: Sequence[int] | np.ndarray

    def __len__(self) -> int:
        return len(self.numbers)

    def name(self, row: int) -> str:
        """What a row is called, such as `line 7`."""
        return f"{self.word} {int(self.numbers[row])}"

    def cell(self, row: int, column: Column) -> str:
        """What a cell is called, such as `line 7, column Close`."""
        return f"{self.name(row)}, column {column.label.strip()[:60] or '(no name)'}"

    def take(self, rows: np.ndarray | slice) -> "Rows":
        """The names of some rows, given by a mask, by positions or by a slice."""
        return Rows(self.word, np.asarray(self.numbers)[rows])


def text_of(values: Sequence[str | None]) -> Text:
    """Strings as a column of text."""
    try:
        return pa.chunked_array([pa.array(values, pa.string())])
    except UnicodeEncodeError:  # halves of surrogate pairs
        encoded = [v and v.encode("utf-8", "replace").decode() for v in values]
        return pa.chunked_array([pa.array(encoded, pa.string())])


def plain_values(series: pd.Series) -> Values:
    """The values of a series in the plainest form that holds them."""
    if isinstance(series.dtype, pd.PeriodDtype):
        series = series.dt.to_timestamp()
    if isinstance(series.dtype, pd.DatetimeTZDtype) or series.dtype.kind == "M":
        return _without_pyarrow(series)
    if pd.api.types.is_numeric_dtype(series) and series.dtype.kind in "iuf":
        is_whole = series.dtype.kind == "i" and not series.hasnans
        return series.to_numpy(dtype="int64" if is_whole else "float64", na_value=np.nan)
    return _from_objects(series)


def _without_pyarrow(series: pd.Series) -> pd.DatetimeIndex:
    if isinstance(series.dtype, pd.ArrowDtype):
        return pd.DatetimeIndex(series.dt.to_pydatetime())
    return pd.DatetimeIndex(series)


def _from_objects(series: pd.Series) -> Values:
    objects = series.astype(object)
    values = [
        None if gap else value for value, gap in zip(objects, _is_missing(objects), strict=True)
    ]
    given = [value for value in values if value is not None]
    if given and all(isinstance(value, dt.date) for value in given):
        return values
    if all(isinstance(v, str | bool | np.bool_ | Real | Decimal) for v in given):
        if any(isinstance(v, str | bool | np.bool_) for v in given) or not given:
            return text_of([None if v is None else str(v) for v in values])
        return np.array([np.nan if v is None else _to_float(v) for v in values], dtype="float64")
    return values


def _is_missing(objects: pd.Series) -> np.ndarray:
    return np.asarray(objects.isna(), dtype=bool)


def _to_float(number: Any) -> float:
    try:
        return float(number)
    except OverflowError:  # an integer of more than 308 digits
        return np.inf if number > 0 else -np.inf
