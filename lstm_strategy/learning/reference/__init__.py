"""Models to be measured against: scikit-learn learners, and models of volatility."""

from lstm_strategy.learning.reference.binned_trees import BinnedTrees
from lstm_strategy.learning.reference.learners import LearnerForecaster, learning_baselines
from lstm_strategy.learning.reference.volatility import (
    VolatilityForecaster,
    volatility_baselines,
)

__all__ = [
    "BinnedTrees",
    "LearnerForecaster",
    "VolatilityForecaster",
    "learning_baselines",
    "volatility_baselines",
]
