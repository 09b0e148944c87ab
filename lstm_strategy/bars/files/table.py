"""The columns of a file or a frame, as they were found."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from lstm_strategy.bars.columns import Column, Rows, plain_values
from lstm_strategy.errors import BarsError

_MOST_COLUMNS = 20_000  # those of three thousand markets side by side


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of equal length, before anything is known about them.

    Attributes:
        columns: The columns, from left to right.
        rows: What the rows are called in messages.
        has_header: Whether the columns have names.
        header_rows: The rows of names, if there is more than one; each as long as `columns`.
        is_plain: Whether the file was written by a program for programs: cells without quotes,
            separated by commas, or by tabs, so that a point can only be a decimal point.
        index: The dates of the rows where a frame has them in its index.
        notes: What was done while reading and must be reported.
        is_chosen: Whether its file was chosen by its market among those of an archive.
    """

    columns: tuple[Column, ...]
    rows: Rows
    has_header: bool = True
    header_rows: tuple[tuple[str, ...], ...] = ()
    is_plain: bool = False
    index: pd.DatetimeIndex | None = None
    notes: tuple[str, ...] = ()
    is_chosen: bool = False

    def __post_init__(self) -> None:
        check_width(len(self.columns))

    @cached_property
    def labels(self) -> list[str]:
        """The names of the columns."""
        return [column.label for column in self.columns]

    def take_rows(self, kept: np.ndarray | slice) -> "Table":
        """The table with some of its rows, given by a mask, by positions or by a slice."""
        return replace(
            self,
            columns=tuple(column.take(kept) for column in self.columns),
            rows=self.rows.take(kept),
            index=None if self.index is None else self.index[kept],
        )

    def take_columns(self, places: list[int], labels: list[str]) -> "Table":
        """The table with some of its columns, under new names."""
        columns = (
            Column(label, self.columns[p].values) for p, label in zip(places, labels, strict=True)
        )
        return replace(self, columns=tuple(columns), header_rows=())


def check_width(n_columns: int) -> None:
    """Refuse more columns than bars have.

    Raises:
        BarsError: If there are more.
    """
    if n_columns > _MOST_COLUMNS:
        raise BarsError(
            f"there may be at most {_MOST_COLUMNS:,} columns, got {n_columns:,}. Split them by "
            "market."
        )


def table_from_frame(frame: pd.DataFrame) -> Table:
    """The table that a frame holds; its index becomes a column unless it is mere row numbers."""
    check_width(len(frame.columns))
    rows = Rows("row", np.arange(len(frame)))
    columns: list[Column] = []
    header_rows: tuple[tuple[str, ...], ...] = ()
    labels = [_to_label(label) for label in frame.columns]
    if frame.columns.nlevels > 1:
        levels = [frame.columns.get_level_values(level) for level in range(frame.columns.nlevels)]
        header_rows = tuple(tuple(str(name) for name in level) for level in levels)
    dates = None
    if isinstance(frame.index, pd.DatetimeIndex):
        dates = frame.index
    elif isinstance(frame.index, pd.MultiIndex) or not _is_row_numbers(frame.index):
        for level in range(frame.index.nlevels):
            values = frame.index.get_level_values(level)
            name = "index" if values.name is None else str(values.name)
            columns.append(Column(name, plain_values(values.to_series())))
    n_index = len(columns)
    for place, label in enumerate(labels):
        columns.append(Column(label, plain_values(frame.iloc[:, place])))
    if header_rows:
        header_rows = tuple(("",) * n_index + row for row in header_rows)
    return Table(tuple(columns), rows, header_rows=header_rows, index=dates)


def _to_label(label: object) -> str:
    return str(label[0] if isinstance(label, tuple) and label else label)


def _is_row_numbers(index: pd.Index) -> bool:
    if isinstance(index, pd.RangeIndex):
        return True
    is_whole = isinstance(index.dtype, np.dtype) and index.dtype.kind in "iu"
    return (
        is_whole and bool((np.diff(index.to_numpy().astype("int64")) == 1).all()) and len(index) > 1
    )
