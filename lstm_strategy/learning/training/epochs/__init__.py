"""A member's way through its epochs: `run_epochs`, and the rounds of which an epoch consists.

`build_rounds` gives the fastest way there is here to go through all batches once.
"""

from lstm_strategy.learning.training.epochs.course import Course, run_epochs
from lstm_strategy.learning.training.epochs.rounds import CompiledRounds, Rounds, build_rounds

__all__ = ["CompiledRounds", "Course", "Rounds", "build_rounds", "run_epochs"]
