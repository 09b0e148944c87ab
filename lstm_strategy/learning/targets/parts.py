"""What a target is made of: head, training, the scale of its signal, rows that were answered."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

_MEASURED_WIDTH = 24 + 5  # cells and features for which the usual steps were chosen

Loss = str | Callable[[Any, Any], Any]
"""A loss by the name that Keras has for it, or a function of labels and answers."""


@dataclass(frozen=True)
class Head:
    """The last layer of a network, as plain data.

    Attributes:
        n_outputs: Numbers that a member answers at each bar; the first one is the answer proper,
            which inspection looks at.
        activation: Their activation, by the name that Keras has for it.
        initial_bias: Where the outputs begin, before the activation.
        starts_flat: Whether the weights begin at zero, so that an untrained network gives the
            same answer at every bar.
        has_linear_part: Whether a linear function of the features is added to what the LSTM says,
            before the activation. It is what `Target.fit_linear_part` says and stays so, while the
            LSTM learns what is missing.

    Example:
        >>> Head(activation="sigmoid").n_outputs
        1
    """

    n_outputs: int = 1
    activation: str = "linear"
    initial_bias: float = 0.0
    starts_flat: bool = False
    has_linear_part: bool = False


@dataclass(frozen=True)
class TrainingDefaults:
    """How a network is trained on a target where the user doesn't say.

    Attributes:
        learning_rate: Step size of AdamW.
        dropout: Share of LSTM outputs that are dropped in training.
        weight_decay: Decay of AdamW.
        batch_size: Chunks in one training step.
        epochs: The most epochs of each member.
        patience: Epochs without a better validation loss before training stops.
        mirror: Whether half of the chunks are mirrored, where the features have a mirror image.

    Example:
        >>> TrainingDefaults().batch_size
        8
    """

    learning_rate: float = 6e-2
    dropout: float = 0.5
    weight_decay: float = 0.05
    batch_size: int = 8
    epochs: int = 50
    patience: int = 25
    mirror: bool = True

    def fit_to(self, *, units: Sequence[int], n_features: int) -> Self:
        """Take smaller steps, and decay less, in a network that is wide, deep or sees much.

        Steps shrink with the root of the widest layer's inputs and of the number of layers, against
        those of the network that they were measured for: 24 cells on 5 features. (With steps that
        stay as they are, two layers of 64 cells learned less than one of 24 on the same market.)

        Args:
            units: Width of each LSTM layer.
            n_features: Columns that the network sees.

        Returns:
            The same but for `learning_rate` and `weight_decay`.

        Example:
            >>> TrainingDefaults().fit_to(units=(24,), n_features=5) == TrainingDefaults()
            True
            >>> round(TrainingDefaults().fit_to(units=(64, 64), n_features=16).learning_rate, 4)
            0.0202
        """
        widths = zip((n_features, *units[:-1]), units, strict=True)
        widest = max(n_inputs + n_units for n_inputs, n_units in widths)
        share = min(1.0, math.sqrt(_MEASURED_WIDTH / (widest * len(units))))
        return replace(
            self,
            learning_rate=self.learning_rate * share,
            weight_decay=self.weight_decay * share,
        )


class SignalScale(BaseModel):
    """How a forecast becomes a signal, as measured in training.

    Attributes:
        threshold: The forecast that asks for nothing.
        width: The distance from the threshold that asks for all.
        confidence: What is left of the signal after its forecasts were tried on held-out bars:
            1 for all, 0 where they held up no better than luck.
        horizon: Bars that the question looked ahead in training.
        bars_per_year: Bars of a year in training, by which forecasts are annualised.

    Example:
        >>> SignalScale(threshold=0.5, width=0.1).confidence
        1.0
    """

    model_config = ConfigDict(frozen=True)

    threshold: float = Field(allow_inf_nan=False)
    width: float = Field(gt=1e-9, allow_inf_nan=False)
    confidence: float = Field(default=1.0, ge=0, le=1)
    horizon: int = Field(default=1, ge=1)
    bars_per_year: float = Field(default=1.0, gt=0, allow_inf_nan=False)

    def find_signal(self, value: np.ndarray) -> np.ndarray:
        """The exposure that a value asks for: its distance from the threshold over the width.

        Args:
            value: What the threshold and the width were measured of, shape (n_rows,).

        Returns:
            Shape (n_rows,), at most the confidence on either side of 0; NaN where `value` is.

        Example:
            >>> scale = SignalScale(threshold=0.5, width=0.1, confidence=0.8)
            >>> scale.find_signal(np.array([0.45, 0.5, 0.9])).round(2).tolist()
            [-0.4, 0.0, 0.8]
        """
        asked = np.clip((value - self.threshold) / self.width, -1.0, 1.0)
        signal: np.ndarray = asked * self.confidence + 0.0  # no -0.0 where nothing is left
        return signal


@dataclass(frozen=True, eq=False)
class AnsweredRows:
    """What a network answered on some rows, and what came.

    Attributes:
        labels: What came, shape (n_rows, n_labels), without NaN.
        answers: Shape (n_rows, n_outputs), without NaN.
        weights: How much each row matters, shape (n_rows,).
        context: The columns of `Target.context`, shape (n_rows, n_context).
        bars_per_year: Bars of a year, by which numbers are annualised.
        dates: The date of each row, counted from 0, shape (n_rows,), where they are of many
            markets, whose rows of one date aren't independent; None for those of one market.
        markets: The market of each row, counted from 0, likewise.

    Example:
        >>> one = np.ones((3, 1))
        >>> len(AnsweredRows(one, one, np.ones(3), one))
        3
    """

    labels: np.ndarray
    answers: np.ndarray
    weights: np.ndarray
    context: np.ndarray
    bars_per_year: float = 1.0
    dates: np.ndarray | None = None
    markets: np.ndarray | None = None

    def split_markets(self) -> Iterator["AnsweredRows"]:
        """The rows of each market by themselves, in the order of the rows; all where it is one."""
        if self.markets is None or self.dates is None or not len(self):
            yield self
            return
        edges = np.flatnonzero(np.diff(self.markets)) + 1
        for first, stop in pairwise([0, *edges.tolist(), len(self)]):
            span = slice(first, stop)
            yield replace(
                self,
                labels=self.labels[span],
                answers=self.answers[span],
                weights=self.weights[span],
                context=self.context[span],
                dates=self.dates[span],
                markets=self.markets[span],
            )

    def mean_of_dates(self, values: np.ndarray) -> np.ndarray:
        """The mean of values of each date, shape (n_dates,); the values where each has its own."""
        if self.dates is None:
            return values
        n_rows = np.bincount(self.dates)
        means: np.ndarray = np.bincount(self.dates, weights=values)[n_rows > 0]
        return means / n_rows[n_rows > 0]

    def __len__(self) -> int:
        return len(self.labels)
