"""Models to be measured against: scikit-learn learners on the same features and labels."""

from lstm_strategy.learning.reference.learners import LearnerForecaster, learning_baselines

__all__ = ["LearnerForecaster", "learning_baselines"]
