"""Maintenance margin by tiers of a position's value, and where it meets what backs the position."""

import math
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np


@dataclass(frozen=True)
class MaintenanceTiers:
    """The maintenance margin of a position as a function of its value, without steps.

    From each floor on, the *rate* applies to the whole value, less an *amount* that makes the
    margin continuous: of tier k it is `amount[k-1] + floor[k] * (rate[k] - rate[k-1])`.

    Attributes:
        floors: The value from which each tier applies, in money; the first is 0.
        rates: The maintenance margin rate of each.

    Source:
        Binance, "How to Calculate Liquidation Price of USDⓈ-M Futures Contracts" and "Leverage and
        Margin of USDⓈ-M Futures": maintenance margin = value * rate - maintenance amount.

    Example:
        >>> tiers = MaintenanceTiers((0, 50_000, 250_000), (0.004, 0.005, 0.01))
        >>> [round(amount, 9) for amount in tiers.amounts], round(tiers.margin_of(300_000), 9)
        ([0.0, 50.0, 1300.0], 1700.0)
    """

    floors: tuple[float, ...]
    rates: tuple[float, ...]

    @cached_property
    def amounts(self) -> tuple[float, ...]:
        """What is taken off the margin in each tier, in money."""
        amounts = [0.0]
        for floor, (below, rate) in zip(self.floors[1:], pairwise(self.rates), strict=True):
            amounts.append(amounts[-1] + floor * (rate - below))
        return tuple(amounts)

    def margin_of(self, value: float) -> float:
        """Return the maintenance margin of a position.

        Args:
            value: Of the position at the mark price, in money, not negative.
        """
        tier = bisect_right(self.floors, value) - 1
        return value * self.rates[tier] - self.amounts[tier]

    def liquidation_price(
        self, size: float, entry: float, *, margin: float, fee_rate: float
    ) -> float:
        """Return the mark price at which margin and unrealised gain just pay what must be left.

        What must be left is the maintenance margin and the fee of closing:
        `margin + size * (price - entry) = value * (rate + fee_rate) - amount`. In the first tier
        that is `(entry - margin / size) / (1 - rate - fee_rate)` for a long and
        `(entry + margin / size) / (1 + rate + fee_rate)` for a short of so many units.

        Args:
            size: Signed units.
            entry: The mean price at which they were bought or sold.
            margin: The money that backs them; below 0 where other losses have taken more.
            fee_rate: Of closing, a fraction of the value.

        Returns:
            The price. A long is liquidated at or below it, and is NaN where none above 0 is low
            enough; a short at or above it, which is 0 where nothing backs it at any price.

        Source:
            OKX, "Isolated margin mode: liquidation price", whose rate includes the closing fee;
            Binance, as above, whose formula has the tiers' amounts.
        """
        units, side = abs(size), math.copysign(1.0, size)
        if size == 0.0:
            return math.nan
        for floor, ceiling, rate, amount in self._tiers:
            at_zero = side * units * entry - margin - amount
            price = at_zero / (units * (side - rate - fee_rate))
            if floor <= price * units < ceiling:
                return price if price > 0.0 else math.nan
        return math.nan if size > 0.0 else 0.0

    def largest_value(self, leverage: float) -> float:
        """Return the value up to which the initial margin is more than the maintenance margin.

        Args:
            leverage: The value over the initial margin.

        Returns:
            Money; infinite where no tier is too demanding.

        Example:
            >>> round(MaintenanceTiers((0, 1_000), (0.01, 0.10)).largest_value(50), 6)
            1125.0
        """
        for _, ceiling, rate, amount in self._tiers:
            spare = 1.0 / leverage - rate
            if spare > 0.0 or (spare == 0.0 and amount > 0.0):
                continue
            value = amount / -spare if spare else 0.0
            if value < ceiling:
                return value
        return math.inf

    @cached_property
    def _tiers(self) -> list[tuple[float, float, float, float]]:
        ceilings = (*self.floors[1:], math.inf)
        return list(zip(self.floors, ceilings, self.rates, self.amounts, strict=True))


def read_tiers(given: Any) -> float | tuple[tuple[float, float], ...]:
    """Return a maintenance margin rate, or pairs of floor and rate, checked.

    Args:
        given: One rate, or pairs `(value_from, rate)`.

    Raises:
        ValueError: If it isn't such, in words that follow the name of the setting.

    Example:
        >>> read_tiers(0.005), read_tiers([(0, 0.004), (50_000, 0.005)])
        (0.005, ((0.0, 0.004), (50000.0, 0.005)))
    """
    if not isinstance(given, list | tuple):
        return _read_rate(given)
    pairs = [tuple(pair) for pair in given if isinstance(pair, list | tuple) and len(pair) == 2]
    if not pairs or len(pairs) < len(given):
        raise ValueError("must be one rate, or pairs of a value and the rate from there on")
    floors = [_read_number(floor) for floor, _ in pairs]
    rates = [_read_rate(rate) for _, rate in pairs]
    if floors[0] != 0.0 or any(low >= high for low, high in pairwise(floors)):
        raise ValueError("must begin with the value 0 and go on with higher ones")
    if any(low > high for low, high in pairwise(rates)):
        raise ValueError("must have rates that don't fall as the value rises")
    return tuple(zip(floors, rates, strict=True))


def _read_rate(given: Any) -> float:
    rate = _read_number(given)
    if not 0.0 < rate < 1.0:
        raise ValueError("must have rates between 0 and 1")
    return rate


def _read_number(given: Any) -> float:
    is_number = isinstance(given, int | float | np.number) and not isinstance(given, bool)
    if not is_number or not math.isfinite(given):
        raise ValueError("must be made of numbers")
    return float(given)
