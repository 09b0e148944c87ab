"""What orders and positions take of the cash in one market, as backtrader's broker counts it.

A unit is either paid in full (`FullPayment`), or held on margin (`MarginPayment`): for a share of
its value, or for a fixed amount a contract.
"""

import math
from collections.abc import Iterable
from typing import Any

from lstm_strategy.trading.execution.orders.sizing import affordable_size

_BELOW = 1.0 - 1e-9  # a position must stay below the value of a tier


def payment_of(broker: Any, data: Any) -> "FullPayment":
    """Return how units of a market are paid for at a broker.

    Args:
        broker: The broker of a run that begins.
        data: The feed of the market.
    """
    scheme = broker.getcommissioninfo(data)
    instrument = getattr(scheme, "instrument", None)
    if instrument is None:
        return FullPayment(broker, data)
    # Without shortcash the broker asks for the whole value of a short sale, as if for a margin.
    locks_shorts = not getattr(broker.p, "shortcash", True)
    is_paid = scheme.stocklike and scheme.get_leverage() == 1.0 and instrument.multiplier == 1.0
    return (
        FullPayment(broker, data) if is_paid and not locks_shorts else MarginPayment(broker, data)
    )


class FullPayment:
    """Units that cost their whole value; a short sale brings its proceeds as cash.

    Args:
        broker: The broker.
        data: The feed of the market.

    Attributes:
        instrument: What is traded; None where the commission scheme isn't one of ours.
        is_on_margin: Whether a position takes less, or else, than its value.
    """

    is_on_margin = False

    def __init__(self, broker: Any, data: Any) -> None:
        self._broker, self._data = broker, data
        self.instrument = getattr(broker.getcommissioninfo(data), "instrument", None)
        self._multiplier = 1.0 if self.instrument is None else float(self.instrument.multiplier)
        column = "close" if self.instrument is None else self.instrument.price_column
        self._is_adjusted = column != "close"
        self._prices = getattr(data.lines, column)

    @property
    def has_impact(self) -> bool:
        """Whether large orders take more than their commission."""
        is_charged = hasattr(self._broker, "impact_of")
        return is_charged and bool(getattr(self.instrument, "impact", 0.0))

    def impact_of(self, order: Any, price: float) -> float:
        """Return what the size of an order takes beside its commission if it fills now, in money.

        Args:
            order: That waits.
            price: At which it fills.
        """
        return float(self._broker.impact_of(order, price)) if self.has_impact else 0.0

    @property
    def held(self) -> float:
        """The units that are held, below 0 for a short."""
        return float(self._broker.getposition(self._data).size)

    def most_units(self) -> float:
        """Return the units up to which the instrument allows its leverage; infinite as a rule."""
        largest = float(getattr(self.instrument, "largest_value", math.inf))
        return _BELOW * largest / self.unit_value()

    def unit_value(self) -> float:
        """Return what a unit is worth at the close of the present bar, in money."""
        return float(self._prices[0]) * self._multiplier

    def moved(self, close: float, share: float) -> float:
        """Return the present close, moved by a share of what it is the price of.

        Of an adjusted series that is the price of the contract held, whatever the level of the
        series.

        Args:
            close: The close of the present bar.
            share: The fraction, below 0 for a lower price.
        """
        return close + share * float(self._prices[0]) if self._is_adjusted else close * (1 + share)

    def slippage_at_open(self) -> float:
        """Return what an order loses at the open of the present bar, as a fraction of the open."""
        rate, opened = float(self._broker.p.slip_perc), float(self._data.open[0])
        if not (rate and self._is_adjusted):
            return rate
        price = float(self._prices[0]) + opened - float(self._data.close[0])
        return rate * price / opened if opened else 0.0

    def in_ticks(self, price: float, *, is_buy: bool) -> float:
        """Return a price that isn't better for whoever trades, at which the broker would fill.

        Args:
            price: Of a fill.
            is_buy: Whether it is one of a buy.
        """
        if self.instrument is None or not hasattr(self._broker, "impact_of"):
            return price
        return float(self.instrument.round_price(price, is_buy=not is_buy))

    def margin_share(self) -> float:
        """Return what holding one unit of exposure takes of the equity; 1 where it is paid."""
        return 1.0

    def commission(self, size: float, price: float) -> float:
        """The commission as backtrader charges it: covering and opening each for itself.

        Args:
            size: Units to trade, signed.
            price: The price of each.
        """
        commission = self._broker.getcommissioninfo(self._data).getcommission
        held = self.held
        closed = min(abs(size), abs(held)) if size * held < 0.0 else 0.0
        return float(sum(commission(part, price) for part in (closed, abs(size) - closed) if part))

    def opens(self, size: float) -> bool:
        """Whether an order does more than close a position or a part of it."""
        return self._split(size)[1] != 0.0

    def takes_cash(self, size: float) -> bool:
        """Whether an order goes beyond what closes a position and has to be paid for."""
        return size > 0.0 and size > -self.held

    def cost(self, size: float, price: float) -> float:
        """Return the cash that an order takes, commission included; below 0 for what it brings.

        Args:
            size: Units to trade, signed.
            price: The price of each.
        """
        return size * price + self.commission(size, price)

    def affordable(self, size: float, prices: Iterable[float], cash: float) -> float:
        """Return how many units of an order cash pays, whatever the lots.

        Args:
            size: Units to trade, signed.
            prices: The prices at which it may fill.
            cash: What may be spent, in money.
        """
        return min(affordable_size(cash, price, self.commission) for price in prices)

    def _split(self, size: float) -> tuple[float, float]:
        """The signed units of an order that close a position, and those that open one."""
        held = self.held
        closed = math.copysign(min(abs(size), abs(held)), size) if size * held < 0.0 else 0.0
        return closed, size - closed


