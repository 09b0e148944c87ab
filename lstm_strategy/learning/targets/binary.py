"""What all targets share that are answered by yes or no."""

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from lstm_strategy.errors import TrainingError
from lstm_strategy.learning.targets.base import Target
from lstm_strategy.learning.targets.parts import AnsweredRows, Head, Loss, SignalScale
from lstm_strategy.learning.targets.shrinkage import measure_confidence

_BREAK_EVEN = 0.5  # the forecast at which a yes and a no, weighted, cancel
_NARROWEST_WIDTH = 0.05  # what was learned hardly differs from the threshold: hold little
_SMALLEST_PROBABILITY = 1e-7  # as Keras clips them


class BinaryTarget(Target):
    """A question that is answered by 1 (yes) or 0 (no); the forecast is how likely a yes is."""

    loss_name: ClassVar[str] = "log_loss"
    no_skill: ClassVar[Mapping[str, float]] = {"log_loss": math.log(2), "auc": 0.5}

    @property
    def head(self) -> Head:
        """One probability."""
        return Head(activation="sigmoid")

    def build_loss(self) -> Loss:
        """The log-loss, by its name in Keras."""
        return "binary_crossentropy"

    @abstractmethod
    def describe_constant(self, label: float, horizon: int) -> str:
        """Say in a few words why every label may be the same, or nothing."""

    def check_labels(self, labels: np.ndarray, horizon: int) -> None:
        """Refuse labels that are all yes or all no.

        Args:
            labels: The labels to learn from, shape (n_rows, 1).
            horizon: Bars that the question looks ahead.

        Raises:
            TrainingError: If all labels are the same.
        """
        first = float(labels[0, 0])
        if (labels == first).all():
            raise TrainingError(
                f"Every label is {first:g}{self.describe_constant(first, horizon)}. There is "
                "nothing to learn; use other bars or another horizon."
            )

    def fit_scale(
        self,
        trained: AnsweredRows,
        held_out: AnsweredRows,
        *,
        horizon: int,
    ) -> SignalScale:
        """The scale on which nine in ten training forecasts ask for less than all.

        Args:
            trained: How likely the ensemble thought a yes on the rows that it was trained on.
            held_out: The same of each member on the rows that it didn't learn from.
            horizon: Bars that the question looks ahead.

        Returns:
            A threshold of one half, the distance from it, and as confidence what
            `measure_confidence` leaves of forecasts of moves: a yes or a no, times its weight.
        """
        realized = np.where(held_out.labels[:, 0] > _BREAK_EVEN, 1.0, -1.0) * held_out.weights
        leaning = held_out.answers[:, 0].astype(np.float64) - _BREAK_EVEN
        width = float(np.quantile(np.abs(trained.answers[:, 0] - _BREAK_EVEN), 0.9))
        return SignalScale(
            threshold=_BREAK_EVEN,
            width=max(width, _NARROWEST_WIDTH),
            confidence=measure_confidence(leaning, realized, horizon=horizon, dates=held_out.dates),
            bars_per_year=trained.bars_per_year,
        )

    def build_columns(
        self, answers: np.ndarray, scale: SignalScale, context: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        """Signal, forecast and uncertainty from the members' answers.

        Args:
            answers: How likely each member thinks a yes is, 0…1, shape (n_rows, n_members, 1).
            scale: What `fit_scale` chose.
            context: Not needed.

        Returns:
            The signal (-1…1), the mean of the members (0…1) and their standard deviation, each
            of shape (n_rows,); NaN where a member's answer is.
        """
        members = answers[..., 0].astype(np.float64)
        forecast = members.mean(axis=1)
        return scale.find_signal(forecast), forecast, members.std(axis=1)

    def row_losses(self, labels: np.ndarray, answers: np.ndarray) -> np.ndarray:
        """The log-loss of each row, unweighted; 0.6931 for a coin flip.

        Args:
            labels: 0 or 1, shape (n_rows, 1).
            answers: 0…1, shape (n_rows, 1).

        Returns:
            Shape (n_rows,).
        """
        known = np.clip(answers[:, 0], _SMALLEST_PROBABILITY, 1 - _SMALLEST_PROBABILITY)
        is_yes = labels[:, 0] > _BREAK_EVEN
        losses: np.ndarray = -np.where(is_yes, np.log(known), np.log(1 - known))
        return losses

    def score(self, rows: AnsweredRows) -> dict[str, float]:
        """Log-loss, AUC, accuracy and the number of rows that count.

        Args:
            rows: What was answered and what came; a row counts by its weight in every score, as
                it does in the loss.

        Returns:
            The scores by name; the AUC is NaN where all labels are the same, and all scores are
            where no row counts.
        """
        from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

        counts = rows.weights > 0
        labels, weights = rows.labels[counts, 0], rows.weights[counts]
        forecast = rows.answers[counts, 0]
        if not len(labels):
            return {**dict.fromkeys(("log_loss", "auc", "accuracy"), math.nan), "n_rows": 0.0}
        has_both_classes = len(np.unique(labels)) == 2
        weighted = {"sample_weight": weights}
        return {
            "log_loss": float(log_loss(labels, forecast, labels=[0.0, 1.0], **weighted)),
            "auc": float(roc_auc_score(labels, forecast, **weighted))
            if has_both_classes
            else math.nan,
            "accuracy": float(accuracy_score(labels, forecast > _BREAK_EVEN, **weighted)),
            "n_rows": float(len(labels)),
        }
