"""How much worse a forecast becomes without a feature."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lstm_strategy.errors import ModelError
from lstm_strategy.learning.forecaster import LSTMForecaster
from lstm_strategy.learning.inspection.rows import InspectionRows

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

    A feature's values are cut into blocks of ``block_bars`` and the blocks shuffled, while the
    other features and the labels stay: it keeps its distribution and what it is like from bar to
    bar, and says nothing any more about where it stands (Breiman 2001; in blocks, because a network
    with a memory has never seen values that jump about). The network isn't trained again.

    ``start`` is the first bar that is judged, by default the first after the training; the bars
    before it settle the memory. Returns a row a feature, the most important first:

    - ``log_loss_rise``: mean rise of the log-loss, moves weighted by their size, over
      ``n_repeats`` shuffles. Zero or less: the forecast does without the feature.
    - ``standard_error``: of that mean, from the differences between stretches of
      max(``block_bars``, 50) bars, so that it covers the chance of the bars and of the shuffles.
    - ``auc_drop``: fall of the area under the ROC curve.

    Features that say the same stand in for each other: each may look unimportant.

    Raises:
        ModelError: if there is no trained network, or there are too few bars.
        TrainingError: as ``LSTMForecaster.fit`` for labels that can't be had.
    """
    if n_repeats < 1 or block_bars < 1:
        raise ModelError(
            f"n_repeats and block_bars must be at least 1, got {n_repeats} and {block_bars}."
        )
    read = InspectionRows.from_model(model, bars, start)
    judged = _choose_judged_rows(read, block_bars)
    intact = judged.losses(read.forecast(read.rows))
    random = np.random.default_rng(seed)
    found = []
    for column in range(read.rows.shape[1]):
        orders = [_blocks_shuffled(len(read.rows), block_bars, random) for _ in range(n_repeats)]
        shuffled = [read.forecast(_with_column_in(read.rows, column, order)) for order in orders]
        rise = np.mean([judged.losses(forecast) for forecast in shuffled], axis=0) - intact
        drop = judged.auc(read.forecast(read.rows)) - np.mean(list(map(judged.auc, shuffled)))
        found.append((*judged.mean_and_error(rise), drop))
    columns = ["log_loss_rise", "standard_error", "auc_drop"]
    frame = pd.DataFrame(found, index=read.forecaster.features.names, columns=columns)
    return frame.rename_axis("feature").sort_values("log_loss_rise", ascending=False)


@dataclass(frozen=True, eq=False)
class _Judged:
    """Labels and weights of the rows that are judged: ``rows`` are their positions."""

    rows: np.ndarray
    labels: np.ndarray
    weights: np.ndarray
    block_bars: int

    def losses(self, forecast: np.ndarray) -> np.ndarray:
        """Weighted log-loss of each row, scaled so that their mean is the mean log-loss."""
        known = np.clip(forecast[self.rows], 1e-7, 1 - 1e-7)
        losses = -np.where(self.labels > 0.5, np.log(known), np.log(1 - known))
        return losses * self.weights / self.weights.mean()

    def auc(self, forecast: np.ndarray) -> float:
        from sklearn.metrics import roc_auc_score

        has_both = len(np.unique(self.labels)) == 2
        return float(roc_auc_score(self.labels, forecast[self.rows])) if has_both else float("nan")

    def mean_and_error(self, values: np.ndarray) -> tuple[float, float]:
        """The mean, and its standard error from the means of stretches of bars."""
        n_blocks = len(values) // self.block_bars
        means = np.array([block.mean() for block in np.array_split(values, n_blocks)])
        return float(values.mean()), float(means.std(ddof=1) / np.sqrt(n_blocks))


def _blocks_shuffled(n_rows: int, block_bars: int, random: np.random.Generator) -> np.ndarray:
    """An order of the rows in which blocks have changed places, shape (n_rows,)."""
    blocks = np.array_split(np.arange(n_rows), max(1, n_rows // block_bars))
    return np.concatenate([blocks[number] for number in random.permutation(len(blocks))])


def _with_column_in(rows: np.ndarray, column: int, order: np.ndarray) -> np.ndarray:
    changed = rows.copy()
    changed[:, column] = rows[order, column]
    return changed


def _choose_judged_rows(read: InspectionRows, block_bars: int) -> _Judged:
    settings = read.forecaster.settings
    labels = settings.target.labels(read.bars, settings.horizon)
    weights = settings.target.weights(read.bars, settings.horizon)
    known = pd.DataFrame({"label": labels, "weight": weights})[read.is_complete]
    is_judged = known.notna().all(axis=1).to_numpy() & (np.arange(len(known)) >= read.first)
    stretch = max(block_bars, 50)
    if is_judged.sum() < _FEWEST_BLOCKS * stretch:
        raise ModelError(
            f"Importance needs at least {_FEWEST_BLOCKS * stretch} bars to judge, got "
            f"{is_judged.sum()}. Pass more bars, an earlier start or a smaller block_bars."
        )
    chosen = known[is_judged]
    return _Judged(
        np.flatnonzero(is_judged),
        chosen["label"].to_numpy(),
        chosen["weight"].to_numpy(),
        stretch,
    )
