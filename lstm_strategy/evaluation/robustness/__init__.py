"""What is left of a result when costs rise, orders come late, or one network trades alone."""

from lstm_strategy.evaluation.robustness.assess import (
    Robustness,
    break_even,
    fold_table,
    robustness,
)

__all__ = ["Robustness", "break_even", "fold_table", "robustness"]
