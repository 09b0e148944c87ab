"""Resampled returns: what every test and interval on a frame of bar returns is made from.

A frame of returns has one column per strategy and one row per bar, on dates that all share. A
return is simple (0.01 is 1 %) and known at the close of its row. Resamples and the length of their
blocks are written out here and held to arch's own in our tests: arch takes a second to import.
"""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from lstm_strategy.errors import TradingError
from lstm_strategy.support import count_of

FEWEST_BARS = 30
"""With fewer returns nothing is resampled; with fewer than some hundreds little can be shown."""

NO_SPREAD = 1e-13
"""A standard deviation up to this one is rounding: the series is flat."""


def at_equal_volatility(returns: pd.DataFrame) -> pd.DataFrame:
    """Return each column divided by its standard deviation, so that leverage wins nothing.

    Args:
        returns: Bar returns, one column per strategy.

    Returns:
        A frame of the same shape whose columns have a standard deviation (ddof 0) of one, so that
        a mean is a Sharpe ratio per bar. A column that never varies counts as cash: it is zero.

    Example:
        >>> returns = pd.DataFrame({"wild": [-0.1, 0.3], "cash": [0.0, 0.0]})
        >>> at_equal_volatility(returns).round(6).to_dict("list")
        {'wild': [-0.5, 1.5], 'cash': [0.0, 0.0]}
    """
    spread = returns.std(ddof=0)
    is_flat = ~(spread > NO_SPREAD)
    scaled = returns / spread.mask(is_flat, 1.0)
    scaled.loc[:, is_flat] = 0.0
    return scaled


def block_length(returns: pd.DataFrame) -> int:
    """Return the mean block length, in bars, of a stationary bootstrap of the returns.

    Source:
        Politis and White (2004), with the correction of Patton, Politis and White (2009): the
        longest that any column needs; 1 if all are flat.
    """
    values = returns.to_numpy(dtype=float)
    values = values[:, values.std(axis=0) > NO_SPREAD]
    if not values.shape[1]:
        return 1
    # The formula divides by a long-run variance and by sums that may be zero for odd series.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        longest = max(_block_length_of(column) for column in values.T)
    return max(1, math.ceil(longest if math.isfinite(longest) else math.sqrt(len(values))))


def _block_length_of(values: np.ndarray) -> float:
    """The mean block length, in bars, that one column needs; NaN where a sum is zero."""
    n_bars = len(values)
    centred = values - values.mean()
    n_quiet = max(5, int(math.log10(n_bars)))
    n_lags = math.ceil(math.sqrt(n_bars)) + n_quiet
    products = np.array([centred[lag:] @ centred[: n_bars - lag] for lag in range(n_lags + 1)])
    pairs = [(centred[lag + 1 :], centred[: -lag - 1]) for lag in range(n_lags + 1)]
    spreads = np.sqrt([(late @ late) * (early @ early) for late, early in pairs])
    is_quiet = np.abs(products) / spreads < 2.0 * math.sqrt(math.log10(n_bars) / n_bars)
    # the last lag before the first so many in a row that are no more than noise
    quiet_from = (lag for lag in range(n_lags + 1 - n_quiet) if is_quiet[lag : lag + n_quiet].all())
    m = min(2 * max(next(quiet_from, n_lags), 1), n_lags)
    lags = np.arange(1, m + 1)
    weights = np.where(lags / m <= 0.5, 1.0, 2.0 * (1.0 - lags / m))
    covariances = products[1 : m + 1] / n_bars
    slope = 2.0 * np.sum(weights * lags * covariances)
    variance = products[0] / n_bars + 2.0 * np.sum(weights * covariances)
    length = float(np.cbrt(slope**2 / variance**2 * n_bars))
    return min(length, math.ceil(min(3.0 * math.sqrt(n_bars), n_bars / 3.0)))


def resample_means(values: np.ndarray, block_bars: int, *, reps: int, seed: int) -> np.ndarray:
    """Return the column means of `reps` stationary-bootstrap samples, shape (reps, n_columns)."""
    n_bars = len(values)
    samples = resample_rows(n_bars, block_bars, reps=reps, seed=seed)
    # Counting how often a bar was drawn is six times as fast as copying the rows drawn.
    counts = (np.bincount(rows, minlength=n_bars).astype(float) for rows in samples)
    return np.array([drawn @ values for drawn in counts]) / n_bars


def resample_rows(n_bars: int, block_bars: int, *, reps: int, seed: int) -> Iterator[np.ndarray]:
    """Yield the row numbers of `reps` stationary-bootstrap samples, each of shape (n_bars,)."""
    random, places = np.random.default_rng(seed), np.arange(n_bars)
    for _ in range(reps):
        drawn = random.integers(n_bars, size=n_bars)
        is_start = random.random(n_bars) <= 1.0 / block_bars
        is_start[0] = True
        starts = np.maximum.accumulate(np.where(is_start, places, 0))
        yield (drawn[starts] + places - starts) % n_bars  # past the last bar comes the first


def check_returns(returns: pd.DataFrame, name: str | None = None) -> pd.DataFrame:
    """Return the returns as they are.

    Raises:
        TradingError: If there is no column `name`, if there are fewer than `FEWEST_BARS` rows, or
            at the first return that isn't finite.
    """
    if name is not None and name not in returns.columns:
        raise TradingError(
            f"The returns need a column {name!r}, got {', '.join(map(str, returns.columns))}."
        )
    if len(returns) < FEWEST_BARS:
        raise TradingError(
            f"Luck can't be judged on fewer than {FEWEST_BARS} bars, got {len(returns)}. "
            "Trade a longer span."
        )
    for column in returns:
        finite_values(returns[column])
    return returns


def finite_values(returns: pd.Series) -> np.ndarray:
    """Return the returns as an array of shape (n_bars,).

    Raises:
        TradingError: At the first return that isn't finite.
    """
    values = returns.to_numpy(dtype=float)
    is_bad = ~np.isfinite(values)
    if is_bad.any():
        raise TradingError(
            f"Returns must be finite, but {returns.name} is {values[is_bad][0]} at "
            f"{returns.index[is_bad][0]} ({count_of(int(is_bad.sum()), 'such row')}). "
            "Drop or fill them."
        )
    return values
