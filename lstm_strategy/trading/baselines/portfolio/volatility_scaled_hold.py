"""Volatility-scaled hold: hold every market, and less of those that move more."""

from collections.abc import Mapping
from typing import Any

from lstm_strategy.trading.execution import PortfolioStrategy


class VolatilityScaledHold(PortfolioStrategy):
    """Hold an equal share of each market at the same volatility, always long.

    The exposure is `target_volatility` over the market's volatility, divided by the number of live
    markets: the "long only" reference of the futures literature.

    Args:
        target_volatility: Fraction per year (0.15).

    Source:
        Lim, Zohren & Roberts, "Enhancing Time Series Momentum Strategies Using Deep Neural
        Networks", Journal of Financial Data Science 1 (2019), equation 1 with a position of 1.

    Example:
        >>> from lstm_strategy import run_backtest, simulate_bars
        >>> panel = simulate_bars("noise", 300, seed=1, n_assets=3).bars
        >>> run_backtest(VolatilityScaledHold, panel).first_tradable == panel["A01"].index[60]
        True
    """

    params: Any = (("target_volatility", 0.15),)

    def target_exposures(self) -> Mapping[str, float]:
        """Return one equal share of risk for each live market."""
        return dict.fromkeys(self.live_markets, 1.0)
