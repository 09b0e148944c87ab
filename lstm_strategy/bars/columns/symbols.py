"""Which market a row or a column belongs to, where a file holds several."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lstm_strategy.bars.columns.names import (
    count_usual_names,
    find_bar_columns,
    find_tickers,
)
from lstm_strategy.bars.columns.values import Column
from lstm_strategy.bars.validate import PRICE_COLUMNS
from lstm_strategy.errors import BarsError
from lstm_strategy.support import format_time, spell


@dataclass(frozen=True, eq=False)
class ChosenRows:
    """The rows of one market.

    Attributes:
        mask: Whether each row belongs to it; None for all rows.
        notes: What was decided and must be reported.
    """

    mask: np.ndarray | None = None
    notes: tuple[str, ...] = ()


def choose_ticker_columns(
    header_rows: Sequence[Sequence[str]], symbol: str | None
) -> tuple[list[int], list[str]]:
    """The columns of one market, where the names of columns stand above or below its ticker.

    Args:
        header_rows: Rows of names, one of fields such as Open and one of tickers.
        symbol: The ticker that the user chose; None if the file must hold one only.

    Returns:
        The places of its columns and those without a ticker, and their names.

    Raises:
        BarsError: If there is no ticker, or there are several and none was chosen, or another one
            was.
    """
    fields = max(header_rows, key=lambda row: (len(set(row)) > 1, count_usual_names(row)))
    tickers = next((row for row in header_rows if row is not fields and _count(row) > 1), None)
    tickers = tickers or next(row for row in header_rows if row is not fields)
    index_names = [next((name for name in row if name), "") for row in header_rows]
    is_of_ticker = [
        bool(ticker) and _is_field(field) for field, ticker in zip(fields, tickers, strict=True)
    ]
    names = [name for name in dict.fromkeys(tickers) if _has_prices(name, fields, tickers)]
    if not names:
        return list(range(len(fields))), list(fields)
    chosen = _choose(names, symbol)
    places, labels = [], []
    for place, (field, ticker) in enumerate(zip(fields, tickers, strict=True)):
        if is_of_ticker[place] and ticker in names and ticker != chosen:
            continue
        places.append(place)
        # in front stands what the rows are called, in the row of names below
        labels.append(field if is_of_ticker[place] else index_names[-1] or field)
    return places, labels


def _has_prices(name: str, fields: Sequence[str], tickers: Sequence[str]) -> bool:
    """Whether all prices of a bar stand under a name, as they do under a ticker."""
    own = [field for field, ticker in zip(fields, tickers, strict=True) if ticker == name]
    found = find_bar_columns(own, range(len(own)))
    return bool(name) and all(found[price] for price in PRICE_COLUMNS)


def _count(row: Sequence[str]) -> int:
    return sum(bool(name) for name in row)


def _is_field(name: str) -> bool:
    return count_usual_names([name]) > 0 and name.strip().lower() not in (
        "price",
        "date",
        "datetime",
    )


def _choose(names: Sequence[str], symbol: str | None) -> str:
    if symbol is None and len(names) == 1:
        return names[0]
    if symbol is None:
        raise BarsError(
            f"the columns are those of {len(names)} markets ({_list(names)}). {_remedy(names[0])}"
        )
    return _match(names, symbol)


def _find_match(names: Sequence[str], symbol: str) -> str | None:
    if symbol in names:
        return symbol
    same = [name for name in names if name.strip().casefold() == symbol.strip().casefold()]
    return same[0] if len(same) == 1 else None


def _match(names: Sequence[str], symbol: str) -> str:
    name = _find_match(names, symbol)
    if name is not None:
        return name
    raise BarsError(f"there is no market {symbol!r}, only {_list(names)}. Choose one of them.")


def _list(names: Sequence[str]) -> str:
    return ", ".join(str(name)[:40] for name in names[:10]) + (" …" if len(names) > 10 else "")


def _remedy(name: str) -> str:
    return f"Choose one: {spell('symbol', name)}."


def choose_ticker_rows(
    columns: Sequence[Column], index: pd.DatetimeIndex, symbol: str | None
) -> ChosenRows:
    """The rows of one market, where a column says which market each row belongs to.

    Args:
        columns: All columns but those of dates.
        index: The dates of the rows.
        symbol: The ticker that the user chose; None if the file must hold one market only.

    Raises:
        BarsError: If there are several markets and none was chosen, or another one was.
    """
    labels = [column.label for column in columns]
    found = find_tickers(labels)
    if symbol is None and has_distinct_dates(index):
        return _describe_change(columns, found, index)
    tickers = {place: _tickers_of(columns[place]) for place in found}
    if symbol is None:
        # any words do that tell rows of one date apart
        tickers |= {
            p: _tickers_of(column)
            for p, column in enumerate(columns)
            if p not in tickers and isinstance(column.values, pa.ChunkedArray)
        }
        for names in tickers.values():
            distinct = _distinct(names)
            if 1 < len(distinct) <= len(names) / 2 + 1 and _tells_apart(index, names):
                raise _several_markets(distinct)
        return ChosenRows()
    if not tickers:
        raise BarsError(
            f"{spell('symbol', symbol)} chooses a market, and no column such as Symbol or Ticker "
            f"says which market a row belongs to. Leave {spell('symbol')} out."
        )
    by_place = {place: _distinct(names) for place, names in tickers.items()}
    place = next((p for p, names in by_place.items() if _find_match(names, symbol)), found[0])
    chosen = _match(by_place[place], symbol)
    return ChosenRows(np.array([name == chosen for name in tickers[place]]))


def _distinct(names: Sequence[str | None]) -> list[str]:
    return list(dict.fromkeys(name for name in names if name))


def _several_markets(names: Sequence[str]) -> BarsError:
    return BarsError(
        f"the rows are those of {len(names)} markets ({_list(names)}). {_remedy(names[0])}"
    )


def has_distinct_dates(index: pd.DatetimeIndex) -> bool:
    """Whether no date is there twice; quick where the dates are in order."""
    steps = np.diff(index.asi8)
    return bool((steps > 0).all() or (steps < 0).all() or index.is_unique)


def _describe_change(
    columns: Sequence[Column], found: Sequence[int], index: pd.DatetimeIndex
) -> ChosenRows:
    """Say where one market changes its ticker; refuse several that take turns."""
    for place in found[:1]:
        names = _tickers_of(columns[place])
        starts = [row for row in range(1, len(names)) if names[row] != names[row - 1]]
        distinct = _distinct(names)
        if len(starts) >= len(distinct) > 1:
            raise _several_markets(distinct)
        if len(distinct) > 1:
            row = starts[0]
            note = (
                f"column {columns[place].label.strip()} changes from {names[row - 1]} to "
                f"{names[row]} at {format_time(index[row])}; all rows were read as one market"
            )
            return ChosenRows(notes=(note,))
    return ChosenRows()


def _tickers_of(column: Column) -> list[str | None]:
    if isinstance(column.values, pa.ChunkedArray):
        cells: list[str | None] = pc.utf8_trim_whitespace(column.values).to_pylist()
        return cells
    if isinstance(column.values, np.ndarray):
        return [None if np.isnan(v) else f"{v:.15g}" for v in column.values.astype("float64")]
    return [None if v is None else str(v) for v in column.values]


def _tells_apart(index: pd.DatetimeIndex, names: Sequence[str | None]) -> bool:
    return (
        not pd.DataFrame({"date": np.asarray(index.asi8), "name": list(names)}).duplicated().any()
    )
