"""What a target is: the question that the network is asked, and all that follows from it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

FORECAST_COLUMNS = ["signal", "forecast", "uncertainty"]
"""The columns of every forecast; a target may add others."""


@dataclass(frozen=True)
class Head:
    """The last layer of a network, as plain data.

    Attributes:
        n_outputs: Numbers that a member gives at each bar.
        activation: Their activation, by the name that Keras has for it.
        initial_bias: Where the outputs begin, before the activation.

    Example:
        >>> Head(activation="sigmoid").n_outputs
        1
    """

    n_outputs: int = 1
    activation: str = "linear"
    initial_bias: float = 0.0


class SignalScale(BaseModel):
    """How a forecast becomes a signal: `(forecast - threshold) / width`, clipped to ±1.

    Attributes:
        threshold: The forecast at which expected rises and falls cancel.
        width: The distance from the threshold that nine in ten training forecasts stay within.

    Example:
        >>> SignalScale(threshold=0.5, width=0.1).width
        0.1
    """

    model_config = ConfigDict(frozen=True)

    threshold: float = Field(allow_inf_nan=False)
    width: float = Field(gt=1e-9, allow_inf_nan=False)


class Target(ABC):
    """A question about the bars to come, with its labels, loss, head, signal and scores.

    Only `labels` and `weights` look forward: their values are stamped with the bar at whose close
    they would be forecast, and are known `horizon` bars later. A target has no state; it compares
    equal to another one with the same settings, and is hashable.

    Attributes:
        loss: What training makes small, by the name that Keras has for it.
        head: The last layer that the loss asks for.
        forecast_columns: The columns that `build_columns` gives, in their order.

    Example:
        >>> from lstm_strategy.learning.targets import choose_target
        >>> target = choose_target("direction")
        >>> target.loss, target.forecast_columns
        ('binary_crossentropy', ('signal', 'forecast', 'uncertainty'))
    """

    loss: ClassVar[str]
    head: ClassVar[Head]
    forecast_columns: ClassVar[tuple[str, ...]] = tuple(FORECAST_COLUMNS)

    @property
    @abstractmethod
    def name(self) -> str:
        """The target in a word, as `choose_target`, the command line and saved models know it."""

    @abstractmethod
    def labels(self, bars: pd.DataFrame, horizon: int) -> pd.Series:
        """Answer the question for each bar.

        Args:
            bars: Valid bars, shape (n_bars, n_columns).
            horizon: Bars that the question looks ahead.

        Returns:
            Shape (n_bars,); NaN where the answer isn't known yet.
        """

    @abstractmethod
    def weights(self, bars: pd.DataFrame, horizon: int) -> pd.Series:
        """Say how much each label matters.

        Args:
            bars: Valid bars, shape (n_bars, n_columns).
            horizon: Bars that the question looks ahead.

        Returns:
            Shape (n_bars,), never negative; where there is a label there is a weight.
        """

    @abstractmethod
    def check_labels(self, labels: np.ndarray, horizon: int) -> None:
        """Refuse labels from which nothing can be learned.

        Args:
            labels: The labels to learn from, shape (n_rows,), without NaN.
            horizon: Bars that the question looks ahead.

        Raises:
            TrainingError: If they are all alike, for example.
        """

    @abstractmethod
    def mirror_labels(self, labels: np.ndarray) -> np.ndarray | None:
        """Answer the question where rises and falls are exchanged.

        Args:
            labels: Labels of the bars as they are, shape (n_rows,).

        Returns:
            The labels of the mirrored bars, or None where they don't follow from the others.
        """

    @abstractmethod
    def fit_scale(self, forecast: np.ndarray) -> SignalScale:
        """Choose the scale of the signal.

        Args:
            forecast: What the trained ensemble forecast for its training rows, shape (n_rows,).

        Returns:
            What `build_columns` needs to turn forecasts into signals.
        """

    @abstractmethod
    def build_columns(self, members: np.ndarray, scale: SignalScale) -> tuple[np.ndarray, ...]:
        """Turn what the members answer into the columns of a forecast.

        Args:
            members: The answers of each member, shape (n_rows, n_members).
            scale: What `fit_scale` chose.

        Returns:
            One array of shape (n_rows,) for each of `forecast_columns`; NaN where a member's
            answer is.
        """

    @abstractmethod
    def row_losses(self, labels: np.ndarray, forecast: np.ndarray) -> np.ndarray:
        """Measure how far off each forecast is, in the units of the loss.

        Args:
            labels: What came, shape (n_rows,), without NaN.
            forecast: What was forecast, shape (n_rows,), without NaN.

        Returns:
            Shape (n_rows,), unweighted.
        """

    @abstractmethod
    def score(
        self, labels: np.ndarray, forecast: np.ndarray, weights: np.ndarray
    ) -> dict[str, float]:
        """Measure forecasts of bars that weren't trained on.

        Args:
            labels: What came, shape (n_rows,), without NaN.
            forecast: What was forecast, shape (n_rows,), without NaN.
            weights: How much each row matters, shape (n_rows,).

        Returns:
            Scores by name, with `n_rows` last; NaN for one that these rows don't define.
        """

    def describe(self) -> str:
        """The target as JSON can hold it; `choose_target` makes it a target again."""
        return self.name
