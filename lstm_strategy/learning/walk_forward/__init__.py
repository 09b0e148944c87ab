"""Refits along time.

Purged folds, one forecaster for the whole span, and a ledger of which model forecast which bar.
"""

from lstm_strategy.learning.walk_forward.forecaster import Refit, WalkForwardForecaster
from lstm_strategy.learning.walk_forward.run import fit_fold, walk_forward
from lstm_strategy.learning.walk_forward.splitter import Fold, WalkForward

__all__ = ["Fold", "Refit", "WalkForward", "WalkForwardForecaster", "fit_fold", "walk_forward"]
