"""Stands between a strategy and its broker: no order leaves that breaks a limit."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import backtrader as bt
import pandas as pd

from lstm_strategy.trading.live.session.orders.limits import AskedOrder, TradingLimits

_MINUTE = pd.Timedelta(minutes=1)
_ENDS = (
    *(bt.Order.Completed, bt.Order.Canceled, bt.Order.Expired),
    *(bt.Order.Margin, bt.Order.Rejected),
)


@dataclass(frozen=True)
class OrderNews:
    """What has become of an order.

    Attributes:
        id: Its number in the run, from 1.
        size: Signed units.
        type: Such as "Market" or "Limit".
        price: Of a limit or stop; None for a market order.
        status: "sent", "refused" or "withdrawn", or what a broker says.
        reason: Why it was refused or withdrawn.
    """

    id: int
    size: float
    type: str
    price: float | None
    status: str
    reason: str = ""


class OrderGuard:
    """Takes the place of `buy` and `sell` of a broker, and refuses what breaks a limit.

    Args:
        broker: The broker, whose methods are replaced in the object.
        data: The feed that is traded.
        limits: What no order may break.
        folder: The folder of the run, in which the kill switch may lie.
        now: Tells the time.
        tell: Called with news of orders, of those that leave before they do.
        day_return: Tells what the equity has gained since the day began.
        verdicts: Of orders that a journal tells of, by their number: "" for one that left, or why
            it was refused.

    Attributes:
        n_sent: How many orders have left.
        n_refused: How many were refused.
    """

    def __init__(
        self,
        broker: Any,
        data: Any,
        *,
        limits: TradingLimits,
        folder: Path,
        now: Callable[[], pd.Timestamp],
        tell: Callable[[OrderNews], None],
        day_return: Callable[[], float],
        verdicts: Mapping[int, str],
    ) -> None:
        self._broker, self._data = broker, data
        self._limits, self._now, self._tell = limits, now, tell
        self._day_return = day_return
        self._kill_switch = folder / limits.kill_switch
        self._verdicts = verdicts
        self._ids: dict[int, int] = {}
        self._alive: dict[int, Any] = {}
        self._refused: set[int] = set()
        self._rejections: deque[Any] = deque()
        self._sent_at: deque[pd.Timestamp] = deque()
        self.n_sent = self.n_refused = 0
        self._own_buy, self._own_sell = broker.buy, broker.sell
        self._own_notification = broker.get_notification
        broker.buy, broker.sell = partial(self._send, 1.0), partial(self._send, -1.0)
        broker.get_notification = self._next_notification

    @property
    def open_orders(self) -> list[Any]:
        """The orders that have left and may still fill."""
        self._alive = {ref: order for ref, order in self._alive.items() if order.alive()}
        return list(self._alive.values())

    @property
    def is_killed(self) -> bool:
        """Whether the kill switch lies there."""
        return self._kill_switch.exists()

    def id_of(self, order: Any) -> int:
        """Return the number of an order in the run; one that no strategy sent gets the next.

        Args:
            order: An order, or a copy of it.
        """
        return self._ids.setdefault(order.ref, len(self._ids) + 1)

    def is_refused(self, order: Any) -> bool:
        """Whether it was this guard that refused an order."""
        return order.ref in self._refused

    def withdraw_all(self, reason: str) -> None:
        """Withdraw all orders that wait.

        Args:
            reason: Why, to follow "withdrawn:".
        """
        for order in self.open_orders:
            self.withdraw(self.id_of(order), reason)

    def withdraw(self, number: int, reason: str) -> None:
        """Withdraw the order of a number, if it still waits.

        Args:
            number: Its number in the run.
            reason: Why.
        """
        for order in self.open_orders:
            if self.id_of(order) == number:
                self._broker.cancel(order)
                self._tell(describe_order(order, number, "withdrawn", reason))

    def _send(
        self,
        sign: float,
        owner: Any,
        data: Any,
        size: float,
        price: float | None = None,
        *args: Any,
        exectype: int | None = None,
        parent: Any = None,
        **others: Any,
    ) -> Any:
        number = len(self._ids) + 1
        signed = sign * abs(size)
        reason = self._find_reason(number, data, signed, price, parent)
        news = OrderNews(
            number, signed, _type_name(exectype), price, "refused" if reason else "sent", reason
        )
        self._tell(news)
        if reason:
            order = self._reject(owner, data, signed, price, exectype)
            self._ids[order.ref] = number
            return order
        own = self._own_buy if sign > 0 else self._own_sell
        others |= {"exectype": exectype} | ({} if parent is None else {"parent": parent})
        order = own(owner, data, size, price, *args, **others)
        self.n_sent += 1
        self._sent_at.append(self._now())
        if order is not None:
            self._ids[order.ref] = number
            self._alive[order.ref] = order
        return order

    def _find_reason(
        self, number: int, data: Any, size: float, price: float | None, parent: Any
    ) -> str:
        """Why an order can't leave; "" for one that may."""
        if number in self._verdicts:
            return self._verdicts[number]
        if parent is not None:  # it closes what its parent, which was looked at, opens
            return "the order it belongs to was refused" if self.is_refused(parent) else ""
        if not data.may_trade:
            return "the bars aren't live"
        if self.is_killed:
            return f"the kill switch {self._kill_switch} is there"
        return self._limits.find_breach(self._describe(data, size, price))

    def _describe(self, data: Any, size: float, price: float | None) -> AskedOrder:
        now = self._now()
        while self._sent_at and now - self._sent_at[0] >= _MINUTE:
            self._sent_at.popleft()
        waiting = sum(
            order.executed.remsize
            for order in self.open_orders
            if order.executed.remsize * size > 0 and order.parent is None
        )
        return AskedOrder(
            size=size,
            unit_value=self._unit_value(data, price),
            held=float(self._broker.getposition(data).size),
            waiting=float(waiting),
            day_return=self._day_return(),
            n_orders_of_minute=len(self._sent_at),
        )

    def _unit_value(self, data: Any, price: float | None) -> float:
        scheme = self._broker.getcommissioninfo(data)
        instrument = getattr(scheme, "instrument", None)
        multiplier = scheme.p.mult if instrument is None else instrument.multiplier
        return float((price or data.close[0]) * multiplier)

    def _reject(
        self, owner: Any, data: Any, size: float, price: float | None, exectype: int | None
    ) -> Any:
        """An order that is refused as a broker refuses one: the strategy is told."""
        kind = bt.order.BuyOrder if size > 0 else bt.order.SellOrder
        order = kind(owner=owner, data=data, size=abs(size), price=price, exectype=exectype)
        order.reject(self._broker)
        self.n_refused += 1
        self._refused.add(order.ref)
        self._rejections.append(order.clone())
        return order

    def _next_notification(self) -> Any:
        return self._rejections.popleft() if self._rejections else self._own_notification()


def describe_order(order: Any, number: int, status: str, reason: str = "") -> OrderNews:
    """Return what a journal says of an order of backtrader's.

    Args:
        order: The order.
        number: Its number in the run.
        status: What has become of it.
        reason: Why.
    """
    price = order.created.price if order.exectype != bt.Order.Market else None
    return OrderNews(
        number, float(order.size), _type_name(order.exectype), price or None, status, reason
    )


def describe_end_of_order(order: Any, number: int) -> OrderNews | None:
    """Return what a journal says of an order that has ended; None while it may still fill.

    Args:
        order: The order, as a strategy is notified of it.
        number: Its number in the run.
    """
    is_over = order.status in _ENDS
    return describe_order(order, number, order.getstatusname().lower()) if is_over else None


def _type_name(exectype: int | None) -> str:
    return str(bt.Order.ExecTypes[bt.Order.Market if exectype is None else exectype])
