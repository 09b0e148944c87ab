"""What the network is asked: the only module of the package that looks forward.

Every series here is stamped with the bar at whose close it would be *forecast*, and known only
``horizon`` bars later.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from lstm_strategy.errors import TrainingError

TARGETS = ("direction",)
OWN_TARGET = "own:"
"""How the name of a user's own target begins where its function can't be, as in a saved model."""

Target = str | Callable[[pd.DataFrame, int], pd.Series]
"""One of ``TARGETS``, or a function of bars and horizon that gives labels."""

_USUAL_BARS = 100
_N_CUTS = 20
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


def target_name(target: Target) -> str:
    """A target as plain text; that of a user's own function begins with ``own:``."""
    if isinstance(target, str):
        return target
    name = getattr(target, "__qualname__", type(target).__qualname__)
    return f"{OWN_TARGET}{target.__module__}.{name}"


def target_labels(bars: pd.DataFrame, *, target: Target, horizon: int) -> pd.Series:
    """The labels of ``target`` for each bar; NaN where the answer isn't known yet.

    Raises:
        TrainingError: for a target that isn't in ``TARGETS``, or a user's own whose labels aren't
            0, 1 and NaN on the index of the bars, or read more than ``horizon`` bars ahead.
    """
    if callable(target):
        return _own_labels(bars, target, horizon)
    if target.startswith(OWN_TARGET):
        raise TrainingError(
            f"The function of the target {target.removeprefix(OWN_TARGET)} isn't part of a saved "
            "model. Pass it again: target=..."
        )
    if target not in TARGETS:
        known = ", ".join(TARGETS)
        raise TrainingError(f"target must be one of {known}, got {target!r}.")
    return direction(bars["close"], horizon=horizon)


def label_weights(bars: pd.DataFrame, *, target: Target, horizon: int) -> pd.Series:
    """How much each label matters: ``move_weights`` for the direction, else the same for all."""
    if target == "direction":
        return move_weights(bars["close"], horizon=horizon)
    return pd.Series(1.0, index=bars.index)


def _own_labels(
    bars: pd.DataFrame, target: Callable[[pd.DataFrame, int], pd.Series], horizon: int
) -> pd.Series:
    labels = _checked_labels(target(bars.copy(), horizon), bars)
    # a label of 0 that should be unknown is often right by chance: so try many places
    for cut in np.linspace(0, len(bars), _N_CUTS + 2).astype(int)[1:-1]:
        first_bars = bars.iloc[:cut]
        known = _checked_labels(target(first_bars.copy(), horizon), first_bars)
        certain = max(0, cut - horizon)
        differs = known.iloc[:certain].compare(labels.iloc[:certain])
        if len(differs):
            raise TrainingError(
                f"target must read no bar more than {horizon} bars (the horizon) ahead, but the "
                f"label of {differs.index[0]} changes when the bars from {bars.index[cut]} on are "
                "removed. Raise horizon, or mend the target."
            )
    return labels


def _checked_labels(labels: object, bars: pd.DataFrame) -> pd.Series:
    if not isinstance(labels, pd.Series) or not labels.index.equals(bars.index):
        raise TrainingError(
            "target must give a pandas Series on the index of the bars, got "
            f"{type(labels).__name__}. Build it from columns of the bars."
        )
    labels = labels.astype(float)
    is_wrong = ~(labels.isna() | labels.isin([0.0, 1.0]))
    if is_wrong.any():
        raise TrainingError(
            f"target must give 0, 1 or NaN, got {labels[is_wrong].iloc[0]:g} at "
            f"{labels.index[is_wrong][0]}. Compare with a threshold, then .astype(float)."
        )
    return labels


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
