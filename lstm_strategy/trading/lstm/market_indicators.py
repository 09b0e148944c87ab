"""An indicator for each market of a portfolio, of one model that is asked once for all."""

import logging
from typing import Any

import pandas as pd

from lstm_strategy.learning.forecaster import Forecaster, Stream
from lstm_strategy.learning.serving import PrecomputedPanel, forecast_markets, open_forecaster
from lstm_strategy.trading.execution import PortfolioStrategy
from lstm_strategy.trading.lstm.indicator import LSTMIndicator

log = logging.getLogger(__name__)


def build_indicators(strategy: PortfolioStrategy, model: Any) -> dict[str, LSTMIndicator]:
    """Return an indicator for each market that has bars enough for a forecast, by name.

    Preloaded bars are forecast all at once, so that a model that looks across markets sees them
    all; bars that are still arriving are taken by one stream a market.

    Args:
        strategy: The strategy that is being made.
        model: A fitted forecaster, or the folder of a saved one.

    Raises:
        ModelError: If there is no such model, or it was trained on the bars of one market.
    """
    forecaster = open_forecaster(model)
    n_bars = {name: data.buflen() for name, data in strategy.markets.items()}
    short = [name for name, number in n_bars.items() if 0 < number <= forecaster.warm_up]
    if short and len(short) < len(n_bars):
        log.warning(
            "market %s is never traded: it has %d bars, and the model needs %d before its first "
            "signal%s. Load more history, or leave it out.",
            short[0],
            n_bars[short[0]],
            forecaster.warm_up + 1,
            f"; so have {len(short) - 1} others too few" if len(short) > 1 else "",
        )
        for name in short:
            strategy.leave_out(name)
            del n_bars[name]
    together = _MarketsTogether(forecaster) if all(n_bars.values()) else None
    indicators = {
        name: LSTMIndicator(
            strategy.markets[name], model=_forecaster_of(name, forecaster, together)
        )
        for name in n_bars
    }
    if together is not None:
        together.indicators = indicators
    return indicators


def _forecaster_of(
    name: str, forecaster: Forecaster, together: "_MarketsTogether | None"
) -> Forecaster:
    if isinstance(forecaster, PrecomputedPanel):
        return forecaster.market(name)
    return forecaster if together is None else _MarketForecaster(name, forecaster, together)


class _MarketsTogether:
    """The forecasts of all markets, made when the first of them is asked for."""

    def __init__(self, forecaster: Forecaster) -> None:
        self._forecaster = forecaster
        self._frames: dict[str, pd.DataFrame] = {}
        self.indicators: dict[str, LSTMIndicator] = {}

    def frame(self, name: str) -> pd.DataFrame:
        """Return the forecasts of one market."""
        if not self._frames:
            panel = {each: self.indicators[each].whole_feed() for each in self.indicators}
            self._frames = forecast_markets(self._forecaster, panel)
        return self._frames[name]


class _MarketForecaster(Forecaster):
    """A model as one market of a portfolio sees it.

    Args:
        name: The market.
        forecaster: The model.
        together: The forecasts of all markets.
    """

    def __init__(self, name: str, forecaster: Forecaster, together: _MarketsTogether) -> None:
        self._name, self._forecaster, self._together = name, forecaster, together

    @property
    def warm_up(self) -> int:
        """Bars before the first forecast."""
        return self._forecaster.warm_up

    @property
    def bars_columns(self) -> list[str]:
        """The columns that bars must have."""
        return self._forecaster.bars_columns

    @property
    def training_end(self) -> pd.Timestamp | None:
        """The last bar that the model has seen."""
        return self._forecaster.training_end

    @property
    def reads_volume(self) -> bool:
        """Whether a forecast may depend on the volume."""
        return self._forecaster.reads_volume

    def forecast(self, bars: pd.DataFrame) -> pd.DataFrame:
        """Return the forecasts of this market, whose whole feed the bars are."""
        return self._together.frame(self._name)

    def stream(self, history: pd.DataFrame | None = None) -> Stream:
        """Give the same bar by bar."""
        return self._forecaster.stream(history)
