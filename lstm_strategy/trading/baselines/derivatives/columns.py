"""Lines made of the extra columns of derivatives, each known at the close of its bar."""

import math
from typing import Any

import backtrader as bt

from lstm_strategy.bars import ContractReturns, hint_near_column
from lstm_strategy.errors import MissingColumnError


def require_columns(strategy: Any, data: Any, *names: str) -> None:
    """Refuse a feed that lacks columns.

    Args:
        strategy: Who reads them.
        data: The feed.
        *names: The columns.

    Raises:
        MissingColumnError: Naming the first one.
    """
    for name in names:
        if not hasattr(data.lines, name):
            raise MissingColumnError(
                f"{type(strategy).__name__} reads the column {name}, which the bars don't have. "
                "Add it to the bars, or leave this strategy out."
                f"{hint_near_column(name, data.getlinealiases())}"
            )


def add_line(kind: Any, data: Any) -> Any:
    """Make an indicator of a feed: backtrader's metaclass takes the feed, not `__init__`.

    Args:
        kind: The class.
        data: The feed.
    """
    return kind(data)


class SettledFunding(bt.Indicator):
    """What a unit of notional that is held long pays at each bar, a fraction; 0 where nothing does.

    It reads `funding_rate`, and `funding_payment` over the close where the feed has it.
    """

    lines: Any = ("paid",)

    def next(self) -> None:
        """Add up what settles at the open of the bar and within it."""
        rate = self.data.lines.funding_rate[0]
        paid = 0.0 if math.isnan(rate) else rate
        if hasattr(self.data.lines, "funding_payment"):
            payment = self.data.lines.funding_payment[0]
            paid += 0.0 if math.isnan(payment) else payment / self.data.close[0]
        self.lines.paid[0] = paid


class LastKnown(bt.Indicator):
    """A line of ratios that holds its last known value; NaN before the first."""

    lines: Any = ("value",)

    def __init__(self) -> None:
        self._last = math.nan

    def ratio(self) -> float:
        """Return the ratio at this bar, or NaN."""
        raise NotImplementedError

    def next(self) -> None:
        """Keep the last ratio where there is no new one."""
        new = self.ratio()
        self._last = self._last if math.isnan(new) else new
        self.lines.value[0] = self._last


class Premium(LastKnown):
    """The perpetual's price over spot, less 1: of its mark where the feed has one, or its close."""

    def ratio(self) -> float:
        """Return the premium at this bar, or NaN."""
        spot = self.data.lines.spot_close[0]
        has_mark = hasattr(self.data.lines, "mark")
        price = self.data.lines.mark[0] if has_mark else self.data.close[0]
        return price / spot - 1.0 if spot > 0.0 else math.nan


class RollYield(LastKnown):
    """What a future gains a year as it comes nearer to expiry, were the curve to stay.

    It is (1 - `carry_price` / `price`) / `years_to_carry`, above 0 in backwardation.
    """

    def ratio(self) -> float:
        """Return the annual roll yield at this bar, or NaN."""
        lines = self.data.lines
        price, years = lines.price[0], lines.years_to_carry[0]
        is_known = price > 0.0 and abs(years) > 0.0
        return (1.0 - lines.carry_price[0] / price) / years if is_known else math.nan


class HeldReturn(bt.Indicator):
    """What the contract held has earned: of a series adjusted by difference the change over it."""

    lines: Any = ("value",)

    def __init__(self) -> None:
        self.addminperiod(2)
        self._returns = ContractReturns()

    def next(self) -> None:
        """Divide by the price held where the close means nothing."""
        close, price = self.data.close, self.data.lines.price
        self.lines.value[0] = self._returns.read((close[-1], close[0]), (price[-1], price[0]))
