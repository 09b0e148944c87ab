"""What is left of a strategy when trading costs more."""

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from lstm_strategy.bars import CheckedBars
from lstm_strategy.evaluation.backtests import BacktestJob
from lstm_strategy.evaluation.robustness.runs import run_variants, tabulate_metrics
from lstm_strategy.trading.cerebro import BrokerSettings

COMMISSIONS_BPS = (0.0, 5.0, 10.0, 20.0, 50.0)
_ONE_BPS = 1e-4


def try_costs(
    job: BacktestJob, bars: CheckedBars, *, rates_bps: Iterable[float] = COMMISSIONS_BPS
) -> pd.DataFrame:
    """The strategy at each commission; slippage and everything else stay as they are.

    Args:
        job: the strategy on its own terms.
        bars: those that it trades.
        rates_bps: commissions in basis points of the value of each trade.

    Returns:
        A row for each commission, index `commission_bps`, columns sharpe, total_return,
        max_drawdown, turnover and costs. `break_even` of the column sharpe is the commission that
        eats the whole edge.

    Raises:
        TradingError: if a run fails.
    """
    settings = job.broker.model_dump()
    variants = {
        rate: replace(job, broker=BrokerSettings(**settings | {"commission_rate": rate * _ONE_BPS}))
        for rate in rates_bps
    }
    return tabulate_metrics(run_variants(variants, bars), "commission_bps")


def break_even(curve: pd.Series, *, level: float = 0.0) -> float:
    """Where a falling curve first reaches a level, in units of its index.

    Args:
        curve: values by cost or delay; undefined ones are skipped.
        level: what is to be reached.

    Returns:
        The index, linear between the points; NaN where the curve begins at or below the level
        (there is nothing to lose), inf where it never gets there.

    Example:
        >>> break_even(pd.Series({0.0: 1.0, 10.0: 0.5, 20.0: -0.5}))
        15.0
    """
    points = curve.dropna().sort_index()
    if points.empty or points.iloc[0] <= level:
        return math.nan
    reached = np.flatnonzero(points.to_numpy() <= level)
    if not len(reached):
        return math.inf
    after = int(reached[0])
    (x0, x1), (y0, y1) = points.index[after - 1 : after + 1], points.iloc[after - 1 : after + 1]
    return float(x0 + (y0 - level) / (y0 - y1) * (x1 - x0))
