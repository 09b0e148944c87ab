"""Names for the columns of a file without a header, by the shape of its rows."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lstm_strategy.bars.columns import (
    Column,
    choose_decimal_mark,
    null_if_missing,
    parse_numbers,
    read_dates,
    reads_as_times,
)
from lstm_strategy.bars.files.table import Table
from lstm_strategy.errors import BarsError
from lstm_strategy.support import count_of

# The orders in which exchanges give the four prices.
_ORDERS = (
    ("Open", "High", "Low", "Close"),
    ("Open", "Close", "High", "Low"),
    ("Low", "High", "Open", "Close"),
)
_FEWEST_COLUMNS = 5  # a date and four prices
_KLINE = (
    "close_time",
    "quote_volume",
    "trades",
    "taker_buy_volume",
    "taker_buy_quote_volume",
    "ignore",
)


def name_columns(table: Table) -> Table:
    """Name the columns of a table without a header.

    The first columns must hold dates, or days and times; the four prices after them are known by
    which is the highest and which the lowest on every row.

    Raises:
        BarsError: If the shape isn't one of these.
    """
    if len(table.columns) < _FEWEST_COLUMNS:
        raise _unknown_shape(table)
    place = 0
    labels: list[str] = []
    if _is_words(table.columns[0]):
        labels, place = ["Ticker"], 1
    dates = read_dates(table.columns[place], table.rows)
    if dates is None or np.mean(dates.index.isna()) > 0.5:
        raise _unknown_shape(table)
    labels.append("Date")
    if not dates.has_times and reads_as_times(table.columns[place + 1], table.rows):
        labels.append("Time")
    place = len(labels)
    numbers = [_to_floats(column, table) for column in table.columns[place:]]
    if len(numbers) < 4:
        raise _unknown_shape(table)
    orders = [order for order in _ORDERS if _fits(order, numbers)]
    if len(orders) != 1:
        raise _unknown_shape(table)
    labels += [*orders[0], *_names_behind(numbers, orders[0])]
    columns = [
        Column(label, column.values) for label, column in zip(labels, table.columns, strict=True)
    ]
    is_plain = table.is_plain or _is_of_digits(table.columns[labels.index("Date")])
    note = f"the file has no header line; its columns were read as {', '.join(labels)}"
    return replace(
        table,
        columns=tuple(columns),
        has_header=True,
        is_plain=is_plain,
        notes=(*table.notes, note),
    )


def _is_of_digits(column: Column) -> bool:
    """Whether dates are written for programs, as HistData's and NinjaTrader's `20240102 170000`."""
    if not isinstance(column.values, pa.ChunkedArray):
        return False
    return bool(pc.all(pc.match_substring_regex(column.values, r"^\s*\d{8}[\d ]*$")).as_py())


def _is_words(column: Column) -> bool:
    if not isinstance(column.values, pa.ChunkedArray):
        return False
    first = str(column.values[0])
    return first[:1].isalpha() and len(column.values.unique()) <= max(1, len(column.values) // 2)


def _to_floats(column: Column, table: Table) -> np.ndarray:
    if isinstance(column.values, pa.ChunkedArray):
        mark = choose_decimal_mark([column], table.rows, are_points_likely=True)
        return parse_numbers(null_if_missing(column.values), mark).values
    if isinstance(column.values, np.ndarray):
        return column.values.astype("float64")
    return np.full(len(column.values), np.nan)


def _fits(order: tuple[str, ...], numbers: list[np.ndarray]) -> bool:
    prices = dict(zip(order, numbers, strict=False))
    values = np.column_stack(numbers[:4])
    has_all = ~np.isnan(values).any(axis=1)
    if has_all.mean() < 0.9:
        return False
    slack = 1e-6 * values.max(axis=1)
    with np.errstate(invalid="ignore"):
        is_highest = prices["High"] >= values.max(axis=1) - slack
        is_lowest = prices["Low"] <= values.min(axis=1) + slack
    # a row or two may be damaged; they are named later
    return bool((is_highest & is_lowest)[has_all].mean() > 0.98)


def _names_behind(numbers: list[np.ndarray], order: tuple[str, ...]) -> list[str]:
    behind = len(numbers) - 4
    if behind == 7:
        return ["Volume", *_KLINE]
    low, high = numbers[order.index("Low")], numbers[order.index("High")]
    names = ["vwap", "Volume"] if behind >= 2 and _is_mean(numbers[4], low, high) else ["Volume"]
    if behind == len(names) + 1:
        names.append("trades")
    return (names + [f"column_{n}" for n in range(len(names), behind)])[:behind]


def _is_mean(numbers: np.ndarray, low: np.ndarray, high: np.ndarray) -> bool:
    """Whether numbers are the mean prices of their bars, or 0 where nothing was traded."""
    is_traded = numbers > 0
    is_within = ((numbers >= low) & (numbers <= high))[is_traded]
    return bool(is_traded.any()) and bool(is_within.mean() > 0.98)


def _unknown_shape(table: Table) -> BarsError:
    return BarsError(
        f"the file has no header line, and its rows of {count_of(len(table.columns), 'cell')} have "
        "no known shape. Add a line of names on top, such as Date,Open,High,Low,Close,Volume."
    )
