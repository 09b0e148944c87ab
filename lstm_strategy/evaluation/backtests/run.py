"""One strategy over bars, with its result."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import backtrader as bt
import pandas as pd

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.backtests.job import prepare_job
from lstm_strategy.evaluation.backtests.markets import check_markets, dates_frame
from lstm_strategy.evaluation.backtests.order_log import log_note
from lstm_strategy.evaluation.backtests.result import BacktestResult
from lstm_strategy.evaluation.backtests.training_span import first_bar_after
from lstm_strategy.trading.baselines import suggest_baseline
from lstm_strategy.trading.cerebro import BrokerSettings
from lstm_strategy.trading.execution import order_logger


def run_backtest(
    strategy: type,
    bars: pd.DataFrame | Mapping[str, pd.DataFrame],
    *,
    start: str | date | None = None,
    end: str | date | None = None,
    broker: BrokerSettings | None = None,
    name: str | None = None,
    **params: Any,
) -> BacktestResult:
    """Run one strategy over bars; orders fill at the open of the next bar.

    Args:
        strategy: A backtrader strategy class. One that defines `next_open` runs with
            `cheat_on_open`, and a line in the log says what that means.
        bars: Open, high, low, close, volume and what the strategy reads besides; or a panel of
            such bars by symbol, whose markets are the datas of the strategy.
        start: The first bar to trade; those before it only warm the strategy up. By default the
            first bar after the training of its `model`, or the first on which it is warm.
        end: The last bar, inclusive; all by default.
        broker: What trading costs; `BrokerSettings()` by default.
        name: How tables and legends call the result; by default the name of the class.
        **params: The strategy's parameters; `model` may be a forecaster or the folder of a saved
            one.

    Returns:
        What the strategy did and earned, of a panel market by market; it is called in-sample where
        the strategy traded bars that its model was trained on.

    Raises:
        BarsError: At the first bad bar.
        TradingError: If `strategy` isn't a class of backtrader's, no bar is left to trade, or a
            parameter is unknown.
        ModelError: If there is no such model.

    Example:
        >>> from lstm_strategy import BASELINES, sample_bars
        >>> result = run_backtest(BASELINES["Buy and hold"], sample_bars("sp500"), start="2018")
        >>> print(f"{result.metrics['total_return']:.1%}")
        -7.2%
    """
    if not (isinstance(strategy, type) and issubclass(strategy, bt.Strategy)):
        raise TradingError(
            f"strategy must be a strategy class of backtrader's, got {_describe(strategy)}."
            f"{suggest_baseline(strategy)}"
        )
    checked = check_markets(bars, broker)
    job = prepare_job(
        strategy,
        checked,
        name=name or strategy.__name__,
        params=params,
        start=start,
        end=end,
        broker=broker,
    )
    if start is None:
        job = job.from_bar(first_bar_after(job.trained_until, dates_frame(checked)))
    result = job.to_result(job.run(checked))
    log_note(result)
    if not any(result.order_counts.values()):
        order_logger.warning("%s sent no order: it held nothing on any bar.", result.label)
    return result


def _describe(strategy: Any) -> str:
    """What was passed in the place of a class, and what to do instead."""
    if isinstance(strategy, tuple) and len(strategy) == 2 and isinstance(strategy[0], type):
        name, params = strategy[0].__name__, strategy[1]
        names = list(params) if isinstance(params, Mapping) else []
        written = "".join(f", {param}=..." for param in names)
        return f"a pair of a class and its parameters. Write run_backtest({name}, bars{written})"
    shown = (
        repr(strategy)
        if isinstance(strategy, str | type)
        else f"an object of {type(strategy).__name__}"
    )
    return f"{shown:.200}. Pass the class itself, and its parameters by name"
