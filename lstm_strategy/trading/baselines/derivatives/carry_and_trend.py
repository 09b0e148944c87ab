"""Carry and trend: half of what carry asks for, and half of the sign of the past year."""

import math
from collections.abc import Callable
from typing import Any

from lstm_strategy.trading.baselines.derivatives.futures_carry import build_carry
from lstm_strategy.trading.execution import TargetStrategy, choose_length


class CarryAndTrend(TargetStrategy):
    """The mean of `FuturesCarry` and the sign of the past 12 months' change of the close.

    Args:
        length: Bars over which the roll yield is averaged; None, the default, for those of
            20 trading days.
        full_carry: Roll yield in units of annual volatility that makes carry ask for one times
            equity (0.3).
        lookback: Bars of the past change; None, the default, for those of a year.

    Source:
        Carry as in `FuturesCarry`, the sign as in Moskowitz, Ooi & Pedersen, "Time Series
        Momentum", Journal of Financial Economics 104 (2012).

    Example:
        >>> from lstm_strategy import simulate_bars
        >>> from lstm_strategy.trading.cerebro import run_cerebro
        >>> bars = simulate_bars("noise", 400).bars
        >>> bars = bars.assign(price=bars["close"], carry_price=bars["close"] * 0.97)
        >>> run = run_cerebro(CarryAndTrend, bars.assign(years_to_carry=0.25))
        >>> sorted(run.exposure.round(1).unique().tolist())[-1]
        1.0
    """

    params: Any = (("length", None), ("full_carry", 0.3), ("lookback", None))

    def __init__(self) -> None:
        super().__init__()
        self.both = build_carry_and_trend(
            self, self.data, self.p.length, self.p.full_carry, self.p.lookback
        )

    def target_exposure(self) -> float:
        """Return the mean of both, -1...1."""
        return self.both()


def build_carry_and_trend(
    strategy: Any,
    data: Any,
    length: int | None,
    full_carry: float,
    lookback: int | None,
    *,
    market: str | None = None,
) -> Callable[[], float]:
    """Make what says the mean of both exposures at the close of each bar.

    Args:
        strategy: Who asks; its `__init__` calls this.
        data: The feed of the market.
        length: As in `build_carry`.
        full_carry: As in `build_carry`.
        lookback: Bars of the past change; None for those of a year.
        market: The name of the market in a portfolio.

    Returns:
        A function without arguments: the exposure, -1...1; that of the trend alone counts half
        while no carry is known.

    Raises:
        MissingColumnError: If the feed lacks a column.
    """
    carry = build_carry(strategy, data, length, full_carry, market=market)
    lookback = choose_length(strategy, lookback, months=12, market=market)
    change = data.close - data.close(-lookback)

    def carry_and_trend() -> float:
        known = carry()
        trend = float(change[0] > 0.0) - float(change[0] < 0.0)
        return (trend + (0.0 if math.isnan(known) else known)) / 2.0

    return carry_and_trend
