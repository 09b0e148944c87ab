"""Backtests that are ready to run, side by side where that is faster, each failure kept."""

import importlib.util
import logging
import pickle
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import Any

import joblib
import pandas as pd
from joblib.externals.loky.process_executor import BrokenProcessPool

from lstm_strategy.bars import CheckedBars
from lstm_strategy.errors import LSTMStrategyError, TooFewBarsError, TradingError, WorkersDiedError
from lstm_strategy.evaluation.backtests.result import BacktestResult, Role
from lstm_strategy.learning.forecaster import Forecaster
from lstm_strategy.learning.serving import PrecomputedForecasts, precompute_forecasts
from lstm_strategy.support import (
    SharedValue,
    choose_jobs,
    is_serial,
    run_tasks,
    share,
)
from lstm_strategy.trading.baselines import BuyAndHold
from lstm_strategy.trading.cerebro import BacktestRun, BrokerSettings, run_cerebro
from lstm_strategy.trading.execution import silence_orders

log = logging.getLogger(__name__)

# From this many bars x strategies on, worker processes pay for their start of about one second.
# Measured with the ten baselines on two cores: 20,000 took 1.0 s in this process and 1.3 s in two
# fresh workers, 30,000 1.5 s and 1.4 s, 50,000 2.3 s and 2.0 s; more cores gain more.
_BARS_WORTH_PROCESSES = 50_000


@dataclass(frozen=True, eq=False)
class BacktestJob:
    """One strategy that is ready to run; everything in it travels to a worker process.

    Attributes:
        name: how tables and legends call it.
        strategy: a backtrader strategy class.
        params: its parameters; a model among them is there as its forecasts.
        role: what it is among others.
        trained_until: the last bar that its model learned from, on the clock of the bars; None
            without a model.
        start: the first bar to trade, or whatever slices the bars; None for all that are warm.
        end: the last bar, inclusive; None for all.
        broker: what trading costs.
    """

    name: str
    strategy: type
    params: dict[str, Any]
    role: Role
    trained_until: pd.Timestamp | None
    start: Any
    end: Any
    broker: BrokerSettings

    @property
    def forecasts(self) -> PrecomputedForecasts | None:
        """The forecasts that it trades; None without a model."""
        model = self.params.get("model")
        return model if isinstance(model, PrecomputedForecasts) else None

    def from_bar(self, start: Any) -> "BacktestJob":
        """The same job, traded from this bar on."""
        return replace(self, start=start)

    def run(self, bars: CheckedBars) -> BacktestRun:
        """Run the strategy; raises what it raises."""
        return run_cerebro(
            self.strategy,
            bars,
            start=self.start,
            end=self.end,
            broker=self.broker,
            name=self.name,
            **self.params,
        )

    def to_result(self, run: BacktestRun) -> BacktestResult:
        """What a run of this job is as a result."""
        return BacktestResult.from_run(
            run, broker=self.broker, role=self.role, trained_until=self.trained_until
        )


def prepare_job(
    strategy: type,
    bars: CheckedBars,
    *,
    name: str,
    params: Mapping[str, Any],
    start: Any = None,
    end: Any = None,
    broker: BrokerSettings | None = None,
) -> BacktestJob:
    """A strategy made ready: its model opened and asked once, its training span known.

    Args:
        strategy: a backtrader strategy class.
        bars: those it will run on.
        name: how tables and legends call it.
        params: its parameters; `model` may be a forecaster or the folder of a saved one.
        start: the first bar to trade.
        end: the last bar, inclusive.
        broker: what trading costs; `BrokerSettings()` by default.

    Raises:
        ModelError: if there is no such model.
        BarsError, FeatureError: if the model can't forecast these bars.
    """
    ready = dict(params)
    forecasts = None
    if _is_model(ready.get("model")):
        forecasts = ready["model"] = precompute_forecasts(ready["model"], bars.frame)
    return BacktestJob(
        name=name,
        strategy=strategy,
        params=ready,
        role=find_role(strategy, forecasts),
        trained_until=None if forecasts is None else training_end(forecasts, bars.frame),
        start=start,
        end=end,
        broker=broker or BrokerSettings(),
    )


