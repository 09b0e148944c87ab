"""Several strategies on the same terms: bars, first bar, costs, sizing, fills."""

from lstm_strategy.evaluation.comparison.comparison import Board
from lstm_strategy.evaluation.comparison.run import compare

__all__ = ["Board", "compare"]
