"""How large the orders for one market may be: what lots, tiers, minima and the cash allow."""

import math
from typing import Any, Protocol

import backtrader as bt

from lstm_strategy.errors import TradingError
from lstm_strategy.trading.execution.orders.money import FullPayment, payment_of
from lstm_strategy.trading.execution.orders.sizing import whole_lots


class Report(Protocol):
    """Counts a trouble with an order of a market, and logs the first of its kind."""

    def __call__(self, kind: str, message: str, *, decided_at: float | None = None) -> None:
        """Take the kind, the words and the date; by default that of the market's present bar."""


class MarketSizes:
    """The position of a strategy in one market, and how large an order there may be.

    Args:
        strategy: The strategy, whose parameters `reserve` and `lot_size` count.
        data: The feed of the market.
        report: What to do with troubles.

    Attributes:
        data: The feed of the market.
        report: What to do with troubles.
        broker: The broker, known once the run begins.
        money: What units take of the cash, known once the run begins.
    """

    broker: Any
    money: FullPayment

    def __init__(self, strategy: Any, data: Any, report: Report) -> None:
        self.data, self.report = data, report
        self._strategy = strategy

    def begin(self) -> None:
        """Find out how units are paid for, as the run begins."""
        self.broker = self._strategy.broker
        self.money = payment_of(self.broker, self.data)

    @property
    def position(self) -> Any:
        """The position that is held now; its market must have had a bar."""
        return self._strategy.getposition(self.data)

    @property
    def is_simulated(self) -> bool:
        """Whether the broker is backtrader's own, which fills orders at bars."""
        return isinstance(self.broker, bt.brokers.BackBroker)

    @property
    def lot_size(self) -> float:
        """The smallest number of units to trade: of the instrument, or of the strategy."""
        of_instrument = getattr(self.money.instrument, "lot_size", None)
        return float(of_instrument or self._strategy.p.lot_size)

    @property
    def reserve(self) -> float:
        """How far above the close a buy pays, a fraction."""
        return float(self._strategy.p.reserve)

    @property
    def _min_order_value(self) -> float:
        return float(getattr(self.money.instrument, "min_order_value", 0.0))

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
        lot_size, present = self.lot_size, float(self.position.size)
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
        wanted = goal if is_last else whole_lots(present + share * (goal - present), self.lot_size)
        size = self._units_to(wanted, close, pays_now=True)
        if not is_last and abs(size) * self.money.unit_value() < self._min_order_value:
            return 0.0
        return 0.0 if size and self._is_below_minimum(size) else size

    def _units_to(self, wanted: float, close: float, *, pays_now: bool) -> float:
        """The signed units from the position to another, as far as the cash pays for them."""
        size = wanted - float(self.position.size)
        if pays_now and wanted != 0.0 and self.money.takes_cash(size):
            size = self._payable(size, close, float(self.broker.getcash()))
        return 0.0 if abs(size) < 0.5 * self.lot_size and wanted != 0.0 else size

    def _within_tiers(self, wanted: float, present: float, close: float) -> float:
        """As much of a position as its maintenance tier allows, if it fills at the worst price."""
        most = self.money.most_units() * close / self.collar(close)
        if abs(wanted) <= most:
            return wanted
        most = self.lots_below(most)
        kept = abs(present) if present * wanted > 0.0 else 0.0
        fitting = math.copysign(max(most, min(abs(wanted), kept)), wanted)
        if abs(fitting - present) >= 0.5 * self.lot_size:
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
            left = max(self.lots_below(size * share), -float(self.position.size), 0.0)
        if left == 0.0:
            self.report_cut(size, left)
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
        price = self.collar(close) if size > 0.0 else self.money.moved(close, -self.reserve)
        return -self.money.cost(size, price)

    def collar(self, close: float) -> float:
        """Return the highest open at which a buy fills, in whole ticks.

        Args:
            close: The close of the present bar.
        """
        collar = self.money.moved(close, self.reserve)
        instrument = self.money.instrument
        # up, as no limit would be: below the open it would wait for a better price, as a maker
        return collar if instrument is None else instrument.round_price(collar, is_buy=False)

    def dearest_at(self, collar: float) -> float:
        """Return the highest price that a buy below a collar can end up paying.

        Args:
            collar: Its limit price.
        """
        broker = self.broker
        if self.is_simulated and broker.p.slip_out:
            # The one setting that lets slippage go beyond a limit.
            return float(collar * (1.0 + broker.p.slip_perc) + broker.p.slip_fixed)
        return collar

    def part_of(self, size: float, units: float) -> float:
        """Return a part of an order, at most all of it; at least what closes a position.

        Args:
            size: Signed units of the order.
            units: How many of them, whatever the sign.
        """
        held = float(self.position.size)
        closes = min(abs(size), abs(held)) if size * held < 0.0 else 0.0
        return math.copysign(max(min(abs(size), units), closes), size)

    def lots_below(self, units: float) -> float:
        """Return the largest number of whole lots within units.

        Args:
            units: A number of units, 0 or more.
        """
        # Strictly down: a tolerance here could spend a lot's worth of cash that isn't there.
        lot_size = self.lot_size
        return math.floor(units / lot_size) * lot_size

    def _payable(self, size: float, close: float, cash: float) -> float:
        """The part of an order that cash pays, in lots; what closes a position always is."""
        units = self.money.affordable(size, self._fill_prices(size, close), cash)
        return self.part_of(size, self.lots_below(units))

    def _fill_prices(self, size: float, close: float) -> tuple[float, ...]:
        """The prices between which an order may fill, as far as they matter for what it takes."""
        if size > 0.0:
            return (self.dearest_at(self.collar(close)),)
        return self.money.moved(close, -self.reserve), self.money.moved(close, self.reserve)

    def report_cut(self, size: float, left: float) -> None:
        """Report an order that the cash didn't pay in full.

        Args:
            size: Its signed units.
            left: The units that are left of it.
        """
        self.report(
            "cut",
            f"the {'buy' if size > 0.0 else 'sale'} of {abs(size):g} was cut to {abs(left):g}, "
            "which is what the cash paid: a sale brought less than the last close promised, a "
            "short cost more to cover, funding was due, or its market had no bar to fill it. What "
            "is missing is decided again.",
        )

    def _report_too_small(self, target: float, equity: float, close: float) -> None:
        lot, unit = self.lot_size, self.money.unit_value()
        needed = max(lot * unit / abs(target), self.cost(lot, close))
        self.report(
            "too_small",
            f"target of {target:g} asks for {target * equity / unit:.4g} units but lot_size is "
            f"{lot:g}. Raise cash above {needed:,.2f} or lower lot_size.",
        )
