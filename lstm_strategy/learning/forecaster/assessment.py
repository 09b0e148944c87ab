"""What is found out about a network right after its training, for its model card."""

import logging
from typing import TYPE_CHECKING

import numpy as np

from lstm_strategy.learning.forecaster.model_card import MemorySpan
from lstm_strategy.learning.inference import SIGNAL_TOLERANCE, network_memory
from lstm_strategy.learning.targets import SignalScale, Target
from lstm_strategy.learning.training import TrainingSet

if TYPE_CHECKING:
    from lstm_strategy.learning.inference import Engine

log = logging.getLogger(
    "lstm_strategy.learning.forecaster.lstm_forecaster"
)  # fit is what the user called

LOOKBACKS_OF_CONTEXT = 8
"""Carried memory may reach further back than the lookback."""


def memory_span(
    engine: "Engine", rows: np.ndarray, target: Target, scale: SignalScale, *, lookback: int
) -> MemorySpan:
    """How long the carried memory depends on where it began, measured on the training rows.

    ``rows`` has shape (n_rows, n_features). Where the memory never settles, that is logged as a
    warning and the span is as long as can be spared.
    """
    measured = network_memory(engine, rows, lambda members: target.build_columns(members, scale)[0])
    spared = min(LOOKBACKS_OF_CONTEXT * lookback, len(rows) // 4)
    if measured is None:
        log.warning(
            "The network still remembers its first row after half of the %s training rows, so "
            "forecasts begin after %s rows and depend a little on where the bars begin. "
            "Train on more bars, or with memory='window'.",
            f"{len(rows):,}", f"{spared:,}",
        )  # fmt: skip
    return MemorySpan(
        bars=spared if measured is None else measured,
        converged=measured is not None,
        tolerance=SIGNAL_TOLERANCE,
    )


def held_out_scores(rows: TrainingSet, target: Target, members: np.ndarray) -> dict[str, float]:
    """Log-loss, AUC and accuracy of each member on the rows that it held out, all together.

    ``members`` has the members' forecasts of all rows, shape (n_rows, n_members); NaN rows are
    left out. The AUC is NaN where all labels are the same.
    """
    parts = [
        (rows.labels[span], members[span, member], rows.weights[span])
        for member, span in enumerate(rows.held_out)
    ]
    labels, forecast, weights = (np.concatenate(part) for part in zip(*parts, strict=True))
    is_known = ~np.isnan(forecast)  # the first rows are still warming up
    return target.score(labels[is_known], forecast[is_known], weights[is_known])
