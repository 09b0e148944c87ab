"""How many bars it takes to forget where history began: measured by beginning later."""

import numpy as np
import pandas as pd

from lstm_strategy.learning.features.feature_set import FeatureSet

FEATURE_TOLERANCE = 1e-6
"""Of a column's standard deviation."""

_SETTLED_SHARE = 0.6  # agreement that begins later than this may be luck


def bars_to_agree(full: np.ndarray, later: np.ndarray, *, tolerance: float) -> int | None:
    """Count the bars after which a run that began later agrees with the full run for good.

    Args:
        full: Values of the full run, shape (n_bars,), from the first bar of the later run on.
        later: Values of the later run, same shape. NaN agrees with nothing but NaN.
        tolerance: How far apart values may be and still agree.

    Returns:
        The number of bars; None if there is no agreement in the last two fifths of them.

    Example:
        >>> bars_to_agree(
        ...     np.array([1.0, 1, 1, 1, 1]), np.array([0.0, 0.9, 1, 1, 1]), tolerance=0.01
        ... )
        2
    """
    with np.errstate(invalid="ignore"):
        agrees = (np.abs(full - later) <= tolerance) | (np.isnan(full) & np.isnan(later))
    n_bars = 0 if agrees.all() else int(len(agrees) - (~agrees)[::-1].argmax())
    return n_bars if n_bars <= _SETTLED_SHARE * len(agrees) else None


def feature_memories(
    features: FeatureSet, bars: pd.DataFrame, *, full: pd.DataFrame | None = None
) -> dict[str, int | None]:
    """Measure for each feature the bars that it needs to forget where history began.

    Runs that begin after a quarter and after half of the bars are set beside the full run; the
    longer of the two counts.

    Args:
        features: What is measured.
        bars: Valid bars.
        full: What `features.frame(bars)` gives, if it is there already.

    Returns:
        By column the number of bars, that of the first such value included; None for one that
        never agrees within `FEATURE_TOLERANCE` of its standard deviation.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> features = FeatureSet([{"kind": "sma", "length": 7}])
        >>> feature_memories(features, sample_bars().iloc[:200])
        {'SMA_7': 7}
    """
    full = features.frame(bars) if full is None else full
    later = {start: features.frame(bars.iloc[start:]) for start in (len(bars) // 4, len(bars) // 2)}
    warm_ups = {column.name: column.warm_up for column in features.columns}
    memories: dict[str, int | None] = {}
    for name in map(str, full.columns):
        settled = [
            _bars_to_settle(full[name].iloc[start:], frame[name]) for start, frame in later.items()
        ]
        known = [n_bars for n_bars in settled if n_bars is not None]
        never = len(known) < len(settled)
        memories[name] = None if never else max(*known, warm_ups.get(name, 0)) + 1
    return memories


def _bars_to_settle(full: pd.Series, later: pd.Series) -> int | None:
    """`bars_to_agree` of one column, with the tolerance that its size asks for."""
    values, began = full.to_numpy(np.float64), later.to_numpy(np.float64)
    deviation = float(np.nanstd(values)) if np.isfinite(values).any() else 0.0
    # the first rows of a set are NaN until its slowest feature is there: they say nothing
    comparable = np.where(np.isfinite(began), values, np.nan)
    return bars_to_agree(comparable, began, tolerance=FEATURE_TOLERANCE * deviation + 1e-15)
