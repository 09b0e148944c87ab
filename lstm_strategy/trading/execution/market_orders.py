"""The orders for one market: how large they may be, how they are sent, when they are withdrawn.

How the orders are made, and why:

* A buy that opens or extends a long is a *collared market order*: a limit order at
  `close * (1 + reserve)`. Backtrader fills it at the next open whenever the open is not above
  the collar, and its size is what the cash can pay at the collar, commission included. A plain
  market order is sized at a price that nobody has seen yet, so a gap ends it in Margin.
* A buy that only reduces a short is a market order: whoever must get out may not be held up by a
  collar. It skips backtrader's cash check, which would forbid covering when it is needed most. One
  of several orders is cut to what the cash pays, where the open leaves too little.
* Sells are market orders. The proceeds of a short sale count as cash in backtrader, which thus
  allows any size, so the size is limited by whoever asks for it.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import backtrader as bt

from lstm_strategy.errors import TradingError
from lstm_strategy.trading.backtrader_internals import (
    hold_until_next_bar,
    resize_order,
    without_cash_check,
)
from lstm_strategy.trading.execution.sizing import affordable_size, whole_lots


class Report(Protocol):
    """Counts a trouble with an order of a market, and logs the first of its kind."""

    def __call__(self, kind: str, message: str, *, decided_at: float | None = None) -> None:
        """Take the kind, the words and the date; by default that of the market's present bar."""


