"""Backtests side by side: in several processes where that is faster, each with its failure kept."""

import importlib.util
import logging
import pickle
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import joblib
import pandas as pd
from joblib.externals.loky.process_executor import BrokenProcessPool

from lstm_strategy.errors import LSTMStrategyError, TooFewBarsError, WorkersDiedError
from lstm_strategy.support import Shared, choose_jobs, is_serial, run_tasks, shared
from lstm_strategy.trading.cerebro import BacktestRun, BrokerSettings, run_cerebro
from lstm_strategy.trading.execution import silence_orders

log = logging.getLogger(__name__)


# From this many bars x strategies on, worker processes pay for their start of about one second.
# Measured with the ten baselines on two cores: 20,000 took 1.0 s in this process and 1.3 s in two
# fresh workers, 30,000 1.5 s and 1.4 s, 50,000 2.3 s and 2.0 s; more cores gain more.
_BARS_WORTH_PROCESSES = 50_000


@dataclass(frozen=True)
class Job:
    """One strategy to run; everything in it travels to a worker process."""

    name: str
    strategy: type
    params: dict[str, Any]
    start: Any
    end: Any
    broker: BrokerSettings


@dataclass(frozen=True)
class Failure:
    """What a strategy raised, as text: not every exception survives the way between processes.

    `details` is the traceback, or "" for an error of the package, whose message says it all.
    """

    message: str
    details: str
    lacks_bars: bool


def run_jobs(
    jobs: Sequence[Job], bars: pd.DataFrame, n_jobs: int | None = None
) -> dict[str, BacktestRun | Failure]:
    """Job name → its run or why there is none, in the order of the jobs."""
    n_jobs = choose_jobs(n_jobs, otherwise=_worthwhile_processes(len(jobs) * len(bars)))
    portable = [job for job in jobs if not is_serial(n_jobs) and _is_importable(job.strategy)]
    runs: dict[str, BacktestRun | Failure] = {}
    if len(portable) > 1:
        try:
            with shared(bars, n_jobs=n_jobs) as all_bars:
                tasks = (joblib.delayed(_attempt_apart)(job, all_bars) for job in portable)
                done = list(run_tasks(tasks, n_jobs=n_jobs))
            runs = {job.name: run for job, run in zip(portable, done, strict=True)}
        except (BrokenProcessPool, WorkersDiedError, pickle.PicklingError) as error:
            log.warning("Worker processes can't be used here, running in this one: %s", error)
    return {j.name: runs[j.name] if j.name in runs else _attempt(j, bars) for j in jobs}


def _attempt_apart(job: Job, bars: Shared) -> BacktestRun | Failure:
    return _attempt(job, bars.value.copy())  # strategies may write to their bars


def _attempt(job: Job, bars: pd.DataFrame) -> BacktestRun | Failure:
    try:
        with silence_orders():
            return run_cerebro(
                job.strategy, bars,
                start=job.start, end=job.end, broker=job.broker, name=job.name, **job.params,
            )  # fmt: skip
    except LSTMStrategyError as error:
        return Failure(str(error), "", isinstance(error, TooFewBarsError))
    except Exception as error:
        return Failure(repr(error), traceback.format_exc(), False)


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
