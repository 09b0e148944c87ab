"""Could it be luck? Answers from returns alone: frames of bar returns in, plain numbers out.

A frame of returns has one column a strategy and one row a bar, on dates that all share; a return is
simple (0.01 is 1 %) and known at the close of its row. Strategies are compared at equal volatility:
each column is scaled to a volatility of one, so that a mean is a Sharpe ratio per bar and leverage
wins nothing. A column that never varies counts as cash, with a return of zero.

`arch` draws the resamples and chooses their blocks. The tests on them are written out here and held
to arch's own in our tests, because arch 8 calls two identical strategies different (p = 0), stops
StepM with an error once every model is better, and takes a time that grows with the square of the
number of bars.
"""

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd
from arch.bootstrap import StationaryBootstrap, optimal_block_length

from lstm_strategy.errors import TradingError

log = logging.getLogger(__name__)

FEWEST_BARS = 30
"""With fewer returns no resampling is tried; with fewer than some hundreds little can be shown."""

_NO_SPREAD = 1e-13
# Two strategies whose returns, at a volatility of one, differ by less than this are the same one.
# Rounded order sizes alone make such differences, and a bootstrap would call them significant.
_SAME_STRATEGY = 1e-3


@dataclass(frozen=True)
class SPAResult:
    """Whether one strategy beats each of its baselines, and the one that is hardest to beat.

    name:        the strategy
    p_values:    one a baseline, largest first: the chance of such a lead where there is none
    block_bars:  mean length of the resampled blocks
    reps:        number of resamples
    """

    name: str
    p_values: pd.Series
    block_bars: int
    reps: int

    @property
    def p_value(self) -> float:
        """The largest p-value, small only if *every* baseline is beaten; NaN without any."""
        return float(self.p_values.max())

    @property
    def hardest_baseline(self) -> str:
        """The baseline of the largest p-value."""
        return str(self.p_values.index[0])


@dataclass(frozen=True)
class ConfidenceSet:
    """The strategies among which the best one is, with the given confidence.

    included:  names, in the order of the columns
    p_values:  one a strategy, in the order of the columns; those at or below 1 − level are out
    """

    included: list[str]
    p_values: pd.Series
    level: float


@dataclass(frozen=True)
class Interval:
    """An estimate and the two ends between which the true value lies with confidence `level`."""

    estimate: float
    low: float
    high: float
    level: float


def superior_predictive_ability(
    returns: pd.DataFrame, name: str, *, reps: int = 1000, seed: int = 0
) -> SPAResult:
    """Test whether the strategy `name` beats every other column, at equal volatility.

    Hansen's test (2005) asks whether *any* model beats a benchmark. To show that one strategy beats
    *every* baseline, each baseline is the benchmark once and the strategy the only model, and the
    largest p-value counts: an intersection-union test (Berger 1982), which needs no correction for
    the number of baselines. With a single model the test is a one-sided bootstrap of the mean
    lead, recentred to zero, and Hansen's three p-values agree wherever they are small. A p-value is
    (1 + resamples that lead as much) / (1 + resamples), so never zero, and one against a twin.

    Raises `TradingError` for a missing name, a return that isn't finite, or too few bars.
    """
    baselines = _checked(returns, name).drop(columns=name)
    if baselines.empty:
        raise TradingError(
            f"A test of superiority needs a baseline beside {name!r}, got none. "
            "Compare it with buy and hold at least."
        )
    scaled = at_equal_volatility(returns)
    leads = scaled[baselines.columns].rsub(scaled[name], axis=0)
    block_bars = block_length(leads)
    resampled = resampled_means(leads.to_numpy(), block_bars, reps=reps, seed=seed)
    lead = leads.to_numpy().mean(axis=0)
    as_lucky = (resampled - lead >= lead).sum(axis=0)
    p_values = pd.Series((1 + as_lucky) / (1 + reps), index=baselines.columns, name="p_value")
    p_values[leads.std(ddof=0) < _SAME_STRATEGY] = 1.0
    ranked = p_values.sort_values(ascending=False, kind="stable")
    return SPAResult(name=name, p_values=ranked, block_bars=block_bars, reps=reps)


def spa_against_each(
    returns: pd.DataFrame, name: str, *, reps: int = 1000, seed: int = 0
) -> pd.Series:
    """One p-value a baseline, largest first; see `superior_predictive_ability`."""
    return superior_predictive_ability(returns, name, reps=reps, seed=seed).p_values


def better_than(
    returns: pd.DataFrame,
    benchmark: str,
    *,
    alpha: float = 0.05,
    reps: int = 1000,
    seed: int = 0,
) -> list[str]:
    """Every column that beats the benchmark, with a chance of `alpha` that one of them doesn't.

    StepM of Romano & Wolf (2005, algorithm 4.1) on studentised leads at equal volatility: the
    bound is the quantile of the best lead by luck; what exceeds it is taken out and the bound drawn
    anew, until nothing more exceeds it. In the order of the columns.
    """
    models = _checked(returns, benchmark).drop(columns=benchmark)
    scaled = at_equal_volatility(returns)
    leads = scaled[models.columns].sub(scaled[benchmark], axis=0)
    leads = leads.loc[:, leads.std(ddof=0) >= _SAME_STRATEGY]
    if leads.empty:
        return []
    studentised = (leads / leads.std(ddof=0)).to_numpy()
    lead = studentised.mean(axis=0)
    luck = resampled_means(studentised, block_length(leads), reps=reps, seed=seed) - lead
    better = np.zeros(len(lead), dtype=bool)
    while not better.all():
        bound = np.quantile(luck[:, ~better].max(axis=1), 1.0 - alpha)
        found = ~better & (lead > bound)
        if not found.any():
            break
        better |= found
    return [str(column) for column in leads.columns[better]]


