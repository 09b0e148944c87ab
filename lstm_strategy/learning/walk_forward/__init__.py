"""Refits along time: purged folds, one forecaster for the whole span, a ledger of who forecast what."""

from lstm_strategy.learning.walk_forward.forecaster import WalkForwardForecaster
from lstm_strategy.learning.walk_forward.run import fit_fold, walk_forward
from lstm_strategy.learning.walk_forward.splitter import Fold, WalkForward

__all__ = ["Fold", "WalkForward", "WalkForwardForecaster", "fit_fold", "walk_forward"]
