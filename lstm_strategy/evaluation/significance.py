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
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import joblib
import numpy as np
import pandas as pd
from arch.bootstrap import StationaryBootstrap, optimal_block_length

from lstm_strategy.errors import BarsError, TradingError

log = logging.getLogger(__name__)

FEWEST_BARS = 30
"""With fewer returns no resampling is tried; with fewer than some hundreds little can be shown."""

_NO_SPREAD = 1e-13
# Two strategies whose returns, at a volatility of one, differ by less than this are the same one.
# Rounded order sizes alone make such differences, and a bootstrap would call them significant.
_SAME_STRATEGY = 1e-3
_PRICES = ["open", "high", "low", "close"]


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


@dataclass(frozen=True)
class NullTest:
    """One pipeline's statistic on the real bars, beside those on bars without any memory.

    real:     the statistic on the real bars
    null:     the statistics on permuted bars, in the order of their seeds
    p_value:  (1 + number of null statistics at or above the real one) / (1 + number of them)
    """

    real: float
    null: tuple[float, ...]
    p_value: float


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


def null_test(
    pipeline: Callable[[pd.DataFrame], float],
    bars: pd.DataFrame,
    *,
    n_permutations: int = 20,
    block_bars: int = 1,
    seed: int = 0,
    n_jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> NullTest:
    """Run the whole pipeline on the real bars and on permuted ones, and say where the real is.

    `pipeline` takes bars, trains, trades and returns one number where more is better, such as the
    Sharpe ratio; it must choose nothing from the real bars. Permuted bars have the moves of the
    real ones in another order (see `permuted_bars`), so what a pipeline earns on them is luck,
    drift, costs and overfitting. 19 permutations or more are needed for a p-value of 0.05. A NaN
    counts against the pipeline; return 0.0 where it stays flat. `n_jobs` processes, one by default
    because training uses all cores already; `progress` is called with the number of permutations
    done and of all. Raises `TradingError` for n_permutations below 1.
    """
    if n_permutations < 1:
        raise TradingError(f"n_permutations must be at least 1, got {n_permutations}. 20 is usual.")
    real = float(pipeline(bars))
    seeds = np.random.SeedSequence(seed).generate_state(n_permutations).tolist()
    null = []
    for done, statistic in enumerate(_null_statistics(pipeline, bars, block_bars, seeds, n_jobs)):
        null.append(statistic)
        if math.isnan(statistic):
            log.warning("The pipeline gave NaN on permutation %d; it counts against it.", done + 1)
        if progress is not None:
            progress(done + 1, n_permutations)
    as_good = sum(not statistic < real for statistic in null)
    return NullTest(real, tuple(null), (1 + as_good) / (1 + n_permutations))


def permuted_bars(bars: pd.DataFrame, *, block_bars: int = 1, seed: int = 0) -> pd.DataFrame:
    """The same bars in another order: valid prices, the same moves, the same dates, no memory.

    Each bar after the first becomes four ratios to the close before it; blocks of `block_bars` such
    bars are shuffled and the prices rebuilt from the first bar, so the last close stays the same up
    to rounding. Volume and all other columns travel with their bar, as they are (a column on the
    scale of the prices, such as an average, fits no longer). With blocks of one bar nothing of the
    order is left; longer blocks keep what happens within them, such as spells of high volatility.
    Raises `BarsError` for a missing column or a price that isn't above zero.
    """
    _refuse_unusable_prices(bars)
    if block_bars < 1:
        raise BarsError(f"block_bars must be at least 1, got {block_bars}.")
    order = np.arange(1, len(bars))
    blocks = [order[first : first + block_bars] for first in range(0, len(order), block_bars)]
    shuffled = np.random.default_rng(seed).permutation(len(blocks))
    rows = np.concatenate([[0], *(blocks[block] for block in shuffled)]).astype(int)
    prices = bars[_PRICES].to_numpy(dtype=float)
    ratios = (prices[1:] / prices[:-1, [3]])[rows[1:] - 1]
    # Division and multiplication keep order even when they round: a high stays the highest.
    closes = np.cumprod(np.concatenate([prices[0, [3]], ratios[:, 3]]))
    permuted = bars.iloc[rows].set_axis(bars.index)
    rebuilt = pd.DataFrame(
        np.vstack([prices[0], ratios * closes[:-1, None]]), index=bars.index, columns=_PRICES
    )
    return permuted.assign(**{column: rebuilt[column] for column in _PRICES})


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


def _null_statistics(
    pipeline: Callable[[pd.DataFrame], float],
    bars: pd.DataFrame,
    block_bars: int,
    seeds: list[int],
    n_jobs: int | None,
) -> Iterator[float]:
    def statistic(seed: int) -> float:
        return float(pipeline(permuted_bars(bars, block_bars=block_bars, seed=seed)))

    if n_jobs in (None, 1):
        yield from map(statistic, seeds)
        return
    parallel: Any = joblib.Parallel(n_jobs=n_jobs, return_as="generator", max_nbytes=None)
    yield from parallel(joblib.delayed(statistic)(seed) for seed in seeds)


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


def _refuse_unusable_prices(bars: pd.DataFrame) -> None:
    missing = [column for column in _PRICES if column not in bars]
    if missing:
        raise BarsError(f"Bars need the column {missing[0]!r}, got {', '.join(map(str, bars))}.")
    prices = bars[_PRICES]
    is_bad = ~(prices > 0)
    if is_bad.to_numpy().any():
        row, column = np.argwhere(is_bad.to_numpy())[0]
        raise BarsError(
            f"Moves can be permuted only where prices are above 0, but {_PRICES[column]} is "
            f"{prices.iloc[row, column]} at {bars.index[row]} ({is_bad.to_numpy().sum()} in all)."
        )
