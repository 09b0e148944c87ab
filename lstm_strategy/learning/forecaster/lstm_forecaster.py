"""The forecaster that users hold: fit · forecast · stream · save · load."""

import json
import logging
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import pandas as pd

from lstm_strategy.bars import as_panel, find_differences, is_panel, validate_bars
from lstm_strategy.errors import ModelError, TrainingError, escape_controls
from lstm_strategy.learning.features import FeatureSet, FeatureSpecs, choose_features
from lstm_strategy.learning.forecaster.assessment import (
    LOOKBACKS_OF_CONTEXT,
    fit_signal_scale,
)
from lstm_strategy.learning.forecaster.feature_forecaster import FeatureForecaster
from lstm_strategy.learning.forecaster.fitting import join_vectors, train_model, usual_bars_per_year
from lstm_strategy.learning.forecaster.model_card import ModelCard
from lstm_strategy.learning.forecaster.settings_words import model_words, score_words
from lstm_strategy.learning.forecaster.storage import (
    CARD_FILE,
    CHECK_FILE,
    HISTORY_COLUMNS,
    builder_name,
    load_model,
    save_model,
)
from lstm_strategy.learning.forecaster.trained_network import TrainedNetwork
from lstm_strategy.learning.inference import Engine
from lstm_strategy.learning.targets import LabelFunction, SignalScale, Target
from lstm_strategy.learning.training import (
    ForecasterSettings,
    MarketInputs,
    OnBad,
    build_training_set,
    check_enough_bars,
)
from lstm_strategy.support import (
    OnEpoch,
    card_html,
    count_of,
    explain_arguments,
    line_svg,
    sha256_of,
)

if TYPE_CHECKING:
    from lstm_strategy.learning.network import NetworkBuilder, keras

log = logging.getLogger(__name__)


