"""Several strategies on the same terms: bars, first bar, costs, sizing, fills.

Each strategy runs alone in a Cerebro of its own. The only thing a run can't know is when the others
have warmed up; where that differs, the early ones run again from the bar at which all can trade.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.backtests import (
    BacktestResult,
    Failure,
    Job,
    build_result,
    first_bar_after,
    log_orders,
    run_jobs,
    training_end,
)
from lstm_strategy.evaluation.comparison.comparison import Board
from lstm_strategy.trading.cerebro import BacktestRun, BrokerSettings

log = logging.getLogger(__name__)


class StrategyFailedError(TradingError):
    """A compared strategy raised; `results` keeps the runs of those that didn't, by name."""

    def __init__(self, message: str, results: dict[str, BacktestResult]):
        super().__init__(message)
        self.results = results


def compare(
    strategies: Mapping[str, type | tuple[type, dict[str, Any]]],
    bars: pd.DataFrame,
    *,
    start: str | date | None = None,
    end: str | date | None = None,
    broker: BrokerSettings | None = None,
    n_jobs: int | None = None,
) -> Board:
    """Run every strategy on the same bars from the same first bar, and return them as a `Board`.

    `strategies` maps a name to a strategy class or to `(class, params)`. Without `start`, all start
    at the first bar after the latest training of a `model` among the params. `n_jobs` is the number
    of processes; by default there are several where that is faster. What became of the orders is
    logged once a strategy, as a warning where some did not fill as asked.

    A strategy that needs more bars than there are is left out with a warning, unless it has a
    `model` or no other strategy can run; the board names it in `left_out`. Raises
    `StrategyFailedError` after all have run if one of them raised; the others' results are in its
    `results`.
    """
    broker = broker or BrokerSettings()
    entries = {name: _class_and_params(name, entry) for name, entry in strategies.items()}
    if not entries:
        raise TradingError("compare needs at least one strategy, got none.")
    entries = {name: (cls, _forecast_once(params, bars)) for name, (cls, params) in entries.items()}
    trained_until = {name: training_end(params, bars) for name, (_, params) in entries.items()}
    if start is None:
        latest = max((end for end in trained_until.values() if end is not None), default=None)
        start = first_bar_after(latest, bars)
    jobs = [Job(name, cls, params, start, end, broker) for name, (cls, params) in entries.items()]
    runs = _aligned_runs(jobs, bars, n_jobs)
    left_out = _too_short_to_run(jobs, runs)
    runs = {name: run for name, run in runs.items() if name not in left_out}
    results = {
        name: build_result(run, broker, trained_until[name])
        for name, run in runs.items()
        if not isinstance(run, Failure)
    }
    for name, reason in left_out.items():
        log.warning("%s is left out of the comparison: %s", name, reason)
    for result in results.values():
        log_orders(result)
    _raise_first_failure(runs, results)
    return Board(results=results, broker=broker, left_out=left_out)


def _class_and_params(name: str, entry: Any) -> tuple[type, dict[str, Any]]:
    strategy, params = entry if isinstance(entry, tuple) and len(entry) == 2 else (entry, {})
    if not isinstance(strategy, type) or not isinstance(params, Mapping):
        raise TradingError(
            f"A compared strategy is a class or (class, params), but {name!r} is "
            f"{entry!r}. Pass the class itself and its params as a dict."
        )
    return strategy, dict(params)


def _forecast_once(params: dict[str, Any], bars: pd.DataFrame) -> dict[str, Any]:
    """The params with the model's forecasts in place of the model, so no worker loads a network."""
    if params.get("model") is None:
        return params
    from lstm_strategy.learning.serving import precompute_forecasts

    return params | {"model": precompute_forecasts(params["model"], bars)}


def _aligned_runs(
    jobs: list[Job], bars: pd.DataFrame, n_jobs: int | None
) -> dict[str, BacktestRun | Failure]:
    """Every job's run, those that began before the last one was warm run again from its bar."""
    runs = run_jobs(jobs, bars, n_jobs)
    beginnings = {n: r.first_tradable for n, r in runs.items() if isinstance(r, BacktestRun)}
    if len(set(beginnings.values())) <= 1:
        return runs
    slowest = max(beginnings, key=lambda name: beginnings[name])
    early = [
        replace(job, start=beginnings[slowest])
        for job in jobs
        if beginnings.get(job.name, beginnings[slowest]) < beginnings[slowest]
    ]
    log.info(
        "%s can trade only from %s on; %d other strategies start there too, for equal terms.",
        slowest, beginnings[slowest], len(early),
    )  # fmt: skip
    return runs | run_jobs(early, bars, n_jobs)


def _too_short_to_run(jobs: list[Job], runs: dict[str, BacktestRun | Failure]) -> dict[str, str]:
    """Name and reason of the strategies that the others can do without."""
    if all(isinstance(run, Failure) for run in runs.values()):
        return {}
    can_go = {job.name for job in jobs if job.params.get("model") is None}
    return {
        name: run.message
        for name, run in runs.items()
        if isinstance(run, Failure) and run.lacks_bars and name in can_go
    }


def _raise_first_failure(
    runs: dict[str, BacktestRun | Failure], results: dict[str, BacktestResult]
) -> None:
    failures = {name: run for name, run in runs.items() if isinstance(run, Failure)}
    for name, failure in failures.items():
        log.error("Strategy %s failed: %s", name, failure.details or failure.message)
    if failures:
        name, failure = next(iter(failures.items()))
        others = f" ({len(failures)} of {len(runs)} strategies failed.)" * (len(failures) > 1)
        raise StrategyFailedError(
            f"Strategy {name} failed: {failure.message}{others} Mend it or leave it out.",
            results,
        )
