"""Resampled returns: what every test and interval on a frame of bar returns is made from.

A frame of returns has one column per strategy and one row per bar, on dates that all share. A
return is simple (0.01 is 1 %) and known at the close of its row. `arch` draws the resamples and
chooses the length of their blocks.
"""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from lstm_strategy.errors import TradingError

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
    from arch.bootstrap import optimal_block_length  # a second to import

    values = returns.to_numpy(dtype=float)
    values = values[:, values.std(axis=0) > NO_SPREAD]
    if not values.shape[1]:
        return 1
    # The formula divides by a long-run variance and by sums that may be zero for odd series.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        longest = optimal_block_length(values)["stationary"].max()
    return max(1, math.ceil(longest if math.isfinite(longest) else math.sqrt(len(values))))


def resample_means(values: np.ndarray, block_bars: int, *, reps: int, seed: int) -> np.ndarray:
    """Return the column means of `reps` stationary-bootstrap samples, shape (reps, n_columns)."""
    n_bars = len(values)
    samples = resample_rows(n_bars, block_bars, reps=reps, seed=seed)
    # Counting how often a bar was drawn is six times as fast as copying the rows drawn.
    counts = (np.bincount(rows, minlength=n_bars).astype(float) for rows in samples)
    return np.array([drawn @ values for drawn in counts]) / n_bars


def resample_rows(n_bars: int, block_bars: int, *, reps: int, seed: int) -> Iterator[np.ndarray]:
    """Yield the row numbers of `reps` stationary-bootstrap samples, each of shape (n_bars,)."""
    from arch.bootstrap import StationaryBootstrap

    bootstrap = StationaryBootstrap(block_bars, np.arange(n_bars), seed=seed)
    for (rows,), _ in bootstrap.bootstrap(reps):
        yield rows


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
            f"{returns.index[is_bad][0]} ({is_bad.sum()} rows in all). Drop or fill them."
        )
    return values
