"""The forecaster: fit · forecast · stream · save · load."""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from lstm_strategy.bars import bars_fingerprint, validate_bars
from lstm_strategy.errors import ModelError
from lstm_strategy.learning.features import FeatureSet, check_causal
from lstm_strategy.learning.forecaster.assessment import (
    LOOKBACKS_OF_CONTEXT,
    held_out_scores,
    memory_span,
)
from lstm_strategy.learning.forecaster.base import TrainableForecaster
from lstm_strategy.learning.forecaster.model_card import ModelCard, TrainingSpan
from lstm_strategy.learning.forecaster.storage import (
    NetworkFiles,
    builder_name,
    load_card,
    load_files,
    load_history,
    load_keras_network,
    now,
    save_model,
    serialize_network,
)
from lstm_strategy.learning.targets import FORECAST_COLUMNS, SignalScale
from lstm_strategy.learning.training import ForecasterSettings, TrainingSet, build_training_set
from lstm_strategy.support import OnEpoch, library_versions, sha256_of, training_progress

if TYPE_CHECKING:
    from lstm_strategy.learning.forecaster.stream import ForecastStream
    from lstm_strategy.learning.inference import Engine
    from lstm_strategy.learning.network import NetworkBuilder


class LSTMForecaster(TrainableForecaster):
    """A Keras LSTM that forecasts the direction of the next bars.

    Args:
        features: what the network sees; a FeatureSet, or the list that makes one.
        target: "direction": is the close ``horizon`` bars later higher? Or a function of your own:
            ``target(bars, horizon)`` gives a Series of 0 and 1 on the index of the bars, NaN where
            the answer isn't known yet, that reads no bar more than ``horizon`` bars ahead (this is
            tried). Its labels all weigh the same, and it trains without ``mirror``. The signal is
            above zero where a 1 is forecast with more than one half.
        horizon: bars ahead that the target looks.
        units: width of each LSTM layer, one to three layers.
        dropout: share of LSTM outputs dropped in training.
        learning_rate: step size of AdamW.
        weight_decay: decay of AdamW, on kernels only.
        lookback: bars of each window with ``memory="window"``; with "carry" the fewest that the
            memory is given to settle before the first forecast (it gets as many as it was
            measured to need). Training chunks are twice as long.
        memory: "carry" moves the LSTM's state from bar to bar through the whole feed,
            "window" starts afresh ``lookback`` bars before each forecast.
        epochs: the most epochs of training for each seed; the steps shrink towards the last.
        batch_size: chunks in one training step.
        patience: epochs without a better validation loss before training stops.
        members: networks of the ensemble; their mean is the forecast, their standard deviation
            the uncertainty.
        seed: makes training repeatable on one machine.
        validation: share of the bars that each member holds out and early stopping watches.
        mirror: whether half of what a member sees in training is the mirror image of the bars,
            rises and falls exchanged. Turn it off where a drift is the pattern to be learned.
        network: a function of the number of features that gives a Keras network of your own in
            place of the LSTM, (batch, time, n_features) to (batch, time, 1) with a sigmoid at the
            end; ``units`` and ``dropout`` then mean nothing. Every layer must be recurrent with
            ``return_sequences=True`` or look at one bar alone.

    Raises:
        TrainingError: naming the first argument that is off.
        FeatureError: if the features can't be used.

    >>> forecaster = LSTMForecaster(units=(16,), seed=7)    # doctest: +SKIP
    >>> forecaster.fit(bars[:"2012"]).forecast(bars).tail()  # doctest: +SKIP
    """

    card: ModelCard | None = None

    def __init__(
        self,
        features: FeatureSet | Sequence[dict[str, Any]] | None = None,
        *,
        network: "NetworkBuilder | None" = None,
        **settings: Any,
    ) -> None:
        if features is None:
            features = FeatureSet.preset("default")
        self.features = features if isinstance(features, FeatureSet) else FeatureSet(features)
        self.settings = ForecasterSettings.checked(**settings)
        self.network = network
        self.history = pd.DataFrame(columns=["member", "epoch", "loss", "val_loss"])
        self._twin: bytes | None = None
        self._engine_name = "auto"

    @property
    def is_fitted(self) -> bool:
        """Whether the forecaster has been trained or loaded."""
        return self.card is not None

    @property
    def horizon(self) -> int:
        """Bars ahead that the target looks."""
        return self.settings.horizon

    def describe_settings(self) -> dict[str, Any]:
        """All settings as plain values that JSON can hold: settings, features, network."""
        return {
            "settings": self.settings.model_dump(mode="json"),
            "features": self.features.to_dict(),
            "network": builder_name(self.network),
        }

    @property
    def warm_up(self) -> int:
        """Bars before the first forecast: those of the features, then those of the memory."""
        return self.features.warm_up + self.settled_rows - 1

    @property
    def settled_rows(self) -> int:
        """Complete rows of features that the first forecast needs, itself included.

        The lookback; for a carried memory the measured number of rows after which it has
        forgotten where it began, where that is more.
        """
        memory = self.card.memory if self.card and self.settings.memory == "carry" else None
        return max(self.settings.lookback, memory.bars if memory else 0)

    @property
    def bars_columns(self) -> list[str]:
        """The columns that bars must have to be forecast."""
        return self.features.bars_columns

    @property
    def training_end(self) -> pd.Timestamp | None:
        """The last bar that the model has seen; up to here every result is in-sample."""
        return pd.Timestamp(self.card.training.end) if self.card else None

    @property
    def validation_scores(self) -> dict[str, float]:
        """Log-loss, AUC and accuracy on the validation rows, and the number of these rows."""
        return self._fitted_card().validation_scores

    @cached_property
    def engine(self) -> "Engine":
        """What computes the network's forecasts."""
        from lstm_strategy.learning.inference import KerasEngine, OnnxEngine, choose_engine

        self._fitted_card()
        engine = choose_engine(self._engine_name, has_onnx=self._twin is not None)
        if engine == "onnx" and self._twin is not None:
            return OnnxEngine(self._twin)
        return KerasEngine(self._network)

    @property
    def keras_model(self) -> Any:
        """The trained Keras network: (batch, time, n_features) → (batch, time, n_members).

        Its scaling is inside, so it takes features as they come; loading one imports Keras.

        Raises:
            ModelError: if the forecaster hasn't been fitted.
        """
        self._fitted_card()
        return self._network

    @property
    def fingerprint(self) -> str | None:
        """A short name for all that decides a forecast but the bars and the code.

        None for a forecaster that isn't fitted, and for a class of the user's own.
        """
        if self.card is None or type(self) is not LSTMForecaster:
            return None
        from lstm_strategy.learning.inference import choose_engine

        engine = choose_engine(self._engine_name, has_onnx=self._twin is not None)
        network = self._twin if engine == "onnx" and self._twin else self._files.keras
        described = [
            engine,
            sha256_of(network),
            self.settings.model_dump(mode="json"),
            self.features.to_dict(),
            self.card.signal.model_dump(),
            None if self.card.memory is None else self.card.memory.model_dump(),
        ]
        return sha256_of(json.dumps(described).encode())

    @cached_property
    def _network(self) -> Any:
        """The Keras network; a loaded forecaster reads it when something needs it."""
        versions = self._fitted_card().versions
        return load_keras_network(self._files.keras, versions)

    @cached_property
    def _files(self) -> NetworkFiles:
        """The network as it is saved."""
        return NetworkFiles(serialize_network(self._network), self._twin)

    def __getstate__(self) -> dict[str, Any]:
        # what travels must not depend on Keras: a worker process may not have loaded it
        files = {"_files": self._files} if self.is_fitted else {}
        left = ("engine", "_network")
        kept = {name: value for name, value in vars(self).items() if name not in left}
        return {**kept, **files}

    @property
    def context_bars(self) -> int:
        """Bars of history after which a forecast hardly depends on where the history began."""
        reach = max(LOOKBACKS_OF_CONTEXT * self.settings.lookback, self.settled_rows)
        return self.features.memory + reach

    def unfitted_copy(self, **changes: Any) -> Self:
        """A forecaster with the same features and settings, save for ``changes``, untrained.

        Raises:
            ModelError: if it was loaded and has a network of the user's own, which isn't saved.
        """
        kept = {"network": self.network, **dict(self.settings)}
        if self.card is not None and self.card.network and not {**kept, **changes}["network"]:
            raise ModelError(
                f"The model was trained with the network {self.card.network}, whose function "
                "isn't part of a saved model. Pass it again: network=..."
            )
        return type(self)(self.features, **{**kept, **changes})

    def fit(
        self,
        bars: pd.DataFrame,
        *,
        leave_out: np.ndarray | None = None,
        validation: np.ndarray | None = None,
        progress: bool | OnEpoch | None = None,
        callbacks: Sequence[Any] = (),
    ) -> Self:
        """Train on ``bars`` and return self.

        Each member of the ensemble holds out another stretch of the bars, a ``validation`` share
        of them, and stops where its loss there is lowest; the ``horizon`` bars on either side of
        it are left out. A single member holds out the last bars.

        Args:
            bars: open high low close volume and what the features read besides.
            leave_out: true for bars whose label must not be learned from, shape (n_bars,).
            validation: true for the bars that all members hold out, shape (n_bars,); then no
                weight and no scaling has seen them.
            progress: True or False shows or hides a progress bar; None shows it where somebody
                looks; a function is called after each epoch instead.
            callbacks: Keras callbacks of your own; each is called in the training of every member
                in turn, with learning_rate, loss and val_loss after an epoch, loss after a batch.

        Raises:
            BarsError: at the first bad bar.
            FeatureError: if a feature looks ahead on these bars.
            TrainingError: if there are too few bars, or all labels are the same.
        """
        bars = validate_bars(bars)
        check_causal(self.features, bars, horizon=self.settings.horizon)
        rows, index = build_training_set(
            bars, self.features, self.settings, leave_out=leave_out, validation=validation
        )
        from lstm_strategy.learning.inference import build_engine
        from lstm_strategy.learning.training import fit_network

        with training_progress(
            progress, members=self.settings.members, epochs=self.settings.epochs
        ) as on_epoch:
            trained = fit_network(
                rows, self.settings, build=self.network, progress=on_epoch, callbacks=callbacks
            )
        self._network, self.history = trained.network, trained.history
        self.__dict__.pop("_files", None)
        self.engine, self._twin = build_engine(trained.network, rows.features)
        self._engine_name = "auto"
        has_chosen_rows = leave_out is not None or validation is not None
        self.card = self._written_card(bars, rows, index, has_chosen_rows=has_chosen_rows)
        return self

    def forecast(self, bars: pd.DataFrame) -> pd.DataFrame:
        """Forecasts for every bar, each known at the close of its row.

        Returns columns signal (exposure asked for, -1…1), forecast (how likely a rise
        is, 0…1, rises and falls weighted by their size, so that they cancel at 0.5) and spread
        (standard deviation between the members) on the index of ``bars``. NaN in the first
        ``warm_up`` rows, and where a feature isn't known.

        Raises:
            BarsError: at the first bad bar.
            FeatureError: if the bars lack a column that a feature reads.
            ModelError: if the forecaster hasn't been fitted.
        """
        members = self._forecasts_of_members(bars)
        return pd.DataFrame(
            np.column_stack(self.columns_of(members.to_numpy())),
            index=members.index,
            columns=FORECAST_COLUMNS,
        )

    def member_signals(self, bars: pd.DataFrame) -> pd.DataFrame:
        """The signal that each member of the ensemble alone would give.

        Returns shape (n_bars, seeds), -1…1; NaN where ``forecast`` is. Raises as ``forecast``.
        """
        members = self._forecasts_of_members(bars)
        return members.apply(lambda member: self.columns_of(member.to_numpy()[:, None])[0])

    def _forecasts_of_members(self, bars: pd.DataFrame) -> pd.DataFrame:
        self._fitted_card()
        bars = validate_bars(bars)
        features = self.features.frame(bars)
        known = features.notna().all(axis=1).to_numpy()
        frame = pd.DataFrame(np.nan, index=bars.index, columns=range(self.settings.members))
        if known.sum() >= self.settled_rows:
            rows = features.to_numpy()[known]
            frame.loc[known] = self._member_forecasts(rows, settled_rows=self.settled_rows)
        return frame

    def columns_of(self, members: np.ndarray) -> tuple[np.ndarray, ...]:
        """Signal, forecast, uncertainty from the members' forecasts, shape (n_rows, n_members)."""
        return self.settings.target.build_columns(members, self._fitted_card().signal)

    def with_memory(self, memory: str) -> Self:
        """The same trained network with the other memory, "carry" or "window".

        Raises:
            ModelError: if the forecaster hasn't been fitted.
        """
        settings = {**dict(self.settings), "memory": memory}
        other = type(self)(self.features, network=self.network, **settings)
        other._files, other._twin, other._engine_name = self._files, self._twin, self._engine_name
        other.history = self.history
        other.card = self._fitted_card().model_copy(update={"settings": other.settings})
        return other

    @property
    def scaling(self) -> pd.DataFrame:
        """Mean and standard deviation by which the network scales each feature.

        Raises:
            ModelError: if the forecaster hasn't been fitted, or its network has no layer
                "normalization" with one mean for each feature.
        """
        from lstm_strategy.learning.network import scaling_constants

        self._fitted_card()
        try:
            mean, std = scaling_constants(self._network)
        except (ValueError, AttributeError) as error:
            raise ModelError(f"The network's scaling can't be read: {error}") from error
        return pd.DataFrame({"mean": mean, "std": std}, index=self.features.names)

    def signal_scale(self, training_bars: pd.DataFrame) -> SignalScale:
        """Threshold and width of the signal as these training bars give them."""
        rows, _ = build_training_set(training_bars, self.features, self.settings)
        lookback = self.settings.lookback
        members = self._member_forecasts(rows.features, settled_rows=lookback)
        return self.settings.target.fit_scale(members[lookback - 1 :].mean(axis=1))

    def stream(self, history: pd.DataFrame | None = None) -> "ForecastStream":
        """The same forecasts bar by bar, starting after ``history`` if there is one.

        Raises:
            ModelError: if the forecaster hasn't been fitted.
        """
        from lstm_strategy.learning.forecaster.stream import ForecastStream

        self._fitted_card()
        return ForecastStream(self, None if history is None else validate_bars(history))

    def save(self, folder: str | Path) -> Path:
        """Write the model as a folder, whole or not at all; returns its path.

        Raises:
            ModelError: if the forecaster hasn't been fitted, or something that isn't a model is
                in the way.
        """
        card = self._fitted_card()
        save_model(Path(folder), self._files, card, self.history)
        return Path(folder)

    @classmethod
    def load(cls, folder: str | Path, *, engine: str = "auto") -> Self:
        """The forecaster that ``save`` wrote, giving the same numbers.

        Args:
            folder: where it was saved.
            engine: "onnx" forecasts with ONNX Runtime and imports neither Keras nor TensorFlow,
                "keras" with Keras; "auto" takes ONNX Runtime where the model has a twin for it
                and it is installed.

        Raises:
            ModelError: if the folder is missing, incomplete, of another version, or changed, or
                the model can't be run by the engine.
            FeatureError: if it needs another feature library.
        """
        from lstm_strategy.learning.inference import choose_engine

        folder = Path(folder)
        card = load_card(folder)
        engine = choose_engine(engine, has_onnx=bool(card.twin_sha256))
        forecaster = cls(FeatureSet.from_dict(card.features), **dict(card.settings))
        forecaster._files = load_files(folder, card, engine=engine)
        forecaster._twin, forecaster._engine_name = forecaster._files.twin, engine
        forecaster.card = card
        forecaster.engine  # noqa: B018  a network that can't be run is refused here
        forecaster.history = load_history(folder)
        return forecaster

    def __repr__(self) -> str:
        trained = f"trained to {self.training_end:%Y-%m-%d}" if self.is_fitted else "not fitted"
        target = self.settings.target.name
        own_network = builder_name(self.network) or (self.card.network if self.card else "")
        shape = f"network={own_network}" if own_network else f"units={self.settings.units}"
        return f"LSTMForecaster({target}, {shape}, {trained})"

    def _fitted_card(self) -> ModelCard:
        if self.card is None:
            raise ModelError("The forecaster isn't fitted. Call fit(bars) or load(folder) first.")
        return self.card

    def _member_forecasts(self, rows: np.ndarray, *, settled_rows: int) -> np.ndarray:
        from lstm_strategy.learning.inference import run_carried, run_windowed

        if self.settings.memory == "window":
            return run_windowed(self.engine, rows, lookback=self.settings.lookback)
        members, _ = run_carried(self.engine, rows, self.engine.initial_state(1))
        members[: settled_rows - 1] = np.nan
        return members

    def _written_card(
        self,
        bars: pd.DataFrame,
        rows: TrainingSet,
        index: pd.DatetimeIndex,
        *,
        has_chosen_rows: bool,
    ) -> ModelCard:
        from lstm_strategy.learning.network import keras

        members = self._member_forecasts(rows.features, settled_rows=self.settings.lookback)
        scale = self.settings.target.fit_scale(members[self.settings.lookback - 1 :].mean(axis=1))
        memory = None
        if self.settings.memory == "carry":
            lookback = self.settings.lookback
            memory = memory_span(
                self.engine, rows.features, self.settings.target, scale, lookback=lookback
            )
        return ModelCard(
            created=now(),
            settings=self.settings,
            features=self.features.to_dict(),
            training=TrainingSpan(
                start=bars.index[0],
                end=bars.index[-1],
                validation_start=index[rows.held_out[0].start],
                n_bars=len(bars),
                has_chosen_rows=has_chosen_rows,
                sha256=bars_fingerprint(bars),
            ),
            signal=scale,
            memory=memory,
            validation_scores=held_out_scores(rows, self.settings.target, members),
            versions={**library_versions(), self.features.library: self.features.library_version},
            backend=keras.backend.backend(),
            network=builder_name(self.network),
        )
