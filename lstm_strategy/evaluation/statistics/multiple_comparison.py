"""Is a strategy better than the others, or luckier? Tests on frames of bar returns.

Frames are as in `bootstrap`, and strategies are compared at equal volatility.

The tests of superiority are written out here and held to arch's own in our tests: arch 8 calls two
identical strategies different (p = 0).
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
    """Whether one strategy beats each of its baselines, and which is the hardest to beat.

    Attributes:
        name: The strategy.
        p_values: One for each baseline, largest first: the probability of such a lead where there
            is none.
        block_bars: Mean length of the resampled blocks.
        reps: Number of resamples.
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


def superior_predictive_ability(
    returns: pd.DataFrame, name: str, *, reps: int = 1000, seed: int = 0
) -> SPAResult:
    """Test whether one strategy beats every other, at equal volatility.

    Hansen's test asks whether *any* model beats a benchmark. To show that one strategy beats
    *every* baseline, each baseline is the benchmark once and the strategy the only model, and the
    largest p-value counts. With a single model the test is a one-sided bootstrap of the mean lead,
    recentred to zero, and Hansen's three p-values agree wherever they are small.

    Args:
        returns: Bar returns, one column per strategy.
        name: The column of the strategy; the others are its baselines.
        reps: Number of resamples; 1000 make p-values near 0.05 good to about 0.01.
        seed: Chooses the resamples.

    Returns:
        A p-value for each baseline, (1 + resamples that lead as much) / (1 + resamples): never
        0, and 1 against an identical strategy.

    Raises:
        TradingError: If a column is missing, a return isn't finite, or there are too few bars.

    Source:
        Hansen (2005), "A test for superior predictive ability"; the largest p-value is an
        intersection-union test (Berger 1982), which needs no correction for their number.

    Example:
        >>> bars = np.arange(60)
        >>> returns = pd.DataFrame({"good": 0.01 + 0.001 * (-1.0) ** bars, "cash": 0.0 * bars})
        >>> superior_predictive_ability(returns, "good", reps=99).p_value
        0.01
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


def best_lead_p_value(
    returns: pd.DataFrame, benchmark: pd.Series, *, reps: int = 1000, seed: int = 0
) -> float:
    """Return the probability that the best column leads by so much where none is better.

    Corrects for having picked the best: all columns are resampled together.

    Args:
        returns: Bar returns, one column per trial.
        benchmark: Bar returns on the same dates.
        reps: Number of resamples.
        seed: Chooses the resamples.

    Returns:
        (1 + resamples that lead as much) / (1 + resamples); 1 where no column leads.

    Raises:
        TradingError: If a return isn't finite, or there are too few bars.

    Source:
        Hansen (2005), the consistent p-value, on studentised leads at equal volatility: a column
        that trails by more than √(2 log log n) standard errors can't be the lucky one, the others
        are recentred to zero.

    Example:
        >>> bars = np.arange(60)
        >>> trials = pd.DataFrame({0: 0.01 * (-1.0) ** bars, 1: 0.01 + 0.001 * (-1.0) ** bars})
        >>> best_lead_p_value(trials, pd.Series(0.0 * bars), reps=99)
        0.01
    """
    together = check_returns(returns.rename(columns=str).assign(benchmark=benchmark))
    scaled = at_equal_volatility(together)
    leads = scaled.drop(columns="benchmark").sub(scaled["benchmark"], axis=0)
    leads = leads.loc[:, leads.std(ddof=0) >= _SAME_STRATEGY]
    if leads.empty or leads.mean().max() <= 0:
        return 1.0
    lead = leads.to_numpy().mean(axis=0)
    resampled = resample_means(leads.to_numpy(), block_length(leads), reps=reps, seed=seed)
    error = resampled.std(axis=0)
    may_be_best = lead >= -error * np.sqrt(2.0 * np.log(np.log(len(leads))))
    by_luck = (resampled - np.where(may_be_best, lead, 0.0)) / error
    return float((1 + (by_luck.max(axis=1) >= (lead / error).max()).sum()) / (1 + reps))
