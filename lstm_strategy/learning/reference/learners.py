"""Learning baselines: what the same features and labels give without an LSTM.

A logistic regression and boosted trees behave as `LSTMForecaster` does and take its place in
`walk_forward`, `LSTMStrategy` and `compare`. They see either the last bar's features or a short
window of them, flattened; what the LSTM earns beyond them is what its memory is worth.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lstm_strategy.bars import (
    Panel,
    as_panel,
    check_common_dates,
    is_panel,
    proportional_bars,
    proportional_markets,
    validate_bars,
)
from lstm_strategy.errors import TrainingError
from lstm_strategy.learning.features import (
    FeatureSet,
    FeatureSpecs,
    check_markets_meet,
    check_training_inputs,
    choose_features,
    settle_features,
)
from lstm_strategy.learning.forecaster import FeatureForecaster, usual_bars_per_year
from lstm_strategy.learning.inference import State
from lstm_strategy.learning.reference.base import ReferenceForecaster
from lstm_strategy.learning.reference.classifiers import (
    FEWEST_ROWS,
    Classifier,
    EstimatorName,
    fit_classifier,
    rise_probability,
)
from lstm_strategy.learning.reference.rows import LearnerRows, flatten_windows
from lstm_strategy.learning.targets import AnsweredRows, Direction, SignalScale, Target
from lstm_strategy.learning.training import OnBad, WholeNumber, drop_market, panel_frames
from lstm_strategy.support import (
    OnEpoch,
    describe_first_offence,
    explain_arguments,
    naive_utc_index,
)

log = logging.getLogger(__name__)

_WINDOW_BARS = 20  # of the baselines that see a window
_MODELS = {"logistic": "A logistic regression", "boosting": "A model of boosted trees"}
_HELD_OUT_SHARE = 0.2  # of the rows, as of those of each network


class LearnerSettings(BaseModel):
    """The arguments of `LearnerForecaster` but the features, checked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    estimator: Literal["logistic", "boosting"]
    window: WholeNumber = Field(ge=1)
    horizon: WholeNumber = Field(ge=1)
    seed: WholeNumber = Field(ge=0)


@dataclass(frozen=True, eq=False)
class _Fit:
    """What a training leaves: the classifier, its signal's scale, the last bar it has seen."""

    classifier: Classifier
    scale: SignalScale
    training_end: pd.Timestamp
    is_of_panel: bool


