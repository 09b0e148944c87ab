"""Settings chosen by search, and what is left of the best after counting how many were tried."""

from lstm_strategy.evaluation.tuning.result import TuningResult
from lstm_strategy.evaluation.tuning.run import tune

__all__ = ["TuningResult", "tune"]