def model_confidence_set(
    returns: pd.DataFrame, *, level: float = 0.9, reps: int = 1000, seed: int = 0
) -> ConfidenceSet:
    """The strategies that can't be told from the best one, at equal volatility.

    Hansen, Lunde & Nason (2011), range statistic: the strategy that trails another one most, in
    standard errors, is taken out and given the chance of such a distance by luck, until one is
    left. Its p-value is never below that of one taken out before it; the last one has p = 1.
    """
    scaled = at_equal_volatility(_checked(returns))
    values = scaled.to_numpy()
    mean = values.mean(axis=0)
    resampled = resampled_means(values, block_length(scaled), reps=reps, seed=seed) - mean
    luck = resampled[:, None, :] - resampled[:, :, None]  # how far row i trails column j
    error = np.sqrt((luck**2).mean(axis=0))
    is_same = _distances(values) < _SAME_STRATEGY
    error[is_same] = np.inf  # twins never trail each other
    trailing, luck = (mean[None, :] - mean[:, None]) / error, luck / error
    p_values = np.ones(len(mean))
    left, highest = list(range(len(mean))), 0.0
    while len(left) > 1:
        among = np.ix_(left, left)
        worst = trailing[among].max()
        by_luck = luck[(slice(None), *among)].max(axis=(1, 2))
        highest = max(highest, float((by_luck >= worst).mean()))
        out = left[int(np.argmax(trailing[among].max(axis=1)))]
        p_values[out] = highest
        left.remove(out)
    series = pd.Series(p_values, index=scaled.columns, name="p_value")
    is_in = series > 1.0 - level
    return ConfidenceSet([str(name) for name in series.index[is_in]], series, level)


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
    sample = _checked(returns.to_frame("strategy"))
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
    sample = _checked(pd.DataFrame({"a": a, "b": b}))
    weights = np.array([1.0, -1.0])
    return _interval(sample, weights, bars_per_year, level=level, reps=reps, seed=seed)


def probabilistic_sharpe(returns: pd.Series, benchmark_sharpe: float = 0.0) -> float:
    """Confidence that the true Sharpe ratio is above `benchmark_sharpe`, both per bar.

    Bailey & López de Prado (2012, eq. 11); it allows for skewness and fat tails, and takes bars for
    independent. NaN for a flat series and below three bars.
    """
    values = _finite(returns)
    if len(values) < 3 or not values.std() > _NO_SPREAD:
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
    error = math.sqrt(max(variance, _NO_SPREAD) / (n_bars - 1))
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


def at_equal_volatility(returns: pd.DataFrame) -> pd.DataFrame:
    """Each column over its standard deviation (ddof 0); one that never varies becomes zero."""
    spread = returns.std(ddof=0)
    is_flat = ~(spread > _NO_SPREAD)
    scaled = returns / spread.mask(is_flat, 1.0)
    scaled.loc[:, is_flat] = 0.0
    return scaled


def block_length(returns: pd.DataFrame) -> int:
    """Mean block length for a stationary bootstrap: the longest that any column needs, in bars."""
    values = returns.to_numpy(dtype=float)
    values = values[:, values.std(axis=0) > _NO_SPREAD]
    if not values.shape[1]:
        return 1
    # The formula divides by a long-run variance and by sums that may be zero for odd series.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        longest = optimal_block_length(values)["stationary"].max()
    return max(1, math.ceil(longest if math.isfinite(longest) else math.sqrt(len(values))))


def resampled_means(values: np.ndarray, block_bars: int, *, reps: int, seed: int) -> np.ndarray:
    """Column means of `reps` stationary-bootstrap samples; shape (reps, number of columns)."""
    n_bars = len(values)
    samples = _resamples(n_bars, block_bars, reps=reps, seed=seed)
    # Counting how often a bar was drawn is six times as fast as copying the rows drawn.
    counts = (np.bincount(rows, minlength=n_bars).astype(float) for rows in samples)
    return np.array([drawn @ values for drawn in counts]) / n_bars


def _resamples(n_bars: int, block_bars: int, *, reps: int, seed: int) -> Iterator[np.ndarray]:
    bootstrap = StationaryBootstrap(block_bars, np.arange(n_bars), seed=seed)
    for (rows,), _ in bootstrap.bootstrap(reps):
        yield rows


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
    samples = _resamples(len(values), block_length(sample), reps=reps, seed=seed)
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
    if not (spread > _NO_SPREAD).all():
        return math.nan, math.nan
    z, sharpe = centred / spread, values.mean(axis=0) / spread
    influence = (z - sharpe * (z**2 - 1.0) / 2.0) @ weights
    n_bars = len(values)
    with_ddof_1 = math.sqrt((n_bars - 1) / n_bars)  # as in `metrics.sharpe`
    error = float(influence.std()) / math.sqrt(n_bars)
    return float(sharpe @ weights) * with_ddof_1, error


def _distances(values: np.ndarray) -> np.ndarray:
    """Standard deviation of the difference of each pair of columns."""
    columns = values.T
    return np.array([(columns - column).std(axis=1) for column in columns])


def _checked(returns: pd.DataFrame, name: str | None = None) -> pd.DataFrame:
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
        _finite(returns[column])
    return returns


def _finite(returns: pd.Series) -> np.ndarray:
    values = returns.to_numpy(dtype=float)
    is_bad = ~np.isfinite(values)
    if is_bad.any():
        raise TradingError(
            f"Returns must be finite, but {returns.name} is {values[is_bad][0]} at "
            f"{returns.index[is_bad][0]} ({is_bad.sum()} rows in all). Drop or fill them."
        )
    return values
