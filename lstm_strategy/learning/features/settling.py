"""How many bars it takes to forget where history began: measured by beginning later."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lstm_strategy.learning.features.lookahead import ComputesColumns

if TYPE_CHECKING:
    pass

FEATURE_TOLERANCE = 1e-6
"""Of a column's standard deviation."""

_SETTLED_SHARE = 0.6  # agreement that begins later than this may be luck


def bars_to_agree(full: np.ndarray, later: np.ndarray, *, tolerance: float) -> int | None:
    """The number of bars after which a run that began later agrees with the full run for good.

    ``full`` and ``later`` hold the same bars, shape (n_bars,), beginning with the first bar of
    the later run. NaN agrees with nothing but NaN. None if there is no agreement in the last two
    fifths of the bars.

    >>> bars_to_agree(np.array([1.0, 1, 1, 1, 1]), np.array([0.0, 0.9, 1, 1, 1]), tolerance=0.01)
    2
    """
    with np.errstate(invalid="ignore"):
        agrees = (np.abs(full - later) <= tolerance) | (np.isnan(full) & np.isnan(later))
    n_bars = 0 if agrees.all() else int(len(agrees) - (~agrees)[::-1].argmax())
    return n_bars if n_bars <= _SETTLED_SHARE * len(agrees) else None


def feature_memories(
    features: ComputesColumns, bars: pd.DataFrame, *, full: pd.DataFrame | None = None
) -> dict[str, int | None]:
    """For each feature the bars that it needs to forget where history began, on these bars.

    The bar of the first such value is counted. Runs that begin after a quarter and after half of
    the bars are set beside the full run; the longer of the two counts. None for a feature that
    never agrees within ``FEATURE_TOLERANCE`` of its standard deviation.
    """
    full = features.frame(bars) if full is None else full
    later = {start: features.frame(bars.iloc[start:]) for start in (len(bars) // 4, len(bars) // 2)}
    first_values = {column.name: column.warm_up + 1 for column in features.columns}
    memories: dict[str, int | None] = {}
    for name in map(str, full.columns):
        found = [_memory(full[name].iloc[start:], frame[name]) for start, frame in later.items()]
        known = [memory for memory in found if memory is not None]
        never = len(known) < len(found)
        memories[name] = None if never else max(*known, first_values.get(name, 1) - 1) + 1
    return memories


def _memory(full: pd.Series, later: pd.Series) -> int | None:
    values, began = full.to_numpy(np.float64), later.to_numpy(np.float64)
    is_known = np.isfinite(began)
    spread = float(np.nanstd(values)) if np.isfinite(values).any() else 0.0
    # the first rows of a set are NaN until its slowest feature is there: they tell nothing
    told = np.where(is_known, values, np.nan)
    return bars_to_agree(told, began, tolerance=FEATURE_TOLERANCE * spread + 1e-15)
