"""The ready strategy: hold what the forecaster asks for."""

import math

from lstm_strategy.errors import TradingError
from lstm_strategy.trading.execution import TargetStrategy
from lstm_strategy.trading.lstm.indicator import LSTMIndicator


class LSTMStrategy(TargetStrategy):
    """Hold the exposure that a trained forecaster asks for.

    ``model`` is a fitted ``LSTMForecaster`` or the folder of a saved one. A signal weaker than
    ``min_signal`` (0…1) asks for no position. All parameters of `TargetStrategy` apply:
    ``long_only``, ``band``, stops.

    Raises:
        TradingError: if ``model`` is missing or ``min_signal`` is out of range.
        ModelError: if the model can't be loaded.
    """

    params = (("model", None), ("min_signal", 0.0))

    def __init__(self) -> None:
        super().__init__()
        is_number = isinstance(self.p.min_signal, (int, float))
        if not (is_number and 0 <= self.p.min_signal < 1):
            raise TradingError(
                f"min_signal must be at least 0 and below 1, got {self.p.min_signal!r}."
            )
        self.lstm = LSTMIndicator(self.data, model=self.p.model)
        self._signal = self.lstm.lines.signal  # found once, not at every bar

    def target_exposure(self) -> float:
        """Return the signal at this close; NaN, so no opinion, where there is no forecast."""
        signal: float = self._signal[0]
        if math.isnan(signal) or abs(signal) >= self.p.min_signal:
            return signal
        return 0.0
