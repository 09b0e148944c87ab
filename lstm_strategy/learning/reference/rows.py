"""What a learner without a memory learns from: rows of windows of features."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np

from lstm_strategy.learning.targets import AnsweredRows


@dataclass(frozen=True, eq=False)
class LearnerRows:
    """Rows to learn from, in the order of time; of a panel those of one market after another.

    Attributes:
        inputs: Shape (n_rows, n_columns).
        labels: Shape (n_rows,).
        weights: Shape (n_rows,).
        dates: Which bar, or which date of a panel, each row is of, shape (n_rows,).
        ends: The same of the last bar that the label of a row looks at, shape (n_rows,).
        is_of_panel: Whether several markets have rows on the same dates.
    """

    inputs: np.ndarray
    labels: np.ndarray
    weights: np.ndarray
    dates: np.ndarray
    ends: np.ndarray
    is_of_panel: bool = False

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, which: slice | np.ndarray) -> "LearnerRows":
        parts = {name: getattr(self, name)[which] for name in _arrays()}
        return replace(self, **parts)

    @classmethod
    def join(cls, markets: Sequence[Self]) -> "LearnerRows":
        """Return the rows of all markets of a panel, one market after another.

        Args:
            markets: Those of each market, on the dates of the panel.
        """
        parts = {
            name: np.concatenate([getattr(market, name) for market in markets])
            for name in _arrays()
        }
        return cls(**parts, is_of_panel=True)

    def on_dates(self, places: np.ndarray) -> "LearnerRows":
        """Return the rows of a market on the dates of its panel.

        Args:
            places: Which date each bar of the market has, shape (n_bars,).
        """
        return replace(self, dates=places[self.dates], ends=places[self.ends])

    def with_mean_weight(self) -> "LearnerRows":
        """Return the rows with a mean weight of 1, so that no market drowns the others."""
        usual = self.weights.mean()
        return replace(self, weights=self.weights / usual) if usual > 0 else self

    def split(self, share: float, *, horizon: int) -> tuple["LearnerRows", "LearnerRows"]:
        """Return the rows before the last ones, whose labels end before those, and the last ones.

        Args:
            share: Of the rows that are the last ones; of a panel of its dates.
            horizon: Bars ahead that labels look.
        """
        if not self.is_of_panel:
            first = len(self) - round(share * len(self))
            return self[slice(max(0, first - horizon))], self[slice(first, None)]
        used = np.unique(self.dates)
        first_date = used[len(used) - max(1, round(share * len(used)))]
        is_held_out = self.dates >= first_date
        return self[~is_held_out & (self.ends < first_date)], self[is_held_out]

    def answered(self, forecast: np.ndarray, year: float) -> AnsweredRows:
        """Return the rows with what was forecast for them.

        Args:
            forecast: Probabilities, shape (n_rows,).
            year: Bars of a year.
        """
        context = np.empty((len(self), 0))
        return AnsweredRows(self.labels[:, None], forecast[:, None], self.weights, context, year)


def flatten_windows(rows: np.ndarray, window: int) -> np.ndarray:
    """Each row with those before it side by side: (n_rows - window + 1, window * n_features).

    Args:
        rows: Shape (n_rows, n_features).
        window: How many rows are side by side.

    Example:
        >>> flatten_windows(np.array([[1], [2], [3]]), 2).tolist()
        [[1, 2], [2, 3]]
    """
    if len(rows) < window:
        return np.empty((0, window * rows.shape[1]))
    windows = np.lib.stride_tricks.sliding_window_view(rows, window, axis=0).swapaxes(1, 2)
    return windows.reshape(len(windows), -1)


def _arrays() -> list[str]:
    return [field.name for field in fields(LearnerRows) if field.name != "is_of_panel"]
