"""How much of the best trial of a search may be luck."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lstm_strategy.bars import Panel, as_panel, is_panel, proportional_markets
from lstm_strategy.evaluation.statistics import (
    FEWEST_BARS,
    best_lead_p_value,
    deflated_sharpe,
    independent_trials,
    overfitting_probability,
)


@dataclass(frozen=True)
class Luck:
    """What the number of trials and their correlations leave of the best one.

    Attributes:
        n_independent, pbo, deflated_sharpe, spa_p_value: As in `TuningResult`.
    """

    n_independent: int
    pbo: float
    deflated_sharpe: float
    spa_p_value: float


def measure_luck(
    returns: pd.DataFrame, best_number: int, held: pd.Series, *, n_trials: int, seed: int
) -> Luck:
    """Measure how much of the best trial may be luck.

    Args:
        returns: Bar returns of the completed trials, one column each, by number.
        best_number: The best trial; its returns may lie in another folder and be missing.
        held: Returns of buy and hold on the dates of the bars, as `held_returns` gives them.
        n_trials: Trials that ended, pruned ones included.
        seed: Chooses the resamples of the test against buy and hold.
    """
    n_independent = independent_trials(returns, n_trials)
    best = returns.get(best_number)
    if best is None or len(returns) < FEWEST_BARS:
        return Luck(n_independent, math.nan, math.nan, math.nan)
    held = held.reindex(returns.index).fillna(0.0)
    spread = returns.std(ddof=1)
    sharpes = (returns.mean() / spread).where(spread > 0, 0.0)
    # trials that are nearly the same vary less than luck alone makes them
    trial_sharpe_std = max(
        1.0 / math.sqrt(len(returns) - 1), float(np.nan_to_num(sharpes.std(ddof=1)))
    )
    return Luck(
        n_independent=n_independent,
        pbo=overfitting_probability(returns),
        deflated_sharpe=deflated_sharpe(best, n_independent, trial_sharpe_std=trial_sharpe_std),
        spa_p_value=best_lead_p_value(returns, held, seed=seed),
    )


def held_returns(bars: pd.DataFrame | Panel) -> pd.Series:
    """Return what holding the market earned at each bar, or all markets of a panel alike.

    Args:
        bars: Bars, or a panel of them; its markets count where they have a bar.
    """
    bars = proportional_markets(bars)
    if not is_panel(bars):
        return bars["close"].pct_change()
    zone = as_panel(bars).dates.tz
    closes = (
        own["close"] if zone is None else own["close"].tz_convert(zone) for own in bars.values()
    )
    return pd.concat([close.pct_change() for close in closes], axis=1).mean(axis=1).sort_index()
