"""The made-up bars that indicators are measured on."""

from functools import cache

import numpy as np
import pandas as pd

PRICES = ["open", "high", "low", "close"]


@cache
def random_walk_bars(n_bars: int) -> pd.DataFrame:
    """Bars of a random walk with lively volume, always the same for the same length."""
    rng = np.random.default_rng(7)
    log_close = np.cumsum(rng.normal(0, 0.01, n_bars))
    close = 100 * np.exp(log_close)
    open_ = np.r_[100.0, close[:-1]] * np.exp(rng.normal(0, 0.002, n_bars))
    wick = np.exp(np.abs(rng.normal(0, 0.004, (2, n_bars))))
    return pd.DataFrame(
        {
            "open": open_,
            "high": np.maximum(open_, close) * wick[0],
            "low": np.minimum(open_, close) / wick[1],
            "close": close,
            "volume": np.exp(rng.normal(12, 0.4, n_bars)),
        },
        index=pd.date_range("1990-01-01", periods=n_bars, freq="D", name="datetime"),
    )


@cache
def coarse_bars(n_bars: int) -> pd.DataFrame:
    """The same bars on a grid of a tenth, at a fifth of the price: many prices tie."""
    bars = random_walk_bars(n_bars)
    return bars.assign(**(bars[PRICES] / 5).round(1))
