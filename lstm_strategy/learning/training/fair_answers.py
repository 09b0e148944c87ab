"""What members answer to held-out rows when nothing about the answer was chosen on them."""

from collections.abc import Sequence

import numpy as np

from lstm_strategy.learning.targets import Target
from lstm_strategy.learning.training.held_out import Spans
from lstm_strategy.learning.training.settings import ForecasterSettings
from lstm_strategy.learning.training.training_set import TrainingSet


def answer_fairly(
    answers: Sequence[np.ndarray], rows: TrainingSet, member: int, settings: ForecasterSettings
) -> np.ndarray:
    """Answer held-out rows as a member does that chose its epoch on other ones.

    Early stopping takes the epoch that does best on the held-out rows, so that what it answers
    there flatters it: on pure noise, too, the best of fifty epochs looks as if it knew something.
    Here each half of the rows is answered by the epoch that does best on the other half.

    Args:
        answers: After each epoch, shape (n_rows, n_outputs); NaN for rows that it wasn't asked.
        rows: The training rows.
        member: Whose held-out rows they are.
        settings: The target and its horizon.

    Returns:
        Shape (n_rows, n_outputs); NaN for other rows, and for the last ones of the first half,
        whose labels reach into the second.

    Example:
        >>> column = np.ones((6, 1))
        >>> rows = TrainingSet(column, column, column[:, 0], column[:, :0], (slice(0, 6),), 1)
        >>> sure, unsure = 0.9 * column, 0.5 * column
        >>> settings = ForecasterSettings()
        >>> answer_fairly([unsure, sure], rows, 0, settings)[:, 0].tolist()
        [0.9, 0.9, nan, 0.9, 0.9, 0.9]
    """
    halves = rows.halves_held_out_by(member)
    fair = np.full_like(answers[0], np.nan)
    for half, other in zip(halves, halves[::-1], strict=True):
        losses = [_mean_row_loss(epoch, rows, other, settings.target) for epoch in answers]
        if np.isfinite(losses).any():
            best = answers[int(np.nanargmin(losses))]
            for span in half:
                fair[span] = best[span]
    return fair


def _mean_row_loss(answers: np.ndarray, rows: TrainingSet, spans: Spans, target: Target) -> float:
    """The weighted mean loss on spans of rows; NaN without a row that counts."""
    is_known = [~np.isnan(answers[span]).any(axis=1) for span in spans]
    known = [np.flatnonzero(of) + span.start for of, span in zip(is_known, spans, strict=True)]
    if not sum(rows.weights[places].sum() for places in known) > 0:
        return float("nan")
    # market by market: the losses of a policy are those of rows that follow each other
    losses = [target.row_losses(rows.labels[places], answers[places]) for places in known]
    weights = rows.weights[np.concatenate(known)]
    return float(np.average(np.concatenate(losses), weights=weights))
