"""The orders for one market: how they are sent and withdrawn.

How the orders are made, and why:

* A buy that opens or extends a long is a *collared market order*: a limit order at
  `close * (1 + reserve)`, rounded up to a whole tick; on an adjusted series the share is one of the
  price of the contract, `close + reserve * price`. Backtrader fills it at the next open whenever
  the open is not above the collar, and its size is what the cash can pay at the collar, commission
  included. A plain market order is sized at a price that nobody has seen yet, so a gap ends it in
  Margin.
* A buy that only reduces a short is a market order: whoever must get out may not be held up by a
  collar. It skips backtrader's cash check, which would forbid covering when it is needed most. One
  of several orders is cut to what the cash pays, where the open leaves too little.
* Sells are market orders. The proceeds of a short sale count as cash in backtrader, which thus
  allows any size, so the size is limited by whoever asks for it.
* What is held on margin takes cash on both sides. An order that opens or extends such a position is
  cut to what the cash pays at the price at which it fills, so that it never ends in Margin: funding
  may have been paid, or a short sale may open higher, since it was sized.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import backtrader as bt

from lstm_strategy.trading.backtrader_internals import (
    hold_until_next_bar,
    list_order,
    without_cash_check,
)
from lstm_strategy.trading.execution.orders.fitting import fit_to_cash, fit_to_limit, fit_to_margin
from lstm_strategy.trading.execution.orders.market_sizes import MarketSizes, Report

_DUST = 1e-12


def has_filled(order: Any) -> bool:
    """Whether an order has filled, but for what rounding leaves.

    Backtrader splits an order that turns a position into two parts, whose sum may lack a last digit
    of its size; it then waits for a rest that nobody asked for.

    Args:
        order: An order of backtrader's.
    """
    return bool(order.executed.size and abs(order.executed.remsize) <= _DUST * abs(order.size))


class MarketOrders(MarketSizes):
    """The position of a strategy in one market, and the one order that is on its way.

    Args:
        strategy: The strategy, whose parameters `reserve` and `lot_size` count.
        data: The feed of the market.
        report: What to do with troubles.

    Attributes:
        order: The order that was sent last; None before the first.
    """

    def __init__(self, strategy: Any, data: Any, report: Report) -> None:
        super().__init__(strategy, data, report)
        self.order: Any = None

    @property
    def is_waiting(self) -> bool:
        """Whether an order is on its way."""
        return self.order is not None and bool(self.order.alive())

    def withdraw_stale_order(self) -> bool:
        """Withdraw what has not filled since the last decision; False while a broker dawdles."""
        order = self.order
        if not self.is_waiting:
            return True
        self._strategy.cancel(order)
        if order.alive():
            return False
        if not (order.info.is_starved or has_filled(order)):
            self.report("expired", self._describe_unfilled(order))
        return True

    def _describe_unfilled(self, order: Any) -> str:
        if order.executed.size:
            return (
                f"{order.executed.size:g} of the order for {order.size:g} filled on this bar, as "
                "far as its volume went, and the rest is decided again. Trade less of it, or give "
                "the instrument a larger participation."
            )
        return (
            f"the order for {order.size:g} at {order.created.price:g} did not fill on this bar and "
            f"is decided again. Raise reserve (now {self.reserve:g}) to follow wider gaps."
        )

    def withdraw_for_good(self) -> None:
        """Withdraw an order whose market has ended, or pauses for long."""
        if not self.is_waiting:
            return
        order = self.order
        self._strategy.cancel(order)
        if not order.alive():
            self.report(
                "expired",
                f"the order for {order.size:g} was withdrawn, since its market has had no bar "
                "for long. It is decided again if bars come back.",
            )

    def send(
        self,
        size: float,
        close: float,
        *,
        spendable: Callable[[], float] | None = None,
        excess: Callable[[], float] | None = None,
    ) -> None:
        """Send one order of the whole size.

        Args:
            size: Signed units; nothing is sent for 0.
            close: The close of the present bar, which a collar is counted from.
            spendable: For one of several orders, what tells the cash that a long may be bought
                with once it can fill: they fill in the order in which they are sent, and a buy
                shrinks to what the cash pays.
            excess: For one of several orders, what tells by how many units it breaks a limit once
                it can fill; it shrinks by them, unless it shrinks the position.
        """
        if not size:
            return
        if self.money.is_on_margin:
            self._send_on_margin(size, close, spendable or self.broker.getcash, excess)
        else:
            self._send_paid(size, close, spendable, excess)

    def _send_paid(
        self,
        size: float,
        close: float,
        spendable: Callable[[], float] | None,
        excess: Callable[[], float] | None,
    ) -> None:
        if self.money.has_impact and spendable is None:
            spendable = self.broker.getcash
        unchecked = without_cash_check() if self.is_simulated else {}
        if size < 0.0:
            # What the broker checks is queued behind what it doesn't, and it would keep whoever
            # owes money from selling what is left.
            only_closes = -size <= self.position.size
            first = unchecked if spendable or only_closes else {}
            self.order = self._strategy.sell(data=self.data, size=-size, **first)
            if self.is_simulated:
                list_order(self.order, self.broker)
            if self.is_simulated and excess:
                fit = partial(fit_to_limit, self, self.order, excess)
                hold_until_next_bar(self.order, self.data, fit)
        elif size <= -self.position.size:
            self.order = self._strategy.buy(data=self.data, size=size, **unchecked)
            if self.is_simulated and spendable:
                fit = partial(fit_to_cash, self, self.order, spendable)
                hold_until_next_bar(self.order, self.data, fit)
        else:
            self._buy_below_collar(size, close, unchecked if spendable else {})
            if self.is_simulated:
                fits = spendable and partial(fit_to_cash, self, self.order, spendable, excess)
                hold_until_next_bar(self.order, self.data, fits)

    def _send_on_margin(
        self,
        size: float,
        close: float,
        spendable: Callable[[], float],
        excess: Callable[[], float] | None,
    ) -> None:
        # It is fitted to the cash when it fills: funding may be due before that.
        unchecked = without_cash_check() if self.is_simulated else {}
        if size < 0.0:
            self.order = self._strategy.sell(data=self.data, size=-size, **unchecked)
        elif not self.money.takes_cash(size):
            self.order = self._strategy.buy(data=self.data, size=size, **unchecked)
        else:
            self._buy_below_collar(size, close, unchecked)
        if self.is_simulated:
            fit = partial(fit_to_margin, self, self.order, spendable, excess)
            hold_until_next_bar(self.order, self.data, fit)

    def _buy_below_collar(self, size: float, close: float, options: Mapping[str, bool]) -> None:
        self.order = self._strategy.buy(
            data=self.data,
            size=size,
            price=self.collar(close),
            exectype=bt.Order.Limit,
            **options,
        )

    def note_unfilled(self) -> None:
        """Count an order that the end of the run left unfilled."""
        if self.is_waiting:
            self.report(
                "unfilled_at_end",
                f"the order for {self.order.size:g} sent at the last close never met an open. "
                "End the run a bar later to see its fill.",
                # Under exactbars=1 the data has no present bar left by now.
                decided_at=self.order.created.dt,
            )
