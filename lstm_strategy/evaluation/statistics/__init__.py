"""Is a difference luck? Bootstrap, multiple comparison, Sharpe ratios and overfitting.

And of forecasts: their losses, tests of which is better, and the set that may hold the best.
"""

from lstm_strategy.evaluation.statistics.bootstrap import FEWEST_BARS, at_equal_volatility
from lstm_strategy.evaluation.statistics.clustering import ClusteredMean, clustered_mean
from lstm_strategy.evaluation.statistics.confidence_set import confidence_set_p_values
from lstm_strategy.evaluation.statistics.multiple_comparison import (
    SPAResult,
    best_lead_p_value,
    superior_predictive_ability,
)
from lstm_strategy.evaluation.statistics.overfitting import (
    independent_trials,
    overfitting_probability,
)
from lstm_strategy.evaluation.statistics.predictive_accuracy import (
    DieboldMariano,
    MincerZarnowitz,
    choose_bandwidth,
    diebold_mariano,
    mincer_zarnowitz,
)
from lstm_strategy.evaluation.statistics.sharpe_ratio import (
    Interval,
    deflated_sharpe,
    sharpe_interval,
)
from lstm_strategy.evaluation.statistics.variance_losses import LossFunction, squared_error

__all__ = [
    "FEWEST_BARS",
    "ClusteredMean",
    "DieboldMariano",
    "Interval",
    "LossFunction",
    "MincerZarnowitz",
    "SPAResult",
    "at_equal_volatility",
    "best_lead_p_value",
    "choose_bandwidth",
    "clustered_mean",
    "confidence_set_p_values",
    "deflated_sharpe",
    "diebold_mariano",
    "independent_trials",
    "mincer_zarnowitz",
    "overfitting_probability",
    "sharpe_interval",
    "squared_error",
    "superior_predictive_ability",
]
