"""The hurdles that a claim of skill must clear, with the numbers and the words for them."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lstm_strategy.evaluation.statistics import (
    FEWEST_BARS,
    Interval,
    SPAResult,
    at_equal_volatility,
    deflated_sharpe,
    sharpe_interval,
    superior_predictive_ability,
)
from lstm_strategy.support import count_of

_UNKNOWN = Interval(math.nan, math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class Evidence:
    """The numbers that a verdict rests on.

    Attributes:
        name: The strategy that is judged.
        n_bars: The number of bar returns that are judged.
        is_flat: Whether its equity never varied.
        ruined_after: The number of bar returns after which the account was worth nothing or less;
            None if it never was.
        spa: The test against each baseline; None where there is nothing to judge.
        sharpes: Annual Sharpe ratios of the strategy and of the baseline that is hardest to beat.
        interval: The confidence interval of the strategy's Sharpe ratio.
        deflated_sharpe: The confidence that it is above the luckiest of all trials.
    """

    name: str
    n_bars: int
    is_flat: bool
    ruined_after: int | None = None
    spa: SPAResult | None = None
    sharpes: tuple[float, float] = (math.nan, math.nan)
    interval: Interval = _UNKNOWN
    deflated_sharpe: float = math.nan

    @property
    def p_values(self) -> dict[str, float]:
        """The p-value of the lead over each baseline, largest first."""
        values = {} if self.spa is None else self.spa.p_values.to_dict()
        return {str(baseline): float(p) for baseline, p in values.items()}

    @property
    def p_value(self) -> float:
        """The largest p-value; NaN where there is nothing to judge."""
        return math.nan if self.spa is None else self.spa.p_value


@dataclass(frozen=True)
class Hurdle:
    """One condition for a claim.

    Attributes:
        is_cleared: Whether it was met.
        reason: How it was met or missed, in words.
    """

    is_cleared: bool
    reason: str


def measure_evidence(
    returns: pd.DataFrame,
    name: str,
    bars_per_year: float,
    *,
    n_trials: int,
    level: float,
    reps: int,
    seed: int,
) -> Evidence:
    """Return the numbers for one column of returns; few where there is too little to judge.

    Args:
        returns: Simple returns, one column for each strategy.
        name: The column that is judged.
        bars_per_year: Annualises the Sharpe ratio.
        n_trials: Settings and seeds whose results were looked at, this one included.
        level: The level of the interval of the Sharpe ratio.
        reps: Resamples of the bootstrap.
        seed: The seed of the bootstrap.
    """
    ruined_after = _count_until_ruin(returns[name])
    is_flat = not at_equal_volatility(returns[[name]]).any(axis=None)
    if is_flat or len(returns) < FEWEST_BARS:
        return Evidence(name, len(returns), is_flat, ruined_after)
    spa = superior_predictive_ability(returns, name, reps=reps, seed=seed)
    return Evidence(
        name=name,
        n_bars=len(returns),
        is_flat=False,
        ruined_after=ruined_after,
        spa=spa,
        sharpes=(
            _annual_sharpe(returns[name], bars_per_year),
            _annual_sharpe(returns[spa.hardest_baseline], bars_per_year),
        ),
        interval=sharpe_interval(returns[name], bars_per_year, level=level, reps=reps, seed=seed),
        deflated_sharpe=deflated_sharpe(returns[name], n_trials),
    )


def check_hurdles(
    evidence: Evidence, *, in_sample: bool, n_trials: int, alpha: float
) -> list[Hurdle]:
    """Return every hurdle, in the order in which a reader wants to know of them.

    Args:
        evidence: The numbers.
        in_sample: Whether the model was trained on bars that were traded.
        n_trials: Settings and seeds whose results were looked at, this one included.
        alpha: The chance of a false claim that is accepted.
    """
    hurdles = [_sample_hurdle(in_sample), *_ruin_hurdles(evidence)]
    if evidence.n_bars < FEWEST_BARS:
        few = count_of(evidence.n_bars, "bar is", "bars are")
        reason = f"{few} too few to tell skill from luck"
        return [*hurdles, Hurdle(False, reason)]
    if evidence.spa is None:
        return [*hurdles, Hurdle(False, "its equity never varied, so there is nothing to judge")]
    return [
        *hurdles,
        _spa_hurdle(evidence.spa, evidence.sharpes, alpha),
        _interval_hurdle(evidence.interval),
        _deflated_hurdle(evidence.deflated_sharpe, n_trials, alpha),
    ]


def _sample_hurdle(in_sample: bool) -> Hurdle:
    if in_sample:
        reason = "the model was trained on bars that it trades here, so this result is in-sample"
        return Hurdle(False, reason)
    return Hurdle(True, "no bar that it trades is known to be among its training bars")


def _count_until_ruin(returns: pd.Series) -> int | None:
    """How many returns it took to lose all of the account or more; None if they never did."""
    ruining = np.flatnonzero(returns <= -1.0)
    return int(ruining[0]) + 1 if len(ruining) else None


def _ruin_hurdles(evidence: Evidence) -> list[Hurdle]:
    """A hurdle that can't be cleared for an account that was ruined; none for any other."""
    if evidence.ruined_after is None:
        return []
    when = f"after {evidence.ruined_after:,} of {count_of(evidence.n_bars, 'bar')}"
    return [Hurdle(False, f"its account was ruined {when}, when its equity fell to zero or below")]