def find_role(strategy: type, model: Forecaster | None) -> Role:
    """What a strategy is among others, by its class and the model that it trades."""
    if issubclass(strategy, BuyAndHold):
        return Role.BUY_AND_HOLD
    if model is None:
        return Role.RULE
    return Role.LEARNER if model.kind == "learner" else Role.LSTM


def training_end(model: Forecaster, bars: pd.DataFrame) -> pd.Timestamp | None:
    """The last bar that a model has learned from, on the clock of the bars; None if unknown."""
    if model.training_end is None:
        return None
    moment, zone = pd.Timestamp(model.training_end), pd.DatetimeIndex(bars.index).tz
    if (moment.tz is None) == (zone is None):
        return moment
    # One of both is without a timezone: that one counts as UTC, as everywhere in the package.
    return moment.tz_localize("UTC") if zone else moment.tz_convert("UTC").tz_localize(None)


def first_bar_after(moment: pd.Timestamp | None, bars: pd.DataFrame) -> pd.Timestamp | None:
    """The first bar later than a moment, or None without a moment.

    Raises:
        TradingError: if no bar is later.
    """
    if moment is None:
        return None
    later = bars.index[bars.index > moment]
    if later.empty:
        raise TradingError(
            f"A backtest starts after the last training bar, which is {moment}, but the bars end "
            f"at {bars.index[-1]}. Fit on fewer bars or load later ones; or pass start=... "
            "to see an in-sample result, marked as such."
        )
    return pd.Timestamp(later[0])


@dataclass(frozen=True)
class Failure:
    """What a strategy raised, as text: not every exception survives the way between processes.

    Attributes:
        message: the exception in one line.
        details: the traceback, or "" for an error of the package, whose message says it all.
        lacks_bars: whether the strategy needs more bars than there are.
    """

    message: str
    details: str
    lacks_bars: bool


def run_jobs(
    jobs: Sequence[BacktestJob], bars: CheckedBars, n_jobs: int | None = None
) -> dict[str, BacktestResult | Failure]:
    """Run every job and give its result, or why there is none, by name in the order of the jobs."""
    n_jobs = choose_jobs(n_jobs, otherwise=_worthwhile_processes(len(jobs) * len(bars.frame)))
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


def _attempt_apart(job: BacktestJob, bars: SharedValue) -> BacktestRun | Failure:
    # strategies may write to their bars, and what is shared can't be written to
    return _attempt(job, CheckedBars(bars.value.frame.copy()))


def _attempt(job: BacktestJob, bars: CheckedBars) -> BacktestRun | Failure:
    try:
        with silence_orders():
            return job.run(bars)
    except LSTMStrategyError as error:
        return Failure(str(error), "", isinstance(error, TooFewBarsError))
    except Exception as error:
        return Failure(repr(error), traceback.format_exc(), False)


def _worthwhile_processes(bars_to_run: int) -> int:
    return int(joblib.cpu_count()) if bars_to_run >= _BARS_WORTH_PROCESSES else 1


def _is_model(value: object) -> bool:
    """Whether a parameter `model` is one of ours; a strategy of the user's may mean another."""
    return isinstance(value, str | PathLike) or hasattr(value, "forecast")


def _is_importable(strategy: type) -> bool:
    """Whether a worker process can import the class.

    A class of a notebook or script would travel as code without its source, and backtrader's
    metaclass loses its params on that way: such a strategy runs in this process.
    """
    module = sys.modules.get(strategy.__module__)
    if module is None or strategy.__module__ == "__main__" or "." in strategy.__qualname__:
        return False
    is_there = getattr(module, strategy.__qualname__, None) is strategy
    return is_there and importlib.util.find_spec(strategy.__module__) is not None
