"""Minimum variance: the portfolio that would have moved least, its covariances shrunk."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from lstm_strategy.trading.execution import PortfolioStrategy, choose_length
from lstm_strategy.trading.held_close import held_close


class MinimumVariance(PortfolioStrategy):
    """Hold the weights of least variance, which sum to one, by the covariances of the past year.

    Weights may be below 0; where their absolute values exceed `max_gross` all are scaled down.
    Closes of markets with calendars of their own are carried on to the dates of all.

    Args:
        lookback: Bars whose returns are taken; None, the default, for those of each
            market in a year.
        rebalance_bars: Dates from one decision to the next; None, the default, for a month.

    Source:
        Ledoit & Wolf, "A Well-Conditioned Estimator for Large-Dimensional Covariance Matrices",
        Journal of Multivariate Analysis 88 (2004), by scikit-learn's `LedoitWolf`; the weights are
        those of Markowitz without expected returns.

    Example:
        >>> from lstm_strategy import run_backtest, simulate_bars
        >>> panel = simulate_bars("noise", 300, seed=1, n_assets=3).bars
        >>> result = run_backtest(MinimumVariance, panel, max_gross=2.0)
        >>> bool(result.net_exposure.iloc[1] > 0.95)
        True
    """

    params: Any = (("lookback", None), ("rebalance_bars", None))

    def __init__(self) -> None:
        self.p.rebalance_bars = choose_length(self, self.p.rebalance_bars, months=1)
        super().__init__()
        self.lookbacks = {
            name: choose_length(self, self.p.lookback, months=12, at_least=2, market=name)
            for name in self.markets
        }
        # the oldest close that is read, so that a market waits for it
        self.closes = {name: held_close(data) for name, data in self.markets.items()}
        self.oldest = {name: close(-self.lookbacks[name]) for name, close in self.closes.items()}

    def target_exposures(self) -> Mapping[str, float]:
        """Return the weights of least variance of the live markets."""
        live = self.live_markets
        if not live:
            return {}
        closes = {name: self._recent_closes(name) for name in live}
        known = pd.DataFrame(closes).sort_index().ffill().dropna()
        returns = np.diff(np.log(known.to_numpy()), axis=0)
        if len(returns) < 2:
            return dict.fromkeys(live, 1.0 / len(live))
        return dict(zip(live, minimum_variance_weights(returns).tolist(), strict=True))

    def _recent_closes(self, name: str) -> pd.Series:
        data, size = self.markets[name], self.lookbacks[name] + 1
        return pd.Series(self.closes[name].get(size=size), data.datetime.get(size=size))


def minimum_variance_weights(returns: np.ndarray) -> np.ndarray:
    """Return the weights, which sum to one, of the portfolio of least variance.

    Args:
        returns: Shape (n_bars, n_markets), fractions.

    Returns:
        Shape (n_markets,).

    Example:
        >>> calm, wild = np.array([1.0, -1.0, 1.0, -1.0]), np.array([2.0, 2.0, -2.0, -2.0])
        >>> weights = minimum_variance_weights(np.column_stack([calm, wild]) / 100)
        >>> bool(weights[0] > weights[1] > 0)
        True
    """
    from sklearn.covariance import LedoitWolf

    n_markets = returns.shape[1]
    if not (returns.std(axis=0) > 0.0).any():
        return np.full(n_markets, 1.0 / n_markets)
    # returns of a few percent have variances that a solver may take for zero
    covariance = LedoitWolf().fit(returns * 100.0).covariance_
    raw = np.linalg.solve(covariance, np.ones(n_markets))
    weights: np.ndarray = raw / raw.sum()
    return weights
