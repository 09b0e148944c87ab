"""A variance by an estimator or by a column of the user's, and what it is next to the usual one."""

import numpy as np
import pandas as pd

from lstm_strategy.errors import BarsError
from lstm_strategy.learning.variance.estimators import DEFAULT_ESTIMATOR, ESTIMATORS
from lstm_strategy.support import format_time, suggest_names

SLOW_BARS = 250
"""Bars of the slow trailing variance, next to which a variance is large or small."""

LOWEST_RATIO = 0.01
"""A bar with less than this share of the usual variance counts as one with this share."""

_UNLIKELY = 50.0  # times what returns say
_NO_VARIANCE = 1e-16  # nothing moves, and what is left is rounding


def check_measure(*, estimator: str | None, column: str | None) -> None:
    """Refuse a way of measuring variance that there isn't.

    Args:
        estimator: A name in `ESTIMATORS`, or None.
        column: The name of a column of the bars, or None.

    Raises:
        BarsError: For an unknown estimator (with the nearest names), or for both at once.

    Example:
        >>> check_measure(estimator="parkinson", column=None)
    """
    if estimator is not None and column is not None:
        raise BarsError(
            f"estimator={estimator!r} and column={column!r} both say how variance is measured. "
            "Leave one of them out."
        )
    if estimator is not None and estimator not in ESTIMATORS:
        raise BarsError(
            f"There is no variance estimator {estimator!r}. {suggest_names(estimator, ESTIMATORS)}"
        )


def measure_variance(
    bars: pd.DataFrame,
    length: int = 1,
    *,
    estimator: str | None = None,
    column: str | None = None,
) -> pd.Series:
    """Measure the variance per bar over the last `length` bars.

    Args:
        bars: Valid bars, shape (n_bars, n_columns).
        length: Bars to average.
        estimator: A name in `ESTIMATORS`; None for `DEFAULT_ESTIMATOR`.
        column: A column of the bars that holds the variance of each bar, such as the realised
            variance of five-minute returns, instead of an estimator. Where it is NaN, its last
            known value is held.

    Returns:
        Shape (n_bars,), fractions squared (a column stays in its own unit), known at the close of
        the row; NaN until there are enough bars.

    Raises:
        BarsError: For an unknown estimator, one that needs more bars, or a column that isn't there
            or isn't positive.

    Example:
        >>> bars = pd.DataFrame({"close": [100.0, 110.0, 99.0], "realized": [0.01, 0.03, 0.05]})
        >>> measure_variance(bars, 2, column="realized").round(2).tolist()
        [nan, 0.02, 0.04]
    """
    check_measure(estimator=estimator, column=column)
    if column is None:
        return ESTIMATORS[estimator or DEFAULT_ESTIMATOR](bars, length)
    return _known_variance(bars, column).rolling(length).mean()


def check_unit(variance: pd.Series, close: pd.Series, *, name: str) -> None:
    """Refuse variances that can't be fractions squared per bar, such as percent squared.

    Args:
        variance: The variance of each bar, shape (n_bars,).
        close: The closes of the same bars.
        name: What the variances are called, for the message.

    Raises:
        BarsError: If they are 50 times what returns from close to close say, or a 50th.

    Example:
        >>> check_unit(pd.Series([1e-4] * 3), pd.Series([100.0, 101.0, 100.0]), name="rv")
    """
    measured = float(variance.mean())
    squares = float(np.nanmean(np.diff(np.log(close.to_numpy(np.float64))) ** 2))
    if squares > _NO_VARIANCE and not 1 / _UNLIKELY < measured / squares < _UNLIKELY:
        raise BarsError(
            f"{name} must be the variance of a bar as a fraction squared (0.0001 for a move of "
            f"1%), but its mean, {measured:.3g}, is {measured / squares:.3g} times the mean "
            "squared return. Divide percent squared by 10,000, and annual variances by the bars "
            "of a year."
        )


def variance_ratio(variance: pd.Series, usual: pd.Series) -> pd.Series:
    """How many times the usual variance a variance is.

    Args:
        variance: Shape (n_bars,), per bar.
        usual: What is usual at each bar, same shape.

    Returns:
        Shape (n_bars,), never below `LOWEST_RATIO`, so that its logarithm exists where all prices
        of a bar are the same; 1 where nothing has moved for so long that nothing is usual. NaN
        where either is.

    Example:
        >>> variance_ratio(pd.Series([4.0, 0.0, 0.0]), pd.Series([2.0, 2.0, 0.0])).tolist()
        [2.0, 0.01, 1.0]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.maximum(variance.to_numpy() / usual.to_numpy(), LOWEST_RATIO)
    is_still = (usual.to_numpy() <= _NO_VARIANCE) & variance.notna().to_numpy()
    return pd.Series(np.where(is_still, 1.0, ratio), variance.index)


def ewm_volatility(close: pd.Series, *, span: int = 60) -> pd.Series:
    """The exponentially weighted standard deviation of log returns, per bar.

    Args:
        close: Closes, shape (n_bars,).
        span: Bars of the weights: those of the newest bars make up 86% (1 - e⁻²) of them.

    Returns:
        Shape (n_bars,), fractions, known at the close of the row; NaN in the first `span` rows,
        and 0 where nothing has moved for long.

    Source:
        The ex-ante volatility of Lim, Zohren & Roberts, "Enhancing Time Series Momentum Strategies
        Using Deep Neural Networks" (2019), with a span of 60 days.

    Example:
        >>> close = pd.Series([100.0, 101.0, 100.0, 102.0])
        >>> ewm_volatility(close, span=2).round(4).tolist()
        [nan, nan, 0.0141, 0.0182]
    """
    returns = np.diff(np.log(close.to_numpy(np.float64)), prepend=np.nan)
    deviation = pd.Series(returns, close.index).ewm(span=span, min_periods=span).std().to_numpy()
    return pd.Series(np.where(deviation**2 <= _NO_VARIANCE, 0.0, deviation), close.index)


def _known_variance(bars: pd.DataFrame, column: str) -> pd.Series:
    """A column of the bars, held where it is NaN, in which every value is positive."""
    if column not in bars:
        raise BarsError(
            f"There is no column {column!r} in the bars, only {', '.join(map(str, bars.columns))}."
            " Add it to them."
        )
    variance = bars[column].astype(float).ffill()
    is_wrong = ~((variance > 0) & np.isfinite(variance)) & variance.notna()
    n_wrong = int(is_wrong.sum())
    if n_wrong:
        counted = "1 bar" if n_wrong == 1 else f"{n_wrong} bars"
        raise BarsError(
            f"{column} must be a variance, a number above 0, got {variance[is_wrong].iloc[0]:g} "
            f"at {format_time(variance.index[is_wrong][0])} ({counted} in all). "
            "Make it NaN where nothing was measured."
        )
    return variance
