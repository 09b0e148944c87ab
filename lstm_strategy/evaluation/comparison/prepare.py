"""Strategies made ready for a comparison: checked, forecast and cut once."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pandas as pd

from lstm_strategy.bars import CheckedBars, check_bars
from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.backtests import BacktestJob, first_bar_after, prepare_job
from lstm_strategy.learning.forecaster import Forecaster
from lstm_strategy.learning.serving import open_forecaster
from lstm_strategy.trading.cerebro import BrokerSettings

StrategyEntry = type | tuple[type, Mapping[str, Any]]
"""A strategy class, or a pair of the class and its parameters."""


@dataclass(frozen=True, eq=False)
class PreparedComparison:
    """All that a comparison needs, so that nothing further along has to ask again.

    Attributes:
        bars: those that every strategy runs on, checked.
        jobs: the strategies on their common terms, their models asked already.
        models: the opened model of each strategy that has one, by name.
        broker: what trading costs.
    """

    bars: CheckedBars
    jobs: tuple[BacktestJob, ...]
    models: dict[str, Forecaster]
    broker: BrokerSettings

    def job(self, name: str) -> BacktestJob:
        """The strategy of a name, on its terms.

        Raises:
            TradingError: if there is none.
        """
        for job in self.jobs:
            if job.name == name:
                return job
        names = ", ".join(job.name for job in self.jobs)
        raise TradingError(f"The comparison has no strategy {name!r}. Choose from {names}.")


def prepare_comparison(
    strategies: Mapping[str, StrategyEntry],
    bars: pd.DataFrame,
    *,
    start: str | date | None = None,
    end: str | date | None = None,
    broker: BrokerSettings | None = None,
) -> PreparedComparison:
    """Check the bars, open each model and ask it once, and find the first bar to trade.

    Args:
        strategies: names to a strategy class or to a pair of class and parameters.
        bars: those that every strategy runs on.
        start: the first bar to trade; by default the first after the latest training of a model.
        end: the last bar, inclusive; all by default.
        broker: what trading costs; `BrokerSettings()` by default.

    Raises:
        BarsError: at the first bad bar.
        TradingError: if there is no strategy, an entry isn't one, or no bar is left to trade.
        ModelError: if there is no such model.
    """
    if not strategies:
        raise TradingError("compare needs at least one strategy, got none.")
    entries = {name: _class_and_params(name, entry) for name, entry in strategies.items()}
    checked, broker = check_bars(bars), broker or BrokerSettings()
    models: dict[str, Forecaster] = {}
    jobs = []
    for name, (strategy, params) in entries.items():
        if params.get("model") is not None:
            models[name] = params["model"] = open_forecaster(params["model"])
        job = prepare_job(
            strategy, checked, name=name, params=params, start=start, end=end, broker=broker
        )
        jobs.append(job)
    if start is None:
        ends = [job.trained_until for job in jobs if job.trained_until is not None]
        first = first_bar_after(max(ends, default=None), checked.frame)
        jobs = [replace(job, start=first) for job in jobs]
    return PreparedComparison(checked, tuple(jobs), models, broker)


def _class_and_params(name: str, entry: Any) -> tuple[type, dict[str, Any]]:
    is_pair = isinstance(entry, tuple) and len(entry) == 2
    strategy, params = entry if is_pair else (entry, {})
    if not isinstance(strategy, type) or not isinstance(params, Mapping):
        raise TradingError(
            f"A compared strategy is a class or (class, params), but {name!r} is "
            f"{entry!r}. Pass the class itself and its params as a dict."
        )
    return strategy, dict(params)
