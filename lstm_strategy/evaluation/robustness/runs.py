"""One strategy under other terms: the same bars, forecasts and first bar, one thing changed."""

from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import TypeVar

import pandas as pd

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.backtests import (
    BacktestJob,
    BacktestResult,
    CheckedMarkets,
    Failure,
    run_jobs,
)

Key = TypeVar("Key", bound=Hashable)

_METRICS = ["sharpe", "total_return", "max_drawdown", "turnover", "costs"]


def run_variants(
    variants: Mapping[Key, BacktestJob], bars: CheckedMarkets
) -> dict[Key, BacktestResult]:
    """Run each variant; several at once where that is faster.

    Orders aren't logged: the run on its own terms has said what became of them.

    Raises:
        TradingError: With the reason of the first that failed.
    """
    named = {key: replace(job, name=str(key)) for key, job in variants.items()}
    outcomes = run_jobs(list(named.values()), bars)
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
