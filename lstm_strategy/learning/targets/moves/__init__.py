"""Questions about the moves to come, asked in units of the usual one: one target per file."""

from lstm_strategy.learning.targets.moves.quantiles import Quantiles
from lstm_strategy.learning.targets.moves.returns import Return
from lstm_strategy.learning.targets.moves.triple_barrier import TripleBarrier

__all__ = ["Quantiles", "Return", "TripleBarrier"]
