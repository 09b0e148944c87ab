"""Many backtests, side by side where that is faster, each failure kept."""

import logging
import pickle
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass

import joblib
from joblib.externals.loky.process_executor import BrokenProcessPool

from lstm_strategy.bars import CheckedBars, Panel
from lstm_strategy.errors import (
    LongBarsError,
    LSTMStrategyError,
    MissingColumnError,
    TooFewBarsError,
    WorkersDiedError,
    lacks_memory,
)
from lstm_strategy.evaluation.backtests.job import BacktestJob
from lstm_strategy.evaluation.backtests.markets import CheckedMarkets
from lstm_strategy.evaluation.backtests.result import BacktestResult
from lstm_strategy.support import (
    SharedValue,
    choose_jobs,
    is_serial,
    run_tasks,
    share,
)
from lstm_strategy.trading.cerebro import BacktestRun
from lstm_strategy.trading.execution import silence_orders

log = logging.getLogger(__name__)

# From this many bars x strategies on, worker processes pay for their start of about one second.
# Measured with the ten baselines on two cores: 20,000 took 1.0 s in this process and 1.3 s in two
# fresh workers, 30,000 1.5 s and 1.4 s, 50,000 2.3 s and 2.0 s; more cores gain more.
_BARS_WORTH_PROCESSES = 50_000
_UNSUITED = (TooFewBarsError, LongBarsError, MissingColumnError)


@dataclass(frozen=True)
class Failure:
    """What a strategy raised, as text: not every exception survives the way between processes.

    Attributes:
        message: The exception in one line.
        details: The traceback, or "" for an error of the package, whose message says it all.
        is_unsuited: Whether the bars are too few or too long for the strategy, or lack a column.
    """

    message: str
    details: str
    is_unsuited: bool


def run_jobs(
    jobs: Sequence[BacktestJob], bars: CheckedMarkets, n_jobs: int | None = None
) -> dict[str, BacktestResult | Failure]:
    """Run every job; a failure of one doesn't stop the others.

    Args:
        jobs: The strategies, each with a name of its own.
        bars: The bars that all of them run on.
        n_jobs: The most processes; by default several where that is faster.

    Returns:
        The result of each job, or why there is none, by name in the order of the jobs.

    Example:
        >>> from lstm_strategy import BASELINES, sample_bars
        >>> from lstm_strategy.bars import check_bars
        >>> from lstm_strategy.evaluation.backtests import prepare_job
        >>> bars = check_bars(sample_bars("sp500")[:"2000"])
        >>> job = prepare_job(BASELINES["12-1 momentum"], bars, name="Momentum", params={})
        >>> run_jobs([job], bars)["Momentum"].first_tradable.date().isoformat()
        '2000-01-03'
    """
    n_jobs = choose_jobs(n_jobs, otherwise=worthwhile_processes(len(jobs), bars))
    portable = [job for job in jobs if not is_serial(n_jobs) and _is_importable(job.strategy)]
    runs: dict[str, BacktestRun | Failure] = {}
    if len(portable) > 1:
        try:
            with share(bars, n_jobs=n_jobs) as shared_bars:
                tasks = (joblib.delayed(_attempt_apart)(job, shared_bars) for job in portable)
                outcomes = list(run_tasks(tasks, n_jobs=n_jobs))
            runs = {job.name: run for job, run in zip(portable, outcomes, strict=True)}
        except (BrokenProcessPool, WorkersDiedError, pickle.PicklingError) as error:
            log.warning("Worker processes can't be used here, running in this one: %s", error)
    results: dict[str, BacktestResult | Failure] = {}
    for job in jobs:
        run = runs[job.name] if job.name in runs else _attempt(job, bars)
        results[job.name] = run if isinstance(run, Failure) else job.to_result(run)
    return results


def worthwhile_processes(n_runs: int, bars: CheckedMarkets) -> int:
    """Return how many processes so many runs are worth: one for each core, or this one alone."""
    is_much = n_runs * _count_bars(bars) >= _BARS_WORTH_PROCESSES
    return int(joblib.cpu_count()) if is_much else 1


def _attempt_apart(job: BacktestJob, bars: SharedValue) -> BacktestRun | Failure:
    # strategies may write to their bars, and what is shared can't be written to
    markets: CheckedMarkets = bars.value
    if isinstance(markets, Panel):
        return _attempt(job, markets)  # each feed holds a copy
    return _attempt(job, CheckedBars(markets.frame.copy()))


def _count_bars(bars: CheckedMarkets) -> int:
    return sum(map(len, bars.values())) if isinstance(bars, Panel) else len(bars.frame)


def _attempt(job: BacktestJob, bars: CheckedMarkets) -> BacktestRun | Failure:
    try:
        with silence_orders():
            return job.run(bars)
    except LSTMStrategyError as error:
        return Failure(str(error), "", isinstance(error, _UNSUITED))
    except Exception as error:
        if lacks_memory(error):
            raise
        return Failure(repr(error), traceback.format_exc(), False)


def _is_importable(strategy: type) -> bool:
    """Whether a worker process can import the class.

    A class of a notebook or script would travel as code without its source, and backtrader's
    metaclass loses its params on that way: such a strategy runs in this process.
    """
    module = sys.modules.get(strategy.__module__)
    if module is None or strategy.__module__ == "__main__" or "." in strategy.__qualname__:
        return False
    is_there = getattr(module, strategy.__qualname__, None) is strategy
    return is_there and _can_be_found(strategy.__module__)


def _can_be_found(name: str) -> bool:
    """Whether whoever hasn't imported a module finds it, unlike one that was read from a file."""
    parent = name.rpartition(".")[0]
    path = sys.modules[parent].__path__ if parent else None
    return any(finder.find_spec(name, path) is not None for finder in sys.meta_path)
