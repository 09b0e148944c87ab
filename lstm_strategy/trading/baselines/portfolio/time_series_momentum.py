"""Time-series momentum: follow the sign of each market's own past year."""

from collections.abc import Mapping
from typing import Any

from lstm_strategy.trading.execution import PortfolioStrategy, choose_length


class TimeSeriesMomentum(PortfolioStrategy):
    """Long each market that rose over the past 12 months and short each that fell, at equal risk.

    Args:
        lookback: Bars of the past return; None, the default, for those of each
            market in a year.
        target_volatility: Fraction per year of each market (0.15; the paper has 0.40, which more
            capital than there is would be needed for).
        rebalance_bars: Dates from one decision to the next; None, the default, for a month.

    Source:
        Moskowitz, Ooi & Pedersen, "Time Series Momentum", Journal of Financial Economics 104
        (2012), equation 5, whose exponential weights have their centre at 60 days, a
        `volatility_span` of 121.

    Example:
        >>> from lstm_strategy import run_backtest, simulate_bars
        >>> panel = simulate_bars("noise", 300, seed=1, n_assets=3).bars
        >>> result = run_backtest(TimeSeriesMomentum, panel)
        >>> result.first_tradable == panel["A01"].index[252]
        True
    """

    params: Any = (("lookback", None), ("target_volatility", 0.15), ("rebalance_bars", None))

    def __init__(self) -> None:
        self.p.rebalance_bars = choose_length(self, self.p.rebalance_bars, months=1)
        super().__init__()
        self.change = {
            name: data.close - data.close(-self._lookback_of(name))
            for name, data in self.markets.items()
        }

    def target_exposures(self) -> Mapping[str, float]:
        """Return the sign of each market's past return."""
        return {name: _sign(self.change[name][0]) for name in self.live_markets}

    def _lookback_of(self, name: str) -> int:
        return choose_length(self, self.p.lookback, months=12, market=name)


def _sign(value: float) -> float:
    return float(value > 0.0) - float(value < 0.0)
