"""The orders for one market: how large they may be, how they are sent, when they are withdrawn.

How the orders are made, and why:

* A buy that opens or extends a long is a *collared market order*: a limit order at
  `close * (1 + reserve)`, rounded up to a whole tick. Backtrader fills it at the next open whenever
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
from lstm_strategy.trading.execution.money import FullPayment, payment_of
from lstm_strategy.trading.execution.sizing import whole_lots

_DUST = 1e-12


def has_filled(order: Any) -> bool:
    """Whether an order has filled, but for what rounding leaves.

    Backtrader splits an order that turns a position into two parts, whose sum may lack a last digit
    of its size; it then waits for a rest that nobody asked for.

    Args:
        order: An order of backtrader's.
    """
    return bool(order.executed.size and abs(order.executed.remsize) <= _DUST * abs(order.size))


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
        money: What units take of the cash, known once the run begins.
    """

    money: FullPayment

    def __init__(self, strategy: Any, data: Any, report: Report) -> None:
        self.data = data
        self.order: Any = None
        self._strategy, self.report = strategy, report

    def begin(self) -> None:
        """Find out how units are paid for, as the run begins."""
        self.money = payment_of(self._strategy.broker, self.data)

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
            f"is decided again. Raise reserve (now {self._reserve:g}) to follow wider gaps."
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

    def exposure(self, equity: float) -> float:
        """Return what is held at the close of the present bar, as a fraction of equity.

        Args:
            equity: What the account is worth.
        """
        return float(self.position.size * self.money.unit_value() / equity)

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
        lot_size, present = self._lot_size, float(self.position.size)
        wanted = whole_lots(target * equity / self.money.unit_value(), lot_size)
        if self.money.is_on_margin:
            wanted = self._within_tiers(wanted, present, close)
        size = self._units_to(wanted, close, pays_now=pays_now)
        if size == 0.0 and present == 0.0:
            self._report_too_small(target, equity, close)
        if size and self._is_below_minimum(size):
            return 0.0
        return size

    def slice_towards(self, goal: float, share: float, close: float) -> float:
        """Return the signed units of a slice of an order, which cash can pay and lots allow.

        Args:
            goal: The units to hold once the whole order has filled, a number of lots.
            share: What of the way there the slice is to go, 0…1. A slice that is less than a lot,
                or worth less than the market takes, is left to the later ones.
            close: The close of the present bar.
        """
        is_last = share >= 1.0
        present = float(self.position.size)
        wanted = goal if is_last else whole_lots(present + share * (goal - present), self._lot_size)
        size = self._units_to(wanted, close, pays_now=True)
        if not is_last and abs(size) * self.money.unit_value() < self._min_order_value:
            return 0.0
        return 0.0 if size and self._is_below_minimum(size) else size

    def _units_to(self, wanted: float, close: float, *, pays_now: bool) -> float:
        """The signed units from the position to another, as far as the cash pays for them."""
        size = wanted - float(self.position.size)
        if pays_now and wanted != 0.0 and self.money.takes_cash(size):
            size = self._payable(size, close, float(self._strategy.broker.getcash()))
        return 0.0 if abs(size) < 0.5 * self._lot_size and wanted != 0.0 else size

    def _within_tiers(self, wanted: float, present: float, close: float) -> float:
        """As much of a position as its maintenance tier allows, if it fills at the worst price."""
        most = self.money.most_units() * close / self._collar(close)
        if abs(wanted) <= most:
            return wanted
        most = self._whole_lots_below(most)
        kept = abs(present) if present * wanted > 0.0 else 0.0
        fitting = math.copysign(max(most, min(abs(wanted), kept)), wanted)
        if abs(fitting - present) >= 0.5 * self._lot_size:
            instrument: Any = self.money.instrument
            self.report(
                "cut",
                f"a position of {wanted:g} was cut to {fitting:g}, since the maintenance tiers "
                f"allow a leverage of {instrument.leverage:g} below {instrument.largest_value:,.2f}"
                " only. Lower the leverage of the instrument, or ask for smaller exposures.",
            )
        return fitting

    def _is_below_minimum(self, size: float) -> bool:
        """Whether an order is worth less than the market takes; what only closes always may."""
        value = abs(size) * self.money.unit_value()
        if value >= self._min_order_value or not self.money.opens(size):
            return False
        self.report(
            "too_small",
            f"the order for {size:g} is worth {value:,.2f}, and the smallest that the market takes "
            f"is {self._min_order_value:,.2f} (min_order_value). Give more cash, or a larger band.",
        )
        return True

    def shrink(self, size: float, share: float, close: float) -> float:
        """Return what is left of an order where cash pays only a share of it.

        Args:
            size: Signed units.
            share: What the cash pays of what the order takes, 0…1; what closes a position is
                traded in any case.
            close: The close of the present bar.
        """
        if share >= 1.0:
            return size
        if self.money.is_on_margin:
            left = self._payable(size, close, share * self.cost(size, close))
        else:
            left = max(self._whole_lots_below(size * share), -float(self.position.size), 0.0)
        if left == 0.0:
            self._report_cut(size, left)
        return left

    def takes_cash(self, size: float, close: float) -> bool:
        """Whether an order does more than close a position, and takes cash for that.

        Args:
            size: Signed units.
            close: The close of the present bar.
        """
        return self.money.takes_cash(size) and self.cost(size, close) > 0.0

    def cost(self, size: float, close: float) -> float:
        """Return the cash that an order takes at most, commission included, in money.

        Args:
            size: Signed units.
            close: The close of the present bar.
        """
        return max(self.money.cost(size, price) for price in self._fill_prices(size, close))

    def cash_brought(self, size: float, close: float) -> float:
        """Return the cash that an order brings at least, below 0 where it takes some.

        Args:
            size: Signed units.
            close: The close of the present bar.
        """
        if self.money.is_on_margin:
            return -self.cost(size, close)
        price = self._collar(close) if size > 0.0 else close * (1.0 - self._reserve)
        return -self.money.cost(size, price)

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
        if size and self.money.is_on_margin:
            self._send_on_margin(size, close, spendable or self._strategy.broker.getcash, excess)
            return
        if self.money.has_impact and spendable is None:
            spendable = self._strategy.broker.getcash
        unchecked = without_cash_check() if self.is_simulated else {}
        if size < 0.0:
            # What the broker checks is queued behind what it doesn't, and it would keep whoever
            # owes money from selling what is left.
            only_closes = -size <= self.position.size
            first = unchecked if spendable or only_closes else {}
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
                fits = partial(self._fit_buy, spendable, excess) if spendable else None
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
            self.order = self._strategy.buy(
                data=self.data,
                size=size,
                price=self._collar(close),
                exectype=bt.Order.Limit,
                **unchecked,
            )
        if self.is_simulated:
            fit = partial(self._fit_on_margin, spendable, excess)
            hold_until_next_bar(self.order, self.data, fit)

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

    @property
    def _lot_size(self) -> float:
        of_instrument = getattr(self.money.instrument, "lot_size", None)
        return float(of_instrument or self._strategy.p.lot_size)

    @property
    def _reserve(self) -> float:
        return float(self._strategy.p.reserve)

    def _payable(self, size: float, close: float, cash: float) -> float:
        """The part of an order that cash pays, in lots; what closes a position always is."""
        units = self.money.affordable(size, self._fill_prices(size, close), cash)
        return self._part_of(size, self._whole_lots_below(units))

    def _part_of(self, size: float, units: float) -> float:
        """So many units of an order, at most all; at least what closes a position."""
        held = float(self.position.size)
        closes = min(abs(size), abs(held)) if size * held < 0.0 else 0.0
        return math.copysign(max(min(abs(size), units), closes), size)

    def _fill_prices(self, size: float, close: float) -> tuple[float, ...]:
        """The prices between which an order may fill, as far as they matter for what it takes."""
        if size > 0.0:
            return (self._dearest_fill(close),)
        return close * (1.0 - self._reserve), close * (1.0 + self._reserve)

    def _whole_lots_below(self, units: float) -> float:
        # Strictly down: a tolerance here could spend a lot's worth of cash that isn't there.
        lot_size = self._lot_size
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
        collar = close * (1.0 + self._reserve)
        instrument = self.money.instrument
        # up, as no limit would be: below the open it would wait for a better price, as a maker
        return collar if instrument is None else instrument.round_price(collar, is_buy=False)

    def _fit_buy(self, spendable: Callable[[], float], excess: Callable[[], float] | None) -> bool:
        return self._fit_to_cash(spendable) and (excess is None or self._fit_to_limit(excess))

    def _fit_on_margin(
        self, spendable: Callable[[], float], excess: Callable[[], float] | None
    ) -> bool:
        return self._fit_to_margin(spendable) and (excess is None or self._fit_to_limit(excess))

    def _fit_to_limit(self, excess: Callable[[], float]) -> bool:
        """Cut the order that can fill now to what a limit allows; False where that is nothing."""
        size, held = self.order.executed.remsize, float(self.position.size)
        opened = abs(size) if held * size >= 0.0 else max(abs(size) - abs(held), 0.0)
        too_much = min(excess(), opened) if opened else 0.0
        if too_much <= 0.0:
            return True
        lot_size = self._lot_size
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
        impact = self.money.impact_of(order, price)
        cash = float(self._strategy.broker.getcash()) - impact
        if self.money.cost(size, price) <= (spendable() - impact if size > short else cash):
            return True
        fitting = min(self._lots_for(spendable() - impact, price), size)
        if fitting < short:  # covering one short may take what was kept for others
            fitting = min(size, short)
            if self.money.cost(fitting, price) > cash:
                fitting = min(self._lots_for(cash, price), fitting)
        self._report_cut(size, fitting)
        if fitting == 0.0:
            order.addinfo(is_starved=True)
            return False
        resize_order(order, fitting)
        return True

    def _lots_for(self, cash: float, price: float) -> float:
        return self._whole_lots_below(self.money.affordable(math.inf, (price,), cash))

    def _fit_to_margin(self, spendable: Callable[[], float]) -> bool:
        """Cut what an order opens to what the cash pays now; False where it pays nothing."""
        order = self.order
        size, prices = order.executed.remsize, self._prices_now(order)
        if not prices or not self.money.takes_cash(size):
            return True
        cash = spendable() - max(self.money.impact_of(order, price) for price in prices)
        if all(self.money.cost(size, price) <= cash for price in prices):
            return True
        units = self._whole_lots_below(self.money.affordable(size, prices, cash))
        fitting = self._part_of(size, units)
        self._report_cut(size, fitting)
        if fitting == 0.0:
            order.addinfo(is_starved=True)
            return False
        resize_order(order, fitting)
        return True

    def _prices_now(self, order: Any) -> tuple[float, ...]:
        """The prices between which an order would fill on the present bar; none where it won't."""
        opened, rate = float(self.data.open[0]), self._strategy.broker.p.slip_perc
        if order.isbuy() and order.exectype == bt.Order.Limit:
            collar = float(order.created.price)
            if opened <= collar:
                return (self._dearest_at(min(collar, opened * (1.0 + rate))),)
            return (self._dearest_at(collar),) if self.data.low[0] <= collar else ()
        if order.isbuy():
            return (self._dearest_now(order),)
        fixed = 0.0 if rate else float(self._strategy.broker.p.slip_fixed)
        return opened * (1.0 - rate) - fixed, opened

    def _report_cut(self, size: float, left: float) -> None:
        self.report(
            "cut",
            f"the {'buy' if size > 0.0 else 'sale'} of {abs(size):g} was cut to {abs(left):g}, "
            "which is what the cash paid: a sale brought less than the last close promised, a "
            "short cost more to cover, funding was due, or its market had no bar to fill it. What "
            "is missing is decided again.",
        )

    def _report_too_small(self, target: float, equity: float, close: float) -> None:
        lot, unit = self._lot_size, self.money.unit_value()
        needed = max(lot * unit / abs(target), self.cost(lot, close))
        self.report(
            "too_small",
            f"target of {target:g} asks for {target * equity / unit:.4g} units but lot_size is "
            f"{lot:g}. Raise cash above {needed:,.2f} or lower lot_size.",
        )

    @property
    def _min_order_value(self) -> float:
        return float(getattr(self.money.instrument, "min_order_value", 0.0))
