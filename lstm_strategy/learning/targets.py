"""What the network is asked: the only module of the package that looks forward.

Every series here is stamped with the bar at whose close it would be *forecast*, and known only
``horizon`` bars later.
"""

import numpy as np
import pandas as pd

from lstm_strategy.errors import TrainingError

TARGETS = ("direction",)


def forward_return(close: pd.Series, *, horizon: int) -> pd.Series:
    """Return from each close to the close ``horizon`` bars later.

    Returns shape (n_bars,), fractions; the last ``horizon`` values are NaN.

    >>> forward_return(pd.Series([100.0, 110.0, 99.0]), horizon=1).round(2).tolist()
    [0.1, -0.1, nan]
    """
    return close.shift(-horizon) / close - 1


def direction(close: pd.Series, *, horizon: int) -> pd.Series:
    """1 where the close ``horizon`` bars later is higher, else 0.

    Returns shape (n_bars,); an unchanged close counts as 0; the last ``horizon`` values are NaN.

    >>> direction(pd.Series([100.0, 110.0, 99.0]), horizon=1).tolist()
    [1.0, 0.0, nan]
    """
    later = forward_return(close, horizon=horizon)
    return (later > 0).astype(float).where(later.notna())


def target_labels(bars: pd.DataFrame, *, target: str, horizon: int) -> pd.Series:
    """The labels of ``target`` for each bar; NaN where the answer isn't known yet.

    Raises:
        TrainingError: for a target that isn't in ``TARGETS``.
    """
    if target not in TARGETS:
        known = ", ".join(TARGETS)
        raise TrainingError(f"target must be one of {known}, got {target!r}.")
    return direction(bars["close"], horizon=horizon)


def break_even_probability(returns: np.ndarray) -> float:
    """The probability of a rise at which the mean gain and the mean loss cancel.

    With mean rise ``u`` and mean fall ``d`` (both positive) the expected return ``p·u - (1-p)·d``
    is zero at ``p = d / (u + d)``. Without both rises and falls there is nothing to weigh: 0.5.

    >>> break_even_probability(np.array([0.01, 0.01, -0.03]))
    0.75
    """
    rises, falls = returns[returns > 0], returns[returns < 0]
    if not len(rises) or not len(falls):
        return 0.5
    mean_rise, mean_fall = rises.mean(), -falls.mean()
    return float(mean_fall / (mean_rise + mean_fall))