class LSTMForecaster(FeatureForecaster):
    """A Keras LSTM that forecasts the next bars, by default their direction.

    Args:
        features: What the network sees: a `FeatureSet`, or the list that makes one. None for what
            the target is best asked with, `target.features`: the preset "default" for the
            direction, "volatility" for the volatility, "momentum_and_volatility" for a policy
            that begins long.
        target: What the network is asked: a name ("direction", "return" and so on, see
            `lstm_strategy.learning.targets.TARGETS`), a target such as
            `Quantiles(levels=(0.1, 0.5, 0.9))`, or a function of your own. The function's
            `target(bars, horizon)` gives a Series of 0 and 1 on the index of the bars, NaN where
            the answer isn't known yet, that reads no bar more than `horizon` bars ahead (this is
            tried). Its labels all weigh the same, and it trains without `mirror`. The signal is
            above zero where a 1 is forecast with more than one half.
        horizon: Bars ahead that the target looks.
        units: Width of each LSTM layer, one to three layers.
        dropout: Share of LSTM outputs that are dropped in training. For this argument and others
            that are None by default the target says what it is best trained with: see
            `target.training`, and `settings` for what was chosen.
        learning_rate: Step size of AdamW.
        weight_decay: Decay of AdamW, on kernels only.
        lookback: Bars of each window with `memory="window"`; with "carry" the fewest that the
            memory is given to settle before the first forecast (it gets as many as it was
            measured to need). Training chunks are twice as long.
        memory: "carry" moves the LSTM's state from bar to bar through the whole feed, "window"
            starts afresh `lookback` bars before each forecast.
        epochs: The most epochs of training for each member; the steps shrink towards the last.
        batch_size: Chunks in one training step.
        patience: Epochs without a better validation loss before training stops.
        members: Networks of the ensemble; their mean is the forecast, their standard deviation
            the uncertainty.
        seed: Makes training repeatable on one machine.
        validation: Share of the bars that each member holds out and early stopping watches.
        mirror: Whether half of what a member sees in training is the mirror image of the bars,
            rises and falls exchanged. Turn it off where a drift is the pattern to be learned.
        scaling: Of a panel, "panel" scales every feature alike for all markets, and "market" first
            brings those of each market to the mean and deviation that the panel has: take it where
            their units differ. A market that wasn't in the training is scaled as the panel is, and
            so are bars without a symbol: forecast `{"ES": bars}` to say which market they are of.
        market_embedding: Numbers in a vector that each member learns of each market of a panel, and
            sees beside the features, so that one network may answer each market in its own way;
            0 for none. It needs a panel. A market that wasn't in the training gets the mean of the
            vectors, and so do bars without a symbol, as with `scaling`.
        network: A function of the number of features that gives a Keras network of your own in
            place of the LSTM, (batch, time, n_features) to (batch, time, n_outputs) with what the
            target's `head` asks for at the end, which is one sigmoid for the direction; `units`
            and `dropout` then mean nothing. Every layer must be recurrent with
            `return_sequences=True` or look at one bar alone. Layers and functions of your own need
            `@keras.saving.register_keras_serializable(package="mine")` above them.

    Attributes:
        features: What the network sees; `fit` measures its warm-up and memory on the bars.
        context: What only the target needs, likewise; None where it needs nothing.
        settings: All arguments but features and network.
        network: The user's own network builder, if there is one.
        card: Where the model came from; None before the training.
        history: One row per epoch, counted from 1: member, epoch, loss, val_loss.

    Raises:
        TrainingError: Naming the first argument that is off.
        FeatureError: If the features can't be used.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> bars = sample_bars().iloc[:800]
        >>> forecaster = LSTMForecaster(units=(16,), members=2, seed=7)
        >>> frame = forecaster.fit(bars.iloc[:600]).forecast(bars)  # doctest: +SKIP
        >>> forecaster.is_fitted, forecaster.horizon
        (False, 1)
    """

    settings: ForecasterSettings
    card: ModelCard | None = None
    learns_from_panels = True
    measures_novelty = True

    @explain_arguments(TrainingError)
    def __init__(
        self,
        features: FeatureSet | FeatureSpecs | None = None,
        *,
        target: str | Target | LabelFunction = "direction",
        horizon: int = 1,
        units: Sequence[int] = (24,),
        dropout: float | None = None,
        learning_rate: float | None = None,
        weight_decay: float | None = None,
        lookback: int = 60,
        memory: Literal["carry", "window"] = "carry",
        epochs: int | None = None,
        batch_size: int | None = None,
        patience: int | None = None,
        members: int = 5,
        seed: int = 0,
        validation: float = 0.2,
        mirror: bool | None = None,
        scaling: Literal["panel", "market"] = "panel",
        market_embedding: int = 0,
        network: "NetworkBuilder | None" = None,
    ) -> None:
        given = {
            "dropout": dropout,
            "learning_rate": learning_rate,
            "weight_decay": weight_decay,
            "epochs": epochs,
            "batch_size": batch_size,
            "patience": patience,
            "mirror": mirror,
        }
        self._given = {name: value for name, value in given.items() if value is not None}
        checked = ForecasterSettings.from_arguments(
            target=target,
            horizon=horizon,
            units=units,
            lookback=lookback,
            memory=memory,
            members=members,
            seed=seed,
            validation=validation,
            scaling=scaling,
            market_embedding=market_embedding,
            **self._given,
        )
        self._given = {name: getattr(checked, name) for name in self._given}
        self.features = choose_features(checked.target.features if features is None else features)
        best = checked.target.training.fit_to(
            units=checked.units, n_features=len(self.features.names)
        )
        self.settings = checked.model_copy(update={**asdict(best), **self._given})
        self.context = _choose_context(self.settings.target)
        self.network = network
        self.history = pd.DataFrame(columns=HISTORY_COLUMNS)
        self._trained: TrainedNetwork | None = None

    @property
    def is_fitted(self) -> bool:
        """Whether the forecaster has been trained or loaded."""
        return self.card is not None

    @property
    def takes_panels(self) -> bool:
        """Whether it was trained on a panel, so that `forecast` takes one."""
        return self.card is not None and bool(self.card.training.markets)

    @property
    def target(self) -> Target:
        """What the network is asked."""
        return self.settings.target

    @property
    def horizon(self) -> int:
        """Bars ahead that the target looks."""
        return self.settings.horizon

    @property
    def n_members(self) -> int:
        """Networks of the ensemble."""
        return self.settings.members

    @property
    def window_rows(self) -> int | None:
        """Rows that each forecast starts afresh from; None where the state is carried."""
        return self.settings.window_rows

    @property
    def settled_rows(self) -> int:
        """Complete rows of features that the first forecast needs, its own included.

        The lookback; for a carried memory the measured number of rows after which it has
        forgotten where it began, where that is more.
        """
        memory = self.card.memory if self.card and self.settings.memory == "carry" else None
        return max(self.settings.lookback, memory.bars if memory else 0)

    @property
    def context_bars(self) -> int:
        """Bars of history after which a forecast hardly depends on where the history began."""
        reach = max(LOOKBACKS_OF_CONTEXT * self.settings.lookback, self.settled_rows)
        return self.inputs.memory + reach

    @property
    def training_end(self) -> pd.Timestamp | None:
        """The last bar that the model has seen; up to here every result is in-sample."""
        return pd.Timestamp(self.card.training.end) if self.card else None

    @property
    def validation_scores(self) -> dict[str, float]:
        """The target's scores on the validation rows, and the number of these rows."""
        return self._fitted_card().validation_scores

    @property
    def engine(self) -> Engine:
        """What computes the network's forecasts; raises ModelError before the training."""
        return self._fitted_network().engine

    @property
    def keras_model(self) -> "keras.Model":
        """The trained Keras network: (batch, time, n_features) → (batch, time, n_members).

        Its scaling is inside, so it takes features as they come; loading one imports Keras. With a
        `market_embedding` or `scaling="market"` it takes `inputs_of(symbol).convert(features)`.

        Raises:
            ModelError: If the forecaster hasn't been fitted.
        """
        return self._fitted_network().keras_model

    @property
    def fingerprint(self) -> str | None:
        """A short name for all that decides a forecast but the bars and the code.

        None for a forecaster that isn't fitted, and for a class of the user's own.
        """
        if self.card is None or type(self) is not LSTMForecaster:
            return None
        decisive = [
            self._fitted_network().digest,
            self.settings.model_dump(mode="json"),
            self.inputs.to_dict(),
            self.card.model_dump(mode="json", include={"signal", "memory"}),
        ]
        novelty = self._fitted_network().novelty
        if novelty is not None:
            decisive.append(novelty.digest)
        markets = self.card.training.markets
        if markets:
            own = {"bars_per_year", "units", "vector"}
            decisive.append({s: m.model_dump(include=own) for s, m in markets.items()})
        return sha256_of(json.dumps(decisive))

    @property
    def scaling(self) -> pd.DataFrame:
        """Mean and standard deviation by which the network scales each feature.

        Raises:
            ModelError: If the forecaster hasn't been fitted, or its network has no layer
                "normalization" with one mean for each feature.
        """
        from lstm_strategy.learning.network import scaling_constants

        try:
            mean, std = scaling_constants(self.keras_model)
        except (ValueError, AttributeError) as error:
            raise ModelError(f"The network's scaling can't be read: {error}") from error
        names = self.features.names
        return pd.DataFrame({"mean": mean, "std": std}).iloc[: len(names)].set_axis(names)

    def with_costs(self, cost_rate: float | Mapping[str, float]) -> Self:
        """Return the forecaster where trading costs so much and its target doesn't say: untrained.

        Args:
            cost_rate: One-way cost of a trade as a share of its value.

        Returns:
            This forecaster, if its target doesn't ask for costs or has a rate of its own.
        """
        target = self.target.with_costs(cost_rate)
        return self if target == self.target else self.unfitted_copy(target=target)

    def unfitted_copy(self, **changes: Any) -> Self:
        """Return a forecaster with the same arguments, save for `changes`, untrained.

        Args:
            changes: Arguments of `LSTMForecaster`, by name.

        Raises:
            ModelError: If it was loaded and has a network of the user's own, which isn't saved.
            TrainingError: Naming the first argument that is off.
        """
        chosen = {name: None for name in asdict(self.target.training) if name not in self._given}
        network = changes.get("network", self.network)
        if self.card is not None and self.card.network and network is None:
            raise ModelError(
                f"The model was trained with the network {self.card.network}, whose function "
                "isn't part of a saved model. Pass it again: network=..."
            )
        return super().unfitted_copy(**{**chosen, **changes, "network": network})

    @explain_arguments(TrainingError)
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
        """Train on `bars` and return self.

        Each member of the ensemble holds out another stretch of the bars, a `validation` share
        of them, and stops where its loss there is lowest; the `horizon` bars on either side of
        it are left out. A single member holds out the last bars.

        On a panel one network learns from all markets, whose chunks come in random order and weigh
        alike. Stretches are cut by date, for all markets at once, and a label that shares time
        with one that is held out isn't learned from, whichever market it is of.

        Args:
            bars: Open, high, low, close, volume and what the features read besides; or a panel of
                such bars by symbol, such as `load_panel` gives.
            leave_out: True for bars whose label must not be learned from, shape (n_bars,); of a
                panel for its dates, shape (n_dates,), as `as_panel(bars).dates` has them.
            validation: True for the bars that all members hold out, in the same shape; then no
                weight and no scaling has seen them.
            on_bad: What to do where a market of a panel has too few bars or lacks what a feature
                reads: "raise" an error, or "drop" it and say so in the log.
            progress: True or False shows or hides a progress bar; None shows it where somebody
                looks; a function is called after each epoch instead.
            callbacks: Keras callbacks of your own; each is called in the training of every member
                in turn, with learning_rate, loss and val_loss after an epoch, loss after a batch.

        Raises:
            BarsError: At the first bad bar, or if a market of a panel shares no date with another.
            FeatureError: If a feature looks ahead on these bars.
            TrainingError: If there are too few bars, or all labels are the same. Of a panel each
                error names the market.
        """
        model = train_model(
            as_panel(bars) if is_panel(bars) else validate_bars(bars),
            self.features,
            self.settings,
            context=self.context,
            build=self.network,
            leave_out=leave_out,
            validation=validation,
            on_bad=on_bad,
            progress=progress,
            callbacks=callbacks,
        )
        self.features, self.context = model.features, model.context
        self.card, self.history, self._trained = model.card, model.history, model.network
        return self

    def with_memory(
        self, memory: Literal["carry", "window"], *, lookback: int | None = None
    ) -> Self:
        """Return the same trained network with another memory.

        Args:
            memory: "carry" or "window".
            lookback: Bars of a window; None for as many as before.

        Raises:
            ModelError: If the forecaster hasn't been fitted.
        """
        arguments = {
            **dict(self.settings),
            "memory": memory,
            "lookback": self.settings.lookback if lookback is None else lookback,
        }
        other = type(self)(self.features, network=self.network, **arguments)
        other.context = self.context
        other.history, other._trained = self.history, self._trained
        other.card = self._fitted_card().model_copy(update={"settings": other.settings})
        return other

    def signal_scale(self, training_bars: pd.DataFrame | Mapping[str, pd.DataFrame]) -> SignalScale:
        """The scale of the signal as these training bars give it.

        Args:
            training_bars: Valid bars or a panel of them, as for `fit`.

        Raises:
            ModelError: If the forecaster hasn't been fitted.
        """
        network = self._fitted_network()
        rows, _ = build_training_set(
            training_bars, self.features, self.settings, context=self.context
        )
        if rows.panel is not None:
            training = self._fitted_card().training
            rows = join_vectors(rows, [training.inputs_of(of).vector for of in rows.panel.symbols])
        year = usual_bars_per_year(training_bars)
        return fit_signal_scale(network, rows, self.settings, bars_per_year=year)

    def save(self, folder: str | Path) -> Path:
        """Write the model as a folder, whole or not at all, and return its path.

        Args:
            folder: Where to; an earlier model there is replaced.

        Raises:
            ModelError: If the forecaster hasn't been fitted, or the folder holds something that
                isn't a model.
        """
        network = self._fitted_network()
        save_model(
            Path(folder),
            network.files,
            self._fitted_card(),
            stored=network.stored,
            history=self.history,
            novelty=network.novelty,
        )
        return Path(folder)

    @classmethod
    def load(cls, folder: str | Path, *, engine: str = "auto") -> Self:
        """Load the forecaster that `save` wrote; it gives the same numbers.

        Args:
            folder: Where it was saved.
            engine: "onnx" forecasts with ONNX Runtime and imports neither Keras nor TensorFlow,
                "keras" with Keras; "auto" takes ONNX Runtime where the model has an ONNX model
                for it and it is installed.

        Raises:
            ModelError: If the folder is missing, incomplete, of another version, or changed, or
                the model can't be run by the engine.
            FeatureError: If it needs another feature library.
        """
        saved = load_model(Path(folder), engine=engine)
        card = saved.card
        features = FeatureSet.from_dict(card.features)
        n_columns = len(features.names) + card.settings.members * card.settings.market_embedding
        if n_columns != saved.stored.rows.shape[1]:
            raise ModelError(
                f"The files at {folder} don't belong together: {CARD_FILE} has "
                f"{n_columns} features, and {CHECK_FILE} {saved.stored.rows.shape[1]}. "
                "Restore the folder, or train the model again."
            )
        forecaster = cls(features, **dict(card.settings))
        forecaster.context = _read_context(card, needed=forecaster.context)
        forecaster._trained = TrainedNetwork.from_files(
            saved.files,
            stored=saved.stored,
            engine_name=saved.engine,
            keras_version=card.versions.get("keras", "unknown"),
            novelty=saved.novelty,
        )
        forecaster.card, forecaster.history = card, saved.history
        return forecaster

    def __repr__(self) -> str:
        state = f"trained to {self.training_end:%Y-%m-%d}" if self.is_fitted else "not fitted"
        own_network = self._own_network_name()
        own = f"network={own_network}" if own_network else f"units={self.settings.units}"
        return escape_controls(f"LSTMForecaster({self.target.name}, {own}, {state})")

    def _own_network_name(self) -> str:
        return builder_name(self.network) or (self.card.network if self.card else "")

    def _repr_html_(self) -> str:
        card = self.card
        facts: dict[str, object] = {
            **model_words(
                self.settings,
                self.features.to_dict(),
                network=self._own_network_name(),
                is_panel=self.takes_panels,
            )
        }
        parts = []
        if card is not None:
            span = card.training
            facts["Trained on"] = (
                f"{span.start:%Y-%m-%d} to {span.end:%Y-%m-%d}, {count_of(span.n_bars, 'bar')}"
            )
            scores = card.validation_scores.items()
            facts["Scores on held-out bars"] = ", ".join(
                f"{score_words(name)} {value:.4g}" for name, value in scores
            )
        if len(self.history):
            first = self.history[self.history["member"] == self.history["member"].iloc[0]]
            losses = first["val_loss"].to_list()
            parts.append(line_svg(losses, "Loss on held-out bars by epoch, first network"))
        state = "not trained yet" if card is None else f"trained to {self.training_end:%Y-%m-%d}"
        return card_html(f"LSTM forecaster, {state}", facts=facts, parts=parts)

    def check_enough_bars(self, n_bars: int) -> None:
        """Refuse fewer bars than a training needs.

        Raises:
            TrainingError: With the number that is needed, and what for.
        """
        check_enough_bars(self.settings, self.inputs, n_bars)

    def warn_of_other_bars(self, bars: pd.DataFrame) -> None:
        """Log once that valid bars have another spacing, timezone or scale than the training's.

        Of a panel those of the market that they are most like.
        """
        training = self._fitted_card().training
        of_markets = [market.traits for market in training.markets.values()]
        differences = find_differences(bars, *(of_markets or [training.traits]))
        if differences:
            _warn_of_other_bars("; ".join(differences))

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_registered": self._registered_layers()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        registered = state.pop("_registered", {})
        vars(self).update(state)
        if registered:
            from lstm_strategy.learning.network import register

            register(registered)

    def _registered_layers(self) -> dict[str, Any]:
        """What a network of a script's own needs in a process that doesn't run the script."""
        has_own_network = self.network is not None or (self.card and self.card.network)
        if not has_own_network or "keras" not in sys.modules:
            return {}
        from lstm_strategy.learning.network import registered_in_script

        return registered_in_script()

    def _forecast_rows(self, markets: Sequence[np.ndarray]) -> list[np.ndarray]:
        return self._fitted_network().forecast_rows(
            markets, settled_rows=self.settled_rows, window_rows=self.window_rows
        )

    def _forecast_rows_with_novelty(self, markets: Sequence[np.ndarray]) -> list[np.ndarray]:
        return self._fitted_network().forecast_with_novelty(
            markets, settled_rows=self.settled_rows, window_rows=self.window_rows
        )

    @property
    def _stepper(self) -> Engine:
        return self._fitted_network().engine_with_novelty

    @property
    def _scale(self) -> SignalScale:
        return self._fitted_card().signal

    def _scale_of(self, symbol: str | None) -> SignalScale:
        market = self._fitted_card().training.find_market(symbol)
        if market is None:
            return self._scale
        return self._scale.model_copy(update={"bars_per_year": market.bars_per_year})

    def inputs_of(self, symbol: str | None) -> MarketInputs:
        """What is done with the features of a market before the network takes them.

        Args:
            symbol: The market's name; None for one without.

        Raises:
            ModelError: If the forecaster hasn't been fitted.
        """
        return self._fitted_card().training.inputs_of(symbol)

    def _note_unknown(self, symbols: Iterable[str | None]) -> None:
        training = self._fitted_card().training
        if training.tells_markets_apart:
            unknown = tuple(of for of in symbols if training.find_market(of) is None)
            if unknown:
                _say_unknown(unknown, next(iter(training.markets)))

    def _fitted_card(self) -> ModelCard:
        if self.card is None:
            raise ModelError("The forecaster isn't fitted. Call fit(bars) or load(folder) first.")
        return self.card

    def _fitted_network(self) -> TrainedNetwork:
        self._fitted_card()
        assert self._trained is not None  # what has a card has a network
        return self._trained


