"""How good are forecasts? Of volatility by losses and tests; of returns by `evaluation.skill`."""

from lstm_strategy.evaluation.forecasts.comparison import ForecastComparison
from lstm_strategy.evaluation.forecasts.measures import REALIZED_COLUMN
from lstm_strategy.evaluation.forecasts.models import ForecastSource
from lstm_strategy.evaluation.forecasts.panel import PanelForecastSource, SkillComparison
from lstm_strategy.evaluation.forecasts.run import compare_forecasts
from lstm_strategy.evaluation.skill import (
    HitRates,
    InformationCoefficients,
    QuantileReturns,
    hit_rates,
    information_coefficients,
    quantile_returns,
)

__all__ = [
    "REALIZED_COLUMN",
    "ForecastComparison",
    "ForecastSource",
    "HitRates",
    "InformationCoefficients",
    "PanelForecastSource",
    "QuantileReturns",
    "SkillComparison",
    "compare_forecasts",
    "hit_rates",
    "information_coefficients",
    "quantile_returns",
]
