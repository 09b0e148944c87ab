"""The forecaster that users hold: fit, forecast, stream, save, load."""

from lstm_strategy.learning.forecaster.answers import COMPLETE_COLUMNS, complete_forecasts
from lstm_strategy.learning.forecaster.base import (
    UNKNOWN_FORECAST,
    Forecast,
    Forecaster,
    ForecasterKind,
    ForeignForecaster,
    Stream,
    TrainableForecaster,
)
from lstm_strategy.learning.forecaster.checkpoint import Snapshot, write_checkpoint
from lstm_strategy.learning.forecaster.feature_forecaster import FeatureForecaster, validate_markets
from lstm_strategy.learning.forecaster.fitting import usual_bars_per_year
from lstm_strategy.learning.forecaster.lstm_forecaster import LSTMForecaster
from lstm_strategy.learning.forecaster.model_card import ModelCard
from lstm_strategy.learning.forecaster.settings_words import (
    ask_words,
    card_words,
    network_words,
    readable,
    score_words,
    value_words,
)
from lstm_strategy.learning.forecaster.storage import (
    CARD_FILE,
    WALK_FORWARD_FILE,
    builder_name,
    check_can_hold_model,
    load_card,
    read_folder,
    write_folder,
)
from lstm_strategy.learning.forecaster.streams import BarReader, ForecastStream, PanelStream
from lstm_strategy.learning.targets import FORECAST_COLUMNS

__all__ = [
    "BarReader",
    "CARD_FILE",
    "COMPLETE_COLUMNS",
    "FORECAST_COLUMNS",
    "FeatureForecaster",
    "Forecast",
    "ForecastStream",
    "PanelStream",
    "Snapshot",
    "Forecaster",
    "ForecasterKind",
    "ForeignForecaster",
    "LSTMForecaster",
    "ModelCard",
    "Stream",
    "TrainableForecaster",
    "UNKNOWN_FORECAST",
    "WALK_FORWARD_FILE",
    "ask_words",
    "builder_name",
    "card_words",
    "check_can_hold_model",
    "complete_forecasts",
    "load_card",
    "network_words",
    "read_folder",
    "readable",
    "score_words",
    "usual_bars_per_year",
    "validate_markets",
    "value_words",
    "write_checkpoint",
    "write_folder",
]