class LearnerForecaster(ReferenceForecaster[_Fit], FeatureForecaster):
    """A scikit-learn classifier that forecasts the direction of the next bars.

    Features, labels, weights and the way from forecast to signal are those of `LSTMForecaster` with
    the target "direction". The signal is shrunk as well: by how well the last fifth of the training
    bars was forecast by a classifier that had learned from those before them. The one that is kept
    then learns from all of them, since there is no early stopping that would watch some. On a panel
    one classifier learns from all markets, whose weights have the same mean.

    Args:
        estimator: "logistic" for a logistic regression on scaled features, "boosting" for
            gradient-boosted trees.
        features: What the classifier sees: a `FeatureSet`, or the list that makes one. None for
            the preset "default".
        window: Bars whose features it sees side by side; 1 for the last bar alone.
        horizon: Bars ahead that the target looks.
        seed: Chooses the features that each split of the trees may use.

    Attributes:
        features: What the classifier sees.
        settings: All arguments but the features.

    Raises:
        TrainingError: Naming the first argument that is off.
        FeatureError: If the features can't be used.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> bars = sample_bars().iloc[:400]
        >>> forecaster = LearnerForecaster("logistic", features=[{"kind": "rsi", "length": 5}])
        >>> frame = forecaster.fit(bars.iloc[:300]).forecast(bars)
        >>> int(frame["signal"].isna().sum()), forecaster.warm_up
        (5, 5)
    """

    settings: LearnerSettings
    learns_from_panels = True

    @explain_arguments(TrainingError)
    def __init__(
        self,
        estimator: EstimatorName,
        *,
        features: FeatureSet | FeatureSpecs | None = None,
        window: int = 1,
        horizon: int = 1,
        seed: int = 0,
    ) -> None:
        try:
            self.settings = LearnerSettings(
                estimator=estimator, window=window, horizon=horizon, seed=seed
            )
        except ValidationError as error:
            raise TrainingError(f"{describe_first_offence(error)}.") from error
        self.features = choose_features(features)

    @property
    def takes_panels(self) -> bool:
        """Whether it was trained on a panel, so that `forecast` takes one."""
        return self._fit is not None and self._fit.is_of_panel

    @property
    def target(self) -> Target:
        """The direction: will the close be higher?"""
        return Direction()

    @property
    def n_members(self) -> int:
        """1: there is no ensemble."""
        return 1

    @property
    def settled_rows(self) -> int:
        """Complete rows of features that the first forecast needs, its own included."""
        return self.settings.window

    @property
    def window_rows(self) -> int:
        """Rows that each forecast sees."""
        return self.settings.window

    @property
    def context_bars(self) -> int:
        """Bars of history after which a forecast no longer depends on where it began."""
        return self.features.memory + self.settings.window

    @property
    def engine(self) -> "WindowEngine":
        """What computes the forecasts of a stream."""
        return WindowEngine(self._last_fit().classifier, self.settings.window)

    def check_enough_bars(self, n_bars: int) -> None:
        """Refuse fewer bars than a fit needs.

        Raises:
            TrainingError: With the number that is needed, and what for.
        """
        n_lost = self.features.warm_up + self.settings.window - 1 + self.horizon
        self._check_enough_rows(n_bars, n_bars - n_lost)

    def fit(
        self,
        bars: pd.DataFrame | Mapping[str, pd.DataFrame],
        *,
        leave_out: np.ndarray | None = None,
        validation: np.ndarray | None = None,
        on_bad: OnBad = "raise",
        progress: bool | OnEpoch | None = None,
        callbacks: Sequence[Any] = (),
    ) -> Self:
        """Train on `bars` and return self; scaling, too, comes from the training rows alone.

        Args:
            bars: Open, high, low, close, volume and what the features read besides; or a panel of
                such bars by symbol.
            leave_out: True for bars whose label must not be learned from, shape (n_bars,); of a
                panel for its dates, shape (n_dates,). Their features may still be among the earlier
                bars of a later bar's window.
            validation: Taken as by `LSTMForecaster`; these bars train here, as all others do.
            on_bad: What to do where a market of a panel has too few bars or labels of one kind:
                "raise", or "drop" it.
            progress: Taken as by `LSTMForecaster` and unused: there are no epochs to count.
            callbacks: Taken as by `LSTMForecaster` and unused: this isn't Keras.

        Raises:
            BarsError: At the first bad bar.
            TrainingError: If there are too few bars, or all labels are the same.
        """
        known = _check_bars(bars)
        self.features = settle_features(self.features, known)
        if isinstance(known, Panel):
            rows, end = self._panel_rows(known, leave_out, on_bad), known.dates[-1]
        else:
            rows = self._training_rows(known, self.features.frame(known), leave_out)
            end = known.index[-1]
        classifier = self._fit_classifier(rows)
        year = usual_bars_per_year(known)
        scale = self.target.fit_scale(
            rows.answered(rise_probability(classifier, rows.inputs), year),
            self._answer_held_out(rows, year),
            horizon=self.horizon,
        )
        self._fit = _Fit(classifier, scale, end, isinstance(known, Panel))
        return self

    def __repr__(self) -> str:
        state = f"trained to {self.training_end:%Y-%m-%d}" if self.is_fitted else "not fitted"
        return (
            f"LearnerForecaster({self.settings.estimator!r}, window={self.settings.window}, "
            f"{state})"
        )

    @property
    def _scale(self) -> SignalScale:
        return self._last_fit().scale

    def _forecast_rows(self, markets: Sequence[np.ndarray]) -> list[np.ndarray]:
        return [self._rise_probabilities(rows) for rows in markets]

    def _rise_probabilities(self, rows: np.ndarray) -> np.ndarray:
        members = np.full((len(rows), 1), np.nan)
        inputs = flatten_windows(rows, self.settings.window)
        members[self.settings.window - 1 :, 0] = rise_probability(
            self._last_fit().classifier, inputs
        )
        return members

    def _fit_classifier(self, rows: LearnerRows) -> Classifier:
        return fit_classifier(
            self.settings.estimator,
            rows.inputs,
            rows.labels,
            # a mean of 1 keeps the penalties' strength apart from how weights are measured
            rows.weights / rows.weights.mean(),
            seed=self.settings.seed,
        )

    def _answer_held_out(self, rows: LearnerRows, year: float) -> AnsweredRows:
        """The last rows, as a classifier answers that learned from those before them."""
        learned, held_out = rows.split(_HELD_OUT_SHARE, horizon=self.horizon)
        if len(np.unique(learned.labels)) < 2:  # so that there is nothing to learn
            return held_out.answered(np.full(len(held_out), 0.5), year)
        classifier = self._fit_classifier(learned)
        return held_out.answered(rise_probability(classifier, held_out.inputs), year)

    def _panel_rows(self, panel: Panel, leave_out: np.ndarray | None, on_bad: OnBad) -> LearnerRows:
        """The rows of all markets one after another."""
        check_markets_meet(self.features, panel)
        times, parts, dropped = naive_utc_index(panel.dates), [], dict[str, str]()
        for symbol, columns in panel_frames(self.features, panel):
            places = times.searchsorted(naive_utc_index(panel[symbol].index))
            left_out = None if leave_out is None else leave_out[places]
            with drop_market(symbol, dropped, on_bad):
                rows = self._training_rows(panel[symbol], columns, left_out)
                parts.append(rows.on_dates(places).with_mean_weight())
        if dropped:
            log.warning(
                "The training leaves out %d of %d markets: %s",
                *(len(dropped), len(panel), " ".join(dropped.values())),
            )
        if not parts:
            raise TrainingError(
                f"no market of the panel can be learned from: {next(iter(dropped.values()))}"
            )
        return LearnerRows.join(parts)

    def _training_rows(
        self, bars: pd.DataFrame, columns: pd.DataFrame, leave_out: np.ndarray | None
    ) -> LearnerRows:
        """The rows of the bars to learn from."""
        check_training_inputs(self.features, bars)
        features = columns.to_numpy()
        complete = np.flatnonzero(~np.isnan(features).any(axis=1))
        places = complete[self.settings.window - 1 :]  # of the bars that end a window
        labels = self.target.labels(bars, self.horizon).to_numpy()[places]
        usable = ~np.isnan(labels)
        if leave_out is not None:
            usable &= ~leave_out[places]
        self._check_enough_rows(len(bars), int(usable.sum()))
        self.target.check_labels(labels[usable, None], self.horizon)
        inputs = flatten_windows(features[complete], self.settings.window)
        weights = self.target.weights(bars, self.horizon).to_numpy()[places][usable]
        ends = np.minimum(places + self.horizon, len(bars) - 1)
        return LearnerRows(inputs[usable], labels[usable], weights, places[usable], ends[usable])

    def _check_enough_rows(self, n_bars: int, n_usable: int) -> None:
        if n_usable < FEWEST_ROWS:
            model, window = _MODELS[self.settings.estimator], self.settings.window
            seen = "the last bar" if window == 1 else f"a window of {window} bars"
            raise TrainingError(
                f"{model} on {seen} needs {FEWEST_ROWS + n_bars - n_usable:,} bars "
                f"({n_bars - n_usable} of them warm up the features, are left out or have no label "
                f"yet), got {n_bars:,}. Load more history."
            )


