"""How sure is a Sharpe ratio? Its interval, and the confidence that it isn't the luckiest of many.

Returns are bar returns as in `resampling`.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.statistics.bootstrap import (
    NO_SPREAD,
    block_length,
    check_returns,
    finite_values,
    resamples,
)


@dataclass(frozen=True)
class Interval:
    """An estimate and the two ends between which the true value lies with confidence `level`."""

    estimate: float
    low: float
    high: float
    level: float


def sharpe_interval(
    returns: pd.Series,
    bars_per_year: float,
    *,
    level: float = 0.95,
    reps: int = 1000,
    seed: int = 0,
) -> Interval:
    """The annual Sharpe ratio of bar returns and its confidence interval; NaN for a flat series.

    Stationary bootstrap (Politis & Romano 1994) in blocks of the length of Politis & White (2004),
    studentised with the standard error of Mertens (2002): of the usual bootstrap intervals it kept
    its coverage best where returns were skewed or mostly zero, as those of strategies are.

    Raises `TradingError` for a return that isn't finite, or too few bars.
    """
    sample = check_returns(returns.to_frame("strategy"))
    return _interval(sample, np.array([1.0]), bars_per_year, level=level, reps=reps, seed=seed)


def sharpe_difference_interval(
    a: pd.Series,
    b: pd.Series,
    bars_per_year: float,
    *,
    level: float = 0.95,
    reps: int = 1000,
    seed: int = 0,
) -> Interval:
    """Annual Sharpe ratio of `a` minus that of `b`, with its confidence interval.

    Both are resampled on the same bars, so what they share cancels (Ledoit & Wolf 2008). NaN where
    one of them is flat. Raises `TradingError` like `sharpe_interval`, and for differing dates.
    """
    if not a.index.equals(b.index):
        raise TradingError(
            f"Two Sharpe ratios are compared on the same bars, got {len(a)} and {len(b)} bars with "
            "different dates. Take both curves from one Board."
        )
    sample = check_returns(pd.DataFrame({"a": a, "b": b}))
    weights = np.array([1.0, -1.0])
    return _interval(sample, weights, bars_per_year, level=level, reps=reps, seed=seed)


def probabilistic_sharpe(returns: pd.Series, benchmark_sharpe: float = 0.0) -> float:
    """Confidence that the true Sharpe ratio is above `benchmark_sharpe`, both per bar.

    Bailey & López de Prado (2012, eq. 11); it allows for skewness and fat tails, and takes bars for
    independent. NaN for a flat series and below three bars.
    """
    values = finite_values(returns)
    if len(values) < 3 or not values.std() > NO_SPREAD:
        return math.nan
    z = (values - values.mean()) / values.std()
    return sharpe_confidence(
        float(values.mean() / values.std(ddof=1)),
        benchmark_sharpe,
        n_bars=len(values),
        skewness=float((z**3).mean()),
        kurtosis=float((z**4).mean()),
    )


def deflated_sharpe(
    returns: pd.Series, n_trials: int, *, trial_sharpe_std: float | None = None
) -> float:
    """Confidence that the Sharpe ratio is above what the best of `n_trials` gets by luck.

    Bailey & López de Prado (2014, eq. 2): `probabilistic_sharpe` against `luckiest_sharpe`. Count
    every trial that was looked at: settings, feature sets, seeds, thresholds. `trial_sharpe_std` is
    the standard deviation of their Sharpe ratios per bar; without it, the one that strategies
    without skill have on so many bars, 1/√(n−1).
    """
    if trial_sharpe_std is None:
        trial_sharpe_std = 1.0 / math.sqrt(max(len(returns) - 1, 1))
    return probabilistic_sharpe(returns, luckiest_sharpe(n_trials, trial_sharpe_std))


def sharpe_confidence(
    sharpe: float, benchmark_sharpe: float, *, n_bars: int, skewness: float, kurtosis: float
) -> float:
    """The probabilistic Sharpe ratio from moments, per bar; a normal's `kurtosis` is 3.

    >>> round(sharpe_confidence(0.458, 0.0, n_bars=24, skewness=-2.448, kurtosis=10.164), 3)
    0.913
    """
    variance = 1.0 - skewness * sharpe + (kurtosis - 1.0) / 4.0 * sharpe**2
    error = math.sqrt(max(variance, NO_SPREAD) / (n_bars - 1))
    return NormalDist().cdf((sharpe - benchmark_sharpe) / error)


def luckiest_sharpe(n_trials: int, trial_sharpe_std: float) -> float:
    """The Sharpe ratio to expect of the best of `n_trials` without skill, in the unit of the std.

    Bailey & López de Prado (2014, eq. 1), the expected maximum of normals; zero for one trial.

    >>> round(luckiest_sharpe(100, (0.5 / 250) ** 0.5), 4)
    0.1132
    """
    if n_trials < 1:
        raise TradingError(
            f"n_trials counts the trials that were made, at least 1, got {n_trials}. "
            "Count every setting and seed whose result was looked at."
        )
    if n_trials == 1:
        return 0.0
    quantile = NormalDist().inv_cdf
    luck = (1.0 - np.euler_gamma) * quantile(1.0 - 1.0 / n_trials)
    luck += np.euler_gamma * quantile(1.0 - 1.0 / (n_trials * math.e))
    return trial_sharpe_std * luck


def _interval(
    sample: pd.DataFrame,
    weights: np.ndarray,
    bars_per_year: float,
    *,
    level: float,
    reps: int,
    seed: int,
) -> Interval:
    """The studentised interval of a weighted sum of the columns' Sharpe ratios."""
    values = sample.to_numpy(dtype=float)
    estimate, error = _weighted_sharpe(values, weights)
    if not error > 0:
        return Interval(math.nan, math.nan, math.nan, level)
    samples = resamples(len(values), block_length(sample), reps=reps, seed=seed)
    draws = np.array([_weighted_sharpe(values[rows], weights) for rows in samples])
    usable = draws[draws[:, 1] > 0]  # a resample may hold nothing but flat bars
    distances = (usable[:, 0] - estimate) / usable[:, 1]
    tail = (1.0 - level) / 2.0
    below, above = np.quantile(distances, [tail, 1.0 - tail])
    year = math.sqrt(bars_per_year)
    low, high = estimate - above * error, estimate - below * error
    return Interval(estimate * year, float(low) * year, float(high) * year, level)


def _weighted_sharpe(values: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Weighted sum of Sharpe ratios per bar and its standard error; NaN where a column is flat.

    With z the standardised return and S the Sharpe ratio, one bar moves S by z − S (z² − 1) / 2;
    the variance of that is Mertens' 1 − S·skewness + S² (kurtosis − 1) / 4.
    """
    centred = values - values.mean(axis=0)
    spread = np.sqrt((centred**2).mean(axis=0))
    if not (spread > NO_SPREAD).all():
        return math.nan, math.nan
    z, sharpe = centred / spread, values.mean(axis=0) / spread
    influence = (z - sharpe * (z**2 - 1.0) / 2.0) @ weights
    n_bars = len(values)
    with_ddof_1 = math.sqrt((n_bars - 1) / n_bars)  # as in `metrics.sharpe`
    error = float(influence.std()) / math.sqrt(n_bars)
    return float(sharpe @ weights) * with_ddof_1, error
