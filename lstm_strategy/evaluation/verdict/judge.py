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
from lstm_strategy.evaluation.backtests import ResultSet
from lstm_strategy.evaluation.metrics import earned_returns
from lstm_strategy.evaluation.verdict.alarms import Alarm
from lstm_strategy.evaluation.verdict.hurdles import (
    check_hurdles,
    measure_evidence,
    name_bar_of_luck,
)
from lstm_strategy.evaluation.verdict.sentence import word_verdict
from lstm_strategy.support import card_html, explain_arguments, frame_html, number_text


@dataclass(frozen=True, repr=False)
class Verdict:
    """Whether a strategy shows skill, why, and the numbers behind it; NaN where none can be had.

    Attributes:
        name: The strategy.
        claims_skill: Whether every hurdle was cleared.
        sentence: The verdict in plain English.
        reasons: The hurdles that failed, or all of them if none did.
        n_bars: The number of bar returns that were judged.
        n_trials: The number of trials that the best was chosen from.
        alpha: The chance of a false claim that is accepted.
        p_values: One p-value for each baseline, largest first, see `superior_predictive_ability`.
        p_value: The largest of them.
        sharpe: The annual Sharpe ratio.
        sharpe_interval: Its confidence interval of level 1 − `alpha`.
        deflated_sharpe: The confidence that it is above the luckiest of `n_trials`.
        in_sample: Whether the model was trained on bars that were traded.
        alarms: The alarms that were raised; they qualify a claim, they don't undo it.

    Example:
        >>> returns = pd.DataFrame({"LSTM": [0.01, -0.01], "Buy and hold": [0.02, 0.0]})
        >>> print(verdict_on_returns(returns, "LSTM", bars_per_year=252))
        No evidence of skill in LSTM: 2 bars are too few to tell skill from luck.
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
        """Return everything as plain values that JSON can hold; None for NaN."""
        return {key: _to_plain(value) for key, value in asdict(self).items()}

    def __str__(self) -> str:
        return self.sentence

    def __repr__(self) -> str:
        reasons = "".join(f"\n  - {reason}" for reason in self.reasons)
        alarms = "".join(f"\n  alarm: {alarm.message}" for alarm in self.alarms)
        return f"Verdict: {self.sentence}{reasons}{alarms}"

    def _repr_html_(self) -> str:
        facts = {}
        if not math.isnan(self.sharpe):  # else there was nothing to judge
            low, high = self.sharpe_interval
            facts = {
                "Sharpe ratio": f"{number_text(self.sharpe)} "
                f"({1 - self.alpha:.0%} interval: {number_text(low)} to {number_text(high)})",
                f"Confidence that it is {name_bar_of_luck(self.n_trials)}": number_text(
                    self.deflated_sharpe, "{:.1%}"
                ),
            }
        facts |= {
            "Bars and trials": f"{self.n_bars:,} and {self.n_trials:,}",
            "In sample": "yes" if self.in_sample else "no",
        }
        p_values = {name: number_text(value, "{:.3f}") for name, value in self.p_values.items()}
        table = pd.DataFrame({"p-value of leading it by luck": p_values}).rename_axis("baseline")
        notes = [f"{reason[:1].upper()}{reason[1:]}." for reason in self.reasons]
        notes += [f"Alarm: {alarm.message}" for alarm in self.alarms]
        return card_html(
            f"Verdict on {self.name}",
            about=self.sentence,
            facts=facts,
            parts=[frame_html(table)] if p_values else [],
            notes=notes,
        )


@explain_arguments(TradingError)
def verdict(
    comparison: ResultSet,
    name: str | None = None,
    *,
    n_trials: int = 1,
    alpha: float = 0.05,
    seed: int = 0,
    reps: int = 1000,
    alarms: Sequence[Alarm] = (),
) -> Verdict:
    """Judge one strategy of a comparison against all the others; see `verdict_on_returns`.

    Args:
        comparison: What `compare` returned. A ruined account earns nothing more, and is never
            skilled.
        name: The strategy; by default the first LSTM, or else the first of all.
        n_trials: Settings and seeds whose results were looked at, this one included.
        alpha: The chance of a false claim that is accepted.
        seed: The seed of the bootstrap.
        reps: Resamples of the bootstrap.
        alarms: The alarms that were raised; they qualify a claim.

    Returns:
        The verdict, with the numbers that it rests on.

    Raises:
        TradingError: For a name that isn't compared, or a comparison of one strategy.

    Example:
        >>> from lstm_strategy import BASELINES, compare, sample_bars
        >>> two = {name: BASELINES[name] for name in ("MACD", "Buy and hold")}
        >>> judged = verdict(compare(two, sample_bars("sp500"), start="2016"), "MACD", reps=200)
        >>> judged.claims_skill
        False
    """
    result = comparison.find(name)
    returns = {key: earned_returns(other.equity) for key, other in comparison.results.items()}
    return verdict_on_returns(
        pd.DataFrame(returns).fillna(0.0),  # of one that ended its run early
        result.name,
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
    """Judge one column of a frame of bar returns against all the others.

    Skill is claimed only if the result is out of sample, the account was never ruined by a return
    of −100 % or less, the largest p-value of
    `superior_predictive_ability` is at most `alpha`, the interval of the Sharpe ratio at level
    1 − `alpha` lies above zero, and the deflated Sharpe ratio for `n_trials` is at least
    1 − `alpha`.

    Args:
        returns: Simple returns known at the close of their row, shape (n_bars, n_strategies).
        name: The column that is judged.
        bars_per_year: Annualises the Sharpe ratio.
        in_sample: Whether a model was trained on these bars.
        n_trials: Settings and seeds whose results were looked at, this one included.
        alpha: The chance of a false claim that is accepted.
        seed: The seed of the bootstrap.
        reps: Resamples of the bootstrap.
        alarms: The alarms that were raised; they qualify a claim.

    Returns:
        The verdict, with the numbers that it rests on.

    Raises:
        TradingError: For a missing name, no other column, or a return that isn't finite.

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> noise = pd.DataFrame(rng.normal(0.0, 0.01, (500, 2)), columns=["LSTM", "Buy and hold"])
        >>> skilled = noise.assign(LSTM=noise["LSTM"] + 0.003)
        >>> verdict_on_returns(noise, "LSTM", bars_per_year=252, reps=200).claims_skill
        False
        >>> verdict_on_returns(skilled, "LSTM", bars_per_year=252, reps=200).claims_skill
        True
    """
    _refuse_impossible(returns, name, alpha)
    evidence = measure_evidence(
        returns, name, bars_per_year, n_trials=n_trials, level=1.0 - alpha, reps=reps, seed=seed
    )
    hurdles = check_hurdles(evidence, in_sample=in_sample, n_trials=n_trials, alpha=alpha)
    claims_skill = all(hurdle.is_cleared for hurdle in hurdles)
    reasons = [hurdle.reason for hurdle in hurdles if claims_skill or not hurdle.is_cleared]
    return Verdict(
        name=name,
        claims_skill=claims_skill,
        sentence=word_verdict(evidence, reasons, alarms, claims_skill=claims_skill),
        reasons=reasons,
        n_bars=evidence.n_bars,
        n_trials=n_trials,
        alpha=alpha,
        p_values=evidence.p_values,
        p_value=evidence.p_value,
        sharpe=evidence.interval.estimate,
        sharpe_interval=(evidence.interval.low, evidence.interval.high),
        deflated_sharpe=evidence.deflated_sharpe,
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


def _to_plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_to_plain(item) for item in value]
    return value
