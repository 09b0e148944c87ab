"""All that there is to say about one result: what may disguise it, and whether it is skill."""

from dataclasses import dataclass

import pandas as pd

from lstm_strategy.evaluation.backtests import ResultSet
from lstm_strategy.evaluation.robustness import Robustness
from lstm_strategy.evaluation.verdict.alarms import Alarm, find_alarms
from lstm_strategy.evaluation.verdict.judge import Verdict, verdict
from lstm_strategy.evaluation.verdict.permutation import PermutationTest


@dataclass(frozen=True, eq=False)
class Assessment:
    """What one strategy of a comparison is worth.

    Attributes:
        name: the strategy.
        verdict: skill or luck; None where there is nothing to compare it with.
        alarms: the reasons to doubt the result.
        robustness: other costs, delays, folds and members; None where they weren't tried.
        permutation_test: the same pipeline on bars without memory; None where it wasn't made.
    """

    name: str
    verdict: Verdict | None
    alarms: tuple[Alarm, ...]
    robustness: Robustness | None = None
    permutation_test: PermutationTest | None = None


def assess_result(
    results: ResultSet,
    close: pd.Series,
    *,
    name: str | None = None,
    forecast: pd.Series | None = None,
    ledger: pd.DataFrame | None = None,
    robustness: Robustness | None = None,
    permutation_test: PermutationTest | None = None,
    n_trials: int = 1,
) -> Assessment:
    """Raise every alarm that what is known makes possible, and judge with them.

    Args:
        results: the strategy and those it is compared with.
        close: the closes of the bars that they ran on.
        name: the strategy; by default the one that the results are about.
        forecast: what its model forecast, known at the close of its row.
        ledger: that of a walk forward.
        robustness: the strategy under other terms.
        permutation_test: the strategy's pipeline on bars without memory.
        n_trials: settings and seeds whose results were looked at, this one included.

    Raises:
        TradingError: for a name that isn't compared.
    """
    result = results.find(name)
    alarms = find_alarms(
        result,
        close,
        forecast=None if forecast is None else forecast.reindex(result.equity.index),
        folds=None if ledger is None else ledger["fold"],
        equity_by_member=None if robustness is None else robustness.equity_by_member,
        delayed_sharpe=None if robustness is None else robustness.delayed_sharpe,
    )
    has_rivals = len(results.results) > 1
    return Assessment(
        name=result.name,
        verdict=(
            verdict(results, result.name, n_trials=n_trials, alarms=alarms) if has_rivals else None
        ),
        alarms=tuple(alarms),
        robustness=robustness,
        permutation_test=permutation_test,
    )
