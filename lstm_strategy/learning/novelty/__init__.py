"""How far the hidden state of a network is from all that it went through in its training."""

from lstm_strategy.learning.novelty.fit import fit_novelty
from lstm_strategy.learning.novelty.novelty import LARGEST_BYTES, Novelty

__all__ = ["LARGEST_BYTES", "Novelty", "fit_novelty"]
