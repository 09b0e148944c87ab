"""Bars out of the columns of a table: what each column holds, and what is left out."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    choose_ticker_columns,
    choose_ticker_rows,
    choose_volume,
    column_name,
    date_rows,
    describe_fraction,
    find_bar_columns,
    find_by_choice,
    find_dates,
    find_families,
    find_tickers,
    is_summary,
    is_true_or_false,
    list_labels,
    parse_flags,
    parse_numbers,
    plain_name,
    read_dates,
    refuse_fractions,
    without_unit,
)
from lstm_strategy.bars.files import Table
from lstm_strategy.bars.validation import BAR_COLUMNS, PRICE_COLUMNS
from lstm_strategy.errors import BarsError
from lstm_strategy.support import spell


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


def assemble_bars(table: Table, *, symbol: str | None, columns: Mapping[str, str]) -> Assembly:
    """Find the columns of the bars in a table and read them.

    Args:
        table: The columns of a file or a frame.
        symbol: The market to choose where the table holds several.
        columns: The labels of the columns to take a bar's columns from, by the bar's names.

    Raises:
        BarsError: If a column is missing or can't be read unambiguously.
    """
    notes = list(table.notes)
    if table.header_rows:
        table = table.take_columns(*choose_ticker_columns(table.header_rows, symbol))
        symbol = None
    if not len(table.rows):
        raise BarsError("there are no bars: 0 rows. Load at least one bar.")
    chosen = find_by_choice(table.labels, columns)
    places = _find_prices(table, chosen, notes)
    table = _drop_repeated_names(table, places["open"], notes)
    table, index, date_places = _put_on_dates(table, chosen, places, notes)
    rest = [p for p in range(len(table.columns)) if p not in {*places.values(), *date_places}]
    mask = None
    if len(rest):
        tickers = choose_ticker_rows([table.columns[p] for p in rest], index, symbol)
        notes += tickers.notes
        mask = tickers.mask
    if mask is not None:
        table, index = table.take_rows(mask), index[mask]
    return _Reader(table, places, date_places, chosen, notes).read(index)


def _find_prices(table: Table, chosen: dict[str, int], notes: list[str]) -> dict[str, int]:
    """The places of the four prices."""
    labels = table.labels
    free = [place for place in range(len(labels)) if place not in chosen.values()]
    found = find_bar_columns(labels, free)
    places = {name: chosen[name] for name in PRICE_COLUMNS if name in chosen}
    places |= {name: found[name][0] for name in PRICE_COLUMNS if name not in places and found[name]}
    missing = [name for name in PRICE_COLUMNS if name not in places]
    if missing:
        places, missing = _use_family(labels, free, places, missing, chosen, notes)
    if missing:
        unknown = [name for name in chosen if name not in (*BAR_COLUMNS, "datetime", "adj_close")]
        if unknown:
            raise BarsError(
                f"column {missing[0]} is missing, and {spell('columns')} gives {unknown[0]!r}, "
                f"which isn't a column of bars. Known: datetime, {', '.join(BAR_COLUMNS)}."
            )
        raise BarsError(
            f"column {missing[0]} is missing (found: {list_labels(labels)}). "
            "Add it, or name the column that holds it: "
            f"{spell('columns', {missing[0]: '…'})}."
        )
    for name, place in places.items():
        if name not in chosen:
            _refuse_rivals(name, place, found[name], labels)
    return places


def _refuse_rivals(name: str, place: int, places: Sequence[int], labels: list[str]) -> None:
    """Refuse a price that stands there twice, or as `Close (bid)` beside `Close (ask)`."""
    label = labels[place].strip()
    same = [p for p in places if labels[p].strip().casefold() == label.casefold()]
    if len(same) > 1:
        twice = ", ".join(dict.fromkeys(labels[p].strip() for p in same))
        raise BarsError(f"column {twice} occurs more than once. Rename the others.")
    base = without_unit(label)
    rivals = [p for p in places if without_unit(labels[p]).casefold() == base.casefold()]
    if base != label and len(rivals) > 1:
        raise BarsError(
            f"the columns {list_labels([labels[p] for p in rivals])} may all be the {name}. "
            f"Choose one: {spell('columns', {name: label})}."
        )


def _use_family(
    labels: list[str],
    free: list[int],
    places: dict[str, int],
    missing: list[str],
    chosen: dict[str, int],
    notes: list[str],
) -> tuple[dict[str, int], list[str]]:
    families = find_families(labels, free)
    if len(families) == 1 and not any(name in chosen for name in PRICE_COLUMNS):
        affix, family = next(iter(families.items()))
        notes.append(f"the columns with {affix} in their names were read as the bars")
        if "volume" in family:
            chosen.setdefault("volume", family["volume"])
        return {name: family[name] for name in PRICE_COLUMNS}, []
    if families:
        first = next(iter(families.values()))
        choice = {name: labels[first[name]].strip() for name in PRICE_COLUMNS}
        raise BarsError(
            f"column {missing[0]} is missing, and the columns are those of several series: "
            f"{', '.join(families)}. Choose one: {spell('columns', choice)}."
        )
    return places, missing


def _drop_repeated_names(table: Table, place: int, notes: list[str]) -> Table:
    """Leave out the rows that hold the names of the columns again, as joined files do."""
    values, label = table.columns[place].values, table.labels[place].strip()
    if not label or not isinstance(values, pa.ChunkedArray):
        return table
    again = pc.or_(pc.equal(values, label), pc.equal(values, f" {label}"))
    if not pc.any(again).as_py():
        return table
    again = pc.fill_null(again, False).to_numpy().copy()
    labels = [name.strip() for name in table.labels]
    for row in np.flatnonzero(again):
        cells = [str(column.values[int(row)] or "").strip() for column in table.columns]
        again[row] = cells == labels
    if not again.any():
        return table
    lines = "1 row that repeats" if again.sum() == 1 else f"{again.sum()} rows that repeat"
    first = table.rows.name(int(again.argmax()))
    notes.append(f"left out {lines} the names of the columns (first {first})")
    return table.take_rows(~again)


def _put_on_dates(
    table: Table, chosen: dict[str, int], places: dict[str, int], notes: list[str]
) -> tuple[Table, pd.DatetimeIndex, list[int]]:
    """The table without notes below its last row, the dates of its rows, and where they were."""
    if table.index is not None and "datetime" not in chosen:
        return table, table.index, []
    labels = table.labels
    free = [p for p in range(len(labels)) if p not in places.values()]
    table = _drop_footers(table, free, list(places.values()), notes)
    for place in find_dates([labels[p] for p in free])[:1]:
        same = [p for p in free if labels[p].strip() == labels[free[place]].strip() != ""]
        if len(same) > 1:
            raise BarsError(
                f"column {labels[same[0]].strip()} occurs more than once. Rename the others."
            )
    chosen_place = free.index(chosen["datetime"]) if "datetime" in chosen else None
    dated = date_rows([table.columns[p] for p in free], table.rows, chosen=chosen_place)
    notes += dated.notes
    return table, dated.index, [free[p] for p in dated.places]


def _drop_footers(table: Table, free: Sequence[int], prices: list[int], notes: list[str]) -> Table:
    """Leave out the last rows if they hold words in front and no price, or begin as totals do."""
    found = [table.columns[p].values for p in (*free[:1], *prices)]
    if not isinstance(found[0], pa.ChunkedArray):
        return table
    end, left_out = len(table.rows), []
    while end > 1:
        first, *cells = (_text_of_cell(values[end - 1]) for values in found)
        is_remark = first[:1].isalpha() and not any(ch.isdigit() for ch in first[:8])
        if is_summary(first) or (is_remark and not any(cells)):
            left_out.append(f"{table.rows.name(end - 1)}, {first[:80]!r}")
        elif first or any(cells):
            break
        end -= 1
    if not left_out:
        return table
    more = f", and {len(left_out) - 1} more" if len(left_out) > 1 else ""
    notes.append(f"left out {left_out[-1]}{more}, below the last bar")
    return table.take_rows(np.arange(len(table.rows)) < end)


def _text_of_cell(cell: object) -> str:
    value = cell.as_py() if isinstance(cell, pa.Scalar) else cell
    return "" if value is None or value != value else str(value).strip()  # NaN isn't itself


class _Reader:
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
            row = next((n for n, value in enumerate(column.values) if not pd.isna(value)), 0)
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
                f"({_count_rows(pc.sum(is_percent).as_py())}), which can be neither a price nor a "
                "volume. Drop that column, or write numbers without a percent sign."
            )
        return found.values

    def _refuse_unread(self, column: Column, unread: np.ndarray, first: str) -> NoReturn:
        mark = "comma" if self.decimal == "," else "point"
        where = self.table.rows.cell(int(unread[0]), column)
        drop = ", or drop that row" if len(unread) < len(column.values) else ""
        raise BarsError(
            f"{where}: {first[:60]!r} isn't a number{describe_fraction(first)} "
            f"({_count_rows(len(unread))}). Turn it into one, with a decimal {mark} as in the rest "
            f"of the file{drop}."
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
            others = list_labels([self.table.labels[p] for p in self.free])
            self.notes.append(
                "the bars have no volume: no column is named so"
                f"{f' (others: {others})' if others else ''}, and it was set to 0"
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
        renamed = []
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
            names = (f"{name}_{number}" for number in range(2, 10_000))
            if name in numbers:
                name = next(free for free in names if free not in numbers)
                renamed.append(name)
            numbers[name] = values
        if renamed:
            self.notes.append(f"columns of the same name were numbered: {', '.join(renamed)}")

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


def _count_rows(count: int) -> str:
    return f"{count} {'row' if count == 1 else 'rows'} in all"


def _counts_rows(column: Column) -> bool:
    """Whether a column without a name holds mere row numbers."""
    numbers = column.values
    if isinstance(numbers, pa.ChunkedArray):
        numbers = cast_numbers(numbers)
    steps = np.diff(numbers) if isinstance(numbers, np.ndarray) else np.zeros(0)
    return isinstance(numbers, np.ndarray) and bool((np.abs(steps) == 1).all())
