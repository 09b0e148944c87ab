"""Skill or luck, in one sentence that never says more than the numbers do.

A strategy must clear every hurdle: out of sample, ahead of each baseline at equal risk, a Sharpe
ratio above zero, and one above what the best of all trials would reach by luck. One that fails
anywhere is reported as "no evidence of skill", which isn't the same as evidence of no skill.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.comparison import Board
from lstm_strategy.evaluation.metrics import bar_returns
from lstm_strategy.evaluation.statistics import (
    FEWEST_BARS,
    Interval,
    SPAResult,
    at_equal_volatility,
    deflated_sharpe,
    sharpe_interval,
    superior_predictive_ability,
)
from lstm_strategy.evaluation.verdict.alarms import Alarm, result_named


@dataclass(frozen=True)
class Verdict:
    """Whether a strategy shows skill, why, and the numbers behind it; NaN where none can be had.

    claims_skill:     true only if every hurdle was cleared
    sentence:         the verdict in plain English
    reasons:          the hurdles that failed, or all of them if none did
    n_bars:           bar returns judged
    n_trials:         trials that the best was chosen from
    alpha:            the chance of a false claim that is accepted
    p_values:         one a baseline, largest first, see `superior_predictive_ability`
    p_value:          the largest of them
    sharpe:           annual Sharpe ratio
    sharpe_interval:  its confidence interval of level 1 − alpha
    deflated_sharpe:  confidence that it is above the luckiest of `n_trials`
    in_sample:        whether the model was trained on bars that were traded
    alarms:           the alarms that the caller raised; they qualify a claim, they don't undo it
    """

    name: str
    claims_skill: bool
    sentence: str
    reasons: list[str]
    n_bars: int
    n_trials: int
    alpha: float
    p_values: dict[str, float]
    p_value: float
    sharpe: float
    sharpe_interval: tuple[float, float]
    deflated_sharpe: float
    in_sample: bool
    alarms: tuple[Alarm, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values that JSON can hold; None for NaN."""
        return {key: _plain(value) for key, value in asdict(self).items()}

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True)
class _Evidence:
    """The three numbers that a verdict rests on."""

    spa: SPAResult
    interval: Interval
    deflated: float


_NO_EVIDENCE = _Evidence(
    spa=SPAResult(name="", p_values=pd.Series(dtype=float), block_bars=0, reps=0),
    interval=Interval(math.nan, math.nan, math.nan, math.nan),
    deflated=math.nan,
)


@dataclass(frozen=True)
class _Hurdle:
    """One condition for a claim, and the words for how it was met or missed."""

    is_cleared: bool
    reason: str


def verdict(
    board: Board,
    name: str = "LSTM",
    *,
    n_trials: int = 1,
    alpha: float = 0.05,
    seed: int = 0,
    reps: int = 1000,
    alarms: Sequence[Alarm] = (),
) -> Verdict:
    """Judge one strategy of a board against all the others; see `verdict_on_returns`.

    A ruined account earns nothing more. Raises `TradingError` for a name that isn't on the board
    and for a board without another strategy.
    """
    result = result_named(board, name)
    returns = {key: bar_returns(other.equity) for key, other in board.results.items()}
    return verdict_on_returns(
        pd.DataFrame(returns).fillna(0.0),
        name,
        bars_per_year=result.bars_per_year,
        in_sample=result.in_sample,
        n_trials=n_trials,
        alpha=alpha,
        seed=seed,
        reps=reps,
        alarms=alarms,
    )


def verdict_on_returns(
    returns: pd.DataFrame,
    name: str,
    *,
    bars_per_year: float,
    in_sample: bool = False,
    n_trials: int = 1,
    alpha: float = 0.05,
    seed: int = 0,
    reps: int = 1000,
    alarms: Sequence[Alarm] = (),
) -> Verdict:
    """Judge the column `name` of a frame of bar returns against all the others.

    Skill is claimed only if the result is out of sample, the largest p-value of
    `superior_predictive_ability` is at most `alpha`, the interval of the Sharpe ratio at level
    1 − `alpha` lies above zero, and the deflated Sharpe ratio for `n_trials` is at least
    1 − `alpha`. `n_trials` counts every setting and seed whose result was looked at. Raises
    `TradingError` for a missing name, no other column, or a return that isn't finite.
    """
    _refuse_impossible(returns, name, alpha)
    hurdles = [_Hurdle(not in_sample, _sample_words(in_sample))]
    evidence = _NO_EVIDENCE
    if len(returns) < FEWEST_BARS:
        hurdles.append(_Hurdle(False, f"{len(returns)} bars are too few to tell skill from luck"))
    elif not at_equal_volatility(returns[[name]]).any(axis=None):
        hurdles.append(_Hurdle(False, "its equity never varied, so there is nothing to judge"))
    else:
        evidence = _Evidence(
            superior_predictive_ability(returns, name, reps=reps, seed=seed),
            sharpe_interval(returns[name], bars_per_year, level=1.0 - alpha, reps=reps, seed=seed),
            deflated_sharpe(returns[name], n_trials),
        )
        hurdles += [
            _spa_hurdle(evidence.spa, returns, bars_per_year, alpha),
            _interval_hurdle(evidence.interval),
            _deflated_hurdle(evidence.deflated, n_trials, alpha),
        ]
    claims_skill = all(hurdle.is_cleared for hurdle in hurdles)
    reasons = [hurdle.reason for hurdle in hurdles if claims_skill or not hurdle.is_cleared]
    claim = _claim(name, len(returns), evidence, alarms) if claims_skill else None
    return Verdict(
        name=name,
        claims_skill=claims_skill,
        sentence=claim or _no_claim(name, reasons),
        reasons=reasons,
        n_bars=len(returns),
        n_trials=n_trials,
        alpha=alpha,
        p_values={str(key): float(p) for key, p in evidence.spa.p_values.items()},
        p_value=evidence.spa.p_value,
        sharpe=evidence.interval.estimate,
        sharpe_interval=(evidence.interval.low, evidence.interval.high),
        deflated_sharpe=evidence.deflated,
        in_sample=in_sample,
        alarms=tuple(alarms),
    )


