"""What is measured of a network right after its training, for its model card."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lstm_strategy.learning.forecaster.model_card import MemorySpan
from lstm_strategy.learning.forecaster.trained_network import TrainedNetwork
from lstm_strategy.learning.inference import SIGNAL_TOLERANCE, Engine, network_memory
from lstm_strategy.learning.novelty import Novelty, fit_novelty
from lstm_strategy.learning.targets import AnsweredRows, SignalScale
from lstm_strategy.learning.training import ForecasterSettings, Spans, TrainingSet

log = logging.getLogger(__name__)

LOOKBACKS_OF_CONTEXT = 8
"""Carried memory may reach further back than the lookback."""

_MARKETS_MEASURED = 5  # of a panel, for the memory of the network
_ROWS_TOGETHER = 100_000  # whose hidden states are in memory at once
_MOST_STATES = 50_000  # of the rows of all markets, taken evenly


@dataclass(frozen=True)
class Assessment:
    """What the training rows show of a trained network.

    Attributes:
        signal: How its forecasts become signals.
        memory: How long its carried memory takes to settle; None without one.
        validation_scores: The target's scores on the rows that the members held out.
    """

    signal: SignalScale
    memory: MemorySpan | None
    validation_scores: dict[str, float]


def assess_network(
    network: TrainedNetwork,
    rows: TrainingSet,
    settings: ForecasterSettings,
    *,
    held_out: Sequence[np.ndarray],
    bars_per_year: float,
) -> Assessment:
    """Measure a network on the rows that it was trained with.

    `held_out` is what each member answered fairly to the rows that it held out.
    """
    answers = _answer_training_rows(network, rows, settings)
    tried = _take_held_out(rows, held_out, bars_per_year)
    scale = _fit_scale(answers, tried, rows, settings)
    memory = None
    if settings.memory == "carry":
        memory = measure_memory(network.engine, rows, scale, settings)
    return Assessment(scale, memory, settings.target.score(tried))


def measure_novelty(
    network: TrainedNetwork, rows: TrainingSet, settings: ForecasterSettings
) -> Novelty | None:
    """Measure which hidden states are usual for a network that was trained on these rows.

    None where its members have no recurrent layer, or too few rows were held out.
    """
    widths = network.engine.hidden_widths
    if len(widths) != settings.members or len(set(widths)) != 1:
        return None
    every = -(-len(rows.features) // _MOST_STATES)
    settled = [np.arange(of.start + settings.lookback - 1, of.stop) for of in rows.markets]
    places = [of_market[of_market % every == 0] for of_market in settled]
    kept = []
    for group in _group_markets(rows):
        found = network.hidden_states(
            [rows.features[rows.markets[number]] for number in group],
            window_rows=settings.window_rows,
        )
        for number, states in zip(group, found, strict=True):
            kept.append(states[places[number] - rows.markets[number].start])
    hidden, chosen = np.concatenate(kept), np.concatenate(places)

    def are_in(spans: Spans) -> np.ndarray:
        is_in = np.zeros(len(rows.features), bool)
        for span in spans:
            is_in[span] = True
        are_chosen_in: np.ndarray = is_in[chosen]
        return are_chosen_in

    members = range(settings.members)
    return fit_novelty(
        hidden.reshape(len(hidden), settings.members, -1),
        [are_in(rows.learned_by(member)) for member in members],
        [are_in(rows.held_out_by(member)) for member in members],
    )


def _group_markets(rows: TrainingSet) -> Iterator[list[int]]:
    """The numbers of markets that go through the network together."""
    group: list[int] = []
    n_rows = 0
    for number, market in enumerate(rows.markets):
        group.append(number)
        n_rows += market.stop - market.start
        if n_rows >= _ROWS_TOGETHER:
            yield group
            group, n_rows = [], 0
    if group:
        yield group


def fit_signal_scale(
    network: TrainedNetwork,
    rows: TrainingSet,
    settings: ForecasterSettings,
    *,
    bars_per_year: float,
) -> SignalScale:
    """The scale that a network's answers on its training rows give, its confidence left out."""
    answers = _answer_training_rows(network, rows, settings)
    nothing = AnsweredRows(
        rows.labels[:0], answers[:0, 0], rows.weights[:0], rows.context[:0], bars_per_year
    )
    return _fit_scale(answers, nothing, rows, settings)


