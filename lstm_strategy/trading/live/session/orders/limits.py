"""What no order may break, whatever the strategy asks for."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from lstm_strategy.trading.settings import TradingSettings

_Money = Annotated[float | None, Field(gt=0, description="money such as 10_000, or None")]
_Loss = Annotated[
    float | None, Field(gt=0, le=1, description="a fraction of equity such as 0.05, or None")
]
_Count = Annotated[int | None, Field(ge=1, description="a whole number such as 10, or None")]
_File = Annotated[str, Field(min_length=1, description="the name of a file such as 'STOP'")]


@dataclass(frozen=True)
class AskedOrder:
    """An order that a strategy asks for, and the account that it would change.

    Attributes:
        size: Signed units.
        unit_value: What a unit is worth, in money.
        held: Signed units that are held.
        waiting: Signed units of the orders in the same direction that wait to be filled.
        day_return: What the equity has gained since the day began, a fraction.
        n_orders_of_minute: How many orders have left within the last minute.
    """

    size: float
    unit_value: float
    held: float
    waiting: float
    day_return: float
    n_orders_of_minute: int

    @property
    def only_reduces(self) -> bool:
        """Whether the position can only come closer to nothing."""
        return self.held * self.size < 0 and abs(self.size + self.waiting) <= abs(self.held)

    @property
    def value(self) -> float:
        """What is to be traded, in money."""
        return abs(self.size) * self.unit_value

    @property
    def value_after(self) -> float:
        """What is held once all has been filled, in money."""
        return abs(self.held + self.waiting + self.size) * self.unit_value


class TradingLimits(TradingSettings):
    """What no order may break, whatever the strategy asks for.

    An order that would break a limit doesn't leave: it is refused, and the journal says why. One
    that only reduces the position is stopped by the kill switch alone, so that a limit never holds
    up the way out.

    Attributes:
        max_order_value: The most that one order may be worth, in money.
        max_position_value: The most that the position may be worth, in money, once all orders on
            their way are filled.
        max_daily_loss: The loss since the day began, as a fraction of the equity it began with, at
            which the position may only be reduced until the next day. Days are those of the bars'
            dates.
        max_orders_per_minute: The most orders that leave within a minute.
        kill_switch: A file in the folder of the run, or anywhere by its path. While it exists, no
            order leaves, and those that wait are withdrawn; the position stays.

    Raises:
        TradingError: If a value is out of range, or a name is unknown.

    Example:
        >>> TradingLimits(max_order_value=5_000.0).kill_switch
        'STOP'
    """

    max_order_value: _Money = None
    max_position_value: _Money = None
    max_daily_loss: _Loss = None
    max_orders_per_minute: _Count = None
    kill_switch: _File = "STOP"

    def find_breach(self, order: AskedOrder) -> str:
        """Say which limit an order would break; "" where it breaks none.

        Args:
            order: What is asked for. The kill switch isn't looked at.

        Example:
            >>> limits = TradingLimits(max_order_value=5_000.0)
            >>> limits.find_breach(AskedOrder(100, 60.0, 0, 0, 0.0, 0))
            'it is worth 6,000.00, and max_order_value is 5,000.00'
            >>> limits.find_breach(AskedOrder(-100, 60.0, 100, 0, 0.0, 0))
            ''
        """
        if order.only_reduces:
            return ""
        if self.max_order_value is not None and order.value > self.max_order_value:
            return (
                f"it is worth {order.value:,.2f}, and max_order_value is "
                f"{self.max_order_value:,.2f}"
            )
        if self.max_position_value is not None and order.value_after > self.max_position_value:
            return (
                f"the position would be worth {order.value_after:,.2f}, and max_position_value is "
                f"{self.max_position_value:,.2f}"
            )
        if self.max_daily_loss is not None and -order.day_return >= self.max_daily_loss:
            return (
                f"the day has lost {-order.day_return:.2%} of the equity it began with, and "
                f"max_daily_loss is {self.max_daily_loss:.2%}"
            )
        most = self.max_orders_per_minute
        if most is not None and order.n_orders_of_minute >= most:
            return (
                f"{order.n_orders_of_minute} have left within a minute, and max_orders_per_minute "
                f"is {most}"
            )
        return ""
