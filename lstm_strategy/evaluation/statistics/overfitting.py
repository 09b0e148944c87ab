"""Was the best setting chosen for its skill? What many trials on the same bars say about it.

A frame of returns has one column a trial and one row a bar, simple and known at the close of its
row, as in `resampling`.
"""

import math
from itertools import combinations

import numpy as np
import pandas as pd

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.statistics.bootstrap import NO_SPREAD, check_returns
from lstm_strategy.evaluation.statistics.multiple_comparison import best_lead_by_luck

_FEWEST_BARS_IN_A_BLOCK = 5


def overfitting_probability(returns: pd.DataFrame, *, n_blocks: int = 16) -> float:
    """The probability of backtest overfitting: how often the best trial is below the median later.

    Combinatorially symmetric cross-validation (Bailey, Borwein, López de Prado & Zhu 2015): the
    bars are cut into `n_blocks` blocks; for each choice of half of them the trial with the highest
    Sharpe ratio there is ranked on the other half. The share of choices in which its relative rank,
    rank / (trials + 1), is at most one half, so that its logit is not above zero. Near 0.5 choosing
    told nothing; above, it did harm. A flat trial has a Sharpe ratio of zero, equal ones share
    their rank. NaN with fewer than two trials, or fewer than five bars a block.

    Raises `TradingError` for an odd number of blocks or a return that isn't finite.
    """
    if n_blocks < 2 or n_blocks % 2:
        raise TradingError(f"n_blocks must be even and at least 2, got {n_blocks}. 16 is usual.")
    n_bars, n_trials = returns.shape
    if n_trials < 2 or n_bars < n_blocks * _FEWEST_BARS_IN_A_BLOCK:
        return math.nan
    values = check_returns(returns).to_numpy(dtype=float)
    blocks = np.array_split(values, n_blocks)
    moments = np.array([[np.full(n_trials, len(b)), b.sum(0), (b**2).sum(0)] for b in blocks])
    whole = moments.sum(axis=0)
    is_below = []
    for chosen in combinations(range(n_blocks), n_blocks // 2):
        inside = moments[list(chosen)].sum(axis=0)
        best = int(_sharpe(inside).argmax())
        later = _sharpe(whole - inside)
        rank = (later < later[best]).sum() + ((later == later[best]).sum() + 1) / 2
        is_below.append(rank / (n_trials + 1) <= 0.5)
    return float(np.mean(is_below))


def independent_trials(returns: pd.DataFrame, n_trials: int) -> int:
    """How many independent trials the `n_trials` amount to, rounded up; from 1 to `n_trials`.

    ρ + (1 − ρ) · n with the mean correlation ρ of the columns (Bailey & López de Prado 2014,
    appendix 3). The columns may be fewer than the trials: those that were stopped early have no
    returns, and are taken to be correlated as the others are. A flat column correlates with none.
    """
    correlations = returns.corr().fillna(0.0).to_numpy()
    pairs = correlations[np.triu_indices(len(correlations), k=1)]
    mean = float(np.clip(pairs.mean(), 0.0, 1.0)) if len(pairs) else 0.0
    return max(1, math.ceil(round(mean + (1.0 - mean) * n_trials, 9)))


def trials_against(
    returns: pd.DataFrame, benchmark: pd.Series, *, reps: int = 1000, seed: int = 0
) -> float:
    """Chance that the best of all trials leads the benchmark by so much where none is better.

    The test for superior predictive ability at equal volatility (Hansen 2005) with the trials as
    models, so that having chosen the best of them is paid for; see `best_lead_by_luck`. Raises
    `TradingError` for a return that isn't finite, or too few bars.
    """
    name = "benchmark"
    together = returns.rename(columns=str).assign(**{name: benchmark})
    return best_lead_by_luck(together, name, reps=reps, seed=seed)


def _sharpe(moments: np.ndarray) -> np.ndarray:
    """Sharpe ratios per bar from number, sum and sum of squares, each of shape (n_trials,)."""
    n_bars, total, squares = moments
    mean = total / n_bars
    spread = np.sqrt(np.maximum(squares / n_bars - mean**2, 0.0))
    is_flat = ~(spread > math.sqrt(NO_SPREAD) * np.abs(mean) + NO_SPREAD)
    return np.where(is_flat, 0.0, mean / np.where(is_flat, 1.0, spread))
