"""Strategies made ready for a comparison: bars checked once, models asked once, one first bar."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.backtests import (
    BacktestJob,
    CheckedMarkets,
    check_markets,
    dates_frame,
    first_bar_after,
    is_model,
    markets_frame,
    prepare_job,
)
from lstm_strategy.learning.forecaster import Forecaster
from lstm_strategy.learning.serving import (
    PrecomputedForecasts,
    PrecomputedPanel,
    open_forecaster,
    precompute_forecasts,
)
from lstm_strategy.support import in_sample_label
from lstm_strategy.trading.baselines import suggest_baseline
from lstm_strategy.trading.cerebro import BrokerSettings, choose_broker

StrategyEntry = type | tuple[type, Mapping[str, Any]]
"""A strategy class, or a pair of the class and its parameters."""


@dataclass(frozen=True, eq=False)
class PreparedComparison:
    """All that a comparison needs, so that nothing further along has to ask again.

    Attributes:
        bars: The bars that every strategy runs on, checked.
        jobs: The strategies on their common terms, their models asked already.
        models: The opened model of each strategy that has one, by name.
        broker: What trading costs.
    """

    bars: CheckedMarkets
    jobs: tuple[BacktestJob, ...]
    models: dict[str, Forecaster]
    broker: BrokerSettings

    def job(self, name: str) -> BacktestJob:
        """Return the strategy of a name, on its terms.

        Raises:
            TradingError: If there is none.
        """
        for job in self.jobs:
            if job.name == name:
                return job
        names = ", ".join(job.name for job in self.jobs)
        raise TradingError(f"The comparison has no strategy {name!r}. Choose from {names}.")


def prepare_comparison(
    strategies: Mapping[str, StrategyEntry],
    bars: pd.DataFrame | Mapping[str, pd.DataFrame],
    *,
    start: str | date | None = None,
    end: str | date | None = None,
    broker: BrokerSettings | None = None,
) -> PreparedComparison:
    """Check the bars, open each model and ask it once, and find the first bar to trade.

    Args:
        strategies: Names to a strategy class or to a pair of class and parameters.
        bars: The bars that every strategy runs on, or a panel of them by symbol.
        start: The first bar to trade; by default the first after the latest training of a model.
        end: The last bar, inclusive; all by default.
        broker: What trading costs; `BrokerSettings()` by default.

    Returns:
        What `run_comparison` runs. Strategies that share a model share its forecasts.

    Raises:
        BarsError: At the first bad bar.
        TradingError: If there is no strategy, an entry isn't one, two would have one label in
            tables, or no bar is left to trade.
        ModelError: If there is no such model.

    Example:
        >>> from lstm_strategy import BASELINES, sample_bars
        >>> strategies = {"Index": BASELINES["Buy and hold"]}
        >>> prepared = prepare_comparison(strategies, sample_bars("sp500"))
        >>> [(job.name, job.role.value) for job in prepared.jobs]
        [('Index', 'buy and hold')]
    """
    if not isinstance(strategies, Mapping):
        raise TradingError(
            "strategies must be a dict of classes by the names that tables give them, got "
            f'{_name_kind(strategies)}. Give for example {{"MACD": BASELINES["MACD"]}}.'
        )
    if not strategies:
        raise TradingError("compare needs at least one strategy, got none.")
    _check_names(strategies)
    entries = {name: _split_entry(name, entry) for name, entry in strategies.items()}
    checked, broker = check_markets(bars, broker), choose_broker(broker)
    models = _open_models({name: params.get("model") for name, (_, params) in entries.items()})
    forecasts = _ask_each_once(models, checked)
    jobs = [
        prepare_job(
            strategy,
            checked,
            name=name,
            params={**params, "model": forecasts[name]} if name in forecasts else params,
            start=start,
            end=end,
            broker=broker,
        )
        for name, (strategy, params) in entries.items()
    ]
    if start is None:
        ends = [job.trained_until for job in jobs if job.trained_until is not None]
        first = first_bar_after(max(ends, default=None), dates_frame(checked))
        jobs = [job.from_bar(first) for job in jobs]
    return PreparedComparison(checked, tuple(jobs), models, broker)


def _check_names(names: Iterable[str]) -> None:
    """Refuse two strategies that tables could call the same, one of them for being in sample.

    Raises:
        TradingError: With both names.
    """
    known = set(names)
    for name in known:
        if (label := in_sample_label(name)) in known:
            raise TradingError(
                f"Strategies need names that stay apart, got {name!r} and {label!r}, "
                "which is what the first is called where it is in sample. Rename one of them."
            )


def _open_models(params: Mapping[str, object]) -> dict[str, Forecaster]:
    """The opened model of each strategy that has one; one object is opened once."""
    given = {name: model for name, model in params.items() if is_model(model)}
    opened = {id(model): open_forecaster(model) for model in given.values()}
    return {name: opened[id(model)] for name, model in given.items()}


def _ask_each_once(
    models: Mapping[str, Forecaster], bars: CheckedMarkets
) -> dict[str, PrecomputedForecasts | PrecomputedPanel]:
    """The forecasts that each strategy trades; those that share a model share them."""
    distinct = {id(model): model for model in models.values()}
    frame: Any = markets_frame(bars)
    answers = {key: precompute_forecasts(model, frame) for key, model in distinct.items()}
    return {name: answers[id(model)] for name, model in models.items()}


def _split_entry(name: str, entry: Any) -> tuple[type, dict[str, Any]]:
    """The class and the parameters of an entry.

    Raises:
        TradingError: If it has neither form.
    """
    is_pair = isinstance(entry, tuple) and len(entry) == 2
    strategy, params = entry if is_pair else (entry, {})
    if not isinstance(strategy, type) or not isinstance(params, Mapping):
        remedy = suggest_baseline(entry) or _suggest_entry(entry)
        raise TradingError(
            f"strategy {name!r} must be a class, or a pair of a class and a dict of its "
            f"parameters, got {_name_kind(entry)}.{remedy}"
        )
    return strategy, dict(params)


def _suggest_entry(entry: Any) -> str:
    """How an entry is written that has neither form, a sentence with a space before it."""
    if is_model(entry) and not isinstance(entry, str):
        return ' Give (LSTMStrategy, {"model": ...}) with this model.'
    return ' Give for example BASELINES["MACD"], or (LSTMStrategy, {"model": model}).'


def _name_kind(value: object) -> str:
    if isinstance(value, str):
        return repr(value)
    if isinstance(value, type):
        return f"the class {value.__name__}"
    return f"an object of {type(value).__name__}"
