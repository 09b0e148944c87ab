"""The best markets long and the worst short, by the forecasts of one model."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from lstm_strategy.errors import TradingError
from lstm_strategy.trading.execution import (
    PortfolioStrategy,
    TradingSettings,
    check_params,
    choose_best_and_worst,
    default_params,
)
from lstm_strategy.trading.lstm.market_forecasts import forecast_lines
from lstm_strategy.trading.lstm.strange_bars import NoveltyLimit, is_too_strange

_Share = Annotated[float, Field(gt=0, le=0.5, description="a fraction of the markets such as 0.2")]


class RankParameters(TradingSettings):
    """What `RankStrategy` has beside its model and the parameters of `PortfolioStrategy`.

    Attributes:
        share: Which fraction of the markets is held long, and which short.
        by: The column of the forecasts by which markets are ranked.
        largest_novelty: A market whose bar is stranger to the network than this isn't ranked.
    """

    share: _Share = 0.2
    by: Annotated[Literal["forecast", "signal"], Field(description='"forecast" or "signal"')] = (
        "forecast"
    )
    largest_novelty: NoveltyLimit = None


class RankStrategy(PortfolioStrategy):
    """Hold the best share of the markets long and the worst short, with equal sums.

    The markets whose forecast is known are ranked at each close. Of n of them, `share * n`,
    rounded down but one at least, are held on either side, so that longs and shorts cancel: the
    move that all markets share earns nothing. Nothing is held where the forecasts don't tell the
    best from the worst.

    Args:
        model: A fitted forecaster that was trained on a panel, or the folder of a saved one.
        share: Which fraction of the markets is held long, and which short (0.2).
        by: The column of the forecasts by which markets are ranked, "forecast" or "signal".
        largest_novelty: A market whose bar is stranger to the network than this isn't ranked at its
            close, so that nothing is held of it. Above 1 is hardly any bar like those of the
            training. None, the default, for no such limit.
        **params: All parameters of `PortfolioStrategy`. Either side is worth half of `max_gross`;
            with `long_only` the best are worth all of it. With `target_volatility` each position
            has the risk of an equal share instead.

    Raises:
        TradingError: If a parameter is out of range, there is one market only, or a
            `largest_novelty` is given for a model that knows no novelty.
        ModelError: If `model` is missing, can't be loaded, or was trained on one market.

    Example:
        >>> from lstm_strategy import LSTMForecaster, run_backtest, simulate_bars
        >>> panel = simulate_bars("noise", 900, seed=1, n_assets=5).bars
        >>> model = LSTMForecaster(seed=7).fit(panel)  # doctest: +SKIP
        >>> result = run_backtest(RankStrategy, panel, model=model)  # doctest: +SKIP
    """

    params: Any = (("model", None), *default_params(RankParameters))

    def __init__(self) -> None:
        super().__init__()
        check_params(RankParameters, self.p)
        if len(self.markets) < 2:
            raise TradingError(
                "RankStrategy ranks markets against each other, and was given one. Give it "
                "several, or take LSTMStrategy."
            )
        self._values, self._novelties = forecast_lines(self, self.p.model, self.p.by, "novelty")

    def target_exposures(self) -> Mapping[str, float]:
        """Return equal exposures of the best and of the worst markets; nothing of the others."""
        values = {name: self._values[name][0] for name in self.live_markets}
        known = {
            name: value
            for name, value in values.items()
            if not math.isnan(value) and not self._is_left_out(name)
        }
        best, worst = choose_best_and_worst(known, self.p.share)
        if self.p.long_only:
            worst = []
        n_sides = 1 if self.p.long_only else 2
        size = 1.0
        if self.p.target_volatility is None:
            size = self.p.max_gross / n_sides / max(len(best), 1)
        return dict.fromkeys(best, size) | dict.fromkeys(worst, -size)

    def _is_left_out(self, name: str) -> bool:
        """Whether the present bar of a market is too strange to rank it."""
        largest = self.p.largest_novelty
        return largest is not None and is_too_strange(self._novelties[name][0], largest)
