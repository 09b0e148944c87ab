"""What is measured of a network right after its training, for its model card."""

import logging
from dataclasses import dataclass

import numpy as np

from lstm_strategy.learning.forecaster.model_card import MemorySpan
from lstm_strategy.learning.forecaster.trained_network import TrainedNetwork
from lstm_strategy.learning.inference import SIGNAL_TOLERANCE, Engine, network_memory
from lstm_strategy.learning.targets import SignalScale, Target
from lstm_strategy.learning.training import ForecasterSettings, TrainingSet

log = logging.getLogger(__name__)

LOOKBACKS_OF_CONTEXT = 8
"""Carried memory may reach further back than the lookback."""


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
    network: TrainedNetwork, rows: TrainingSet, settings: ForecasterSettings
) -> Assessment:
    """Measure a network on the rows that it was trained with."""
    members = network.forecast_rows(
        rows.features, settled_rows=settings.lookback, window_rows=settings.window_rows
    )
    scale = fit_signal_scale(members, settings)
    memory = None
    if settings.memory == "carry":
        memory = measure_memory(network.engine, rows.features, scale, settings)
    return Assessment(scale, memory, score_held_out_rows(rows, settings.target, members))


def fit_signal_scale(members: np.ndarray, settings: ForecasterSettings) -> SignalScale:
    """The scale that the members' forecasts of the training rows give."""
    return settings.target.fit_scale(members[settings.lookback - 1 :].mean(axis=1))


def measure_memory(
    engine: Engine, rows: np.ndarray, scale: SignalScale, settings: ForecasterSettings
) -> MemorySpan:
    """Measure how long the carried memory depends on where it began.

    Where the memory never settles, the span is as long as can be spared, and a warning is logged.
    """
    measured = network_memory(
        engine, rows, lambda members: settings.target.build_columns(members, scale)[0]
    )
    spared = min(LOOKBACKS_OF_CONTEXT * settings.lookback, len(rows) // 4)
    if measured is None:
        log.warning(
            "The network still remembers its first row after half of the %s training rows, so "
            "forecasts begin after %s rows and depend a little on where the bars begin. "
            "Train on more bars, or with memory='window'.",
            f"{len(rows):,}",
            f"{spared:,}",
        )
    return MemorySpan(
        bars=spared if measured is None else measured,
        converged=measured is not None,
        tolerance=SIGNAL_TOLERANCE,
    )


def score_held_out_rows(rows: TrainingSet, target: Target, members: np.ndarray) -> dict[str, float]:
    """The target's scores of each member on the rows that it held out, all taken together.

    `members` has the members' forecasts of all rows, shape (n_rows, n_members); rows where they
    are NaN are left out.
    """
    parts = [
        (rows.labels[span], members[span, member], rows.weights[span])
        for member, span in enumerate(rows.held_out)
    ]
    labels, forecast, weights = (np.concatenate(part) for part in zip(*parts, strict=True))
    is_known = ~np.isnan(forecast)  # the first rows are still warming up
    return target.score(labels[is_known], forecast[is_known], weights[is_known])
