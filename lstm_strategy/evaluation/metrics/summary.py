"""All metrics of one backtest in one table row."""

import pandas as pd

from lstm_strategy.evaluation.metrics.curve import (
    cagr,
    calmar,
    max_drawdown,
    sharpe,
    sortino,
    total_return,
    volatility,
)
from lstm_strategy.evaluation.metrics.trading import (
    cost_fraction,
    mean_exposure,
    round_trips,
    turnover,
)
from lstm_strategy.trading.cerebro import BacktestRun


def metrics_of(run: BacktestRun) -> pd.Series:
    """Return all metrics of one backtest.

    Args:
        run: The run, with its equity, exposure, fills and trades.

    Returns:
        A Series named like the run, indexed by the metrics' names. Every value but the number of
        trades and the ratios is a fraction (0.12 is 12 %). One that is undefined, such as the
        Sharpe ratio of a flat curve, is NaN: never an exception, never a warning.

    Example:
        >>> from lstm_strategy import BASELINES, run_backtest, sample_bars
        >>> bars = sample_bars("sp500")[:"2000"]
        >>> metrics = metrics_of(run_backtest(BASELINES["Buy and hold"], bars))
        >>> round(float(metrics["total_return"]), 3)
        0.073
    """
    equity, year = run.equity, run.bars_per_year
    values = {
        "total_return": total_return(equity),
        "cagr": cagr(equity, year),
        "volatility": volatility(equity, year),
        "sharpe": sharpe(equity, year),
        "sortino": sortino(equity, year),
        "max_drawdown": max_drawdown(equity),
        "calmar": calmar(equity, year),
        "turnover": turnover(run.fills, equity, year),
        "trades": round_trips(run.trades),
        "exposure": mean_exposure(run.exposure),
        "costs": cost_fraction(run.fills, equity),
    }
    return pd.Series(values, dtype=float, name=run.name)
