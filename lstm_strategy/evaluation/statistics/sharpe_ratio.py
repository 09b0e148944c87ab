"""How certain is a Sharpe ratio? Its interval, and whether it beats the luckiest of many.

Returns are bar returns as in `bootstrap`.
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
    resample_rows,
)


@dataclass(frozen=True)
class Interval:
    """An estimate and the two ends between which the true value lies.

    Attributes:
        estimate: The measured value.
        low: The lower end.
        high: The upper end.
        level: The confidence that the true value lies between them, a fraction.
    """

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
    """Return the annual Sharpe ratio of bar returns and its confidence interval.

    Of the usual bootstrap intervals this one kept its coverage best where returns were skewed or
    mostly zero, as those of strategies are.

    Args:
        returns: Bar returns of one strategy.
        bars_per_year: Annualises the ratio by its square root.
        level: The confidence of the interval.
        reps: Number of resamples.
        seed: Chooses the resamples.

    Returns:
        The ratio (ddof 1, as `metrics.sharpe`) and its interval; all NaN for a flat series.

    Raises:
        TradingError: If a return isn't finite, or there are too few bars.

    Source:
        Stationary bootstrap (Politis and Romano 1994) in blocks of the length of Politis and White
        (2004), studentised with the standard error of Mertens (2002).

    Example:
        >>> interval = sharpe_interval(pd.Series([0.02, -0.01] * 30), 252.0, reps=99)
        >>> round(interval.estimate, 2)
        5.25
        >>> interval.low < interval.estimate < interval.high
        True
    """
    sample = check_returns(returns.to_frame("strategy"))
    values = sample["strategy"].to_numpy(dtype=float)
    estimate, error = _sharpe_and_error(values)
    if not error > 0:
        return Interval(math.nan, math.nan, math.nan, level)
    samples = resample_rows(len(values), block_length(sample), reps=reps, seed=seed)
    draws = np.array([_sharpe_and_error(values[rows]) for rows in samples])
    usable = draws[draws[:, 1] > 0]  # a resample may hold nothing but flat bars
    distances = (usable[:, 0] - estimate) / usable[:, 1]
    tail = (1.0 - level) / 2.0
    below, above = np.quantile(distances, [tail, 1.0 - tail])
    year = math.sqrt(bars_per_year)
    low, high = estimate - above * error, estimate - below * error
    return Interval(estimate * year, float(low) * year, float(high) * year, level)


def _sharpe_and_error(values: np.ndarray) -> tuple[float, float]:
    """The Sharpe ratio per bar and its standard error; NaN where the returns are flat.

    With z the standardised return and S the Sharpe ratio, one bar moves S by z − S (z² − 1) / 2;
    the variance of that is Mertens' 1 − S·skewness + S² (kurtosis − 1) / 4.
    """
    n_bars, mean = len(values), values.mean()
    spread = np.sqrt(((values - mean) ** 2).mean())
    if not spread > NO_SPREAD:
        return math.nan, math.nan
    z, sharpe = (values - mean) / spread, mean / spread
    influence = z - sharpe * (z**2 - 1.0) / 2.0
    with_ddof_1 = math.sqrt((n_bars - 1) / n_bars)  # as in `metrics.sharpe`
    return float(sharpe) * with_ddof_1, float(influence.std()) / math.sqrt(n_bars)


def probabilistic_sharpe(returns: pd.Series, benchmark_sharpe: float = 0.0) -> float:
    """Return the confidence that the true Sharpe ratio is above `benchmark_sharpe`, both per bar.

    It allows for skewness and fat tails, and takes bars for independent. NaN for a flat series and
    below three bars.

    Source:
        Bailey and López de Prado (2012), "The Sharpe ratio efficient frontier", equation 11.
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
    """Return the confidence that the Sharpe ratio is above what the best of `n_trials` has by luck.

    Args:
        returns: Bar returns of the best trial.
        n_trials: Every trial that was looked at: settings, feature sets, seeds, thresholds.
        trial_sharpe_std: Standard deviation of their Sharpe ratios per bar. By default the one
            that strategies without skill have on so many bars, 1/√(n−1).

    Returns:
        A fraction; NaN for a flat series and below three bars.

    Raises:
        TradingError: If a return isn't finite, or `n_trials` is below 1.

    Source:
        Bailey and López de Prado (2014), "The deflated Sharpe ratio", equation 2:
        `probabilistic_sharpe` against `luckiest_sharpe`.

    Example:
        >>> returns = pd.Series([0.02, -0.01] * 30)
        >>> round(deflated_sharpe(returns, 1), 3), round(deflated_sharpe(returns, 100), 3)
        (0.994, 0.503)
    """
    if trial_sharpe_std is None:
        trial_sharpe_std = 1.0 / math.sqrt(max(len(returns) - 1, 1))
    return probabilistic_sharpe(returns, luckiest_sharpe(n_trials, trial_sharpe_std))


def sharpe_confidence(
    sharpe: float, benchmark_sharpe: float, *, n_bars: int, skewness: float, kurtosis: float
) -> float:
    """Return the probabilistic Sharpe ratio from moments, per bar; a normal's `kurtosis` is 3.

    Example:
        >>> round(sharpe_confidence(0.458, 0.0, n_bars=24, skewness=-2.448, kurtosis=10.164), 3)
        0.913
    """
    variance = 1.0 - skewness * sharpe + (kurtosis - 1.0) / 4.0 * sharpe**2
    error = math.sqrt(max(variance, NO_SPREAD) / (n_bars - 1))
    return NormalDist().cdf((sharpe - benchmark_sharpe) / error)


def luckiest_sharpe(n_trials: int, trial_sharpe_std: float) -> float:
    """Return the Sharpe ratio to expect of the best of `n_trials` without skill.

    It is in the unit of `trial_sharpe_std`, and zero for one trial.

    Raises:
        TradingError: If `n_trials` is below 1.

    Source:
        Bailey and López de Prado (2014), equation 1, the expected maximum of normals.

    Example:
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