class WindowEngine:
    """An `Engine` without a state: the forecast of the last row, from the window that it ends.

    Args:
        classifier: What `fit_classifier` trained.
        window: Rows that it sees side by side.
    """

    def __init__(self, classifier: Classifier, window: int) -> None:
        self._classifier, self._window = classifier, window

    def initial_state(self, n_sequences: int) -> State:
        """Nothing."""
        return []

    def scan(self, rows: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        """Forecast the last row; see `Engine.scan`. The forecasts of the others are NaN."""
        forecasts = np.full((*rows.shape[:2], 1), np.nan)
        if rows.shape[1] >= self._window:
            inputs = rows[:, -self._window :].reshape(len(rows), -1)
            forecasts[:, -1, 0] = rise_probability(self._classifier, inputs)
        return forecasts, state


def learning_baselines(
    seed: int = 0, features: FeatureSet | FeatureSpecs | None = None, horizon: int = 1
) -> dict[str, LearnerForecaster]:
    """Build the four learners that an LSTM should beat.

    Args:
        seed: That of each learner.
        features: What they see; None for the preset "default".
        horizon: Bars ahead that the target looks.

    Returns:
        Untrained forecasters by the name for tables: a logistic regression and boosted trees,
        which see the last bar or a window of 20 bars.

    Raises:
        TrainingError: Naming the first argument that is off.
        FeatureError: If the features can't be used.

    Example:
        >>> list(learning_baselines())[:2]
        ['Logistic, last bar', 'Logistic, window']
    """
    shared = choose_features(features)
    estimators: tuple[EstimatorName, ...] = ("logistic", "boosting")
    return {
        f"{estimator.capitalize()}, {view}": LearnerForecaster(
            estimator, features=shared, window=window, horizon=horizon, seed=seed
        )
        for estimator in estimators
        for view, window in (("last bar", 1), ("window", _WINDOW_BARS))
    }


def _check_bars(bars: pd.DataFrame | Mapping[str, pd.DataFrame]) -> pd.DataFrame | Panel:
    """Valid bars of one market or of a panel, whose returns are in proportion."""
    if not is_panel(bars):
        return proportional_bars(validate_bars(bars))
    panel = as_panel(bars)
    check_common_dates(panel)
    return proportional_markets(panel)
