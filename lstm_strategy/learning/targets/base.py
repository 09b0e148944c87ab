"""What a target is: the question that the network is asked, and all that follows from it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from lstm_strategy.learning.features import FeatureSet
from lstm_strategy.learning.targets.parts import (
    AnsweredRows,
    Head,
    Loss,
    SignalScale,
    TrainingDefaults,
)

FORECAST_COLUMNS = ["signal", "forecast", "uncertainty"]
"""The columns of every forecast; a target may add others."""

OWN_CLASS = "class"
"""Where the description of a target of the user's own has its class."""


class Target(ABC):
    """A question about the bars to come, with its labels, loss, head, signal and scores.

    Only `labels` and `weights` look forward: their values are stamped with the bar at whose close
    they would be forecast, and are known `horizon` bars later. A target has no state; it compares
    equal to another one with the same settings, and is hashable: write a frozen dataclass.

    A target of your own is saved by the name of its class and its fields, so these must be plain
    values, and the module that defines it must have been imported before a model is loaded.

    Attributes:
        name: The target in a word, as the command line and saved models know it.
        loss_name: What the loss is called in tables.
        no_skill: What those scores are where nothing was learned for which that is known, by name.
        head: The last layer that the loss asks for.
        preset: The features that it is asked with where the user names none.
        training: How it is best trained.
        features: The preset, unless overridden.
        context: Features that turn answers into forecasts, such as a volatility; the network
            doesn't see them. `labels` may compute the same from the bars.
        forecast_columns: The columns that `build_columns` gives, in their order.
        judges_batches: Whether the loss is of all steps of a batch together. It then gets the
            labels with the weight of each step as a last column, and gives one number. The
            untrained network, too, may then be the best one.
        validation_smoothing: The weight of the earlier epochs in an exponential mean of the
            validation loss, by which training stops; 0 for the loss of the epoch alone.

    Example:
        >>> from lstm_strategy.learning.targets import choose_target
        >>> target = choose_target("direction")
        >>> target.build_loss(), target.forecast_columns
        ('binary_crossentropy', ('signal', 'forecast', 'uncertainty'))
    """

    loss_name: ClassVar[str] = "loss"
    no_skill: ClassVar[Mapping[str, float]] = {}
    judges_batches: ClassVar[bool] = False
    validation_smoothing: ClassVar[float] = 0.0

    @property
    @abstractmethod
    def name(self) -> str:
        """The target in a word, as `choose_target`, the command line and saved models know it."""

    @property
    @abstractmethod
    def head(self) -> Head:
        """The last layer that the loss asks for."""

    @property
    def preset(self) -> str:
        """The ready features that it is best asked with, by name; "default" unless overridden."""
        return "default"

    @property
    def training(self) -> TrainingDefaults:
        """How it is best trained; as the direction is unless overridden."""
        return TrainingDefaults()

    @property
    def features(self) -> FeatureSet:
        """What the network sees where the user doesn't say: the preset unless overridden."""
        return FeatureSet.preset(self.preset)

    def with_costs(self, cost_rate: float | Mapping[str, float]) -> Self:
        """Return the target where trading costs so much and the user didn't say; as it is here.

        Args:
            cost_rate: One-way cost of a trade as a share of its value.
        """
        return self

    def for_markets(self, n_markets: int) -> Self:
        """Return the target as it trains a network on so many markets; as it is here.

        Args:
            n_markets: 1 for the bars of one market, more for a panel.
        """
        return self

    def in_market(self, symbol: str) -> Self:
        """Return the target as it is asked of one market of a panel; as it is here.

        Args:
            symbol: The market.

        Raises:
            TrainingError: If a setting is by symbol and has none for this one.
        """
        return self

    @property
    def context(self) -> Sequence[Mapping[str, Any]]:
        """Features that turn answers into forecasts; none unless overridden."""
        return ()

    @property
    def forecast_columns(self) -> tuple[str, ...]:
        """The columns of a forecast: signal, forecast, uncertainty, and others after them."""
        return tuple(FORECAST_COLUMNS)

    @property
    def judges_dates(self) -> bool:
        """Whether batches must hold the same dates of all markets of a panel.

        The loss then gets the place of each step's date as a label before the weight: steps of
        one place are of one date, and the places of a window follow each other, as many as a chunk
        has steps. It is asked of what `for_markets` gives.
        """
        return False

    @abstractmethod
    def build_loss(self) -> Loss:
        """What training makes small.

        Returns:
            The name that Keras has for it, or a function of labels, shape (batch, time, n_labels),
            and answers, shape (batch, time, n_outputs), in operations of `keras.ops`, that gives
            a loss for each step, shape (batch, time), or one number if `judges_batches`.
        """

    def build_validation_loss(self) -> Loss:
        """What training stops by: the loss itself unless overridden."""
        return self.build_loss()

    @abstractmethod
    def labels(self, bars: pd.DataFrame, horizon: int) -> pd.Series | pd.DataFrame:
        """Answer the question for each bar.

        Args:
            bars: Valid bars, shape (n_bars, n_columns).
            horizon: Bars that the question looks ahead.

        Returns:
            Shape (n_bars,), or (n_bars, n_labels) where the loss needs more than one number; NaN
            where the answer isn't known yet.

        Raises:
            TrainingError: If the bars lack what the question needs.
        """

    def weights(self, bars: pd.DataFrame, horizon: int) -> pd.Series:
        """Say how much each label matters; all the same unless overridden.

        Args:
            bars: Valid bars, shape (n_bars, n_columns).
            horizon: Bars that the question looks ahead.

        Returns:
            Shape (n_bars,), never negative; where there is a label there is a weight.
        """
        return pd.Series(1.0, index=bars.index)

    @abstractmethod
    def check_labels(self, labels: np.ndarray, horizon: int) -> None:
        """Refuse labels from which nothing can be learned.

        Args:
            labels: The labels to learn from, shape (n_rows, n_labels), without NaN.
            horizon: Bars that the question looks ahead.

        Raises:
            TrainingError: If they are all alike, for example.
        """

    def mirror_labels(self, labels: np.ndarray) -> np.ndarray | None:
        """Answer the question where rises and falls are exchanged.

        Args:
            labels: Labels of the bars as they are, shape (n_rows, n_labels).

        Returns:
            The labels of the mirrored bars, or None where they don't follow from the others, as
            they don't unless this is overridden.
        """
        return None

    def fit_linear_part(
        self, features: np.ndarray, labels: np.ndarray, weights: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Fit the linear part of the head; nothing unless overridden.

        Args:
            features: Scaled features of the rows that a member learns from, shape
                (n_rows, n_features).
            labels: Their labels, shape (n_rows, n_labels).
            weights: How much each row matters, shape (n_rows,).

        Returns:
            Slopes, shape (n_features, n_outputs), which stay as they are, and the bias that the
            head begins with, shape (n_outputs,).
        """
        head = self.head
        slopes = np.zeros((features.shape[1], head.n_outputs))
        return slopes, np.full(head.n_outputs, head.initial_bias)

    @abstractmethod
    def fit_scale(
        self,
        trained: AnsweredRows,
        held_out: AnsweredRows,
        *,
        horizon: int,
    ) -> SignalScale:
        """Choose the scale of the signal.

        Args:
            trained: The mean answers of the ensemble on its training rows.
            held_out: The answers of each member on the rows that it didn't learn from, one member
                after the other.
            horizon: Bars that the question looks ahead.

        Returns:
            What `build_columns` needs to turn answers into signals.
        """

    @abstractmethod
    def build_columns(
        self, answers: np.ndarray, scale: SignalScale, context: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        """Turn what the members answer into the columns of a forecast.

        Args:
            answers: Those of each member, shape (n_rows, n_members, n_outputs).
            scale: What `fit_scale` chose.
            context: The columns of `context` for the same rows, shape (n_rows, n_context).

        Returns:
            One array of shape (n_rows,) for each of `forecast_columns`; NaN where a member's
            answer is.
        """

    @abstractmethod
    def row_losses(self, labels: np.ndarray, answers: np.ndarray) -> np.ndarray:
        """Measure how far off each answer is, in the units of the loss.

        Args:
            labels: What came, shape (n_rows, n_labels), without NaN.
            answers: Shape (n_rows, n_outputs), without NaN.

        Returns:
            Shape (n_rows,), unweighted.
        """

    @abstractmethod
    def score(self, rows: AnsweredRows) -> dict[str, float]:
        """Measure answers on rows that weren't trained on.

        Args:
            rows: What was answered, and what came.

        Returns:
            Scores by name, with `n_rows` last; NaN for one that these rows don't define.
        """

    def describe(self) -> str | dict[str, Any]:
        """The target as JSON can hold it; `choose_target` makes it a target again."""
        return describe_fields(self, {"name": self.name})


def describe_fields(target: Target, identity: Mapping[str, str]) -> str | dict[str, Any]:
    """What a target is called, and its fields if it has some.

    Args:
        target: A target.
        identity: What it is called, under the name that says what kind of name that is.

    Example:
        >>> from lstm_strategy.learning.targets import Direction
        >>> describe_fields(Direction(), {"name": "direction"})
        'direction'
    """
    settings: dict[str, Any] = {}
    if is_dataclass(target):
        settings = {field.name: getattr(target, field.name) for field in fields(target)}
    if not settings and "name" in identity:
        return identity["name"]
    return {**identity, **settings}
