"""Several strategies on the same terms: bars, first bar, costs, sizing, fills.

`compare` prepares and runs; `prepare_comparison` and `run_comparison` are its two halves.
"""

from lstm_strategy.evaluation.comparison.comparison import Comparison
from lstm_strategy.evaluation.comparison.prepare import PreparedComparison, prepare_comparison
from lstm_strategy.evaluation.comparison.run import compare, run_comparison

__all__ = [
    "Comparison",
    "PreparedComparison",
    "compare",
    "prepare_comparison",
    "run_comparison",
]
