"""Refits along time.

Purged folds, one forecaster for the whole span, and a ledger of which model forecast which bar.
"""

from lstm_strategy.learning.walk_forward.fold import Fold
from lstm_strategy.learning.walk_forward.fold_edges import (
    cut_positions,
    fingerprint_of,
    labels_of,
)
from lstm_strategy.learning.walk_forward.fold_training import FoldCallbacks, check_folds, fit_fold
from lstm_strategy.learning.walk_forward.forecaster import WalkForwardForecaster
from lstm_strategy.learning.walk_forward.refit import Refit
from lstm_strategy.learning.walk_forward.run import OnFold, walk_forward
from lstm_strategy.learning.walk_forward.splitter import WalkForward

__all__ = [
    "Fold",
    "FoldCallbacks",
    "OnFold",
    "Refit",
    "WalkForward",
    "WalkForwardForecaster",
    "check_folds",
    "cut_positions",
    "fingerprint_of",
    "fit_fold",
    "labels_of",
    "walk_forward",
]
