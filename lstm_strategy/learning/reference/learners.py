"""Learning baselines: what the same features and labels give without an LSTM.

A logistic regression and boosted trees behave as ``LSTMForecaster`` does and take its place in
``walk_forward``, ``LSTMStrategy`` and ``compare``. They see either the last bar's features or a
short window of them, flattened; what the LSTM earns beyond them is what its memory is worth.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Self, cast

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lstm_strategy.bars import validate_bars
from lstm_strategy.errors import ModelError, TrainingError
from lstm_strategy.learning.features import FeatureSet
from lstm_strategy.learning.forecaster import (
    FORECAST_COLUMNS,
    ForecasterKind,
    TrainableForecaster,
)
from lstm_strategy.learning.reference.classifiers import (
    FEWEST_ROWS,
    fit_classifier,
    rise_probability,
)
from lstm_strategy.learning.targets import Direction, SignalScale

if TYPE_CHECKING:
    from lstm_strategy.learning.forecaster import ForecastStream

_WINDOW_BARS = 20  # of the baselines that see a window
_TARGET = Direction()


class TabularSettings(BaseModel):
    """One field for each argument of TabularForecaster but the features."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    estimator: Literal["logistic", "boosting"]
    window: int = Field(default=1, ge=1)
    horizon: int = Field(default=1, ge=1)
    seed: int = Field(default=0, ge=0)

    @property
    def lookback(self) -> int:
        """The window, by the name that a stream asks for."""
        return self.window

    @property
    def memory(self) -> str:
        """Nothing is carried from bar to bar: each forecast starts afresh from its window."""
        return "window"

    @classmethod
    def checked(cls, **arguments: Any) -> Self:
        """The settings, or one clear error that names the first argument that is off.

        Raises:
            TrainingError: the rule and what was received.
        """
        try:
            return cls(**arguments)
        except ValidationError as error:
            first = error.errors()[0]
            raise TrainingError(
                f"{first['loc'][0]}: {first['msg'][0].lower()}{first['msg'][1:]}, "
                f"got {first['input']!r}."
            ) from error


@dataclass(frozen=True, eq=False)
class _Fitted:
    """What ``fit`` leaves: the classifier, how its forecasts become signals, what it has seen."""

    classifier: Any
    signal: SignalScale
    training_end: pd.Timestamp


