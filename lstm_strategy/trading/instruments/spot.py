"""What is paid in full when it is bought: a share, a fund, a coin."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

import backtrader as bt

from lstm_strategy.support import rate_text
from lstm_strategy.trading.instruments.instrument import (
    Instrument,
    InstrumentScheme,
    Rate,
)
from lstm_strategy.trading.settings import HIGH_COST


class Spot(Instrument):
    """A market in which the price is paid in full, with a commission on the value of each fill.

    Attributes:
        commission_rate: Fraction of the value of every fill.
        half_spread_rate: Half of the bid-ask spread as a fraction of the price.
        borrow_rate: What a short pays a year, as a fraction of what it was sold for, by calendar
            days as backtrader's `interest` counts them.
        lot_size: The smallest tradable number of units; None leaves it to the broker's settings.
        tick_size: The step of limit prices; None for any price.
        min_order_value: In money; smaller orders aren't sent.

    Raises:
        TradingError: If a name is unknown or a value is out of range.

    Example:
        >>> Spot(commission_rate=0.0005).commission_info().getcommission(10, 200.0)
        1.0
    """

    cost_settings: ClassVar[dict[str, str]] = {
        "spread": "half_spread_rate",
        "impact": "impact",
        "borrowing": "borrow_rate",
    }
    doubted_from: ClassVar[dict[str, float]] = {
        "commission_rate": HIGH_COST,
        "half_spread_rate": HIGH_COST,
    }

    commission_rate: Rate = 0.001
    half_spread_rate: Rate = 0.0
    borrow_rate: Rate = 0.0

    def model_post_init(self, context: Any) -> None:
        """Refuse what a spot market doesn't have."""
        del context
        if self.multiplier != 1.0:
            raise ValueError(
                f"a Spot is worth its price and has no multiplier, got {self.multiplier:g}. Take "
                "a Future for a contract."
            )

    def cost_rate_at(self, price: float) -> float:
        """Return commission and half of the spread, which are the same at every price."""
        del price
        return self.commission_rate + self.half_spread_rate

    def spread_cost_of(self, size: float, price: float) -> float:
        """Return half of the spread for so many units, in money."""
        return abs(size) * price * self.half_spread_rate

    def with_cost_rate(self, rate: float, price: float) -> "Spot":
        """Return the same with another commission rate."""
        del price
        return self.model_copy(update={"commission_rate": rate})

    def _terms(self, *, in_full: bool) -> list[str]:
        terms = {
            f"half spread {rate_text(self.half_spread_rate)}": self.half_spread_rate,
            f"borrow fee {rate_text(self.borrow_rate)} a year": self.borrow_rate,
        }
        given = [words for words, is_given in terms.items() if is_given or in_full]
        return [f"commission {rate_text(self.commission_rate)}", *given]

    def commission_info(self) -> bt.CommissionInfo:
        """Return a scheme with the commission, half of the spread and the borrow fee."""
        kind = BorrowScheme if self.borrow_rate else InstrumentScheme
        return kind(self, commission=self.commission_rate, interest=self.borrow_rate)


class BorrowScheme(InstrumentScheme):
    """The commission scheme of what shorts pay a borrow fee for, as backtrader's `interest`.

    Args:
        instrument: What is traded.
        **params: Those of backtrader's `CommissionInfo`.

    Attributes:
        record: Called with the feed, the time, the size, the price, the rate and the amount of
            each payment.
    """

    def __init__(self, instrument: Instrument, **params: Any) -> None:
        super().__init__(instrument, **params)
        self.record: Callable[[Any, datetime, float, float, float, float], None] | None = None

    def get_credit_interest(self, data: Any, pos: Any, dt: Any) -> float:
        """Return what a short pays for the days since it last paid.

        Args:
            data: The feed.
            pos: The position held into the bar.
            dt: The time of the bar, as `data.datetime.datetime()` shows it.
        """
        amount = float(super().get_credit_interest(data, pos, dt))
        if amount and self.record is not None:
            self.record(data, dt, pos.size, pos.price, amount / (pos.size * pos.price), amount)
        return amount
