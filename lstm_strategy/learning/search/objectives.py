"""What a search makes as good as it can: scores of forecasts that are out of sample."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True, eq=False)
class OutOfSampleForecasts:
    """What a trial forecast so far, every bar by a model that hadn't seen it.

    bars:       all up to the last that was forecast; later ones aren't known yet
    forecasts:  signal, forecast, uncertainty for the bars of the test folds so far
    settings:   those of the forecaster
    strategy:   parameters of the strategy that this trial tries
    """

    bars: pd.DataFrame
    forecasts: pd.DataFrame
    settings: Any
    strategy: dict[str, Any]


@dataclass(frozen=True)
class Objective:
    """What the search makes as high or as low as it can, out of sample."""

    name: str
    score: Callable[[OutOfSampleForecasts], float]
    is_better_high: bool = True


def log_loss_of(seen: OutOfSampleForecasts) -> float:
    """Log-loss of the forecasts, moves weighted by their size as in training; a coin: 0.6931."""
    labels, forecast, weights = _judged_rows(seen)
    forecast = np.clip(forecast, 1e-7, 1 - 1e-7)
    losses = -np.where(labels > 0.5, np.log(forecast), np.log(1 - forecast))
    return float(np.average(losses, weights=weights)) if weights.sum() > 0 else math.nan


def auc_of(seen: OutOfSampleForecasts) -> float:
    """How often a bar before a rise was forecast higher than one before a fall; a coin: 0.5."""
    from sklearn.metrics import roc_auc_score

    labels, forecast, _ = _judged_rows(seen)
    return float(roc_auc_score(labels, forecast)) if len(np.unique(labels)) == 2 else math.nan


LEARNING_OBJECTIVES = {
    "log_loss": Objective("log_loss", log_loss_of, is_better_high=False),
    "auc": Objective("auc", auc_of),
}


def _judged_rows(seen: OutOfSampleForecasts) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, forecasts and weights of the bars whose answer lies within the bars."""
    horizon = seen.settings.horizon
    labels = seen.settings.target.labels(seen.bars, horizon)
    weights = seen.settings.target.weights(seen.bars, horizon)
    rows = pd.DataFrame({"label": labels, "weight": weights}).reindex(seen.forecasts.index)
    rows["forecast"] = seen.forecasts["forecast"]
    rows = rows.dropna()
    return rows["label"].to_numpy(), rows["forecast"].to_numpy(), rows["weight"].to_numpy()
