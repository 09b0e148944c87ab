"""Several strategies on the same terms: bars, first bar, costs, sizing, fills.

Each strategy runs alone in a Cerebro of its own. The only thing a run can't know is when the others
have warmed up; where that differs, the early ones run again from the bar at which all can trade.
"""

import importlib.util
import logging
import pickle
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import joblib
import pandas as pd
from joblib.externals.loky.process_executor import BrokenProcessPool

from lstm_strategy.errors import LSTMStrategyError, TradingError
from lstm_strategy.evaluation.board import Board
from lstm_strategy.evaluation.order_log import log_orders, orders_unlogged
from lstm_strategy.evaluation.result import (
    BacktestResult,
    first_bar_after,
    result_of,
    training_end,
)
from lstm_strategy.trading.backtest import (
    BacktestRun,
    BrokerSettings,
    TooFewBarsError,
    run_cerebro,
)

log = logging.getLogger(__name__)

# From this many bars x strategies on, worker processes pay for their start of about one second.
# Measured with the ten baselines on two cores: 20,000 took 1.0 s in this process and 1.3 s in two
# fresh workers, 30,000 1.5 s and 1.4 s, 50,000 2.3 s and 2.0 s; more cores gain more.
_BARS_WORTH_PROCESSES = 50_000


class StrategyFailedError(TradingError):
    """A compared strategy raised; `results` keeps the runs of those that didn't, by name."""

    def __init__(self, message: str, results: dict[str, BacktestResult]):
        super().__init__(message)
        self.results = results


@dataclass(frozen=True)
class _Job:
    """One strategy to run; everything in it travels to a worker process."""

    name: str
    strategy: type
    params: dict[str, Any]
    start: Any
    end: Any
    broker: BrokerSettings


@dataclass(frozen=True)
class _Failure:
    """What a strategy raised, as text: not every exception survives the way between processes.

    `details` is the traceback, or "" for an error of the package, whose message says it all.
    """

    message: str
    details: str
    lacks_bars: bool


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
    jobs = [_Job(name, cls, params, start, end, broker) for name, (cls, params) in entries.items()]
    runs = _aligned_runs(jobs, bars, n_jobs)
    left_out = _too_short_to_run(jobs, runs)
    runs = {name: run for name, run in runs.items() if name not in left_out}
    results = {
        name: result_of(run, broker, trained_until[name])
        for name, run in runs.items()
        if not isinstance(run, _Failure)
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
    from lstm_strategy.learning.models import ready_forecasts

    return params | {"model": ready_forecasts(params["model"], bars)}


def _aligned_runs(
    jobs: list[_Job], bars: pd.DataFrame, n_jobs: int | None
) -> dict[str, BacktestRun | _Failure]:
    """Every job's run, those that began before the last one was warm run again from its bar."""
    runs = _runs_of(jobs, bars, n_jobs)
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
    return runs | _runs_of(early, bars, n_jobs)


def _runs_of(
    jobs: list[_Job], bars: pd.DataFrame, n_jobs: int | None
) -> dict[str, BacktestRun | _Failure]:
    """Job name → its run or why there is none, in the order of the jobs."""
    n_jobs = _worthwhile_processes(len(jobs) * len(bars)) if n_jobs is None else n_jobs
    portable = [job for job in jobs if n_jobs != 1 and _is_importable(job.strategy)]
    runs: dict[str, BacktestRun | _Failure] = {}
    if len(portable) > 1:
        try:
            # max_nbytes=None: a worker gets its own writable bars, not a shared read-only map
            done = joblib.Parallel(n_jobs=n_jobs, max_nbytes=None)(
                joblib.delayed(_attempt)(job, bars) for job in portable
            )
            runs = {job.name: run for job, run in zip(portable, done, strict=True)}
        except (BrokenProcessPool, pickle.PicklingError) as error:
            log.warning("Worker processes can't be used here, running in this one: %s", error)
    return {j.name: runs[j.name] if j.name in runs else _attempt(j, bars) for j in jobs}


def _attempt(job: _Job, bars: pd.DataFrame) -> BacktestRun | _Failure:
    try:
        with orders_unlogged():
            return run_cerebro(
                job.strategy, bars,
                start=job.start, end=job.end, broker=job.broker, name=job.name, **job.params,
            )  # fmt: skip
    except LSTMStrategyError as error:
        return _Failure(str(error), "", isinstance(error, TooFewBarsError))
    except Exception as error:
        return _Failure(repr(error), traceback.format_exc(), False)


def _too_short_to_run(jobs: list[_Job], runs: dict[str, BacktestRun | _Failure]) -> dict[str, str]:
    """Name and reason of the strategies that the others can do without."""
    if all(isinstance(run, _Failure) for run in runs.values()):
        return {}
    can_go = {job.name for job in jobs if job.params.get("model") is None}
    return {
        name: run.message
        for name, run in runs.items()
        if isinstance(run, _Failure) and run.lacks_bars and name in can_go
    }


def _raise_first_failure(
    runs: dict[str, BacktestRun | _Failure], results: dict[str, BacktestResult]
) -> None:
    failures = {name: run for name, run in runs.items() if isinstance(run, _Failure)}
    for name, failure in failures.items():
        log.error("Strategy %s failed: %s", name, failure.details or failure.message)
    if failures:
        name, failure = next(iter(failures.items()))
        others = f" ({len(failures)} of {len(runs)} strategies failed.)" * (len(failures) > 1)
        raise StrategyFailedError(
            f"Strategy {name} failed: {failure.message}{others} Mend it or leave it out.",
            results,
        )


def _worthwhile_processes(bars_to_run: int) -> int:
    return joblib.cpu_count() if bars_to_run >= _BARS_WORTH_PROCESSES else 1


def _is_importable(strategy: type) -> bool:
    """Whether a worker process can import the class.

    A class of a notebook or script would travel as source-less code instead, and backtrader's
    metaclass loses its params on that way: such a strategy runs in this process.
    """
    module = sys.modules.get(strategy.__module__)
    if module is None or strategy.__module__ == "__main__" or "." in strategy.__qualname__:
        return False
    is_there = getattr(module, strategy.__qualname__, None) is strategy
    return is_there and importlib.util.find_spec(strategy.__module__) is not None
