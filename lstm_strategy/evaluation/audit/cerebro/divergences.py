"""Where two runs over the same known bars diverge: in a line, an order, or the account."""

from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
import pandas as pd

from lstm_strategy.evaluation.audit.cerebro.money import is_raised_by_broker
from lstm_strategy.evaluation.audit.cerebro.recording import Recording, SentOrder
from lstm_strategy.learning.features import first_differences, first_unequal
from lstm_strategy.trading import day_numbers

_MOST_LINES = 3
_INSTANT_DAYS = 1e-9
_ROUNDING = 1e-9
_ROUNDING_OF_A_NETWORK = 1e-5
_ROUNDING_OF_ITS_ORDERS = 1e-3


@dataclass(frozen=True)
class Divergence:
    """Where two runs diverge.

    Attributes:
        culprit: A line, the account, an order, or the run itself.
        bar: The bar at which they do, counted from 0.
        time: Its time.
        known: What the run showed that knew fewer bars, or others.
        with_later: What the full run showed.
        is_line: Whether the culprit is a line.
        is_fatal: Whether the shorter run ended in an exception.
        is_money: Whether the broker made the difference: all orders sent before were the same.
    """

    culprit: str
    bar: int
    time: pd.Timestamp
    known: float | str
    with_later: float | str
    is_line: bool = False
    is_fatal: bool = False
    is_money: bool = False


class BarAligner:
    """The bars of an audit on backtrader's clock, on which recordings are set side by side."""

    def __init__(self, bars: pd.DataFrame) -> None:
        self._bars = bars
        self._days = day_numbers(pd.DatetimeIndex(bars.index))

    def n_bars_until(self, time: float) -> int:
        """Return how many bars there are up to a day number, inclusive."""
        return int(np.searchsorted(self._days, time + _INSTANT_DAYS, side="right"))

    def divergence_from_error(self, error: Exception, bar: int) -> Divergence:
        """Return the divergence of two runs of which one ended in an exception at `bar`."""
        return Divergence(
            culprit="the run itself",
            bar=bar,
            time=self._bars.index[bar],
            known=f"{type(error).__name__}: {error}",
            with_later="goes on",
            is_fatal=True,
            is_money=is_raised_by_broker(error),
        )

    def find_divergences(
        self, full: Recording, other: Recording, n_known: int, *, at_open: bool = False
    ) -> list[Divergence]:
        """Compare two runs up to the last known bar: root lines, orders and the account.

        Args:
            full: The run over all bars.
            other: The run that knew fewer bars, or others.
            n_known: The number of bars that were the same.
            at_open: Whether to look at what was sent at the open of the next bar as well, and at
                orders only.

        Returns:
            At most three root lines, which are those none of whose inputs differs; the first order
            that differs, unless the account does before it was sent: then that.
        """
        n_rows = int(np.searchsorted(full.times, self._days[n_known - 1] + _INSTANT_DAYS, "right"))
        found: list[Divergence] = []
        if other.error is not None and len(other.times) < min(n_rows, len(full.times)):
            found.append(self.divergence_from_error(other.error, len(other.times)))
        n_rows = min(n_rows, len(other.times), len(full.times))
        if not n_rows:
            return found
        if at_open:
            until = self._days[n_known]
            return found + self._diverging_order(full, other, until, at_open=True)
        found += self._diverging_lines(full, other, n_rows)
        order = self._diverging_order(full, other, full.times[n_rows - 1], at_open=False)
        account = self._diverging_account(full, other, n_rows)
        if not (order and account):
            return found + (order or account)
        # what fills on a bar was sent before it, but for what is sent at its open
        acts_at_open = any(sent.at_open for sent in full.orders)
        is_account_first = account[0].bar < order[0].bar + (not acts_at_open)
        return found + (account if is_account_first else order)

    def _diverging_lines(self, full: Recording, other: Recording, n_rows: int) -> list[Divergence]:
        differences = first_differences(
            other.lines.iloc[:n_rows],
            full.lines.iloc[:n_rows].set_axis(self._times(full, n_rows)),
            n_rows,
            absolute=_ROUNDING_OF_A_NETWORK if full.uses_model else 0.0,
        )
        differing = {difference.column for difference in differences}
        roots = [d for d in differences if not differing & set(full.inputs.get(d.column, ()))]
        return [
            Divergence(f"line {d.column}", d.bar, d.time, d.known, d.with_later, is_line=True)
            for d in roots[:_MOST_LINES]
        ]

    def _diverging_order(
        self, full: Recording, other: Recording, until: float, *, at_open: bool
    ) -> list[Divergence]:
        theirs = [o for o in other.orders if _is_sent_in_time(o, until, at_open=at_open)]
        mine = [o for o in full.orders if _is_sent_in_time(o, until, at_open=at_open)]
        rounding = _ROUNDING_OF_ITS_ORDERS if full.uses_model else _ROUNDING
        for known, later in zip_longest(theirs, mine):
            if known is None or later is None or not _is_same_order(known, later, rounding):
                time = min(order.time for order in (known, later) if order is not None)
                bar = self.n_bars_until(time) - 1
                then, now = (_describe_order(order, time) for order in (known, later))
                return [Divergence("order", bar, self._bars.index[bar], then, now)]
        return []

    def _diverging_account(
        self, full: Recording, other: Recording, n_rows: int
    ) -> list[Divergence]:
        mine, theirs = full.account.iloc[:n_rows], other.account.iloc[:n_rows]
        rounding = _ROUNDING_OF_ITS_ORDERS if full.uses_model else _ROUNDING
        times = self._times(full, n_rows)
        found = []
        for name in mine.columns:
            bar = first_unequal(theirs[name].to_numpy(), mine[name].to_numpy(), relative=rounding)
            if bar is not None:
                known, later = float(theirs[name][bar]), float(mine[name][bar])
                found.append(Divergence(name, bar, times[bar], known, later, is_money=True))
        return sorted(found, key=lambda divergence: divergence.bar)[:1]

    def _times(self, full: Recording, n_rows: int) -> pd.Index:
        places = [self.n_bars_until(time) - 1 for time in full.times[:n_rows]]
        return self._bars.index[np.maximum(places, 0)]


def _is_sent_in_time(order: SentOrder, until: float, *, at_open: bool) -> bool:
    """Whether an order was sent with nothing known beyond `until`."""
    if order.time > until + _INSTANT_DAYS:
        return False
    return not at_open or order.at_open or order.time < until - _INSTANT_DAYS


def _is_same_order(one: SentOrder, other: SentOrder, rounding: float) -> bool:
    is_same_kind = (one.kind, one.at_open) == (other.kind, other.at_open)
    is_same_time = abs(one.time - other.time) < _INSTANT_DAYS
    then, now = ((o.size, o.price, o.limit) for o in (one, other))
    is_same_size = bool(np.allclose(then, now, rtol=rounding, atol=0, equal_nan=True))
    return is_same_kind and is_same_time and is_same_size


def _describe_order(order: SentOrder | None, time: float) -> str:
    is_sent_then = order is not None and abs(order.time - time) < _INSTANT_DAYS
    return str(order) if is_sent_then else "no order"
