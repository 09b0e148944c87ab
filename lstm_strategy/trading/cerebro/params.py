"""The parameters of a strategy, with what it leaves to the broker and to the bars."""

from collections.abc import Callable
from typing import Any

import backtrader as bt
import pandas as pd

from lstm_strategy.bars import bars_per_day, bars_per_year
from lstm_strategy.errors import TradingError
from lstm_strategy.support import spell, suggest_names
from lstm_strategy.trading.backtrader_internals import declared_params
from lstm_strategy.trading.cerebro.broker import BrokerSettings
from lstm_strategy.trading.cerebro.run_bars import RunBars
from lstm_strategy.trading.execution import ExposureStrategy, PortfolioStrategy

_SIZING_SETTINGS = ("band", "reserve", "lot_size")
_TIMING_SETTINGS = ("latency_bars", "execution_bars", "execution")


def complete_params(
    strategy: type[bt.Strategy],
    params: dict[str, Any],
    broker: BrokerSettings,
    bars: RunBars,
) -> dict[str, Any]:
    """Return the parameters, with what the strategy leaves to the broker and to the bars.

    Args:
        strategy: A strategy class.
        params: What was given.
        broker: The terms.
        bars: The bars of the run.

    Raises:
        TradingError: If the strategy has no parameter of a name, or can't keep to the terms.
    """
    declared = declared_params(strategy)
    for name in params:
        if name not in declared:
            raise TradingError(
                f"{strategy.__name__} has no parameter {name!r}. {suggest_names(name, declared)}"
            )
    filled: dict[str, Any] = {}
    for name, measure in (("bars_per_year", bars_per_year), ("bars_per_day", bars_per_day)):
        if name in declared and name not in params:
            filled[name] = measure(bars.dates)
            if issubclass(strategy, PortfolioStrategy):
                filled[f"{name}_by_market"] = _measure_markets(measure, bars, filled[name])
    # In somebody's own plain strategy "band" may mean anything.
    if issubclass(strategy, ExposureStrategy):
        filled |= broker.model_dump(include=set(_SIZING_SETTINGS))
    return filled | _timing_params(strategy, broker) | params


def _timing_params(strategy: type[bt.Strategy], broker: BrokerSettings) -> dict[str, Any]:
    """When orders leave and over how many bars, as far as a strategy lets others say it."""
    declared = declared_params(strategy) if issubclass(strategy, ExposureStrategy) else ()
    for name in ("latency_bars", "execution_bars"):
        usual = BrokerSettings.model_fields[name].default
        if name not in declared and getattr(broker, name) != usual:
            others = "TargetStrategy" if declared else "TargetStrategy or PortfolioStrategy"
            raise TradingError(
                f"{strategy.__name__} sends its orders by itself, so {spell(name)} of "
                f"{getattr(broker, name)} wouldn't change them. Leave it out, or derive the "
                f"strategy from {others}."
            )
    return {name: getattr(broker, name) for name in _TIMING_SETTINGS if name in declared}


def _measure_markets(
    measure: Callable[[pd.DatetimeIndex], float], bars: RunBars, of_all: float
) -> dict[str, float] | None:
    """How many bars each market has in a span; None where it is as many as there are dates."""
    indexes = {symbol: pd.DatetimeIndex(frame.index) for symbol, frame in bars.markets.items()}
    counts = {symbol: measure(index) for symbol, index in indexes.items() if len(index) > 1}
    return counts if any(count != of_all for count in counts.values()) else None
