"""MACD trend: three speeds of trend, scaled by what is usual, and less where they overshoot."""

import math
from collections.abc import Mapping
from typing import Any

import backtrader as bt

from lstm_strategy.trading.execution import PortfolioStrategy, choose_length

_SPEEDS = ((8, 24), (16, 48), (32, 96))
_HIGHEST_RESPONSE = 0.89  # of z * exp(-z**2 / 4) is 0.858; the paper divides by this


class MACDTrend(PortfolioStrategy):
    """Follow the mean of three MACDs of each market at equal risk.

    Each MACD is the distance between two exponential means of the close (with weights of 1/8 and
    1/24, 1/16 and 1/48, 1/32 and 1/96 a day), over the standard deviation of 63 days' closes, and
    that over its own of 252 days. Its response `z * exp(-z² / 4) / 0.89` falls again where a trend
    has gone unusually far.

    Args:
        target_volatility: Fraction per year of each market (0.15).

    Source:
        Baz, Granger, Harvey, Le Roux & Rattray, "Dissecting Investment Strategies in the Cross
        Section and Time Series" (2015), section 3; deviations are those of the population.

    Example:
        >>> from lstm_strategy import run_backtest, simulate_bars
        >>> panel = simulate_bars("noise", 400, seed=1, n_assets=3).bars
        >>> run_backtest(MACDTrend, panel).first_tradable == panel["A01"].index[346]
        True
    """

    params: Any = (("target_volatility", 0.15),)

    def __init__(self) -> None:
        super().__init__()
        self.trends = {
            name: [self._scaled_distance(name, *speed) for speed in _SPEEDS]
            for name in self.markets
        }

    def target_exposures(self) -> Mapping[str, float]:
        """Return the mean response to the three trends of each market."""
        return {
            name: sum(response(trend[0]) for trend in self.trends[name]) / len(_SPEEDS)
            for name in self.live_markets
        }

    def _scaled_distance(self, name: str, fast: int, slow: int) -> Any:
        close = self.markets[name].close
        # backtrader's smoothed average weighs the newest bar with 1 / period
        means = [
            bt.indicators.SmoothedMovingAverage(
                close, period=choose_length(self, None, days=days, market=name)
            )
            for days in (fast, slow)
        ]
        distance = (means[0] - means[1]) / self._deviation(close, 63, name)
        return distance / self._deviation(distance, 252, name)

    def _deviation(self, line: Any, days: int, name: str) -> Any:
        period = choose_length(self, None, days=days, at_least=2, market=name)
        return bt.indicators.StandardDeviation(line, period=period, safepow=True)


def response(z: float) -> float:
    """Return the position that a trend asks for: as it is where small, less where it overshoots.

    Args:
        z: The trend in units of its own deviation.

    Returns:
        Highest at √2, where it is 0.96; 0 for a trend that isn't known.

    Example:
        >>> round(response(2**0.5), 2), round(response(-1.0), 2)
        (0.96, -0.88)
    """
    return 0.0 if math.isnan(z) else z * math.exp(-(z**2) / 4.0) / _HIGHEST_RESPONSE