class TabularForecaster(TrainableForecaster):
    """A scikit-learn classifier that forecasts the direction of the next bars.

    Features, labels, weights and the way from forecast to signal are those of
    ``LSTMForecaster``. There is no early stopping: the bars that it would watch train as well.

    Args:
        estimator: "logistic" for a logistic regression on scaled features, "boosting" for
            gradient-boosted trees.
        features: what the classifier sees; a FeatureSet, or the list that makes one.
        window: bars whose features it sees side by side; 1 for the last bar alone.
        horizon: bars ahead that the target looks.
        seed: chooses the features that each split of the trees may use.

    Raises:
        TrainingError: naming the first argument that is off.
        FeatureError: if the features can't be used.

    >>> forecaster = TabularForecaster("boosting", window=20)  # doctest: +SKIP
    >>> walk_forward(bars, forecaster, splits).forecast(bars)  # doctest: +SKIP
    """

    def __init__(
        self,
        estimator: str,
        *,
        features: FeatureSet | Sequence[dict[str, Any]] | None = None,
        window: int = 1,
        horizon: int = 1,
        seed: int = 0,
    ) -> None:
        self.settings = TabularSettings.checked(
            estimator=estimator, window=window, horizon=horizon, seed=seed
        )
        if features is None:
            features = FeatureSet.preset("default")
        self.features = features if isinstance(features, FeatureSet) else FeatureSet(features)
        self._fitted: _Fitted | None = None

    @property
    def is_fitted(self) -> bool:
        """Whether the forecaster has been trained."""
        return self._fitted is not None

    @property
    def horizon(self) -> int:
        """Bars ahead that the target looks."""
        return self.settings.horizon

    @property
    def kind(self) -> ForecasterKind:
        """A learner: what the LSTM should beat."""
        return ForecasterKind.LEARNER

    def describe_settings(self) -> dict[str, Any]:
        """All settings as plain values that JSON can hold: settings, features, network."""
        return {
            "settings": self.settings.model_dump(mode="json"),
            "features": self.features.to_dict(),
            "network": "",
        }

    @property
    def warm_up(self) -> int:
        """Bars before the first forecast."""
        return self.features.warm_up + self.settled_rows - 1

    @property
    def settled_rows(self) -> int:
        """Complete rows of features that the first forecast needs, itself included."""
        return self.settings.window

    @property
    def bars_columns(self) -> list[str]:
        """The columns that bars must have to be forecast."""
        return self.features.bars_columns

    @property
    def context_bars(self) -> int:
        """Bars of history after which a forecast no longer depends on where it began."""
        return self.features.memory + self.settings.window

    @property
    def training_end(self) -> pd.Timestamp | None:
        """The last bar that the model has seen; up to here every result is in-sample."""
        return self._fitted.training_end if self._fitted else None

    @property
    def engine(self) -> "_WindowEngine":
        """What computes the forecasts of a stream."""
        return _WindowEngine(self._known_fit().classifier, self.settings.window)

    def unfitted_copy(self, **changes: Any) -> Self:
        """A forecaster with the same features and settings, save for ``changes``, untrained."""
        return type(self)(**{"features": self.features, **self.settings.model_dump(), **changes})

    def fit(
        self,
        bars: pd.DataFrame,
        *,
        leave_out: np.ndarray | None = None,
        validation: np.ndarray | None = None,
        progress: Any = None,
        callbacks: Sequence[Any] = (),
    ) -> Self:
        """Train on ``bars`` and return self; scaling, too, comes from the training rows alone.

        Args:
            bars: open high low close volume and what the features read besides.
            leave_out: true for bars whose label must not be learned from, shape (n_bars,). Their
                features may still be among the earlier bars of a later bar's window.
            validation: bars to stop early on, taken as by ``LSTMForecaster``; they train here.
            progress: taken as by ``LSTMForecaster`` and unused: there are no epochs to count.

        Raises:
            BarsError: at the first bad bar.
            TrainingError: if there are too few bars, or all labels are the same.
        """
        bars = validate_bars(bars)
        inputs, labels, weights = self._training_rows(bars, leave_out)
        classifier = fit_classifier(
            self.settings.estimator, inputs, labels, weights, seed=self.settings.seed
        )
        self._fitted = _Fitted(
            classifier=classifier,
            signal=_TARGET.fit_scale(rise_probability(classifier, inputs)),
            training_end=bars.index[-1],
        )
        return self

    def forecast(self, bars: pd.DataFrame) -> pd.DataFrame:
        """Forecasts for every bar, each known at the close of its row.

        Returns columns signal (exposure asked for, -1…1), forecast (how likely a rise is, 0…1,
        moves weighted by their size) and spread (0: there is one member) on the index of
        ``bars``. NaN in the first ``warm_up`` rows, and where a feature isn't known.

        Raises:
            BarsError: at the first bad bar.
            FeatureError: if the bars lack a column that a feature reads.
            ModelError: if the forecaster hasn't been fitted.
        """
        classifier = self._known_fit().classifier
        bars = validate_bars(bars)
        inputs, rows = self._inputs(bars)
        frame = pd.DataFrame(np.nan, index=bars.index, columns=FORECAST_COLUMNS)
        if len(rows):
            members = rise_probability(classifier, inputs)[:, None]
            frame.iloc[rows] = np.column_stack(self.columns_of(members))
        return frame

    def member_signals(self, bars: pd.DataFrame) -> pd.DataFrame:
        """The signal of the only member, shape (n_bars, 1). Raises as ``forecast``."""
        return self.forecast(bars)[["signal"]].set_axis([0], axis=1)

    def columns_of(self, members: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Signal, forecast and uncertainty from the only member's forecasts, shape (n_rows, 1)."""
        scale = self._known_fit().signal
        forecast = members[:, 0]
        signal = np.clip((forecast - scale.threshold) / scale.width, -1.0, 1.0)
        return signal, forecast, np.zeros(len(forecast))

    def stream(self, history: pd.DataFrame | None = None) -> "ForecastStream":
        """The same forecasts bar by bar, starting after ``history`` if there is one.

        Raises:
            ModelError: if the forecaster hasn't been fitted.
        """
        self._known_fit()
        from lstm_strategy.learning.forecaster import ForecastStream

        # it asks for engine, features, settings and columns_of, which are all here
        return ForecastStream(cast(Any, self), None if history is None else validate_bars(history))

    def save(self, folder: str | Path) -> NoReturn:
        """Baselines aren't kept in folders: they are trained anew in seconds.

        Raises:
            ModelError: always.
        """
        raise ModelError(
            f"A TabularForecaster can't be saved, so nothing was written to {folder}. Fit it "
            "again, or call walk_forward without folder and with n_jobs=1."
        )

    def __repr__(self) -> str:
        trained = f"trained to {self.training_end:%Y-%m-%d}" if self.is_fitted else "not fitted"
        return (
            f"TabularForecaster({self.settings.estimator!r}, window={self.settings.window}, "
            f"{trained})"
        )

    def _known_fit(self) -> _Fitted:
        if self._fitted is None:
            raise ModelError("The forecaster isn't fitted. Call fit(bars) first.")
        return self._fitted

    def _inputs(self, bars: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """What the classifier sees, shape (n_rows, window * n_features), and the rows' positions.

        A row is a bar whose features are known, with ``window - 1`` such bars before it.
        """
        features = self.features.frame(bars).to_numpy()
        known = np.flatnonzero(~np.isnan(features).any(axis=1))
        window = self.settings.window
        if len(known) < window:
            return np.empty((0, window * features.shape[1])), known[:0]
        windows = np.lib.stride_tricks.sliding_window_view(features[known], window, axis=0)
        return _flattened(windows.swapaxes(1, 2)), known[window - 1 :]

    def _training_rows(
        self, bars: pd.DataFrame, leave_out: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Inputs, labels and weights of the bars to learn from."""
        inputs, rows = self._inputs(bars)
        horizon = self.settings.horizon
        labels = _TARGET.labels(bars, horizon).to_numpy()
        weights = _TARGET.weights(bars, horizon).to_numpy()
        usable = ~np.isnan(labels[rows])
        if leave_out is not None:
            usable &= ~leave_out[rows]
        inputs, rows = inputs[usable], rows[usable]
        self._check_rows(len(bars), labels[rows])
        # a mean weight of 1 keeps the penalties' strength apart from how weights are measured
        return inputs, labels[rows], weights[rows] / weights[rows].mean()

    def _check_rows(self, n_bars: int, labels: np.ndarray) -> None:
        if len(labels) < FEWEST_ROWS:
            unusable = n_bars - len(labels)
            raise TrainingError(
                f"Training needs {FEWEST_ROWS + unusable:,} bars with window="
                f"{self.settings.window} ({unusable} of them warm up the features, are left out "
                f"or have no label yet), got {n_bars:,}. Load more history or shorten window."
            )
        if (labels == labels[0]).all():
            raise TrainingError(
                f"Every label is {labels[0]:g}: the close never "
                f"{'falls' if labels[0] else 'rises'} over {self.settings.horizon} bars. There "
                "is nothing to learn; use other bars or another horizon."
            )


class _WindowEngine:
    """An ``Engine`` without a state: the forecast of the last row, from the window it ends."""

    def __init__(self, classifier: Any, window: int) -> None:
        self._classifier, self._window = classifier, window

    def initial_state(self, n_sequences: int) -> list[np.ndarray]:
        """Nothing."""
        return []

    def scan(
        self, rows: np.ndarray, state: list[np.ndarray]
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        """Forecasts, shape (n_sequences, n_rows, 1): NaN but for a last row with its window."""
        forecasts = np.full((*rows.shape[:2], 1), np.nan)
        if rows.shape[1] >= self._window:
            inputs = _flattened(rows[:, -self._window :])
            forecasts[:, -1, 0] = rise_probability(self._classifier, inputs)
        return forecasts, state


def learning_baselines(
    seed: int = 0,
    features: FeatureSet | Sequence[dict[str, Any]] | None = None,
    horizon: int = 1,
) -> dict[str, TabularForecaster]:
    """The four baselines that an LSTM should beat, by the name for tables; windows of 20 bars.

    Raises:
        TrainingError, FeatureError: as ``TabularForecaster``.
    """
    if features is None:
        features = FeatureSet.preset("default")
    shared = features if isinstance(features, FeatureSet) else FeatureSet(features)
    return {
        f"{estimator.capitalize()}, {seen}": TabularForecaster(
            estimator, features=shared, window=window, horizon=horizon, seed=seed
        )
        for estimator in ("logistic", "boosting")
        for seen, window in (("last bar", 1), ("window", _WINDOW_BARS))
    }


def _flattened(windows: np.ndarray) -> np.ndarray:
    """Windows side by side: (n_rows, window, n_features) → (n_rows, window * n_features)."""
    return windows.reshape(len(windows), -1)
