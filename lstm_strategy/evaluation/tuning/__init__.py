"""A search for settings, and what is left of the best one once the number of trials is counted.

`tune` scores each trial by a walk forward, trades the best setting once on bars kept back, and
returns a `TuningResult`.
"""

from lstm_strategy.evaluation.tuning.holdout import Holdout
from lstm_strategy.evaluation.tuning.result import TuningResult
from lstm_strategy.evaluation.tuning.run import tune

__all__ = ["Holdout", "TuningResult", "tune"]
