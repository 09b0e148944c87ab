"""Was the best setting chosen for its skill? What many trials on the same bars say about it.

A frame of returns has one column per trial and one row per bar, simple and known at the close of
its row, as in `bootstrap`.
"""

import math
from itertools import combinations

import numpy as np
import pandas as pd

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.statistics.bootstrap import NO_SPREAD, check_returns

_FEWEST_BARS_IN_A_BLOCK = 5


def overfitting_probability(returns: pd.DataFrame, *, n_blocks: int = 16) -> float:
    """Return how often the best trial of one half of the bars is below the median in the other.

    Args:
        returns: Bar returns, one column per trial.
        n_blocks: The bars are cut into so many blocks, an even number; each choice of half of them
            is tried. 16, which is usual, make 12,870 choices.

    Returns:
        The probability of backtest overfitting: the share of choices in which the relative rank of
        the best trial on the other half, rank / (trials + 1), is at most one half. Near 0.5 the
        choice was worth nothing; above, it did harm. A flat trial has a Sharpe ratio of zero, and
        equal ones share their rank. NaN with fewer than two trials or five bars a block, and
        where all trials earned the same, so that none was chosen.

    Raises:
        TradingError: If the number of blocks is odd, or a return isn't finite.

    Source:
        Combinatorially symmetric cross-validation: Bailey, Borwein, López de Prado and Zhu (2015),
        "The probability of backtest overfitting".

    Example:
        >>> up = np.repeat([0.01, -0.01], 20) + 0.001 * (-1.0) ** np.arange(40)
        >>> overfitting_probability(pd.DataFrame({"early": up, "late": -up}), n_blocks=2)
        1.0
    """
    if n_blocks < 2 or n_blocks % 2:
        raise TradingError(f"n_blocks must be even and at least 2, got {n_blocks}. 16 is usual.")
    n_bars, n_trials = returns.shape
    if n_trials < 2 or n_bars < n_blocks * _FEWEST_BARS_IN_A_BLOCK:
        return math.nan
    values = check_returns(returns).to_numpy(dtype=float)
    if (values == values[:, :1]).all():
        return math.nan
    blocks = np.array_split(values, n_blocks)
    moments = np.array([[np.full(n_trials, len(b)), b.sum(0), (b**2).sum(0)] for b in blocks])
    whole = moments.sum(axis=0)
    is_below = []
    for chosen in combinations(range(n_blocks), n_blocks // 2):
        inside = moments[list(chosen)].sum(axis=0)
        best = int(_sharpe_from_moments(inside).argmax())
        later = _sharpe_from_moments(whole - inside)
        rank = (later < later[best]).sum() + ((later == later[best]).sum() + 1) / 2
        is_below.append(rank / (n_trials + 1) <= 0.5)
    return float(np.mean(is_below))


def _sharpe_from_moments(moments: np.ndarray) -> np.ndarray:
    """Sharpe ratios per bar from number, sum and sum of squares, each of shape (n_trials,)."""
    n_bars, total, squares = moments
    mean = total / n_bars
    spread = np.sqrt(np.maximum(squares / n_bars - mean**2, 0.0))
    is_flat = ~(spread > math.sqrt(NO_SPREAD) * np.abs(mean) + NO_SPREAD)
    return np.where(is_flat, 0.0, mean / np.where(is_flat, 1.0, spread))


def independent_trials(returns: pd.DataFrame, n_trials: int) -> int:
    """Return how many independent trials the `n_trials` amount to.

    Args:
        returns: Bar returns, one column per trial. They may be fewer than the trials: those that
            were stopped early have no returns, and are taken to be correlated as the others are.
            A flat column correlates with none.
        n_trials: Trials in all.

    Returns:
        ρ + (1 − ρ) · n with the mean correlation ρ of the columns, rounded up: 1 to `n_trials`.

    Source:
        Bailey and López de Prado (2014), "The deflated Sharpe ratio", appendix 3.

    Example:
        >>> up = pd.Series([0.01, -0.02, 0.03])
        >>> independent_trials(pd.DataFrame({"a": up, "b": up}), 2)
        1
    """
    correlations = returns.corr().fillna(0.0).to_numpy()
    pairs = correlations[np.triu_indices(len(correlations), k=1)]
    mean = float(np.clip(pairs.mean(), 0.0, 1.0)) if len(pairs) else 0.0
    return max(1, math.ceil(round(mean + (1.0 - mean) * n_trials, 9)))
