"""What all targets share that are answered by yes or no."""

import math
from abc import abstractmethod
from typing import ClassVar

import numpy as np

from lstm_strategy.errors import TrainingError
from lstm_strategy.learning.targets.base import Head, SignalScale, Target

_BREAK_EVEN = 0.5  # the forecast at which a yes and a no, weighted, cancel
_NARROWEST_WIDTH = 0.05  # what was learned hardly differs from the threshold: hold little
_SMALLEST_PROBABILITY = 1e-7  # as Keras clips them


class BinaryTarget(Target):
    """A question that is answered by 1 (yes) or 0 (no); the forecast is how likely a yes is."""

    loss: ClassVar[str] = "binary_crossentropy"
    head: ClassVar[Head] = Head(activation="sigmoid")

    @abstractmethod
    def describe_constant(self, label: float, horizon: int) -> str:
        """Say in a few words why every label may be the same, or nothing."""

    def check_labels(self, labels: np.ndarray, horizon: int) -> None:
        """Refuse labels that are all yes or all no.

        Args:
            labels: The labels to learn from, shape (n_rows,).
            horizon: Bars that the question looks ahead.

        Raises:
            TrainingError: If all labels are the same.
        """
        if (labels == labels[0]).all():
            raise TrainingError(
                f"Every label is {labels[0]:g}{self.describe_constant(labels[0], horizon)}. There "
                "is nothing to learn; use other bars or another horizon."
            )

    def fit_scale(self, forecast: np.ndarray) -> SignalScale:
        """The scale on which nine in ten training forecasts ask for less than all.

        Args:
            forecast: Forecasts of the training rows, 0…1, shape (n_rows,).

        Returns:
            A threshold of one half, and the distance from it.
        """
        width = float(np.quantile(np.abs(forecast - _BREAK_EVEN), 0.9))
        return SignalScale(threshold=_BREAK_EVEN, width=max(width, _NARROWEST_WIDTH))

    def build_columns(self, members: np.ndarray, scale: SignalScale) -> tuple[np.ndarray, ...]:
        """Signal, forecast and uncertainty from the members' forecasts.

        Args:
            members: How likely each member thinks a yes is, 0…1, shape (n_rows, n_members).
            scale: What `fit_scale` chose.

        Returns:
            The signal (-1…1), the mean of the members (0…1) and their standard deviation, each
            of shape (n_rows,); NaN where a member's forecast is.
        """
        members = members.astype(np.float64)
        forecast = members.mean(axis=1)
        signal = np.clip((forecast - scale.threshold) / scale.width, -1.0, 1.0)
        return signal, forecast, members.std(axis=1)

    def row_losses(self, labels: np.ndarray, forecast: np.ndarray) -> np.ndarray:
        """The log-loss of each row, unweighted; 0.6931 for a coin flip.

        Args:
            labels: 0 or 1, shape (n_rows,).
            forecast: 0…1, shape (n_rows,).

        Returns:
            Shape (n_rows,).
        """
        known = np.clip(forecast, _SMALLEST_PROBABILITY, 1 - _SMALLEST_PROBABILITY)
        losses: np.ndarray = -np.where(labels > _BREAK_EVEN, np.log(known), np.log(1 - known))
        return losses

    def score(
        self, labels: np.ndarray, forecast: np.ndarray, weights: np.ndarray
    ) -> dict[str, float]:
        """Log-loss, AUC, accuracy and the number of rows that count.

        Args:
            labels: 0 or 1, shape (n_rows,).
            forecast: 0…1, shape (n_rows,).
            weights: How much each row counts in every score, as in the loss, shape (n_rows,).

        Returns:
            The scores by name; the AUC is NaN where all labels are the same, and all scores are
            where no row counts.
        """
        from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

        counts = weights > 0
        labels, forecast, weights = labels[counts], forecast[counts], weights[counts]
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