class MarginPayment(FullPayment):
    """Units that are held for a margin, long or short."""

    is_on_margin = True

    def margin_share(self) -> float:
        """Return what holding one unit of exposure takes of the equity."""
        value = self.unit_value()
        return self._margin(1.0, float(self._data.close[0])) / value if value > 0.0 else math.inf

    def takes_cash(self, size: float) -> bool:
        """Whether an order opens or extends a position, long or short."""
        return self.opens(size)

    def cost(self, size: float, price: float) -> float:
        """Return the margin that an order takes less what closing brings, commission included."""
        closed, opened = self._split(size)
        return (
            self._margin(opened, price) - self._freed(closed, price) + self.commission(size, price)
        )

    def affordable(self, size: float, prices: Iterable[float], cash: float) -> float:
        """Return how many units of an order cash pays; what closes a position always counts."""
        return min(self._affordable_at(size, price, cash) for price in prices)

    def _affordable_at(self, size: float, price: float, cash: float) -> float:
        closed, opened = self._split(size)
        charge = self._scheme.getcommission
        if not opened:
            return abs(size)
        if closed:
            cash += self._freed(closed, price) - charge(abs(closed), price)
        paid = affordable_size(
            cash, self._margin(1.0, price), lambda units, _: float(charge(units, price))
        )
        return abs(closed) + paid

    @property
    def _scheme(self) -> Any:
        return self._broker.getcommissioninfo(self._data)

    def _margin(self, opened: float, price: float) -> float:
        """The cash that opening takes; none for a short whose proceeds the broker pays out."""
        scheme = self._scheme
        if opened < 0.0 and self._pays_out_shorts:
            return float(scheme.getvaluesize(opened, price))
        return float(scheme.getoperationcost(abs(opened), price) / scheme.get_leverage())

    def _freed(self, closed: float, price: float) -> float:
        """The cash that closing brings: the margin of those units and their gain."""
        if not closed:
            return 0.0
        scheme, position = self._scheme, self._broker.getposition(self._data)
        if closed > 0.0 and self._pays_out_shorts:
            margin = float(scheme.getvaluesize(-closed, position.price))
        else:
            margin = float(scheme.getoperationcost(abs(closed), position.price))
            margin /= scheme.get_leverage()
        if scheme.stocklike:
            return margin + float(scheme.profitandloss(-closed, position.price, price))
        return margin + float(scheme.cashadjust(-closed, position.adjbase, price))

    @property
    def _pays_out_shorts(self) -> bool:
        """Whether short sales bring their value as cash, as backtrader's own broker has it."""
        return bool(self._scheme.stocklike and getattr(self._broker.p, "shortcash", True))
