"""From fills to round trips: what was bought, sold again, and earned in between."""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

TRADE_COLUMNS = (
    "entry",
    "exit",
    "size",
    "units",
    "entry_price",
    "exit_price",
    "pnl",
    "return",
    "bars",
    "commission",
    "funding",
)
_NO_BAR = -1


def trades_from_fills(
    fills: pd.DataFrame,
    closes: pd.Series,
    *,
    payments: pd.DataFrame | None = None,
    multiplier: float = 1.0,
) -> pd.DataFrame:
    """Return one row a round trip: from flat to flat, or from one side to the other.

    A fill that reverses the position closes one trade and opens the next; its commission is
    shared in proportion to size.

    Args:
        fills: Executions in the order of time, on dates of `closes`, as in `BacktestRun`.
        closes: Shape (n_bars,), the closes of the run's bars, to the last of which a trade that
            is still open is marked.
        payments: For holding positions, in the order of time; None where there are none.
            What settles as a bar opens is paid by the trade that is open then, before the bar's
            fills; what settles within it by the trade that is open after them.
        multiplier: What a point of the price is worth in money.

    Returns:
        The dates of `entry` and `exit` (NaT while open), `size` the largest position held
        (signed units), `units` all that were put on, added up, `entry_price` and `exit_price` the
        averages of all units put on and taken off (`exit_price` is NaN while open), `pnl` in money
        after commission and funding (and what the insurance fund of an exchange bore of a
        liquidation, which closes one trade), `return` the pnl as a fraction of the value put on,
        which is `units` times `entry_price` times the multiplier, `bars` from entry to exit (of an
        open trade to the last bar), `commission` with what changes of contract cost, and `funding`
        paid, below 0 for what was received. Of a closed trade `units` times the price difference
        and the multiplier, less commission and funding, is the pnl; `size` isn't what it follows
        from.

    Example:
        >>> closes = pd.Series([10.0, 11.0, 12.0], pd.date_range("2024-01-01", periods=3))
        >>> columns = {"size": [5.0, -5.0], "price": [10.0, 12.0], "commission": [1.0, 1.0]}
        >>> trades = trades_from_fills(pd.DataFrame(columns, closes.index[[0, 2]]), closes)
        >>> trades[["size", "pnl", "bars"]].values.tolist()
        [[5.0, 8.0, 2.0]]
    """
    trades: list[_Trade] = []
    positions = closes.index.get_indexer(fills.index, method="pad").tolist()
    insurance = fills["insurance"] if "insurance" in fills else [0.0] * len(fills)
    columns = (fills[name] for name in ("size", "price", "commission"))
    waiting = _Payments(payments, closes)
    for bar, size, price, commission, insured in zip(positions, *columns, insurance, strict=True):
        waiting.charge(trades, until=bar)
        is_open = bool(trades) and not trades[-1].is_flat
        for part in _split_at_zero(trades[-1].position if is_open else 0.0, size):
            if not trades or trades[-1].is_flat:
                trades.append(_Trade(entry_bar=bar, multiplier=multiplier))
            trades[-1].add(part, price, commission * abs(part / size), bar=bar)
            trades[-1].insurance += insured
    waiting.charge(trades, until=len(closes))
    rows = [trade.row(closes) for trade in trades]
    table = pd.DataFrame(rows, columns=list(TRADE_COLUMNS), dtype="float64")
    dates = pd.Series(closes.index)
    return table.assign(
        entry=dates.reindex(table["entry"]).array,
        exit=dates.reindex(table["exit"]).array,
        bars=table["bars"].astype("int64"),
    )


def trades_by_market(
    fills: pd.DataFrame,
    closes: Mapping[str, pd.Series],
    *,
    payments: pd.DataFrame,
    multipliers: Mapping[str, float],
) -> pd.DataFrame:
    """Return one row a round trip in any market, by entry, with its `symbol` first.

    Args:
        fills: Executions in the order of time, with their `symbol`.
        closes: The closes of each market at its own bars, in which those of a trade are counted.
        payments: For holding positions, in the order of time, with their `symbol`.
        multipliers: What a point of the price is worth in each market.

    Returns:
        The columns of `trades_from_fills` after the symbol.
    """
    tables = []
    for symbol, close in closes.items():
        trades = trades_from_fills(
            fills[fills["symbol"] == symbol],
            close,
            payments=payments[payments["symbol"] == symbol],
            multiplier=multipliers[symbol],
        )
        trades.insert(0, "symbol", pd.Index([symbol] * len(trades), dtype="str"))
        tables.append(trades)
    kept = [table for table in tables if len(table)] or tables[:1]
    return pd.concat(kept).sort_values("entry", kind="stable", ignore_index=True)


class _Payments:
    """Payments that wait for the trade which pays them."""

    def __init__(self, payments: pd.DataFrame | None, closes: pd.Series) -> None:
        self._waiting: deque[tuple[int, bool, bool, float]] = deque()
        if payments is not None and len(payments):
            bars = closes.index.get_indexer(payments.index, method="pad").tolist()
            columns = (payments[name] for name in ("is_within", "is_roll", "amount"))
            self._waiting.extend(zip(bars, *columns, strict=True))

    def charge(self, trades: "list[_Trade]", *, until: int) -> None:
        """Charge what is due before the fills of a bar to the trade that is open then.

        What was paid after the fills of a bar on which the position was then liquidated is of that
        trade, the last one, as well.
        """
        while trades and self._waiting and self._waiting[0][:2] <= (until, False):
            _, _, is_roll, amount = self._waiting.popleft()
            if is_roll:
                trades[-1].commission += amount
            else:
                trades[-1].funding += amount


@dataclass
class _Trade:
    """A round trip while its fills are being added up."""

    entry_bar: int
    multiplier: float = 1.0
    position: float = 0.0
    largest: float = 0.0
    units_on: float = 0.0
    value_on: float = 0.0
    units_off: float = 0.0
    value_off: float = 0.0
    commission: float = 0.0
    funding: float = 0.0
    insurance: float = 0.0
    last_bar: int = _NO_BAR

    def add(self, size: float, price: float, commission: float, *, bar: int) -> None:
        if self.position * size >= 0:
            self.units_on += abs(size)
            self.value_on += abs(size) * price
        else:
            self.units_off += abs(size)
            self.value_off += abs(size) * price
        self.position += size
        self.last_bar = bar
        self.largest = max(self.largest, self.position, key=abs)
        self.commission += commission

    @property
    def is_flat(self) -> bool:
        return _is_dust(self.position, self.largest)

    def row(self, closes: pd.Series) -> tuple[float, ...]:
        is_open = not self.is_flat
        last = len(closes) - 1 if is_open else self.last_bar
        worth = abs(self.position) * closes.iloc[-1] if is_open else 0.0
        side = math.copysign(1.0, self.largest)
        moved = side * (self.value_off + worth - self.value_on) * self.multiplier
        pnl = moved - self.commission - self.funding + self.insurance
        return (
            self.entry_bar,
            _NO_BAR if is_open else last,
            self.largest,
            self.units_on,
            self.value_on / self.units_on,
            math.nan if is_open else self.value_off / self.units_off,
            pnl,
            pnl / (self.value_on * self.multiplier),
            last - self.entry_bar,
            self.commission,
            self.funding,
        )


def _split_at_zero(position: float, size: float) -> list[float]:
    """The part of a fill that closes the position and the part that opens the next."""
    rest = position + size
    if position * rest < 0 and not _is_dust(rest, position):
        return [-position, rest]
    return [size]


def _is_dust(position: float, beside: float) -> bool:
    return abs(position) <= 1e-9 * abs(beside)
