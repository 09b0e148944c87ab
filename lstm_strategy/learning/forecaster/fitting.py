"""From bars to a trained model with its card."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pandas as pd

from lstm_strategy.bars import (
    Panel,
    as_panel,
    bars_fingerprint,
    bars_per_year,
    check_common_dates,
    is_panel,
    measure_traits,
    proportional_markets,
    take_bars,
)
from lstm_strategy.errors import FeatureError, TrainingError
from lstm_strategy.learning.features import (
    FeatureSet,
    check_causal,
    check_training_inputs,
    join_features,
    settle_features,
)
from lstm_strategy.learning.forecaster.assessment import assess_network, measure_novelty
from lstm_strategy.learning.forecaster.model_card import MarketSpan, ModelCard, TrainingSpan
from lstm_strategy.learning.forecaster.storage import builder_name
from lstm_strategy.learning.forecaster.trained_network import TrainedNetwork
from lstm_strategy.learning.targets import Target
from lstm_strategy.learning.training import (
    ForecasterSettings,
    MarketInputs,
    OnBad,
    TrainingSet,
    build_training_set,
    drop_market,
)
from lstm_strategy.support import OnEpoch, library_versions, spell, training_progress

if TYPE_CHECKING:
    from lstm_strategy.learning.network import NetworkBuilder

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """What a training leaves.

    Attributes:
        features: What the network sees, settled on the bars.
        context: What the target needs besides, settled likewise; None where it needs nothing.
        network: The ensemble.
        card: Where it came from.
        history: One row per epoch: member, epoch, loss, val_loss.
    """

    features: FeatureSet
    context: FeatureSet | None
    network: TrainedNetwork
    card: ModelCard
    history: pd.DataFrame


def train_model(
    bars: pd.DataFrame | Panel,
    features: FeatureSet,
    settings: ForecasterSettings,
    *,
    context: FeatureSet | None = None,
    build: "NetworkBuilder | None" = None,
    leave_out: np.ndarray | None = None,
    validation: np.ndarray | None = None,
    on_bad: OnBad = "raise",
    progress: bool | OnEpoch | None = None,
    callbacks: Sequence[Any] = (),
) -> TrainedModel:
    """Train an ensemble on valid bars or a panel, as `LSTMForecaster.fit` describes it."""
    dropped: dict[str, str] = {}
    if is_panel(bars):
        given = as_panel(bars)
        bars, dropped = _choose_markets(
            given, join_features(features, context), settings.target, on_bad
        )
        leave_out, validation = (_pick_dates(of, given, bars) for of in (leave_out, validation))
    elif settings.market_embedding:
        raise TrainingError(
            f"{spell('market_embedding')} learns a vector of each market of a panel, and these are "
            "the bars of one. Train on several markets, or leave it out."
        )
    as_given, bars = bars, proportional_markets(bars)
    check_causal(features, bars, horizon=settings.horizon)
    features = settle_features(features, bars)
    context = None if context is None else settle_features(context, bars)
    rows, times = build_training_set(
        bars,
        features,
        settings,
        context=context,
        leave_out=leave_out,
        validation=validation,
        on_bad=on_bad,
    )
    if rows.panel is not None:
        assert is_panel(bars) and is_panel(as_given)
        _note_dropped(rows.panel.symbols, {**dropped, **rows.panel.dropped})
        bars = _take_markets(as_panel(bars), rows.panel.symbols)
        as_given = _take_markets(as_panel(as_given), rows.panel.symbols)
    from lstm_strategy.learning.inference import StoredForecasts, build_engine
    from lstm_strategy.learning.network import keras, usual_precision
    from lstm_strategy.learning.training import fit_network

    shown = training_progress(progress, members=settings.members, epochs=settings.epochs)
    with usual_precision():
        with shown as on_epoch:
            fit = fit_network(rows, settings, build=build, on_epoch=on_epoch, callbacks=callbacks)
        rows = join_vectors(rows, fit.vectors)
        longest = max(rows.markets, key=lambda market: market.stop - market.start)
        engine, onnx = build_engine(fit.network, rows.features[longest])
    network = TrainedNetwork.from_training(
        fit.network,
        engine=engine,
        onnx=onnx,
        stored=StoredForecasts.of(engine, rows.features[longest]),
        keras_version=keras.__version__,
    )
    network.novelty = measure_novelty(network, rows, settings)
    year = usual_bars_per_year(bars)
    assessment = assess_network(network, rows, settings, held_out=fit.held_out, bars_per_year=year)
    card = ModelCard(
        created=datetime.now(UTC),
        settings=settings,
        features=features.to_dict(),
        context=None if context is None else context.to_dict(),
        training=_describe_span(
            as_given,
            inputs=_inputs_of(rows, fit.vectors),
            validation_start=times[rows.held_out[0].start],
            has_chosen_rows=leave_out is not None or validation is not None,
        ),
        signal=assessment.signal,
        memory=assessment.memory,
        validation_scores=assessment.validation_scores,
        versions={**library_versions(), features.library: features.library_version},
        backend=keras.backend.backend(),
        network=builder_name(build),
    )
    return TrainedModel(features, context, network, card, fit.history)


def join_vectors(rows: TrainingSet, vectors: Sequence[Sequence[float]] | np.ndarray) -> TrainingSet:
    """The rows with the vector of their market behind the features, as a network takes them.

    Args:
        rows: The rows of a panel, or of one market where there are no vectors.
        vectors: What was learned of each market, in the order of the rows.
    """
    if not len(vectors) or not len(vectors[0]):
        return rows
    parts = [
        MarketInputs(vector=tuple(vector)).convert(rows.features[market])
        for market, vector in zip(rows.markets, vectors, strict=True)
    ]
    return replace(rows, features=np.concatenate(parts))


def _inputs_of(rows: TrainingSet, vectors: np.ndarray) -> dict[str, MarketInputs]:
    """What is done with the rows of each market of a panel before the network takes them."""
    if rows.panel is None:
        return {}
    units, symbols = rows.panel.units, rows.panel.symbols
    known = vectors.tolist() if len(vectors) else [()] * len(symbols)
    return {
        symbol: MarketInputs(units.get(symbol), tuple(vector))
        for symbol, vector in zip(symbols, known, strict=True)
    }


def _choose_markets(
    panel: Panel, inputs: FeatureSet, target: Target, on_bad: OnBad
) -> tuple[Panel, dict[str, str]]:
    """The markets with all that the features and the target read, and why the others are left out.

    Raises:
        BarsError: Naming a market that shares no date with another.
        FeatureError: Naming the first market that lacks something, or if all do.
    """
    if on_bad not in get_args(OnBad):
        raise TrainingError(f'on_bad must be "raise" or "drop", got {on_bad!r}. Choose one.')
    if on_bad == "raise":
        check_common_dates(panel)
    kept: list[str] = []
    dropped: dict[str, str] = {}
    for symbol in panel:
        with drop_market(symbol, dropped, on_bad):
            bars = panel[symbol]
            target.in_market(symbol)
            check_training_inputs(inputs, bars)
            kept.append(symbol)
    if not kept:
        raise FeatureError(
            f"no market of the panel can be learned from: {next(iter(dropped.values()))}"
        )
    return _take_markets(panel, kept), dropped


def _pick_dates(mask: np.ndarray | None, given: Panel, kept: Panel) -> np.ndarray | None:
    """What is true for the dates of a panel, for those of some of its markets."""
    return None if mask is None else mask[given.dates.isin(kept.dates)]


def _take_markets(panel: Panel, symbols: Sequence[str]) -> Panel:
    if len(symbols) == len(panel):
        return panel
    return take_bars(panel, dict.fromkeys(symbols, slice(None)))


def _note_dropped(symbols: Sequence[str], dropped: Mapping[str, str]) -> None:
    """Count the markets in the log that weren't learned from."""
    if dropped:
        log.warning(
            "The training leaves out %d of %d markets: %s",
            len(dropped),
            len(dropped) + len(symbols),
            " ".join(dropped.values()),
        )


