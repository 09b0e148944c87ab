"""One strategy over bars, with its result."""

from datetime import date
from typing import Any

import pandas as pd

from lstm_strategy.bars import check_bars
from lstm_strategy.evaluation.backtests.jobs import first_bar_after, prepare_job
from lstm_strategy.evaluation.backtests.result import BacktestResult
from lstm_strategy.trading.cerebro import BrokerSettings


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
    """Run one strategy over bars; orders fill at the open of the next bar.

    Args:
        strategy: a backtrader strategy class.
        bars: open high low close volume and what the strategy reads besides.
        start: the first bar to trade; those before it only warm the strategy up. By default the
            first bar after the training of its `model`, or the first on which it is warm.
        end: the last bar, inclusive; all by default.
        broker: what trading costs; `BrokerSettings()` by default.
        name: how the result is called; by default the name of the class.
        params: the strategy's parameters; `model` may be a forecaster or the folder of a saved one.

    Returns:
        What the strategy did and earned; called in-sample where it traded bars that its model was
        trained on.

    Raises:
        BarsError: at the first bad bar.
        TradingError: if no bar is left to trade, or a parameter is unknown.
        ModelError: if there is no such model.

    Example:
        >>> from lstm_strategy import BASELINES, sample_bars
        >>> result = run_backtest(BASELINES["Buy and hold"], sample_bars("sp500"), start="2018")
        >>> round(result.metrics["total_return"], 3)
        -0.066
    """
    checked = check_bars(bars)
    job = prepare_job(
        strategy,
        checked,
        name=name or strategy.__name__,
        params=params,
        end=end,
        start=start,
        broker=broker,
    )
    if start is None:
        job = job.from_bar(first_bar_after(job.trained_until, checked.frame))
    return job.to_result(job.run(checked))
