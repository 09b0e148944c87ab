"""The bars on which a trained network is inspected, as rows of features.

Nothing here is trained. By default only bars after the training count, so that the inspection
shows what the network does on bars that it hasn't seen.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from lstm_strategy.bars import proportional_bars, validate_bars
from lstm_strategy.errors import ModelError
from lstm_strategy.learning.forecaster import LSTMForecaster
from lstm_strategy.learning.inference import run_carried, run_windowed
from lstm_strategy.learning.serving import open_forecaster


@dataclass(frozen=True, eq=False)
class InspectionRows:
    """A trained forecaster, and the complete rows of its features on some bars.

    Attributes:
        forecaster: The trained forecaster.
        bars: The bars, shape (n_bars, n_columns).
        rows: Features of the bars that have all of them, shape (n_rows, n_features).
        is_complete: Which bars these are, shape (n_bars,).
        first: Position of the first row that is inspected.
    """

    forecaster: LSTMForecaster
    bars: pd.DataFrame
    rows: np.ndarray
    is_complete: np.ndarray
    first: int

    @classmethod
    def from_model(cls, model: Any, bars: pd.DataFrame, start: Any) -> Self:
        """Compute the rows of some bars; those from `start` on are inspected.

        Raises:
            ModelError: If the model isn't a trained LSTM, or there is no bar to inspect.
        """
        forecaster = open_trained(model)
        bars = proportional_bars(validate_bars(bars))
        columns = forecaster.features.frame(bars)
        is_complete = columns.notna().all(axis=1).to_numpy()
        rows = columns.to_numpy()[is_complete]
        begin = forecaster.training_end if start is None else pd.Timestamp(start)
        times = pd.DatetimeIndex(bars.index[is_complete])
        assert begin is not None  # a fitted forecaster knows when its training ended
        if begin.tz is None and times.tz is not None:
            begin = begin.tz_localize(times.tz)
        first = int(times.searchsorted(begin, side="right" if start is None else "left"))
        first = max(first, forecaster.settled_rows - 1)
        if first >= len(rows):
            raise ModelError(
                f"There is no bar to inspect after {begin} and {forecaster.warm_up} bars of "
                "warm-up. Pass bars that go on after the training, or start=... for an earlier "
                "first bar."
            )
        return cls(forecaster, bars, rows, is_complete, first)

    def answer(self, rows: np.ndarray) -> np.ndarray:
        """The mean answer of the members to each row, shape (n_rows, n_outputs)."""
        forecaster = self.forecaster
        engine, rows = forecaster.engine, forecaster.inputs_of(None).convert(rows)
        if forecaster.settings.memory == "window":
            members = run_windowed(engine, rows, lookback=forecaster.settings.lookback)
        else:
            members, _ = run_carried(engine, rows, engine.initial_state(1))
        by_member = members.reshape(len(members), forecaster.n_members, -1)
        answers: np.ndarray = by_member.mean(axis=1)
        return answers

    def check_lags(self, lags: int) -> None:
        """Refuse lags that no forecast depends on."""
        settings = self.forecaster.settings
        most = settings.lookback - 1 if settings.memory == "window" else len(self.rows)
        if not 0 <= lags <= most:
            raise ModelError(
                f"lags must be from 0 to {most} with memory={settings.memory!r}, got {lags}. "
                "A windowed forecast sees nothing before its lookback."
            )

    def window_bars(self, lags: int) -> int:
        """Rows that a forecast needs so that it can be inspected `lags` rows back."""
        settings = self.forecaster.settings
        carries = settings.memory == "carry"
        return lags + self.forecaster.settled_rows if carries else settings.lookback

    def spread_ends(self, lags: int, n_windows: int) -> np.ndarray:
        """Positions of up to `n_windows` rows to inspect, spread evenly over all that can be."""
        length = self.window_bars(lags)
        first = max(self.first, length - 1)
        if first >= len(self.rows):
            raise ModelError(
                f"Looking {lags} bars back needs {length} complete rows, got {len(self.rows)}. "
                "Pass more bars or fewer lags."
            )
        return np.unique(np.linspace(first, len(self.rows) - 1, n_windows).round().astype(int))


def open_trained(model: Any) -> LSTMForecaster:
    """Open a model, and refuse one that isn't a trained LSTM."""
    forecaster = open_forecaster(model)
    if not isinstance(forecaster, LSTMForecaster) or not forecaster.is_fitted:
        raise ModelError(
            f"Only a trained LSTMForecaster can be inspected, got {forecaster!r}. Of a walk "
            "forward take the model of one fold, such as walked.refits[0].model."
        )
    return forecaster
