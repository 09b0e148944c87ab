"""The variance of log returns from open, high, low and close: one function an estimator.

Each takes bars and a length, and gives the variance *per bar* over the last `length` bars, as a
fraction squared; it is known at the close of its row, and NaN until there are enough bars. The
drift is taken for zero: over a bar it is far smaller than what a mean of so few returns is off by.
"""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from lstm_strategy.errors import BarsError

Estimator = Callable[[pd.DataFrame, int], pd.Series]
"""Bars and a length → the variance per bar over the last `length` bars."""


def close_to_close(bars: pd.DataFrame, length: int = 1) -> pd.Series:
    """The mean squared log return from close to close.

    It covers the night and the session, and is the noisiest of all.

    Args:
        bars: Valid bars, shape (n_bars, n_columns).
        length: Bars to average.

    Returns:
        Shape (n_bars,); NaN in the first `length` rows.

    Example:
        >>> bars = pd.DataFrame({"close": [100.0, 110.0, 99.0]})
        >>> close_to_close(bars).round(4).tolist()
        [nan, 0.0091, 0.0111]
    """
    close = _log(bars, "close")
    return _mean_of(np.diff(close, prepend=np.nan) ** 2, bars, length)


def parkinson(bars: pd.DataFrame, length: int = 1) -> pd.Series:
    """The mean squared log range over 4·ln 2: the session's variance without the night.

    Args:
        bars: Valid bars, shape (n_bars, n_columns).
        length: Bars to average.

    Returns:
        Shape (n_bars,); NaN in the first `length` - 1 rows.

    Source:
        Parkinson, "The Extreme Value Method for Estimating the Variance of the Rate of Return",
        Journal of Business 53 (1980).

    Example:
        >>> bars = pd.DataFrame({"high": [2.0], "low": [1.0]})
        >>> parkinson(bars).round(4).tolist()  # ln 2 / 4
        [0.1733]
    """
    log_range = _log(bars, "high") - _log(bars, "low")
    return _mean_of(log_range**2 / (4 * np.log(2)), bars, length)


def garman_klass(bars: pd.DataFrame, length: int = 1) -> pd.Series:
    """Half the squared log range less (2·ln 2 - 1) of the squared log return from open to close.

    The session's variance without the night.

    Args:
        bars: Valid bars, shape (n_bars, n_columns).
        length: Bars to average.

    Returns:
        Shape (n_bars,); NaN in the first `length` - 1 rows.

    Source:
        Garman & Klass, "On the Estimation of Security Price Volatilities from Historical Data",
        Journal of Business 53 (1980), the practical form of their best estimator.

    Example:
        >>> bars = pd.DataFrame({"open": [1.0], "high": [2.0], "low": [1.0], "close": [1.0]})
        >>> garman_klass(bars).round(4).tolist()  # (ln 2)² / 2
        [0.2402]
    """
    log_range = _log(bars, "high") - _log(bars, "low")
    log_move = _log(bars, "close") - _log(bars, "open")
    return _mean_of(log_range**2 / 2 - (2 * np.log(2) - 1) * log_move**2, bars, length)


def rogers_satchell(bars: pd.DataFrame, length: int = 1) -> pd.Series:
    """The mean of ln(H/C)·ln(H/O) + ln(L/C)·ln(L/O): right whatever the drift within the session.

    The session's variance without the night. A bar that closes at its high and opens at its low
    has none.

    Args:
        bars: Valid bars, shape (n_bars, n_columns).
        length: Bars to average.

    Returns:
        Shape (n_bars,); NaN in the first `length` - 1 rows.

    Source:
        Rogers & Satchell, "Estimating Variance from High, Low and Closing Prices", Annals of
        Applied Probability 1 (1991).

    Example:
        >>> bars = pd.DataFrame({"open": [1.0], "high": [2.0], "low": [1.0], "close": [1.0]})
        >>> rogers_satchell(bars).round(4).tolist()  # (ln 2)²
        [0.4805]
    """
    return _mean_of(_session_variance(bars), bars, length)