def _answer_training_rows(
    network: TrainedNetwork, rows: TrainingSet, settings: ForecasterSettings
) -> np.ndarray:
    """The members' answers, shape (n_rows, n_members, n_outputs); NaN before they are settled."""
    flat = np.concatenate(
        network.forecast_rows(
            [rows.features[market] for market in rows.markets],
            settled_rows=settings.lookback,
            window_rows=settings.window_rows,
        )
    )
    return flat.reshape(len(flat), settings.members, -1)


def _fit_scale(
    answers: np.ndarray,
    held_out: AnsweredRows,
    rows: TrainingSet,
    settings: ForecasterSettings,
) -> SignalScale:
    settled = np.concatenate(
        [np.arange(market.start + settings.lookback - 1, market.stop) for market in rows.markets]
    )
    trained = AnsweredRows(
        labels=rows.labels[settled],
        answers=answers[settled].mean(axis=1),
        weights=rows.weights[settled],
        context=rows.context[settled],
        bars_per_year=held_out.bars_per_year,
    )
    return settings.target.fit_scale(trained, held_out, horizon=settings.horizon)


def measure_memory(
    engine: Engine, rows: TrainingSet, scale: SignalScale, settings: ForecasterSettings
) -> MemorySpan:
    """Measure how long the carried memory depends on where it began, in the longest markets.

    It is that of the signal before any confidence takes from it. Where the memory never settles,
    the span is as long as can be spared, and a warning is logged.
    """
    by_length = sorted(rows.markets, key=lambda market: market.start - market.stop)
    longest = by_length[:_MARKETS_MEASURED]
    memories = [
        _memory_in(engine, rows.features[market], rows.context[market], scale, settings)
        for market in longest
    ]
    known = [memory for memory in memories if memory is not None]
    measured = max(known) if len(known) == len(memories) else None
    n_rows = longest[0].stop - longest[0].start
    spared = min(LOOKBACKS_OF_CONTEXT * settings.lookback, n_rows // 4)
    if measured is None:
        log.warning(
            "The network still remembers its first row after half of the %s training rows, so "
            "forecasts begin after %s rows and depend a little on where the bars begin. "
            "Train on more bars, or with memory='window'.",
            f"{n_rows:,}",
            f"{spared:,}",
        )
    return MemorySpan(
        bars=spared if measured is None else measured,
        converged=measured is not None,
        tolerance=SIGNAL_TOLERANCE,
    )


def _memory_in(
    engine: Engine,
    features: np.ndarray,
    context: np.ndarray,
    scale: SignalScale,
    settings: ForecasterSettings,
) -> int | None:
    """The rows of one market after which its signals no longer depend on where they began."""
    unshrunk = scale.model_copy(update={"confidence": 1.0})

    def find_signals(flat: np.ndarray, span: slice) -> np.ndarray:
        answers = flat.reshape(len(flat), settings.members, -1)
        return settings.target.build_columns(answers, unshrunk, context[span])[0]

    return network_memory(engine, features, find_signals)


def _take_held_out(
    rows: TrainingSet, answers: Sequence[np.ndarray], bars_per_year: float
) -> AnsweredRows:
    """What each member answered on the rows that it held out, one member after the other.

    `answers` has those of each member to all rows, shape (n_rows, n_outputs). Rows that aren't
    answered are left out.
    """
    members = range(len(rows.held_out))
    places = [_places_of(rows.held_out_by(member)) for member in members]
    own = [by_row[place] for by_row, place in zip(answers, places, strict=True)]
    place, held_out = np.concatenate(places), np.concatenate(own)
    is_known = ~np.isnan(held_out).any(axis=1)
    place = place[is_known]
    dates = markets = None
    if rows.panel is not None:
        dates = rows.panel.dates[place]
        starts = [market.start for market in rows.markets]
        markets = np.searchsorted(starts, place, side="right") - 1
    return AnsweredRows(
        labels=rows.labels[place],
        answers=held_out[is_known],
        weights=rows.weights[place],
        context=rows.context[place],
        bars_per_year=bars_per_year,
        dates=dates,
        markets=markets,
    )


def _places_of(spans: Spans) -> np.ndarray:
    return np.concatenate([np.arange(span.start, span.stop) for span in spans])
