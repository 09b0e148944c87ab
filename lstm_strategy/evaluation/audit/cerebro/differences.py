"""Where two runs over the same known bars part: in a line, an order, or the account."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lstm_strategy.evaluation.audit.cerebro.recording import Recording, SentOrder
from lstm_strategy.learning.features import Difference, first_differences, first_unequal
from lstm_strategy.trading import day_numbers

_MOST_LINES = 3
_INSTANT_DAYS = 1e-9
_ROUNDING = 1e-9
_ROUNDING_OF_A_NETWORK = 1e-5
_ROUNDING_OF_ITS_ORDERS = 1e-3


@dataclass(frozen=True)
class Part:
    """Where two runs part: a line, the account, an order, or an exception."""

    culprit: str
    bar: int
    time: pd.Timestamp
    known: float | str
    with_later: float | str
    is_line: bool = False
    is_fatal: bool = False


class Clock:
    """The bars of an audit on backtrader's clock, on which recordings are set side by side."""

    def __init__(self, bars: pd.DataFrame) -> None:
        self._bars = bars
        self._days = day_numbers(pd.DatetimeIndex(bars.index))

    def n_bars_until(self, time: float) -> int:
        """How many bars there are up to a day number, inclusive."""
        return int(np.searchsorted(self._days, time + _INSTANT_DAYS, side="right"))

    def raised(self, error: Exception, bar: int) -> Part:
        """The part of two runs of which one ended in an exception at ``bar``."""
        return Part(
            culprit="the run itself",
            bar=bar,
            time=self._bars.index[bar],
            known=f"{type(error).__name__}: {error}",
            with_later="goes on",
            is_fatal=True,
        )

    def parts(
        self, full: Recording, other: Recording, n_known: int, *, at_open: bool = False
    ) -> list[Part]:
        """Where the runs part up to the last known bar: root lines, then orders, then account.

        A root line is one none of whose inputs differs. ``at_open`` looks at what was sent at the
        open of the next bar as well, and at orders only.
        """
        n_rows = int(np.searchsorted(full.times, self._days[n_known - 1] + _INSTANT_DAYS, "right"))
        parts: list[Part] = []
        if other.error is not None and len(other.times) < min(n_rows, len(full.times)):
            parts.append(self.raised(other.error, len(other.times)))
        n_rows = min(n_rows, len(other.times), len(full.times))
        if not n_rows:
            return parts
        if not at_open:
            parts += self._differing_lines(full, other, n_rows)
        until = self._days[n_known] if at_open else full.times[n_rows - 1]
        order = self._differing_order(full, other, until, at_open=at_open)
        account = [] if at_open else self._differing_account(full, other, n_rows)
        return parts + order + (account if not order else [])

    def _differing_lines(self, full: Recording, other: Recording, n_rows: int) -> list[Part]:
        differences = first_differences(
            other.lines.iloc[:n_rows],
            full.lines.iloc[:n_rows].set_axis(self._times(full, n_rows)),
            n_rows,
            absolute=_ROUNDING_OF_A_NETWORK if full.uses_model else 0.0,
        )
        differing = {difference.column for difference in differences}
        roots = [d for d in differences if not differing & set(full.inputs.get(d.column, ()))]
        return [_part_of(d, f"line {d.column}", is_line=True) for d in roots[:_MOST_LINES]]

    def _differing_account(self, full: Recording, other: Recording, n_rows: int) -> list[Part]:
        mine, theirs = full.account.iloc[:n_rows], other.account.iloc[:n_rows]
        rounding = _ROUNDING_OF_ITS_ORDERS if full.uses_model else _ROUNDING
        found = []
        for name in mine.columns:
            bar = first_unequal(theirs[name].to_numpy(), mine[name].to_numpy(), relative=rounding)
            if bar is not None:
                time = self._times(full, n_rows)[bar]
                found.append(
                    Part(name, bar, time, float(theirs[name][bar]), float(mine[name][bar]))
                )
        return sorted(found, key=lambda part: part.bar)[:1]

    def _differing_order(
        self, full: Recording, other: Recording, until: float, *, at_open: bool
    ) -> list[Part]:
        mine, theirs = (
            [o for o in run.orders if _counts(o, until, at_open=at_open)] for run in (full, other)
        )
        rounding = _ROUNDING_OF_ITS_ORDERS if full.uses_model else _ROUNDING
        for number in range(max(len(mine), len(theirs))):
            pair = [sent[number] if number < len(sent) else None for sent in (theirs, mine)]
            if not _same_order(pair[0], pair[1], rounding):
                time = min(order.time for order in pair if order is not None)
                bar = self.n_bars_until(time) - 1
                known, later = (
                    str(o) if o is not None and abs(o.time - time) < _INSTANT_DAYS else "no order"
                    for o in pair
                )
                return [Part("order", bar, self._bars.index[bar], known, later)]
        return []

    def _times(self, full: Recording, n_rows: int) -> pd.Index:
        places = [self.n_bars_until(time) - 1 for time in full.times[:n_rows]]
        return self._bars.index[np.maximum(places, 0)]


def _counts(order: SentOrder, until: float, *, at_open: bool) -> bool:
    """Whether an order was sent with nothing known beyond ``until``."""
    if at_open:
        return order.time <= until + _INSTANT_DAYS and (
            order.at_open or order.time < until - _INSTANT_DAYS
        )
    return order.time <= until + _INSTANT_DAYS


def _same_order(one: SentOrder | None, other: SentOrder | None, rounding: float) -> bool:
    if one is None or other is None:
        return False
    is_same_kind = (one.kind, one.at_open) == (other.kind, other.at_open)
    is_same_time = abs(one.time - other.time) < _INSTANT_DAYS
    then, now = ((o.size, o.price, o.limit) for o in (one, other))
    is_same_size = bool(np.allclose(then, now, rtol=rounding, atol=0, equal_nan=True))
    return is_same_kind and is_same_time and is_same_size


def _part_of(difference: Difference, culprit: str, *, is_line: bool) -> Part:
    return Part(
        culprit,
        difference.bar,
        difference.time,
        difference.known,
        difference.with_later,
        is_line=is_line,
    )
