"""How good are forecasts of returns? Correlations, quantiles and signs, with errors by day.

Each measure is a function of forecasts and bars, of one market or by symbol, and gives a result
with a table and a picture.
"""

from lstm_strategy.evaluation.forecasts.skill.alignment import MarketForecasts
from lstm_strategy.evaluation.forecasts.skill.comparison import SkillComparison
from lstm_strategy.evaluation.forecasts.skill.hits import HitRates, hit_rates
from lstm_strategy.evaluation.forecasts.skill.information import (
    InformationCoefficients,
    information_coefficients,
)
from lstm_strategy.evaluation.forecasts.skill.quantiles import QuantileReturns, quantile_returns
from lstm_strategy.evaluation.forecasts.skill.run import (
    PanelForecastSource,
    compare_on_panel,
    open_panel_models,
)

__all__ = [
    "HitRates",
    "InformationCoefficients",
    "MarketForecasts",
    "PanelForecastSource",
    "QuantileReturns",
    "SkillComparison",
    "compare_on_panel",
    "hit_rates",
    "information_coefficients",
    "open_panel_models",
    "quantile_returns",
]
