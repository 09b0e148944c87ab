"""One strategy under other terms: the same bars, forecasts and first bar, one thing changed."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeAlias, TypeVar

import pandas as pd

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.backtests import (
    BacktestJob,
    BacktestResult,
    CheckedMarkets,
    Failure,
    run_jobs,
    worthwhile_processes,
)
from lstm_strategy.support import choose_jobs

Key = TypeVar("Key", bound=Hashable)
Table = TypeVar("Table")
Results: TypeAlias = Mapping[Any, BacktestResult]

_METRICS = ["sharpe", "total_return", "max_drawdown", "turnover", "costs"]


@dataclass(frozen=True, eq=False)
class Trials(Generic[Table]):
    """What is to be run, and the table that is made of it.

    Attributes:
        variants: The strategy under each of the other terms.
        tabulate: Makes a table of their results, by the same keys.
    """

    variants: Mapping[Any, BacktestJob]
    tabulate: Callable[[Results], Table]

    def run(self, bars: CheckedMarkets, n_jobs: int | None = None) -> Table:
        """Run each variant; by default several at once where that is faster.

        Raises:
            TradingError: With the reason of the first that failed.
        """
        return self.tabulate(_run_variants(self.variants, bars, n_jobs))


def run_all(trials: Mapping[str, Trials[Any] | None], bars: CheckedMarkets) -> dict[str, Any]:
    """Return the table of each trial, None where there is none.

    All of them decide together whether processes are worth their start, and run one after another,
    so that the results of one at a time are held.
    """
    n_runs = sum(len(each.variants) for each in trials.values() if each is not None)
    n_jobs = choose_jobs(None, otherwise=worthwhile_processes(n_runs, bars))
    return {name: each and each.run(bars, n_jobs) for name, each in trials.items()}


def _run_variants(
    variants: Mapping[Key, BacktestJob], bars: CheckedMarkets, n_jobs: int | None
) -> dict[Key, BacktestResult]:
    # orders aren't logged: the run on its own terms has said what became of them
    named = {key: replace(job, name=str(key)) for key, job in variants.items()}
    outcomes = run_jobs(list(named.values()), bars, n_jobs)
    results = {}
    for key, job in named.items():
        outcome = outcomes[job.name]
        if isinstance(outcome, Failure):
            raise TradingError(outcome.message)
        results[key] = outcome
    return results


def tabulate_metrics(results: Mapping[Key, BacktestResult], index_name: str) -> pd.DataFrame:
    """Return one row of a few metrics for each result, on its key."""
    rows = {key: result.metrics[_METRICS] for key, result in results.items()}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(index_name)
