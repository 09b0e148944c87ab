"""What moves a trained network: its features, the bars of its past, its hidden state."""

from lstm_strategy.learning.inspection.gradients import forecast_gradients, memory_saliency
from lstm_strategy.learning.inspection.importance import feature_importance
from lstm_strategy.learning.inspection.states import hidden_states

__all__ = ["feature_importance", "forecast_gradients", "hidden_states", "memory_saliency"]