def usual_bars_per_year(bars: pd.DataFrame | Mapping[str, pd.DataFrame]) -> float:
    """How many bars a year has; of a panel the median of its markets."""
    if not is_panel(bars):
        return bars_per_year(pd.DatetimeIndex(bars.index))
    return float(np.median([usual_bars_per_year(of_market) for of_market in bars.values()]))


def _describe_span(
    bars: pd.DataFrame | Panel,
    *,
    inputs: Mapping[str, MarketInputs],
    validation_start: pd.Timestamp,
    has_chosen_rows: bool,
) -> TrainingSpan:
    if not is_panel(bars):
        return TrainingSpan(
            start=bars.index[0],
            end=bars.index[-1],
            validation_start=validation_start,
            n_bars=len(bars),
            traits=measure_traits(bars),
            has_chosen_rows=has_chosen_rows,
            sha256=bars_fingerprint(bars),
        )
    panel = as_panel(bars)
    markets = {
        symbol: _describe_market(of_market, inputs[symbol]) for symbol, of_market in panel.items()
    }
    return TrainingSpan(
        start=panel.dates[0],
        end=panel.dates[-1],
        validation_start=validation_start,
        n_bars=sum(market.n_bars for market in markets.values()),
        traits=max(markets.values(), key=lambda market: market.n_bars).traits,
        has_chosen_rows=has_chosen_rows,
        sha256=panel.fingerprint,
        markets=markets,
    )


def _describe_market(bars: pd.DataFrame, inputs: MarketInputs) -> MarketSpan:
    return MarketSpan(
        start=bars.index[0],
        end=bars.index[-1],
        n_bars=len(bars),
        bars_per_year=usual_bars_per_year(bars),
        traits=measure_traits(bars),
        sha256=bars_fingerprint(bars),
        units=inputs.units,
        vector=inputs.vector,
    )