def rogers_satchell_overnight(bars: pd.DataFrame, length: int = 1) -> pd.Series:
    """Rogers and Satchell's with the squared log return from the close before to the open.

    A whole day's variance even over one bar. Where all four prices of a bar are the same, as in
    bars of closes alone, it is the one from close to close.

    Args:
        bars: Valid bars, shape (n_bars, n_columns).
        length: Bars to average.

    Returns:
        Shape (n_bars,); NaN in the first `length` rows.

    Example:
        >>> bars = pd.DataFrame(
        ...     {"open": [1.0, 2.0], "high": [1.0, 4.0], "low": [1.0, 2.0], "close": [1.0, 2.0]}
        ... )
        >>> rogers_satchell_overnight(bars).round(4).tolist()  # 2·(ln 2)²
        [nan, 0.9609]
    """
    return _mean_of(_session_variance(bars) + _nights(bars) ** 2, bars, length)


def yang_zhang(bars: pd.DataFrame, length: int = 22) -> pd.Series:
    """The variance of nights, and a blend of two measures of the session: the least noisy of all.

    It is V(night) + k·V(open to close) + (1 - k)·Rogers and Satchell's, with V the sample variance
    and k = 0.34/(1.34 + (n+1)/(n-1)) for n bars.

    Args:
        bars: Valid bars, shape (n_bars, n_columns).
        length: Bars to average, at least 2.

    Returns:
        Shape (n_bars,); NaN in the first `length` rows.

    Raises:
        BarsError: If `length` is below 2.

    Source:
        Yang & Zhang, "Drift-Independent Volatility Estimation Based on High, Low, Open, and Close
        Prices", Journal of Business 73 (2000).

    Example:
        >>> bars = pd.DataFrame(dict.fromkeys(["open", "high", "low", "close"], [1.0, 2.0, 1.0]))
        >>> yang_zhang(bars, 2).round(4).tolist()  # the nights are ln 2 and -ln 2
        [nan, nan, 0.9609]
    """
    if length < 2:
        raise BarsError(
            f"yang_zhang measures variances between bars, so its length must be at least 2 bars, "
            f"got {length}. Over one bar take {DEFAULT_ESTIMATOR}."
        )
    k = 0.34 / (1.34 + (length + 1) / (length - 1))
    nights = pd.Series(_nights(bars), bars.index).rolling(length).var()
    moves = pd.Series(_log(bars, "close") - _log(bars, "open"), bars.index).rolling(length).var()
    return nights + k * moves + (1 - k) * rogers_satchell(bars, length)


DEFAULT_ESTIMATOR = "rogers_satchell_overnight"
"""A whole day's variance, over one bar too."""

ESTIMATORS: Mapping[str, Estimator] = {
    "close_to_close": close_to_close,
    "parkinson": parkinson,
    "garman_klass": garman_klass,
    "rogers_satchell": rogers_satchell,
    "rogers_satchell_overnight": rogers_satchell_overnight,
    "yang_zhang": yang_zhang,
}
"""The estimators by the name that features, targets and reference models know them by."""


def _log(bars: pd.DataFrame, name: str) -> np.ndarray:
    logs: np.ndarray = np.log(bars[name].to_numpy(np.float64))
    return logs


def _nights(bars: pd.DataFrame) -> np.ndarray:
    """The log return from the close before to the open, shape (n_bars,)."""
    nights: np.ndarray = _log(bars, "open") - np.append(np.nan, _log(bars, "close")[:-1])
    return nights


def _session_variance(bars: pd.DataFrame) -> np.ndarray:
    """Rogers and Satchell's for each bar, shape (n_bars,)."""
    open_, high, low, close = (_log(bars, name) for name in ("open", "high", "low", "close"))
    variance: np.ndarray = (high - close) * (high - open_) + (low - close) * (low - open_)
    return variance


def _mean_of(variance: np.ndarray, bars: pd.DataFrame, length: int) -> pd.Series:
    of_each = pd.Series(variance, bars.index)
    if length == 1:
        return of_each
    mean = of_each.rolling(length).mean()
    # a running mean may end a hair below zero where nothing moves
    return pd.Series(np.maximum(mean.to_numpy(), 0.0), bars.index)
