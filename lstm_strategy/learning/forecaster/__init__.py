"""The forecaster that users hold: fit, forecast, stream, save, load."""

from lstm_strategy.learning.forecaster.base import (
    FORECAST_COLUMNS,
    UNKNOWN_FORECAST,
    Forecast,
    Forecaster,
    ForecasterKind,
    ForeignForecaster,
    Stream,
    TrainableForecaster,
)
from lstm_strategy.learning.forecaster.lstm_forecaster import LSTMForecaster
from lstm_strategy.learning.forecaster.model_card import SignalScale
from lstm_strategy.learning.forecaster.signal import signal_scale
from lstm_strategy.learning.forecaster.storage import (
    CARD_FILE,
    WALK_FORWARD_FILE,
    builder_name,
    read_folder,
    write_folder,
)
from lstm_strategy.learning.forecaster.stream import ForecastStream

__all__ = [
    "CARD_FILE",
    "FORECAST_COLUMNS",
    "Forecast",
    "ForecastStream",
    "Forecaster",
    "ForecasterKind",
    "ForeignForecaster",
    "LSTMForecaster",
    "SignalScale",
    "Stream",
    "TrainableForecaster",
    "UNKNOWN_FORECAST",
    "WALK_FORWARD_FILE",
    "builder_name",
    "read_folder",
    "signal_scale",
    "write_folder",
]