def _choose_context(target: Target) -> FeatureSet | None:
    """What a target needs besides answers, as features; None where it needs nothing."""
    return FeatureSet(list(target.context)) if target.context else None


def _read_context(card: ModelCard, *, needed: FeatureSet | None) -> FeatureSet | None:
    """The context that a card describes, which must be the one that its target needs."""
    saved = None if card.context is None else FeatureSet.from_dict(card.context)
    if (saved and saved.specs) != (needed and needed.specs):
        raise ModelError(
            f"{CARD_FILE} is damaged: its context isn't what the target "
            f"{card.settings.target.name} needs. Restore it, or train the model again."
        )
    return saved


@cache
def _say_unknown(symbols: tuple[str | None, ...], known: str) -> None:
    """Say once that a model knows nothing of its own about the market of some bars."""
    if None in symbols:
        log.warning(
            "The bars have no symbol, and the model learned something of each of its markets: they "
            "are treated as what these have in common asks for. Name the market, if it is one of "
            "them: forecast({%r: bars}), or the name of the data in Cerebro.",
            known,
        )
        return
    shown = [str(of) for of in symbols[:3]]
    if len(symbols) > 3:
        shown.append(f"and {len(symbols) - 3} more")
    log.warning(
        "%s in the training, and the model learned something of each of its markets: %s treated as "
        "what they have in common asks for.",
        f"market {shown[0]} wasn't" if len(shown) == 1 else f"markets {', '.join(shown)} weren't",
        "it is" if len(shown) == 1 else "they are",
    )


@cache
def _warn_of_other_bars(differences: str) -> None:
    """Say once that a model is asked about bars unlike those that it was trained on."""
    log.warning(
        "The model wasn't trained on such bars: %s. Its forecasts may mean little here; "
        "train a model on bars like these.",
        differences,
    )
