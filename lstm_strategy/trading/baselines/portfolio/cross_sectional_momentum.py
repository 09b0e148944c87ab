"""12-1 cross-sectional momentum: last year's winners long, its losers short."""

from collections.abc import Mapping
from typing import Any

from lstm_strategy.errors import TradingError
from lstm_strategy.trading.execution import (
    PortfolioStrategy,
    choose_best_and_worst,
    choose_length,
)
from lstm_strategy.trading.held_close import held_close


class CrossSectionalMomentum(PortfolioStrategy):
    """Hold the markets that rose most from 12 months to one month ago, short those that fell most.

    Either side is worth half of `max_gross`, in equal parts.

    Args:
        lookback: Bars back to where the return begins; None, the default, for those of
            each market in a year.
        skip: Bars back to where it ends; None, the default, for those of each market in a
            month.
        share: Which fraction of the markets is held long, and which short (0.3).
        rebalance_bars: Dates from one decision to the next; None, the default, for a month.

    Raises:
        TradingError: If the return would end before it begins.

    Source:
        Jegadeesh & Titman, "Returns to Buying Winners and Selling Losers", Journal of Finance 48
        (1993), with deciles of shares; thirds, as here, are those of Asness, Moskowitz & Pedersen,
        "Value and Momentum Everywhere", Journal of Finance 68 (2013), for tens of markets.

    Example:
        >>> from lstm_strategy import run_backtest, simulate_bars
        >>> panel = simulate_bars("noise", 300, seed=1, n_assets=3).bars
        >>> result = run_backtest(CrossSectionalMomentum, panel)
        >>> sorted(result.exposure.iloc[1].round(1).tolist())
        [-0.5, 0.0, 0.5]
    """

    params: Any = (("lookback", None), ("skip", None), ("share", 0.3), ("rebalance_bars", None))

    def __init__(self) -> None:
        self.p.rebalance_bars = choose_length(self, self.p.rebalance_bars, months=1)
        super().__init__()
        self.growth = {name: self._growth_of(name) for name in self.markets}

    def _growth_of(self, name: str) -> Any:
        lookback = choose_length(self, self.p.lookback, months=12, at_least=2, market=name)
        skip = choose_length(self, self.p.skip, months=1, market=name)
        if skip >= lookback:
            raise TradingError(
                f"{type(self).__name__} needs a return that begins before it ends: lookback must "
                f"be above skip, got {lookback} and {skip} bars. Lengthen lookback."
            )
        close = held_close(self.markets[name])
        return close(-skip) / close(-lookback)

    def target_exposures(self) -> Mapping[str, float]:
        """Return equal exposures of the winners and of the losers."""
        growth = {name: self.growth[name][0] for name in self.live_markets}
        best, worst = choose_best_and_worst(growth, self.p.share)
        size = self.p.max_gross / 2.0 / max(len(best), 1)
        return dict.fromkeys(best, size) | dict.fromkeys(worst, -size)