class MarketOrders:
    """The position of a strategy in one market, and the one order that is on its way.

    Args:
        strategy: The strategy, whose parameters `reserve` and `lot_size` count.
        data: The feed of the market.
        report: What to do with troubles.

    Attributes:
        data: The feed of the market.
        order: The order that was sent last; None before the first.
        report: What to do with troubles.
    """

    def __init__(self, strategy: Any, data: Any, report: Report) -> None:
        self.data = data
        self.order: Any = None
        self._strategy, self.report = strategy, report

    @property
    def position(self) -> Any:
        """The position that is held now; its market must have had a bar."""
        return self._strategy.getposition(self.data)

    @property
    def is_waiting(self) -> bool:
        """Whether an order is on its way."""
        return self.order is not None and bool(self.order.alive())

    @property
    def is_simulated(self) -> bool:
        """Whether the broker is backtrader's own, which fills orders at bars."""
        return isinstance(self._strategy.broker, bt.brokers.BackBroker)

    def close(self) -> float:
        """Return the close of the present bar.

        Raises:
            TradingError: If it isn't a price.
        """
        close = float(self.data.close[0])
        if not close > 0.0 or math.isinf(close):
            raise TradingError(
                f"close must be a price above 0 to size an order, got {close} at "
                f"{self.data.num2date().isoformat(sep=' ')}. "
                "Check the bars with lstm_strategy.validate_bars."
            )
        return close

    def withdraw_stale_order(self) -> bool:
        """Withdraw what has not filled since the last decision; False while a broker dawdles."""
        order = self.order
        if not self.is_waiting:
            return True
        self._strategy.cancel(order)
        if order.alive():
            return False
        if not order.info.is_starved:
            self.report(
                "expired",
                f"the order for {order.size:g} at {order.created.price:g} did not fill on this bar "
                "and is decided again. Raise reserve (now "
                f"{self._strategy.p.reserve:g}) to follow wider gaps.",
            )
        return True

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

    def order_size(self, target: float, equity: float, close: float) -> float:
        """Return the signed units to trade towards a target, which cash can pay and lots allow.

        Args:
            target: The fraction of equity to hold.
            equity: What the account is worth.
            close: The close of the present bar.
        """
        return self._size_towards(target, equity, close, pays_now=True)

    def lots_towards(self, target: float, equity: float, close: float) -> float:
        """Return the signed units to trade towards a target, which lots allow, whatever the cash.

        Args:
            target: The fraction of equity to hold.
            equity: What the account is worth.
            close: The close of the present bar.
        """
        return self._size_towards(target, equity, close, pays_now=False)

    def _size_towards(self, target: float, equity: float, close: float, *, pays_now: bool) -> float:
        lot_size = float(self._strategy.p.lot_size)
        present = float(self.position.size)
        wanted = whole_lots(target * equity / close, lot_size)
        size = wanted - present
        if pays_now and wanted > 0.0 and size > 0.0:
            # Where cash doesn't reach beyond the short, the short is at least covered.
            size = max(min(size, self._affordable_lots(close)), -present)
        if abs(size) < 0.5 * lot_size and wanted != 0.0:
            size = 0.0
        if size == 0.0 and present == 0.0:
            self._report_too_small(target, equity, close)
        return size

    def shrink_buy(self, size: float, share: float) -> float:
        """Return the units of a buy that are left where cash pays only a share of it.

        Args:
            size: Units to buy.
            share: What the cash pays of them, 0…1; a short is covered in any case.
        """
        if share >= 1.0:
            return size
        left = max(self._whole_lots_below(size * share), -float(self.position.size), 0.0)
        if left == 0.0:
            self._report_cut(size, left)
        return left

    def needs_cash(self, size: float) -> bool:
        """Whether an order of so many signed units is a buy that goes beyond covering a short."""
        return size > 0.0 and size > -float(self.position.size)

    def cost_of_buy(self, size: float, close: float) -> float:
        """Return what a buy costs at most, commission included, in money."""
        price = self._dearest_fill(close)
        return size * price + self.commission(size, price)

    def commission(self, size: float, price: float) -> float:
        """The commission as backtrader charges it: covering and opening each for itself.

        Args:
            size: Units to trade, signed.
            price: The price of each.
        """
        commission = self._strategy.broker.getcommissioninfo(self.data).getcommission
        held = float(self.position.size)
        closed = min(abs(size), abs(held)) if size * held < 0.0 else 0.0
        return float(sum(commission(part, price) for part in (closed, abs(size) - closed) if part))

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
        unchecked = without_cash_check() if self.is_simulated else {}
        if size < 0.0:
            # What the broker checks is queued behind what it doesn't.
            first = unchecked if spendable else {}
            self.order = self._strategy.sell(data=self.data, size=-size, **first)
            if self.is_simulated and excess:
                hold_until_next_bar(self.order, self.data, partial(self._fit_to_limit, excess))
        elif 0.0 < size <= -self.position.size:
            self.order = self._strategy.buy(data=self.data, size=size, **unchecked)
            if self.is_simulated and spendable:
                fit = partial(self._fit_to_cash, spendable)
                hold_until_next_bar(self.order, self.data, fit)
        elif size > 0.0:
            self.order = self._strategy.buy(
                data=self.data,
                size=size,
                price=self._collar(close),
                exectype=bt.Order.Limit,
                **(unchecked if spendable else {}),
            )
            if self.is_simulated:
                fits = partial(self._fit_buy, spendable, excess) if spendable and excess else None
                hold_until_next_bar(self.order, self.data, fits)

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

    def _affordable_lots(self, close: float) -> float:
        cash = float(self._strategy.broker.getcash())
        return self._lots_for(cash, self._dearest_fill(close))

    def _lots_for(self, cash: float, price: float) -> float:
        return self._whole_lots_below(affordable_size(cash, price, self.commission))

    def _whole_lots_below(self, units: float) -> float:
        # Strictly down: a tolerance here could spend a lot's worth of cash that isn't there.
        lot_size = float(self._strategy.p.lot_size)
        return math.floor(units / lot_size) * lot_size

    def _dearest_fill(self, close: float) -> float:
        """The highest price that a collared buy can end up paying."""
        return self._dearest_at(self._collar(close))

    def _dearest_at(self, collar: float) -> float:
        broker = self._strategy.broker
        if self.is_simulated and broker.p.slip_out:
            # The one setting that lets slippage go beyond a limit.
            return float(collar * (1.0 + broker.p.slip_perc) + broker.p.slip_fixed)
        return collar

    def _dearest_now(self, order: Any) -> float:
        """The highest price of a buy that can fill on the present bar."""
        if order.exectype == bt.Order.Limit:
            return self._dearest_at(order.created.price)
        broker, opened = self._strategy.broker, float(self.data.open[0])
        slipped = opened * (1.0 + broker.p.slip_perc) if broker.p.slip_perc else 0.0
        return max(slipped, opened + (0.0 if slipped else broker.p.slip_fixed))

    def _collar(self, close: float) -> float:
        return close * (1.0 + float(self._strategy.p.reserve))

    def _fit_buy(self, spendable: Callable[[], float], excess: Callable[[], float]) -> bool:
        return self._fit_to_cash(spendable) and self._fit_to_limit(excess)

    def _fit_to_limit(self, excess: Callable[[], float]) -> bool:
        """Cut the order that can fill now to what a limit allows; False where that is nothing."""
        size, held = self.order.executed.remsize, float(self.position.size)
        opened = abs(size) if held * size >= 0.0 else max(abs(size) - abs(held), 0.0)
        too_much = min(excess(), opened) if opened else 0.0
        if too_much <= 0.0:
            return True
        lot_size = float(self._strategy.p.lot_size)
        lots = math.ceil(too_much / lot_size * (1.0 - 1e-9))
        fitting = max(abs(size) - min(lots * lot_size, opened), 0.0)
        self.report(
            "cut",
            f"the order for {size:g} was cut to {math.copysign(fitting, size):g}: positions of "
            "markets without a bar to close them still took up max_gross. What is missing is "
            "decided again.",
        )
        if fitting < 0.5 * lot_size:
            self.order.addinfo(is_starved=True)
            return False
        resize_order(self.order, math.copysign(fitting, size))
        return True

    def _fit_to_cash(self, spendable: Callable[[], float]) -> bool:
        """Cut the buy that can fill now to what the cash pays; False where it pays nothing."""
        order = self.order
        size, price = order.executed.remsize, self._dearest_now(order)
        short = max(-float(self.position.size), 0.0)
        cash = float(self._strategy.broker.getcash())
        cost = size * price + self.commission(size, price)
        if cost <= (spendable() if size > short else cash):
            return True
        fitting = min(self._lots_for(spendable(), price), size)
        if fitting < short:  # covering one short may take what was kept for others
            fitting = min(size, short)
            if fitting * price + self.commission(fitting, price) > cash:
                fitting = min(self._lots_for(cash, price), fitting)
        self._report_cut(size, fitting)
        if fitting == 0.0:
            order.addinfo(is_starved=True)
            return False
        resize_order(order, fitting)
        return True

    def _report_cut(self, size: float, left: float) -> None:
        self.report(
            "cut",
            f"the buy of {size:g} was cut to {left:g}, which is what the cash paid: a sale brought "
            "less than the last close promised, a short cost more to cover, or its market had no "
            "bar to fill it. What is missing is decided again.",
        )

    def _report_too_small(self, target: float, equity: float, close: float) -> None:
        lot, dearest = float(self._strategy.p.lot_size), self._dearest_fill(close)
        needed = max(lot * close / abs(target), lot * dearest + self.commission(lot, dearest))
        self.report(
            "too_small",
            f"target of {target:g} asks for {target * equity / close:.4g} units but lot_size is "
            f"{lot:g}. Raise cash above {needed:,.2f} or lower lot_size.",
        )
