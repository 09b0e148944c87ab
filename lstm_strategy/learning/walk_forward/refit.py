"""One model of a walk forward, and the bars that it forecasts."""

from dataclasses import dataclass

import pandas as pd

from lstm_strategy.learning.forecaster import TrainableForecaster
from lstm_strategy.support import on_clock_of


@dataclass(frozen=True)
class Refit:
    """One model of a walk forward.

    Attributes:
        model: The trained model.
        test_start: The first bar that it forecasts.

    Example:
        >>> from lstm_strategy import LSTMForecaster
        >>> Refit(LSTMForecaster(), pd.Timestamp("2013-01-02")).test_start.year
        2013
    """

    model: TrainableForecaster
    test_start: pd.Timestamp


def position_of(index: pd.Index, moment: pd.Timestamp) -> int:
    """The number of the first bar at a moment or after it."""
    return int(pd.DatetimeIndex(index).searchsorted(on_clock_of(index, moment)))
