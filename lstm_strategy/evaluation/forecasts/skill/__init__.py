"""How good are forecasts of returns? Correlations, quantiles and signs, with errors by day.

Each measure is a function of forecasts and bars, of one market or by symbol, and gives a result
with a table and a picture.
"""

from lstm_strategy.evaluation.forecasts.skill.alignment import MarketForecasts
from lstm_strategy.evaluation.forecasts.skill.hits import HitRates, hit_rates
from lstm_strategy.evaluation.forecasts.skill.information import (
    InformationCoefficients,
    information_coefficients,
)
from lstm_strategy.evaluation.forecasts.skill.quantiles import QuantileReturns, quantile_returns

__all__ = [
    "HitRates",
    "InformationCoefficients",
    "MarketForecasts",
    "QuantileReturns",
    "hit_rates",
    "information_coefficients",
    "quantile_returns",
]
