"""What one result is worth: the reasons to doubt it, and whether it is skill."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from lstm_strategy.evaluation.backtests import ResultSet
from lstm_strategy.evaluation.robustness import Robustness, fold_of_bars
from lstm_strategy.evaluation.verdict.alarms import Alarm, find_alarms
from lstm_strategy.evaluation.verdict.judge import Verdict, verdict
from lstm_strategy.evaluation.verdict.permutation import PermutationTest
from lstm_strategy.support import card_html, count_of


@dataclass(frozen=True, eq=False, repr=False)
class Assessment:
    """What one strategy of a comparison is worth.

    Attributes:
        name: The strategy.
        verdict: Skill or luck; None where there is nothing to compare it with.
        alarms: The reasons to doubt the result.
        robustness: Other costs, delays, folds and members; None where they weren't tried.
        permutation_test: The same pipeline on bars without memory; None where it wasn't made.
    """

    name: str
    verdict: Verdict | None
    alarms: tuple[Alarm, ...]
    robustness: Robustness | None = None
    permutation_test: PermutationTest | None = None

    def __repr__(self) -> str:
        about = repr(self.verdict) if self.verdict else "nothing to compare it with"
        told = f"\n  {count_of(len(self.alarms), 'alarm')}"
        return f"Assessment of {self.name}. {about}" + ("" if self.verdict else told)

    def _repr_html_(self) -> str:
        if self.verdict is not None:
            return self.verdict._repr_html_()
        notes = [f"Alarm: {alarm.message}" for alarm in self.alarms]
        return card_html(f"Assessment of {self.name}", notes=notes)


def assess_result(
    results: ResultSet,
    close: pd.Series,
    *,
    name: str | None = None,
    forecast: pd.Series | None = None,
    signals_kept: Sequence[float] = (),
    is_policy: bool = False,
    ledger: pd.DataFrame | None = None,
    robustness: Robustness | None = None,
    permutation_test: PermutationTest | None = None,
    n_trials: int = 1,
) -> Assessment:
    """Look for every alarm that what is known makes possible, and judge with them.

    Args:
        results: The strategy and those it is compared with.
        close: The closes of the bars that they ran on.
        name: The strategy; by default the one that the results are about.
        forecast: What its model forecast, known at the close of its row.
        signals_kept: The share of its signal that each training of the model kept, by how its
            forecasts held up on held-out bars; none where that isn't known.
        is_policy: Whether the model forecasts positions instead of returns or probabilities.
        ledger: The ledger of a walk forward: its column `fold` says which model forecast which bar.
        robustness: The strategy under other terms.
        permutation_test: The strategy's pipeline on bars without memory.
        n_trials: Settings and seeds whose results were looked at, this one included.

    Returns:
        The alarms and, where there is a strategy to compare with, the verdict.

    Raises:
        TradingError: For a name that isn't compared.

    Example:
        >>> from lstm_strategy import BASELINES, compare, sample_bars
        >>> bars = sample_bars("sp500")
        >>> two = {name: BASELINES[name] for name in ("MACD", "Buy and hold")}
        >>> assessment = assess_result(compare(two, bars, start="2016"), bars["close"])
        >>> assessment.name, assessment.verdict.claims_skill
        ('MACD', False)
    """
    result = results.find(name)
    alarms = find_alarms(
        result,
        close,
        forecast=None if forecast is None else forecast.reindex(result.equity.index),
        signals_kept=signals_kept,
        is_policy=is_policy,
        folds=None if ledger is None else fold_of_bars(ledger, result.equity.index),
        equity_by_member=None if robustness is None else robustness.equity_by_member,
        delayed_sharpe=None if robustness is None else robustness.delayed_sharpe,
    )
    judged = None
    if len(results.results) > 1:
        judged = verdict(results, result.name, n_trials=n_trials, alarms=alarms)
    return Assessment(
        name=result.name,
        verdict=judged,
        alarms=tuple(alarms),
        robustness=robustness,
        permutation_test=permutation_test,
    )
