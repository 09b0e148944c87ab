"""One market of a portfolio: whether it can be decided and traded at the present date."""

from typing import Any

import backtrader as bt

from lstm_strategy.trading.execution.orders import MarketOrders

_LONG_PAUSE_DAYS = 10.0
_LONG_PAUSE_BARS = 3
_DAYS_A_WEEK = 7
_WEEKEND = {6, 0}  # as backtrader counts days: the first one was a Monday
_DAYS_TO_TELL = 28.0  # after which a day of the week without a bar is one on which none comes


class Market:
    """A market of a portfolio as it is at the present date of the run.

    Args:
        name: What it is called.
        orders: Its position and its order.
        volatility: A line with its volatility; None where nobody asks for it.

    Attributes:
        is_fresh: Whether it has a bar at the present date.
        is_live: Whether it has as many bars as its indicators need, and hasn't paused for long:
            for more than ten days and more than three times its last spacing.
        is_left_out: Whether it is never to be traded; it is never live then.
        time: The date of its last bar as backtrader has it, in days; 0 before the first.
    """

    def __init__(self, name: str, orders: MarketOrders, volatility: Any) -> None:
        self.name, self.orders, self.data = name, orders, orders.data
        self.volatility = volatility
        self._times = orders.data.lines.datetime  # found once, not at every date
        self.bars_needed = 1
        self.is_fresh = self.is_live = self.is_left_out = False
        self.time = 0.0
        self._spacing = self._first_time = 0.0
        self._weekdays: set[int] = set()
        self._is_warm = False

    def look(self, now: float) -> None:
        """See what the present date brought.

        Args:
            now: The date, in days.
        """
        n_bars = len(self._times)
        if not n_bars:  # its lines would show the last bar of the run
            return
        time = self._times[0]
        self.is_fresh = time >= now
        if time > self.time:
            self._spacing, self.time = time - self.time if self.time else 0.0, time
            self._first_time = self._first_time or time
            self._weekdays.add(int(time) % _DAYS_A_WEEK)
            self._is_warm = n_bars >= self.bars_needed
        pause = now - time
        is_quiet = pause > _LONG_PAUSE_DAYS and pause > _LONG_PAUSE_BARS * self._spacing
        self.is_live = self._is_warm and not (is_quiet or self.is_left_out)

    def missed_days(self, last: float) -> float:
        """Return the days between its last bar and a date on which it could have had another.

        Args:
            last: The date, in days. Days of the week on which it never has a bar don't count.
        """
        weekdays = set(range(_DAYS_A_WEEK))
        is_known = self.time - self._first_time >= _DAYS_TO_TELL
        rests = (weekdays if is_known else _WEEKEND) - self._weekdays
        days = range(int(self.time) + 1, int(last) + 1)
        return last - self.time - sum(day % _DAYS_A_WEEK in rests for day in days)

    @property
    def has_begun(self) -> bool:
        """Whether it has had a bar."""
        return self.time > 0.0

    def units_held_and_ordered(self) -> tuple[float, float]:
        """Return the units that are held, and those that are once a waiting order has filled."""
        held = float(self.orders.position.size)
        waiting = self.orders.order.executed.remsize if self.orders.is_waiting else 0.0
        return held, held + waiting

    def units_that_stay(self) -> float:
        """Return by how many units a waiting order can't shrink the position at this open.

        Its market has no bar, or opens above the collar of a buy that turns a short into a long.
        """
        if not self.orders.is_waiting:
            return 0.0
        order = self.orders.order
        has_bar = self._times[0] > order.created.dt
        if has_bar and (
            order.exectype != bt.Order.Limit or self.data.open[0] <= order.created.price
        ):
            return 0.0
        held, then = map(abs, self.units_held_and_ordered())
        return max(held - then, 0.0)

    def committed_exposures(self, equity: float) -> tuple[float, float]:
        """Return the exposure at its last close: the held one, and that once its order filled."""
        held, then = self.units_held_and_ordered()
        if not held and not then:
            return 0.0, 0.0
        unit = self.orders.money.unit_value() / equity
        return held * unit, then * unit
