"""Equal weight: hold the same fraction of equity in every market."""

from collections.abc import Mapping

from lstm_strategy.trading.execution import PortfolioStrategy


class EqualWeight(PortfolioStrategy):
    """Hold 1/n of equity in each of n live markets, and restore it beyond the band.

    What holding the market is to one market, this is to many.

    Source:
        DeMiguel, Garlappi & Uppal, "Optimal Versus Naive Diversification", Review of Financial
        Studies 22 (2009): few optimised portfolios beat it out of sample.

    Example:
        >>> from lstm_strategy import run_backtest, simulate_bars
        >>> panel = simulate_bars("noise", 300, seed=1, n_assets=3).bars
        >>> run_backtest(EqualWeight, panel).exposure.iloc[1].round(2).tolist()
        [0.33, 0.33, 0.33]
    """

    def target_exposures(self) -> Mapping[str, float]:
        """Return the same exposure for each live market."""
        live = self.live_markets
        return dict.fromkeys(live, 1.0 / max(len(live), 1))
