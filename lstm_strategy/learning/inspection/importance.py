"""How much worse a forecast becomes without a feature."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from lstm_strategy.errors import ModelError
from lstm_strategy.learning.forecaster import LSTMForecaster
from lstm_strategy.learning.inspection.rows import InspectionRows
from lstm_strategy.learning.targets import BinaryTarget, Target

_FEWEST_BLOCKS = 5


def feature_importance(
    model: LSTMForecaster | str | Path,
    bars: pd.DataFrame,
    *,
    start: Any = None,
    n_repeats: int = 10,
    block_bars: int = 20,
    seed: int = 0,
) -> pd.DataFrame:
    """How much worse the forecast becomes when one feature is shuffled in time.

    A feature's values are cut into blocks and the blocks shuffled, while the other features and
    the labels stay: the feature keeps its distribution and what it is like from bar to bar, and no
    longer says anything about where it stands. (In blocks, because a network with a memory has
    never seen values that jump about.) The network isn't trained again. Features that say the
    same thing stand in for each other: each may look unimportant.

    Args:
        model: A trained `LSTMForecaster`, or the folder of a saved one.
        bars: Bars with what the features read, shape (n_bars, n_columns).
        start: The first bar that is judged; by default the first after the training. The bars
            before it settle the memory.
        n_repeats: Shuffles of each feature.
        block_bars: Bars in a block.
        seed: Chooses the shuffles.

    Returns:
        A row a feature, the most important first. log_loss_rise (for another target than the
        direction the rise of its own loss, such as qlike_rise): mean rise of the loss, weighted
        as in training; zero or less where the forecast does without the feature.
        standard_error: of that mean, from the differences between stretches of
        max(`block_bars`, 50) bars, so that it covers the chance of the bars and of the shuffles.
        auc_drop: fall of the area under the ROC curve, NaN where all labels are the same or
        aren't yes and no.

    Raises:
        ModelError: If there is no trained network, or there are too few bars.
        TrainingError: As `LSTMForecaster.fit` for labels that can't be had.

    Source: Breiman (2001), "Random Forests", section 10.

    Example:
        >>> feature_importance("models/sp500", bars)["log_loss_rise"]  # doctest: +SKIP
    """
    if n_repeats < 1 or block_bars < 1:
        raise ModelError(
            f"n_repeats and block_bars must be at least 1, got {n_repeats} and {block_bars}."
        )
    inspection = InspectionRows.from_model(model, bars, start)
    judged = _choose_judged_rows(inspection, block_bars)
    rows = inspection.rows
    answers = inspection.answer(rows)
    losses, auc = judged.losses(answers), judged.auc(answers)
    random = np.random.default_rng(seed)
    table = []
    for column in range(rows.shape[1]):
        orders = [_shuffle_blocks(len(rows), block_bars, random) for _ in range(n_repeats)]
        shuffled = [inspection.answer(_reorder_column(rows, column, order)) for order in orders]
        rise = np.mean([judged.losses(answers) for answers in shuffled], axis=0) - losses
        drop = auc - np.mean([judged.auc(answers) for answers in shuffled])
        table.append((*judged.mean_and_error(rise), drop))
    rise_name = f"{judged.target.loss_name}_rise"
    columns = [rise_name, "standard_error", "auc_drop"]
    frame = pd.DataFrame(table, index=inspection.forecaster.features.names, columns=columns)
    return frame.rename_axis("feature").sort_values(rise_name, ascending=False)


@dataclass(frozen=True, eq=False)
class _JudgedRows:
    """Labels and weights of the rows that are judged: `rows` are their positions."""

    target: Target
    rows: np.ndarray
    labels: np.ndarray
    weights: np.ndarray
    block_bars: int

    def losses(self, answers: np.ndarray) -> np.ndarray:
        """Weighted loss of each row, scaled so that their mean is the mean loss."""
        losses = self.target.row_losses(self.labels, answers[self.rows])
        weighted: np.ndarray = losses * self.weights / self.weights.mean()
        return weighted

    def auc(self, answers: np.ndarray) -> float:
        """Area under the ROC curve; NaN where all labels are the same, or aren't yes and no."""
        if not isinstance(self.target, BinaryTarget) or len(np.unique(self.labels)) < 2:
            return float("nan")
        return float(roc_auc_score(self.labels[:, 0], answers[self.rows, 0]))

    def mean_and_error(self, values: np.ndarray) -> tuple[float, float]:
        """The mean, and its standard error from the means of stretches of bars."""
        n_blocks = len(values) // self.block_bars
        means = np.array([block.mean() for block in np.array_split(values, n_blocks)])
        return float(values.mean()), float(means.std(ddof=1) / np.sqrt(n_blocks))


def _shuffle_blocks(n_rows: int, block_bars: int, random: np.random.Generator) -> np.ndarray:
    """Choose an order of the rows in which blocks have changed places, shape (n_rows,)."""
    blocks = np.array_split(np.arange(n_rows), max(1, n_rows // block_bars))
    return np.concatenate([blocks[number] for number in random.permutation(len(blocks))])


def _reorder_column(rows: np.ndarray, column: int, order: np.ndarray) -> np.ndarray:
    changed = rows.copy()
    changed[:, column] = rows[order, column]
    return changed


def _choose_judged_rows(inspection: InspectionRows, block_bars: int) -> _JudgedRows:
    settings = inspection.forecaster.settings
    labels = pd.DataFrame(settings.target.labels(inspection.bars, settings.horizon)).to_numpy()
    weights = settings.target.weights(inspection.bars, settings.horizon).to_numpy()
    labels, weights = labels[inspection.is_complete], weights[inspection.is_complete]
    is_known = ~np.isnan(labels).any(axis=1) & ~np.isnan(weights)
    is_judged = is_known & (np.arange(len(labels)) >= inspection.first)
    stretch = max(block_bars, 50)
    if is_judged.sum() < _FEWEST_BLOCKS * stretch:
        raise ModelError(
            f"Importance needs at least {_FEWEST_BLOCKS * stretch} bars to judge, got "
            f"{is_judged.sum()}. Pass more bars, an earlier start or a smaller block_bars."
        )
    return _JudgedRows(
        target=settings.target,
        rows=np.flatnonzero(is_judged),
        labels=labels[is_judged],
        weights=weights[is_judged],
        block_bars=stretch,
    )
