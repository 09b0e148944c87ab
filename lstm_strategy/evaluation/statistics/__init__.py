"""Is a difference luck? Bootstrap, multiple comparison, Sharpe ratios and overfitting."""

from lstm_strategy.evaluation.statistics.bootstrap import FEWEST_BARS, at_equal_volatility
from lstm_strategy.evaluation.statistics.multiple_comparison import (
    SPAResult,
    best_lead_p_value,
    superior_predictive_ability,
)
from lstm_strategy.evaluation.statistics.overfitting import (
    independent_trials,
    overfitting_probability,
)
from lstm_strategy.evaluation.statistics.sharpe_ratio import (
    Interval,
    deflated_sharpe,
    sharpe_interval,
)

__all__ = [
    "FEWEST_BARS",
    "Interval",
    "SPAResult",
    "at_equal_volatility",
    "best_lead_p_value",
    "deflated_sharpe",
    "independent_trials",
    "overfitting_probability",
    "sharpe_interval",
    "superior_predictive_ability",
]
