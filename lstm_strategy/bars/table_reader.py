"""The numbers of a table: prices, volume and extra columns."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import NoReturn

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lstm_strategy.bars.columns import (
    Column,
    Rows,
    cast_numbers,
    choose_decimal_mark,
    choose_volume,
    column_name,
    describe_fraction,
    find_bar_columns,
    find_tickers,
    is_true_or_false,
    list_labels,
    parse_flags,
    parse_numbers,
    plain_name,
    read_dates,
    refuse_fractions,
)
from lstm_strategy.bars.files import Table
from lstm_strategy.bars.validation import BAR_COLUMNS, near_column
from lstm_strategy.errors import BarsError
from lstm_strategy.support import count_of, spell


@dataclass(frozen=True, eq=False)
class Assembly:
    """Bars as a table holds them, before they are repaired and checked.

    Attributes:
        frame: Columns `datetime open high low close volume`, `adj_close` if there is one, and the
            extra columns, float64; its index counts the rows of the table.
        rows: What these rows are called in messages.
        notes: What was decided and must be reported.
    """

    frame: pd.DataFrame
    rows: Rows
    notes: tuple[str, ...]


class TableReader:
    """Reads the numbers of a table whose columns of prices and dates are known."""

    def __init__(
        self,
        table: Table,
        places: dict[str, int],
        date_places: list[int],
        chosen: dict[str, int],
        notes: list[str],
    ) -> None:
        self.table, self.places, self.notes = table, places, notes
        self.chosen = chosen
        taken = {*places.values(), *date_places, *chosen.values()}
        tickers = set(find_tickers(table.labels)) - taken
        self.free = [p for p in range(len(table.columns)) if p not in taken and p not in tickers]
        self.ignored = sorted(tickers)
        found = find_bar_columns(table.labels, self.free)
        self.volumes = [chosen["volume"]] if "volume" in chosen else found["volume"]
        self.adjusted = [chosen["adj_close"]] if "adj_close" in chosen else found["adj_close"][:1]
        bars = [table.columns[p] for p in (*places.values(), *self.volumes, *self.adjusted)]
        others = [table.columns[p] for p in self.free if table.columns[p] not in bars]
        self.plain: dict[int, np.ndarray] = {}
        self.decimal = "."
        if not (table.is_plain and self._are_plain(bars)):
            refuse_fractions([table.columns[p] for p in places.values()], table.rows)
            self.decimal = choose_decimal_mark(
                [*bars, *others], table.rows, are_points_likely=table.is_plain
            )

    def _are_plain(self, columns: Sequence[Column]) -> bool:
        """Whether all cells of text are plain numbers, which are kept for later."""
        for column in columns:
            if isinstance(column.values, pa.ChunkedArray):
                values = cast_numbers(column.values)
                if values is None:
                    return False
                self.plain[id(column)] = values
        return True

    def read(self, index: pd.DatetimeIndex) -> Assembly:
        """The bars at these times."""
        numbers = {name: self._read_numbers(place) for name, place in self.places.items()}
        numbers["volume"] = self._read_volume(numbers)
        for place in self.adjusted:
            numbers["adj_close"] = self._read_numbers(place)
        for name, place in self.chosen.items():
            if name not in numbers and name != "datetime":
                numbers[column_name(name)] = self._read_numbers(place)
        self._add_extras(numbers)
        if self.ignored:
            names = list_labels([self.table.labels[p] for p in sorted(self.ignored)])
            self.notes.append(f"left out the column{'s' * (len(self.ignored) > 1)} {names}")
        frame = pd.DataFrame({"datetime": index, **numbers})
        return Assembly(frame, self.table.rows, tuple(self.notes))

    def _read_numbers(self, place: int) -> np.ndarray:
        """The numbers of a column that a bar can't do without."""
        column, rows = self.table.columns[place], self.table.rows
        if id(column) in self.plain:
            return self.plain[id(column)]
        if isinstance(column.values, np.ndarray):
            return column.values.astype("float64")
        if not isinstance(column.values, pa.ChunkedArray):
            row = next((n for n, value in enumerate(column.values) if value is not None), 0)
            raise BarsError(
                f"{rows.cell(row, column)}: {str(column.values[row])[:40]!r} isn't a "
                f"number. Choose another column: {spell('columns', {'close': '…'})}."
            )
        found = parse_numbers(column.values, self.decimal)
        if len(found.unread):
            self._refuse_unread(column, found.unread, str(column.values[int(found.unread[0])]))
        if found.has_percent:
            is_percent = pc.fill_null(pc.match_substring(column.values, "%"), False)
            row = int(is_percent.to_numpy().argmax())
            raise BarsError(
                f"{rows.cell(row, column)}: {column.values[row].as_py()[:60]!r} is a percentage "
                f"({count_of(pc.sum(is_percent).as_py(), 'such row')}), which can be neither a "
                "price nor a volume. Drop that column, or write numbers without a percent sign."
            )
        return found.values

    def _refuse_unread(self, column: Column, unread: np.ndarray, first: str) -> NoReturn:
        mark = "comma" if self.decimal == "," else "point"
        where = self.table.rows.cell(int(unread[0]), column)
        drop = ", or drop that row" if len(unread) < len(column.values) else ""
        raise BarsError(
            f"{where}: {first[:60]!r} isn't a number{describe_fraction(first)} "
            f"({count_of(len(unread), 'such row')}). Turn it into one, with a decimal {mark} as in "
            f"the rest of the file{drop}."
        )

    def _read_volume(self, prices: Mapping[str, np.ndarray]) -> np.ndarray:
        values = {place: self._read_numbers(place) for place in self.volumes}
        place, note = choose_volume(self.volumes, self.table.labels, values, prices)
        if note:
            self.notes.append(note)
        self.ignored += [p for p in self.volumes if p != place and not values[p].any()]
        used = {place, *self.adjusted, *self.ignored}
        self.free = [p for p in self.free if p not in used]
        n_rows = len(self.table.rows)
        if place is None:
            labels = [self.table.labels[p] for p in self.free]
            others, near = list_labels(labels), near_column("volume", labels)
            remedy = "" if near is None else f"; {spell('columns', {'volume': near})} reads {near}"
            self.notes.append(
                "the bars have no volume: no column is named so"
                f"{f' (others: {others})' if others else ''}, and it was set to 0{remedy}"
            )
            return np.zeros(n_rows)
        volume = values[place]
        kinds = {"empty": np.isnan(volume), "-1": volume == -1, "0": volume == 0}
        for word, is_so in kinds.items():
            has_price = ~np.isnan(prices["close"])
            if is_so[has_price].all():
                what = "" if word == "0" else ", and was set to 0"
                self.notes.append(f"the bars have no volume: it is {word} on every bar{what}")
                return np.zeros(n_rows)
        return volume

    def _add_extras(self, numbers: dict[str, np.ndarray]) -> None:
        renamed: list[str] = []
        last_numbers: dict[str, int] = {}
        for place in self.free:
            column = self.table.columns[place]
            if plain_name(column.label) in ("", "index", "unnamed_0") and _counts_rows(column):
                continue
            is_time = re.search("time|date|unix|epoch", plain_name(column.label))
            is_dates = is_time and read_dates(column, self.table.rows) is not None
            values = None if is_dates else self._read_extra(column)
            if values is None:
                self.ignored.append(place)
                continue
            name = column_name(column.label)
            if name in ("datetime", *BAR_COLUMNS, "adj_close"):
                name = f"{name}_column"
            if name in numbers:
                name = _number_name(name, numbers, last_numbers)
                renamed.append(name)
            numbers[name] = values
        if renamed:
            self.notes.append(f"columns of the same name were numbered: {list_labels(renamed)}")

    def _read_extra(self, column: Column) -> np.ndarray | None:
        """The numbers of an extra column; None if it holds words or dates."""
        if isinstance(column.values, np.ndarray):
            return column.values.astype("float64")
        if not isinstance(column.values, pa.ChunkedArray):
            return None
        if is_true_or_false(column.values):
            return parse_flags(column.values)
        found = parse_numbers(column.values, self.decimal)
        n_numbers = int(np.isfinite(found.values).sum())
        if not len(found.unread):
            if not n_numbers and not column.label.strip():
                return None
            if found.has_percent:
                self.notes.append(
                    f"the percents in column {column.label.strip()} were read as fractions"
                )
            return found.values
        if n_numbers <= len(found.unread):
            return None
        row = int(found.unread[0])
        raise BarsError(
            f"{self.table.rows.cell(row, column)}: {column.values[row].as_py()[:60]!r} "
            f"isn't a number, and most of that column is numbers. Correct it, or drop the column."
        )


def _number_name(name: str, taken: Mapping[str, object], last_numbers: dict[str, int]) -> str:
    """A name with the next number that makes it another one."""
    for number in count(last_numbers.get(name, 1) + 1):
        last_numbers[name] = number
        if f"{name}_{number}" not in taken:
            return f"{name}_{number}"
    raise AssertionError("there is always a next number")


def _counts_rows(column: Column) -> bool:
    """Whether a column without a name holds mere row numbers."""
    numbers = column.values
    if isinstance(numbers, pa.ChunkedArray):
        numbers = cast_numbers(numbers)
    steps = np.diff(numbers) if isinstance(numbers, np.ndarray) else np.zeros(0)
    return isinstance(numbers, np.ndarray) and bool((np.abs(steps) == 1).all())
