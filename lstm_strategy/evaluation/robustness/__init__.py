"""What is left of a result when costs rise, orders come late, or one network trades alone.

Everything is computed from forecasts that exist already; a run is one backtest.
"""

from lstm_strategy.evaluation.robustness.assess import Robustness, assess_robustness
from lstm_strategy.evaluation.robustness.costs import break_even, try_costs, try_each_cost
from lstm_strategy.evaluation.robustness.delays import delay_forecasts, try_delays
from lstm_strategy.evaluation.robustness.folds import fold_of_bars, fold_table
from lstm_strategy.evaluation.robustness.members import member_equities

__all__ = [
    "Robustness",
    "assess_robustness",
    "break_even",
    "delay_forecasts",
    "fold_of_bars",
    "fold_table",
    "member_equities",
    "try_costs",
    "try_delays",
    "try_each_cost",
]