def _spa_hurdle(spa: SPAResult, sharpes: tuple[float, float], alpha: float) -> Hurdle:
    own, rival = sharpes
    against = f"{spa.hardest_baseline} (Sharpe ratio {own:.2f} against {rival:.2f})"
    if spa.p_value <= alpha:
        beaten = f"all {len(spa.p_values)} baselines" if len(spa.p_values) > 1 else "its baseline"
        reason = (
            f"it beat {beaten} at equal risk; closest was {against}, with a p-value of "
            f"{spa.p_value:.3f}"
        )
        return Hurdle(True, reason)
    if own <= rival or spa.p_value == 1.0:
        return Hurdle(False, f"at equal risk it did no better than {against}")
    reason = (
        f"its lead over {against} may be luck: the p-value is {spa.p_value:.3f}, "
        f"and must be {alpha:g} or less"
    )
    return Hurdle(False, reason)


def _interval_hurdle(interval: Interval) -> Hurdle:
    words = (
        f"its Sharpe ratio of {interval.estimate:.2f} may truly be anything from "
        f"{interval.low:.2f} to {interval.high:.2f} ({interval.level:.0%} interval)"
    )
    if interval.low <= 0 < interval.high:
        words += ", which doesn't rule out zero"
    return Hurdle(interval.low > 0, words)


def _deflated_hurdle(deflated: float, n_trials: int, alpha: float) -> Hurdle:
    luck = name_bar_of_luck(n_trials)
    words = f"the confidence that its Sharpe ratio is {luck} is {deflated:.1%}"
    if deflated >= 1.0 - alpha:
        return Hurdle(True, words)
    return Hurdle(False, f"{words}, and must be {1.0 - alpha:.0%} or more")


def name_bar_of_luck(n_trials: int) -> str:
    """Return above what a Sharpe ratio has to be, so that luck doesn't explain it.

    Args:
        n_trials: How many settings were tried.

    Example:
        >>> name_bar_of_luck(1), name_bar_of_luck(2_000)
        ('above zero', 'above the luckiest of 2,000 trials')
    """
    return "above zero" if n_trials == 1 else f"above the luckiest of {n_trials:,} trials"


def _annual_sharpe(returns: pd.Series, bars_per_year: float) -> float:
    """The annual Sharpe ratio; zero for a flat line, which is cash."""
    scaled = at_equal_volatility(returns.to_frame()).iloc[:, 0]
    with_ddof_1 = math.sqrt((len(scaled) - 1) / len(scaled))
    return float(scaled.mean()) * with_ddof_1 * math.sqrt(bars_per_year)
