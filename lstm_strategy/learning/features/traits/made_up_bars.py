"""The made-up bars that indicators are measured on."""

from functools import cache

import numpy as np
import pandas as pd

from lstm_strategy.learning.features.indicators import (
    FeatureSpecs,
    bars_columns_of,
    column_roles,
)

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


def complete_bars(specs: FeatureSpecs, bars: pd.DataFrame) -> pd.DataFrame:
    """Add made-up numbers in the columns that features read and the bars lack.

    Args:
        specs: Features, checked.
        bars: Bars, shape (n_bars, n_columns); they stay as they are.

    Returns:
        The bars with these columns, always the same for the same bars.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> bars = complete_bars([{"kind": "premium"}], sample_bars())
        >>> bool((bars["spot_close"] / bars["close"] - 1).abs().max() < 0.01)
        True
    """
    columns: dict[str, np.ndarray | pd.Series] = {}
    for spec in specs:
        roles = column_roles(spec)
        for name in bars_columns_of(spec):
            if name not in bars:
                rng = np.random.default_rng(11)
                columns[name] = roles[name].make_up(bars, rng) if name in roles else bars["close"]
    return bars.assign(**columns)
