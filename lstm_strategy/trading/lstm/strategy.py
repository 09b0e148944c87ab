"""The ready strategy: hold what the forecaster asks for."""

import math
from typing import Annotated, Any

from pydantic import Field

from lstm_strategy.trading.execution import (
    TargetStrategy,
    TradingSettings,
    check_params,
    default_params,
)
from lstm_strategy.trading.lstm.indicator import LSTMIndicator

_Signal = Annotated[float, Field(ge=0, lt=1, description="a signal such as 0.1")]


class LSTMParameters(TradingSettings):
    """What `LSTMStrategy` has beside its model and the parameters of `TargetStrategy`.

    Attributes:
        min_signal: A signal weaker than this asks for no position.
    """

    min_signal: _Signal = 0.0


class LSTMStrategy(TargetStrategy):
    """Hold the exposure that a trained forecaster asks for.

    Args:
        model: A fitted `LSTMForecaster` or any other forecaster, or the folder of a saved one.
        min_signal: A signal weaker than this, 0…1, asks for no position (0).
        **params: All parameters of `TargetStrategy`, such as `long_only`, `band` and stops.

    Raises:
        TradingError: If a parameter is out of range.
        ModelError: If `model` is missing or can't be loaded.

    Example:
        >>> from lstm_strategy import LSTMForecaster, run_backtest, sample_bars
        >>> bars = sample_bars("sp500")
        >>> model = LSTMForecaster(seed=7).fit(bars[:"2012"])  # doctest: +SKIP
        >>> result = run_backtest(LSTMStrategy, bars, model=model)  # doctest: +SKIP
    """

    params: Any = (("model", None), *default_params(LSTMParameters))

    def __init__(self) -> None:
        super().__init__()
        check_params(LSTMParameters, self.p)
        self.lstm = LSTMIndicator(self.data, model=self.p.model)
        self._signal = self.lstm.lines.signal  # found once, not at every bar

    def target_exposure(self) -> float:
        """Return the signal at this close; NaN, so no opinion, where there is no forecast."""
        signal: float = self._signal[0]
        if math.isnan(signal) or abs(signal) >= self.p.min_signal:
            return signal
        return 0.0
