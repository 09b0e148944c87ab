"""How much prices moved: variances measured from bars, what is usual, and the loss of a forecast.

All of it is per bar, in log returns, and known at the close of its row. Features, targets and
reference models measure volatility with this room, so that they speak of the same number.
"""

from lstm_strategy.learning.variance.estimators import (
    DEFAULT_ESTIMATOR,
    ESTIMATORS,
    close_to_close,
    garman_klass,
    parkinson,
    rogers_satchell,
    rogers_satchell_overnight,
    yang_zhang,
)
from lstm_strategy.learning.variance.loss import qlike_losses
from lstm_strategy.learning.variance.measure import (
    LOWEST_RATIO,
    SLOW_BARS,
    check_measure,
    check_unit,
    ewm_volatility,
    measure_variance,
    variance_ratio,
)

__all__ = [
    "DEFAULT_ESTIMATOR",
    "ESTIMATORS",
    "LOWEST_RATIO",
    "SLOW_BARS",
    "check_measure",
    "check_unit",
    "close_to_close",
    "ewm_volatility",
    "garman_klass",
    "measure_variance",
    "parkinson",
    "qlike_losses",
    "rogers_satchell",
    "rogers_satchell_overnight",
    "variance_ratio",
    "yang_zhang",
]
