"""One step of a walk forward: what to train on, and what to test on."""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Fold:
    """One step of a walk forward: what to train on, and the bars after it to test on.

    Attributes:
        number: Counted from 1.
        train: Positions of the training bars, embargoed ones included.
        test: Positions of the test bars.
        train_start: Date of the first bar that trains (its position, if the bars have no dates).
        train_end: Date of the last bar that trains; its label ends before the test begins.
        test_start: Date of the first test bar.
        test_end: Date of the last test bar, inclusive.
        validation: Positions of the validation bars, between train and test; None without.
        embargoed: Spans after earlier test folds that must not be trained on.

    Example:
        >>> from lstm_strategy.learning.walk_forward import WalkForward
        >>> fold = WalkForward(4, 2, horizon=2).folds(range(6))[0]
        >>> fold.train_indices.tolist(), fold.test_indices.tolist()
        ([0, 1], [4, 5])
    """

    number: int
    train: slice
    test: slice
    train_start: Any
    train_end: Any
    test_start: Any
    test_end: Any
    validation: slice | None = None
    embargoed: tuple[slice, ...] = ()

    @property
    def train_indices(self) -> np.ndarray:
        """Positions to train on, without the embargoed ones."""
        return positions_without(self.train, self.embargoed)

    @property
    def validation_indices(self) -> np.ndarray:
        """Positions to validate on, without the embargoed ones; empty without validation."""
        return positions_without(self.validation or slice(0, 0), self.embargoed)

    @property
    def test_indices(self) -> np.ndarray:
        """Positions to test on."""
        return np.arange(self.test.start, self.test.stop)

    @property
    def seen(self) -> slice:
        """Positions from the first bar that trains to the last that trains or validates."""
        last = self.train if self.validation is None else self.validation
        return slice(self.train.start, last.stop)


def positions_without(span: slice, embargoed: tuple[slice, ...]) -> np.ndarray:
    """The positions of a span that lie in none of the embargoed spans."""
    is_kept = np.ones(span.stop - span.start, dtype=bool)
    for left_out in embargoed:
        first = max(left_out.start - span.start, 0)
        is_kept[first : max(left_out.stop - span.start, first)] = False
    positions: np.ndarray = span.start + np.flatnonzero(is_kept)
    return positions
