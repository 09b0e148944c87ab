"""Is a strategy better than the others, or luckier? Tests on frames of bar returns.

Frames are as in `resampling`. Strategies are compared at equal volatility: each column is scaled to
a volatility of one, so that a mean is a Sharpe ratio per bar and leverage wins nothing. A column
that never varies counts as cash, with a return of zero.

The tests are written out here and held to arch's own in our tests, because arch 8 calls two
identical strategies different (p = 0), stops StepM with an error once every model is better, and
takes a time that grows with the square of the number of bars.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.statistics.bootstrap import (
    at_equal_volatility,
    block_length,
    check_returns,
    resample_means,
)

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
    baselines = check_returns(returns, name).drop(columns=name)
    if baselines.empty:
        raise TradingError(
            f"A test of superiority needs a baseline beside {name!r}, got none. "
            "Compare it with buy and hold at least."
        )
    scaled = at_equal_volatility(returns)
    leads = scaled[baselines.columns].rsub(scaled[name], axis=0)
    block_bars = block_length(leads)
    resampled = resample_means(leads.to_numpy(), block_bars, reps=reps, seed=seed)
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
    models = check_returns(returns, benchmark).drop(columns=benchmark)
    scaled = at_equal_volatility(returns)
    leads = scaled[models.columns].sub(scaled[benchmark], axis=0)
    leads = leads.loc[:, leads.std(ddof=0) >= _SAME_STRATEGY]
    if leads.empty:
        return []
    studentised = (leads / leads.std(ddof=0)).to_numpy()
    lead = studentised.mean(axis=0)
    luck = resample_means(studentised, block_length(leads), reps=reps, seed=seed) - lead
    better = np.zeros(len(lead), dtype=bool)
    while not better.all():
        bound = np.quantile(luck[:, ~better].max(axis=1), 1.0 - alpha)
        found = ~better & (lead > bound)
        if not found.any():
            break
        better |= found
    return [str(column) for column in leads.columns[better]]


def best_lead_by_luck(
    returns: pd.DataFrame, benchmark: str, *, reps: int = 1000, seed: int = 0
) -> float:
    """The chance that the best column leads the benchmark by so much where none is better.

    Hansen's test (2005) with the consistent p-value, on studentised leads at equal volatility: a
    column that trails by more than √(2 log log n) standard errors can't be the lucky one, the
    others are recentred to zero. (1 + resamples) / (1 + reps) as above; 1 where no column leads.
    """
    models = check_returns(returns, benchmark).drop(columns=benchmark)
    scaled = at_equal_volatility(returns)
    leads = scaled[models.columns].sub(scaled[benchmark], axis=0)
    leads = leads.loc[:, leads.std(ddof=0) >= _SAME_STRATEGY]
    if leads.empty or leads.mean().max() <= 0:
        return 1.0
    lead = leads.to_numpy().mean(axis=0)
    resampled = resample_means(leads.to_numpy(), block_length(leads), reps=reps, seed=seed)
    error = resampled.std(axis=0)
    may_be_best = lead >= -error * np.sqrt(2.0 * np.log(np.log(len(leads))))
    by_luck = (resampled - np.where(may_be_best, lead, 0.0)) / error
    return float((1 + (by_luck.max(axis=1) >= (lead / error).max()).sum()) / (1 + reps))


def model_confidence_set(
    returns: pd.DataFrame, *, level: float = 0.9, reps: int = 1000, seed: int = 0
) -> ConfidenceSet:
    """The strategies that can't be told from the best one, at equal volatility.

    Hansen, Lunde & Nason (2011), range statistic: the strategy that trails another one most, in
    standard errors, is taken out and given the chance of such a distance by luck, until one is
    left. Its p-value is never below that of one taken out before it; the last one has p = 1.
    """
    scaled = at_equal_volatility(check_returns(returns))
    values = scaled.to_numpy()
    mean = values.mean(axis=0)
    resampled = resample_means(values, block_length(scaled), reps=reps, seed=seed) - mean
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


def _distances(values: np.ndarray) -> np.ndarray:
    """Standard deviation of the difference of each pair of columns."""
    columns = values.T
    return np.array([(columns - column).std(axis=1) for column in columns])
