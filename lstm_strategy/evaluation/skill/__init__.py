"""How good are forecasts of returns? Correlations, quantiles and signs, with errors by day.

Each measure is a function of forecasts and bars, of one market or by symbol, and gives a result
with a table and a picture; `model_skill` takes those of one model. `alignment` puts forecasts
beside the bars that they are about.
"""

from lstm_strategy.evaluation.skill.alignment import (
    Calls,
    MarketForecasts,
    align_calls,
    align_to_bars,
)
from lstm_strategy.evaluation.skill.calibration import Calibration, calibrate
from lstm_strategy.evaluation.skill.hits import HitRates, count_hits, hit_rates
from lstm_strategy.evaluation.skill.information import (
    InformationCoefficients,
    correlate_calls,
    information_coefficients,
)
from lstm_strategy.evaluation.skill.model_skill import (
    ModelSkill,
    measure_model,
    target_name,
)
from lstm_strategy.evaluation.skill.outcomes import (
    ForecastOutcomes,
    forecast_outcomes,
    score_folds,
)
from lstm_strategy.evaluation.skill.quantiles import (
    NET_SPREAD,
    SPREAD,
    QuantileReturns,
    quantile_returns,
    sort_calls,
)

__all__ = [
    "Calibration",
    "Calls",
    "ForecastOutcomes",
    "HitRates",
    "InformationCoefficients",
    "MarketForecasts",
    "ModelSkill",
    "NET_SPREAD",
    "QuantileReturns",
    "SPREAD",
    "align_calls",
    "align_to_bars",
    "calibrate",
    "correlate_calls",
    "count_hits",
    "forecast_outcomes",
    "hit_rates",
    "information_coefficients",
    "measure_model",
    "quantile_returns",
    "score_folds",
    "sort_calls",
    "target_name",
]
