"""What is paid in full when it is bought: a share, a fund, a coin."""

from typing import Any

import backtrader as bt

from lstm_strategy.trading.instruments.instrument import Instrument, InstrumentScheme, Rate


class Spot(Instrument):
    """A market in which the price is paid in full, with a commission on the value of each fill.

    Attributes:
        commission_rate: Fraction of the value of every fill.
        lot_size: The smallest tradable number of units; None leaves it to the broker's settings.
        tick_size: The step of limit prices; None for any price.
        min_order_value: In money; smaller orders aren't sent.

    Raises:
        TradingError: If a name is unknown or a value is out of range.

    Example:
        >>> Spot(commission_rate=0.0005).commission_info().getcommission(10, 200.0)
        1.0
    """

    commission_rate: Rate = 0.001

    def model_post_init(self, context: Any) -> None:
        """Refuse what a spot market doesn't have."""
        del context
        if self.multiplier != 1.0:
            raise ValueError(
                f"a Spot is worth its price and has no multiplier, got {self.multiplier:g}. Take "
                "Future(multiplier=..., initial_margin=...) for a contract."
            )

    def cost_rate_at(self, price: float) -> float:
        """Return the commission rate, which is the same at every price."""
        del price
        return self.commission_rate

    def commission_info(self) -> bt.CommissionInfo:
        """Return the scheme that `broker.setcommission(commission=commission_rate)` sets."""
        return InstrumentScheme(self, commission=self.commission_rate)
