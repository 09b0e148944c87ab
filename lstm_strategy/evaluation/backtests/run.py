"""One strategy over bars, with its result."""

from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from lstm_strategy.evaluation.backtests.result import BacktestResult, build_result
from lstm_strategy.evaluation.backtests.training_span import (
    first_bar_after,
    load_model_param,
    training_end,
)
from lstm_strategy.trading.cerebro import BrokerSettings, run_cerebro

if TYPE_CHECKING:
    pass


def run_backtest(
    strategy: type,
    bars: pd.DataFrame,
    *,
    start: str | date | None = None,
    end: str | date | None = None,
    broker: BrokerSettings | None = None,
    name: str | None = None,
    **params: Any,
) -> BacktestResult:
    """Run one strategy over bars and return its result; orders fill at the next bar's open.

    Bars before `start` only warm up the strategy. Without `start`, a strategy with a trained
    `model` starts at the first bar after the model's training. `params` go to the strategy. Raises
    `TradingError` when no bar is left to trade.
    """
    broker = broker or BrokerSettings()
    params = load_model_param(params, bars)
    trained_until = training_end(params, bars)
    if start is None:
        start = first_bar_after(trained_until, bars)
    run = run_cerebro(strategy, bars, start=start, end=end, broker=broker, name=name, **params)
    return build_result(run, broker, trained_until)
