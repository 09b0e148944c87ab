"""From fills to round trips: what was bought, sold again, and earned in between."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

TRADE_COLUMNS = (
    "entry",
    "exit",
    "size",
    "entry_price",
    "exit_price",
    "pnl",
    "return",
    "bars",
    "commission",
)
_NO_BAR = -1


def trades_from_fills(fills: pd.DataFrame, closes: pd.Series) -> pd.DataFrame:
    """Return one row a round trip: from flat to flat, or from one side to the other.

    A fill that reverses the position closes one trade and opens the next; its commission is
    shared in proportion to size.

    Args:
        fills: Executions in the order of time, on dates of `closes`, as in `BacktestRun`.
        closes: Shape (n_bars,), the closes of the run's bars, to the last of which a trade that
            is still open is marked.

    Returns:
        The dates of `entry` and `exit` (NaT while open), `size` the largest position held
        (signed units), `entry_price` and `exit_price` the averages of all units put on and taken
        off (`exit_price` is NaN while open), `pnl` in money after commission, `return` the pnl as
        a fraction of the value put on, `bars` from entry to exit, and `commission`.

    Example:
        >>> closes = pd.Series([10.0, 11.0, 12.0], pd.date_range("2024-01-01", periods=3))
        >>> columns = {"size": [5.0, -5.0], "price": [10.0, 12.0], "commission": [1.0, 1.0]}
        >>> trades = trades_from_fills(pd.DataFrame(columns, closes.index[[0, 2]]), closes)
        >>> trades[["size", "pnl", "bars"]].values.tolist()
        [[5.0, 8.0, 2.0]]
    """
    finished, trade = [], None
    positions = closes.index.get_indexer(fills.index, method="pad").tolist()
    rows = zip(positions, fills["size"], fills["price"], fills["commission"], strict=True)
    for bar, size, price, commission in rows:
        for part in _split_at_zero(trade.position if trade else 0.0, size):
            trade = trade or _Trade(entry_bar=bar)
            trade.add(part, price, commission * abs(part / size))
            if trade.is_flat:
                finished.append(trade.row(closes, exit_bar=bar))
                trade = None
    if trade:
        finished.append(trade.row(closes, exit_bar=None))
    table = pd.DataFrame(finished, columns=list(TRADE_COLUMNS), dtype="float64")
    dates = pd.Series(closes.index)
    return table.assign(
        entry=dates.reindex(table["entry"]).array,
        exit=dates.reindex(table["exit"]).array,
        bars=table["bars"].astype("int64"),
    )


def trades_by_market(fills: pd.DataFrame, closes: Mapping[str, pd.Series]) -> pd.DataFrame:
    """Return one row a round trip in any market, by entry, with its `symbol` first.

    Args:
        fills: Executions in the order of time, with their `symbol`.
        closes: The closes of each market at its own bars, in which those of a trade are counted.

    Returns:
        The columns of `trades_from_fills` after the symbol.
    """
    tables = []
    for symbol, close in closes.items():
        trades = trades_from_fills(fills[fills["symbol"] == symbol], close)
        trades.insert(0, "symbol", pd.Index([symbol] * len(trades), dtype="str"))
        tables.append(trades)
    kept = [table for table in tables if len(table)] or tables[:1]
    return pd.concat(kept).sort_values("entry", kind="stable", ignore_index=True)


@dataclass
class _Trade:
    """A round trip while its fills are being added up."""

    entry_bar: int
    position: float = 0.0
    largest: float = 0.0
    units_on: float = 0.0
    value_on: float = 0.0
    units_off: float = 0.0
    value_off: float = 0.0
    commission: float = 0.0

    def add(self, size: float, price: float, commission: float) -> None:
        if self.position * size >= 0:
            self.units_on += abs(size)
            self.value_on += abs(size) * price
        else:
            self.units_off += abs(size)
            self.value_off += abs(size) * price
        self.position += size
        self.largest = max(self.largest, self.position, key=abs)
        self.commission += commission

    @property
    def is_flat(self) -> bool:
        return _is_dust(self.position, self.largest)

    def row(self, closes: pd.Series, *, exit_bar: int | None) -> tuple[float, ...]:
        is_open = exit_bar is None
        last = len(closes) - 1 if exit_bar is None else exit_bar
        worth = abs(self.position) * closes.iloc[-1] if is_open else 0.0
        side = math.copysign(1.0, self.largest)
        pnl = side * (self.value_off + worth - self.value_on) - self.commission
        return (
            self.entry_bar,
            _NO_BAR if is_open else last,
            self.largest,
            self.value_on / self.units_on,
            math.nan if is_open else self.value_off / self.units_off,
            pnl,
            pnl / self.value_on,
            last - self.entry_bar,
            self.commission,
        )


def _split_at_zero(position: float, size: float) -> list[float]:
    """The part of a fill that closes the position and the part that opens the next."""
    rest = position + size
    if position * rest < 0 and not _is_dust(rest, position):
        return [-position, rest]
    return [size]


def _is_dust(position: float, beside: float) -> bool:
    return abs(position) <= 1e-9 * abs(beside)
