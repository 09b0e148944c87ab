"""What the network is asked: the only module of the package that looks forward.

Every series here is stamped with the bar at whose close it would be *forecast*, and known only
``horizon`` bars later.
"""

import numpy as np
import pandas as pd

from lstm_strategy.errors import TrainingError

TARGETS = ("direction",)
_USUAL_BARS = 100
_LARGEST_WEIGHT = 3.0


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


def move_weights(close: pd.Series, *, horizon: int) -> pd.Series:
    """How much each label matters: the size of the move that decides it, against what is usual.

    The absolute forward return over its typical size, which is the standard deviation of the
    last 100 one-bar returns times the root of ``horizon``; at most 3. A rise of 2% among moves
    of 1% says more about what comes next, and earns more, than one of 0.02%; for normally
    distributed returns the weights make as much of 100 bars as bare directions of 157
    (an efficiency of 1 against 2/π). Returns shape (n_bars,); NaN in the last ``horizon`` rows.
    """
    usual = close.pct_change().rolling(_USUAL_BARS, min_periods=2).std() * np.sqrt(horizon)
    size = forward_return(close, horizon=horizon).abs()
    weights = (size / usual).clip(upper=_LARGEST_WEIGHT).where(usual > 0, 1.0)
    return weights.where(size.notna())
