"""Which market a row or a column belongs to, where a file holds several."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lstm_strategy.bars.columns.names import (
    count_usual_names,
    find_bar_columns,
    find_dates,
    find_series,
    find_tickers,
    find_times,
)
from lstm_strategy.bars.columns.values import Column, Rows
from lstm_strategy.bars.validation import PRICE_COLUMNS
from lstm_strategy.errors import BarsError
from lstm_strategy.support import format_time, spell


class SeveralMarketsError(BarsError):
    """Raised where a file must hold one market and holds several.

    Attributes:
        markets: Their names.
    """

    def __init__(self, message: str, markets: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.markets = tuple(markets)


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
    fields, tickers = _tell_header_rows(header_rows)
    index_names = [next((name for name in row if name), "") for row in header_rows]
    is_of_ticker = [
        bool(ticker) and _is_field(field) for field, ticker in zip(fields, tickers, strict=True)
    ]
    names = list_ticker_columns(header_rows)
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


def list_ticker_columns(header_rows: Sequence[Sequence[str]]) -> list[str]:
    """The markets of a table where the names of columns stand above or below tickers.

    Args:
        header_rows: As in `choose_ticker_columns`.
    """
    fields, tickers = _tell_header_rows(header_rows)
    return [name for name in dict.fromkeys(tickers) if _has_prices(name, fields, tickers)]


def _tell_header_rows(header_rows: Sequence[Sequence[str]]) -> tuple[Sequence[str], Sequence[str]]:
    """The row of fields such as Open, and that of tickers."""
    fields = max(header_rows, key=lambda row: (len(set(row)) > 1, count_usual_names(row)))
    tickers = next((row for row in header_rows if row is not fields and _count(row) > 1), None)
    return fields, tickers or next(row for row in header_rows if row is not fields)


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
        raise SeveralMarketsError(
            f"the columns are those of {len(names)} markets ({_list(names)}). {_remedy(names[0])}",
            names,
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


def _remedy(name: str, has_chosen: bool = False) -> str:
    if has_chosen:
        return "Keep the rows of one of them."
    return f"Choose one: {spell('symbol', name)}."


def choose_ticker_rows(
    columns: Sequence[Column], index: pd.DatetimeIndex, symbol: str | None
) -> ChosenRows:
    """The rows of one market, where a column says which market or series each row belongs to.

    Args:
        columns: All columns but those of dates.
        index: The dates of the rows.
        symbol: The ticker, or the timeframe, contract and the like, that the user chose; None if
            the file must hold one market only.

    Raises:
        BarsError: If there are several markets and none was chosen, or another one was.
    """
    if symbol is None:
        return ChosenRows(notes=_check_is_one_market(columns, index))
    labels = [column.label for column in columns]
    tickers = find_tickers(labels)
    places = [*tickers, *find_series(labels)]
    places += [p for p in _find_words(columns) if p not in places]
    by_place = {place: _distinct(_tickers_of(columns[place])) for place in places}
    place = next((p for p, names in by_place.items() if _find_match(names, symbol)), None)
    if place is None and not (tickers or find_series(labels)):
        raise BarsError(
            f"{spell('symbol', symbol)} chooses a market, and no column such as Symbol or Ticker "
            f"says which market a row belongs to. Leave {spell('symbol')} out."
        )
    place = places[0] if place is None else place
    chosen = _match(by_place[place], symbol)
    mask = np.array([name == chosen for name in _tickers_of(columns[place])])
    others = [column.take(mask) for p, column in enumerate(columns) if p != place]
    return ChosenRows(mask, _check_is_one_market(others, index[mask], has_chosen=True))


def group_ticker_rows(
    columns: Sequence[Column], index: pd.DatetimeIndex, rows: Rows
) -> dict[str, np.ndarray]:
    """The rows of each market, where a column says which market a row belongs to.

    Args:
        columns: All columns but those of dates and prices.
        index: The dates of the rows.
        rows: What the rows are called.

    Returns:
        The positions of the rows by market, in the order in which the markets first occur; none
        where no column names markets.

    Raises:
        BarsError: If a row names no market.
    """
    place = _find_market_column(columns, index)
    if place is None:
        return {}
    names = _tickers_of(columns[place])
    codes, distinct = pd.factorize(np.array([name or None for name in names], dtype=object))
    if (codes < 0).any():
        raise BarsError(
            f"{rows.cell(int((codes < 0).argmax()), columns[place])}: the row names no market "
            f"({(codes < 0).sum()} in all). Name it, or drop those rows."
        )
    order = np.argsort(codes, kind="stable")
    ends = np.searchsorted(codes[order], np.arange(1, len(distinct)))
    return dict(zip(distinct, np.split(order, ends), strict=True))


def _find_market_column(columns: Sequence[Column], index: pd.DatetimeIndex) -> int | None:
    """The column that names the market of each row: one called so, or one that tells rows apart."""
    labels = [column.label for column in columns]
    names = {place: _tickers_of(columns[place]) for place in find_tickers(labels)}
    named = [place for place in names if _distinct(names[place])]
    several = [place for place in named if len(_distinct(names[place])) > 1]
    if has_distinct_dates(index):
        return next(iter([*several, *named]), None)
    for place in [*several, *find_series(labels), *_find_words(columns)]:
        cells = _tickers_of(columns[place])
        if _is_of_markets(cells, _distinct(cells)) and _tells_apart(index, cells):
            return place
    return next(iter([*several, *named]), None)


def _is_of_markets(names: Sequence[str | None], distinct: Sequence[str]) -> bool:
    """Whether several names recur as those of markets do."""
    return 1 < len(distinct) <= len(names) / 2 + 1 and not _has_decimals(distinct)


def _find_words(columns: Sequence[Column]) -> list[int]:
    """The columns of text that are named neither as dates and times nor as those of a bar."""
    labels = [column.label for column in columns]
    named = {*find_dates(labels), *find_times(labels)}
    named.update(*find_bar_columns(labels, range(len(labels))).values())
    return [
        place
        for place, column in enumerate(columns)
        if isinstance(column.values, pa.ChunkedArray) and place not in named
    ]


def _check_is_one_market(
    columns: Sequence[Column], index: pd.DatetimeIndex, *, has_chosen: bool = False
) -> tuple[str, ...]:
    """What must be said of rows that are those of one market; refuse those of several."""
    labels = [column.label for column in columns]
    tickers, series = find_tickers(labels), find_series(labels)
    if has_distinct_dates(index):
        notes = [_describe_change(columns[p], index, has_chosen) for p in [*tickers[:1], *series]]
        return tuple(filter(None, notes))
    # any words do that tell rows of one date apart
    for place in dict.fromkeys([*tickers, *series, *_find_words(columns)]):
        names = _tickers_of(columns[place])
        distinct = _distinct(names)
        if _is_of_markets(names, distinct) and _tells_apart(index, names):
            raise SeveralMarketsError(
                f"the rows are those of {len(distinct)} markets ({_list(distinct)}). "
                f"{_remedy(distinct[0], has_chosen)}",
                distinct,
            )
    return ()


def _distinct(names: Sequence[str | None]) -> list[str]:
    return list(dict.fromkeys(name for name in names if name))


def _has_decimals(names: Sequence[str]) -> bool:
    """Whether some are numbers with decimals, which no name of a market is."""
    return any(re.fullmatch(r"-?\d*[.,]\d+", name) for name in names)


def has_distinct_dates(index: pd.DatetimeIndex) -> bool:
    """Whether no date is there twice; quick where the dates are in order."""
    steps = np.diff(index.asi8)
    return bool((steps > 0).all() or (steps < 0).all() or index.is_unique)


def _describe_change(column: Column, index: pd.DatetimeIndex, has_chosen: bool) -> str:
    """Say where one market changes its ticker or contract; refuse several that take turns."""
    label, names = column.label.strip(), _tickers_of(column)
    distinct = _distinct(names)
    # PER is a period, or the price over the earnings
    if len(distinct) < 2 or _has_decimals(distinct):
        return ""
    by_date = [row for row in np.argsort(index.asi8, kind="stable") if names[row]]
    changes = [(before, row) for before, row in pairwise(by_date) if names[before] != names[row]]
    if len(changes) >= len(distinct):
        raise SeveralMarketsError(
            f"the rows are those of {len(distinct)} markets ({_list(distinct)}), which take turns "
            f"in column {label}. {_remedy(distinct[0], has_chosen)} If they are one market, drop "
            "that column.",
            distinct,
        )
    before, row = changes[0]
    more = f", and {len(changes) - 1} times more" if len(changes) > 1 else ""
    return (
        f"column {label} changes from {names[before]} to {names[row]} at "
        f"{format_time(index[row])}{more}; all rows were read as one market"
    )


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
