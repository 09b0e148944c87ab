"""Bars out of the columns of a table: what each column holds, and what is left out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lstm_strategy.bars.columns import (
    Column,
    choose_ticker_columns,
    choose_ticker_rows,
    date_rows,
    find_bar_columns,
    find_by_choice,
    find_dates,
    find_families,
    group_ticker_rows,
    is_summary,
    list_labels,
    list_ticker_columns,
    plain_name,
    without_unit,
)
from lstm_strategy.bars.files import Table
from lstm_strategy.bars.table_reader import Assembly, TableReader
from lstm_strategy.bars.validation import BAR_COLUMNS, PRICE_COLUMNS, near_column
from lstm_strategy.errors import BarsError
from lstm_strategy.support import spell, suggest_names

_KNOWN = ("datetime", *BAR_COLUMNS)
_CONTINUOUS = ("adjusted", "back_adjusted", "backadjusted", "continuous")


@dataclass(frozen=True, eq=False)
class _DatedTable:
    """A table whose columns of prices and dates were found.

    Attributes:
        table: Its columns.
        index: The dates of its rows.
        places: Where the four prices stand, by name.
        date_places: Where the dates stood.
        chosen: Where the columns stand that the user named.
        notes: What was decided and must be reported.
    """

    table: Table
    index: pd.DatetimeIndex
    places: dict[str, int]
    date_places: list[int]
    chosen: dict[str, int]
    notes: tuple[str, ...]

    @property
    def rest(self) -> list[Column]:
        """The columns of neither prices nor dates."""
        taken = {*self.places.values(), *self.date_places}
        return [column for p, column in enumerate(self.table.columns) if p not in taken]

    def take_rows(self, rows: np.ndarray | slice) -> Self:
        """The table with some of its rows, given by a mask, by positions or by a slice."""
        return replace(self, table=self.table.take_rows(rows), index=self.index[rows])


def assemble_bars(table: Table, *, symbol: str | None, columns: Mapping[str, str]) -> Assembly:
    """Find the columns of the bars in a table and read them.

    Args:
        table: The columns of a file or a frame.
        symbol: The market to choose where the table holds several.
        columns: The labels of the columns to take a bar's columns from, by the bar's names.

    Raises:
        BarsError: If a column is missing or can't be read unambiguously.
    """
    if table.header_rows:
        table = table.take_columns(*choose_ticker_columns(table.header_rows, symbol))
        symbol = None
    return _assemble_market(_find_columns(table, columns), symbol)


class Assemblies(NamedTuple):
    """The markets of a table.

    Attributes:
        assemble: What assembles the bars of each market, by its name; nothing where the table names
            no markets.
        notes: What was decided for all of them and must be reported.
    """

    assemble: dict[str, Callable[[], Assembly]]
    notes: tuple[str, ...] = ()


def find_assemblies(table: Table, columns: Mapping[str, str]) -> Assemblies:
    """Find the markets of a table, each of which is assembled when it is called for.

    Args:
        table: The columns of a file or a frame.
        columns: As in `assemble_bars`.

    Raises:
        BarsError: As `assemble_bars` raises it.
    """
    names = list_ticker_columns(table.header_rows) if table.header_rows else []
    if names:
        return Assemblies(
            {name: partial(assemble_bars, table, symbol=name, columns=columns) for name in names}
        )
    if table.header_rows:
        table = table.take_columns(*choose_ticker_columns(table.header_rows, None))
    dated = _find_columns(table, columns)
    groups = group_ticker_rows(dated.rest, dated.index, dated.table.rows)
    if not groups:
        return Assemblies({}, dated.notes)
    # in order of the markets, so that each is a slice
    by_market = replace(dated, notes=()).take_rows(np.concatenate(list(groups.values())))
    ends = np.cumsum([len(rows) for rows in groups.values()]).tolist()
    slices = map(slice, [0, *ends], ends)
    return Assemblies(
        {
            name: partial(_assemble_rows, by_market, rows, name)
            for name, rows in zip(groups, slices, strict=True)
        },
        dated.notes,
    )


def _assemble_rows(dated: _DatedTable, rows: slice, symbol: str) -> Assembly:
    return _assemble_market(dated.take_rows(rows), symbol)


def _find_columns(table: Table, columns: Mapping[str, str]) -> _DatedTable:
    """Find the columns of prices and dates."""
    notes = list(table.notes)
    if not len(table.rows):
        raise BarsError("there are no bars: 0 rows. Load at least one bar.")
    chosen = find_by_choice(table.labels, columns)
    places = _find_prices(table, chosen, notes)
    table = _drop_repeated_names(table, places["open"], notes)
    table, index, date_places = _put_on_dates(table, chosen, places, notes)
    return _DatedTable(table, index, places, date_places, chosen, tuple(notes))


def _assemble_market(dated: _DatedTable, symbol: str | None) -> Assembly:
    """Read the bars of one market, or of the only one."""
    notes = list(dated.notes)
    if dated.rest:
        tickers = choose_ticker_rows(dated.rest, dated.index, symbol)
        notes += tickers.notes
        if tickers.mask is not None:
            dated = dated.take_rows(tickers.mask)
    reader = TableReader(dated.table, dated.places, dated.date_places, dated.chosen, notes)
    return reader.read(dated.index)


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
                f"which isn't a column of bars. {suggest_names(unknown[0], _KNOWN)}"
            )
        near = near_column(missing[0], [labels[place] for place in free])
        raise BarsError(
            f"column {missing[0]} is missing (found: {list_labels(labels)}). "
            "Add it, or name the column that holds it: "
            f"{spell('columns', {missing[0]: near or '…'})}.{_offer_closes_alone(places, labels)}"
        )
    _note_shared_prices(chosen, labels, notes)
    for name, place in places.items():
        if name not in chosen:
            _refuse_rivals(name, place, found[name], labels)
    return places


def _offer_closes_alone(places: Mapping[str, int], labels: list[str]) -> str:
    """How to say that there are closes and no other prices, where it looks so."""
    if list(places) != ["close"]:
        return ""
    # a continuous series, whose raw prices jump where the contract changes
    adjusted = [label.strip() for label in labels if plain_name(label) in _CONTINUOUS]
    closes = next(iter(adjusted), labels[places["close"]].strip())
    choice = dict.fromkeys(PRICE_COLUMNS, closes)
    return f" Or make bars of closes alone: {spell('columns', choice)}."


def _note_shared_prices(chosen: Mapping[str, int], labels: list[str], notes: list[str]) -> None:
    """Say which prices the user lets share a column."""
    for place in dict.fromkeys(chosen.values()):
        names = [name for name in PRICE_COLUMNS if chosen.get(name) == place]
        if len(names) > 1:
            listed = f"{', '.join(names[:-1])} and {names[-1]}"
            notes.append(f"{listed} were all read from the column {labels[place].strip()}")


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