def _refuse_impossible(returns: pd.DataFrame, name: str, alpha: float) -> None:
    if name not in returns:
        raise TradingError(
            f"The returns need a column {name!r}, got {', '.join(map(str, returns))}."
        )
    if returns.shape[1] < 2:
        raise TradingError(
            f"A verdict on {name} needs a baseline to compare it with, got none. "
            "Add buy and hold at least."
        )
    if not 0.0 < alpha < 1.0:
        raise TradingError(f"alpha must lie between 0 and 1, got {alpha}. 0.05 is usual.")


def _sample_words(in_sample: bool) -> str:
    if in_sample:
        return "the model was trained on bars that it trades here, so this result is in-sample"
    return "no bar that it trades is known to be among its training bars"


def _spa_hurdle(
    spa: SPAResult, returns: pd.DataFrame, bars_per_year: float, alpha: float
) -> _Hurdle:
    own = _sharpe(returns[spa.name], bars_per_year)
    rival = _sharpe(returns[spa.hardest_baseline], bars_per_year)
    against = f"{spa.hardest_baseline} (Sharpe ratio {own:.2f} against {rival:.2f})"
    if spa.p_value <= alpha:
        beaten = f"all {len(spa.p_values)} baselines" if len(spa.p_values) > 1 else "its baseline"
        return _Hurdle(
            True,
            f"it beat {beaten} at equal risk; closest was {against}, with a p-value of "
            f"{spa.p_value:.3f}",
        )
    if own <= rival or spa.p_value == 1.0:
        return _Hurdle(False, f"at equal risk it did no better than {against}")
    return _Hurdle(
        False,
        f"its lead over {against} may be luck: the p-value is {spa.p_value:.3f}, "
        f"and must be {alpha:g} or less",
    )


def _interval_hurdle(interval: Interval) -> _Hurdle:
    words = (
        f"its Sharpe ratio of {interval.estimate:.2f} may truly be anything from "
        f"{interval.low:.2f} to {interval.high:.2f} ({interval.level:.0%} interval)"
    )
    if interval.low <= 0 < interval.high:
        words += ", which doesn't rule out zero"
    return _Hurdle(interval.low > 0, words)


def _deflated_hurdle(deflated: float, n_trials: int, alpha: float) -> _Hurdle:
    luck = "above zero" if n_trials == 1 else f"above the luckiest of {n_trials:,} trials"
    words = f"the confidence that its Sharpe ratio is {luck} is {deflated:.1%}"
    if deflated >= 1.0 - alpha:
        return _Hurdle(True, words)
    return _Hurdle(False, f"{words}, and must be {1.0 - alpha:.0%} or more")


def _claim(name: str, n_bars: int, evidence: _Evidence, alarms: Sequence[Alarm]) -> str:
    spa, interval = evidence.spa, evidence.interval
    n_baselines = len(spa.p_values)
    beaten = "its only baseline" if n_baselines == 1 else f"each of {n_baselines} baselines"
    open_questions = f", if {_listed(alarms)} can be explained" if alarms else ""
    return (
        f"Evidence of skill in {name}{open_questions}: over {n_bars:,} bars it beat {beaten} at "
        f"equal risk (the hardest was {spa.hardest_baseline}, p-value {spa.p_value:.3f}) with a "
        f"Sharpe ratio of {interval.estimate:.2f} ({interval.level:.0%} interval "
        f"{interval.low:.2f} to {interval.high:.2f}); that is about these bars, not a promise "
        "about the next ones."
    )


def _no_claim(name: str, reasons: list[str]) -> str:
    more = len(reasons) - 1
    others = f" ({more} more {'hurdle' if more == 1 else 'hurdles'} failed)" if more else ""
    return f"No evidence of skill in {name}: {reasons[0]}{others}."


def _listed(alarms: Sequence[Alarm]) -> str:
    names = ", ".join(alarm.name for alarm in alarms)
    return f"the alarm {names}" if len(alarms) == 1 else f"the alarms {names}"


def _sharpe(returns: pd.Series, bars_per_year: float) -> float:
    """Annual Sharpe ratio; zero for a flat line, which is cash."""
    scaled = at_equal_volatility(returns.to_frame()).iloc[:, 0]
    with_ddof_1 = math.sqrt((len(scaled) - 1) / len(scaled))
    return float(scaled.mean()) * with_ddof_1 * math.sqrt(bars_per_year)


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
