"""Which forecast is better? Volatilities against what came, with losses, tests and a page."""

from lstm_strategy.evaluation.forecasts.comparison import ForecastComparison
from lstm_strategy.evaluation.forecasts.measures import REALIZED_COLUMN
from lstm_strategy.evaluation.forecasts.models import ForecastSource
from lstm_strategy.evaluation.forecasts.run import compare_forecasts

__all__ = ["REALIZED_COLUMN", "ForecastComparison", "ForecastSource", "compare_forecasts"]
