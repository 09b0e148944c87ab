"""What a search makes as good as it can: scores of forecasts that are out of sample."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from lstm_strategy.bars import Panel, is_panel, proportional_bars
from lstm_strategy.learning.search.market_forecasts import split_markets
from lstm_strategy.learning.targets import BinaryTarget
from lstm_strategy.learning.training import ForecasterSettings


@dataclass(frozen=True, eq=False)
class OutOfSampleForecasts:
    """What a trial forecast so far, every bar by a model that hadn't seen it.

    Attributes:
        bars: All bars up to the last one that was forecast, or a panel of them; later ones aren't
            known yet.
        forecasts: Signal, forecast and uncertainty for the bars of the test folds so far; of a
            panel by symbol and date.
        settings: Those of the forecaster.
        strategy: Parameters of the strategy that this trial tries.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> bars = sample_bars("sp500")[:100]
        >>> forecasts = pd.DataFrame({"forecast": 0.5}, bars.index[50:])
        >>> len(OutOfSampleForecasts(bars, forecasts, ForecasterSettings(), {}).forecasts)
        50
    """

    bars: pd.DataFrame | Panel
    forecasts: pd.DataFrame
    settings: ForecasterSettings
    strategy: dict[str, Any]


@dataclass(frozen=True)
class Objective:
    """What a search makes as high or as low as it can, out of sample.

    Attributes:
        name: What tables call it.
        score: Scores the forecasts of a trial.
        is_better_high: Whether a higher score is the better one.

    Example:
        >>> confidence = Objective("confidence", lambda seen: seen.forecasts["signal"].abs().mean())
        >>> confidence.is_better_high
        True
    """

    name: str
    score: Callable[[OutOfSampleForecasts], float]
    is_better_high: bool = True


def log_loss_of(seen: OutOfSampleForecasts) -> float:
    """The log-loss of the forecasts, moves weighted by their size as in training.

    Args:
        seen: What a trial forecast so far.

    Returns:
        The mean loss, 0.6931 for a coin flip; NaN where no weight is above zero, and for a target
        that isn't answered by yes or no.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> bars = sample_bars("sp500")[:100]
        >>> coin_flips = pd.DataFrame({"forecast": 0.5}, bars.index[50:])
        >>> seen = OutOfSampleForecasts(bars, coin_flips, ForecasterSettings(), {})
        >>> round(log_loss_of(seen), 4)
        0.6931
    """
    labels, forecast, weights = _judged_rows(seen)
    if not weights.sum() > 0:
        return math.nan
    losses = seen.settings.target.row_losses(labels[:, None], forecast[:, None])
    return float(np.average(losses, weights=weights))


def auc_of(seen: OutOfSampleForecasts) -> float:
    """How often a bar before a rise was forecast higher than one before a fall.

    Args:
        seen: What a trial forecast so far.

    Returns:
        A share, 0.5 for a coin flip; NaN where all labels are the same, and for a target that
        isn't answered by yes or no.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> bars = sample_bars("sp500")[:100]
        >>> coin_flips = pd.DataFrame({"forecast": 0.5}, bars.index[50:])
        >>> auc_of(OutOfSampleForecasts(bars, coin_flips, ForecasterSettings(), {}))
        0.5
    """
    labels, forecast, _ = _judged_rows(seen)
    return float(roc_auc_score(labels, forecast)) if len(np.unique(labels)) == 2 else math.nan


LEARNING_OBJECTIVES = {
    "log_loss": Objective("log_loss", log_loss_of, is_better_high=False),
    "auc": Objective("auc", auc_of),
}
"""The objectives that need no trading, by name."""


def _judged_rows(seen: OutOfSampleForecasts) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, forecasts and weights of the bars whose answer lies within the bars.

    Nothing for a target whose forecast isn't the probability of a yes.
    """
    target, horizon = seen.settings.target, seen.settings.horizon
    if not isinstance(target, BinaryTarget):
        return (np.empty(0),) * 3
    if is_panel(seen.bars):
        parts = split_markets(seen.forecasts)
        rows = pd.concat(
            _label_rows(target, horizon, seen.bars[symbol], part) for symbol, part in parts.items()
        )
    else:
        rows = _label_rows(target, horizon, seen.bars, seen.forecasts)
    return rows["label"].to_numpy(), rows["forecast"].to_numpy(), rows["weight"].to_numpy()


def _label_rows(
    target: BinaryTarget, horizon: int, bars: pd.DataFrame, forecasts: pd.DataFrame
) -> pd.DataFrame:
    """Label, weight and forecast of the bars of one market whose answer is known."""
    bars = proportional_bars(bars)
    rows = pd.DataFrame(
        {"label": target.labels(bars, horizon), "weight": target.weights(bars, horizon)}
    ).reindex(forecasts.index)
    rows["forecast"] = forecasts["forecast"]
    return rows.dropna()
