"""The times of bars as whole numbers, so that a day ago is exactly a day ago."""

import numpy as np
import pandas as pd

NANOSECONDS_A_DAY = 86_400 * 10**9


def nanoseconds(index: pd.Index) -> np.ndarray:
    """The times of bars, shape (n_bars,), in nanoseconds."""
    return pd.DatetimeIndex(index).as_unit("ns").asi8


def years_passed(index: pd.Index) -> np.ndarray:
    """The time since the bar before, shape (n_bars,), in years of 365 days; NaN on the first."""
    times = nanoseconds(index) / (365 * NANOSECONDS_A_DAY)
    return np.diff(times, prepend=np.nan)
