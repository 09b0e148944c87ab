"""What is left of a strategy when trading costs more."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from lstm_strategy.evaluation.backtests import BacktestJob, CheckedMarkets, markets_frame
from lstm_strategy.evaluation.robustness.runs import Results, Trials, tabulate_metrics

TIMES = (0, 1, 2)
COMMISSIONS_BPS = (0.0, 5.0, 10.0, 20.0, 50.0)
_ONE_BPS = 1e-4


def try_costs(
    job: BacktestJob, bars: CheckedMarkets, *, rates_bps: Iterable[float] = COMMISSIONS_BPS
) -> pd.DataFrame:
    """Run the strategy at each commission; slippage, funding and all else stay as they are.

    Args:
        job: The strategy on its own terms.
        bars: The bars that it trades.
        rates_bps: Commissions in basis points of the value of each trade; by default from none
            to what a small account pays in an expensive market.

    Returns:
        A row for each commission, index `commission_bps`, columns sharpe, total_return,
        max_drawdown, turnover and costs. `break_even` of the column sharpe is the commission that
        eats the whole edge.

    Raises:
        TradingError: If a run fails.

    Example:
        >>> from lstm_strategy import BASELINES, sample_bars
        >>> from lstm_strategy.bars import check_bars
        >>> from lstm_strategy.evaluation.backtests import prepare_job
        >>> bars = check_bars(sample_bars("sp500")["2016":])
        >>> job = prepare_job(BASELINES["MACD"], bars, name="MACD", params={})
        >>> try_costs(job, bars, rates_bps=[0, 50])["total_return"].is_monotonic_decreasing
        True
    """
    return plan_costs(job, bars, rates_bps=rates_bps).run(bars)


def plan_costs(
    job: BacktestJob, bars: CheckedMarkets, *, rates_bps: Iterable[float] = COMMISSIONS_BPS
) -> Trials[pd.DataFrame]:
    """Return what `try_costs` runs."""
    markets = markets_frame(bars)
    variants = {
        rate: replace(job, broker=job.broker.with_commission_rate(rate * _ONE_BPS, markets))
        for rate in rates_bps
    }
    return Trials(variants, partial(tabulate_metrics, index_name="commission_bps"))


def try_each_cost(job: BacktestJob, bars: CheckedMarkets) -> pd.DataFrame | None:
    """Run the strategy without each cost beside commission and slippage, and with twice of it.

    Those are spread, impact, borrowing and funding of the instruments, and the latency of the
    terms; one that isn't charged isn't tried, and of funding there is no double.

    Args:
        job: The strategy on its own terms.
        bars: The bars that it trades.

    Returns:
        A row for each cost and multiple, index `cost` and `times` (1 as charged), columns as in
        `try_costs`; None where there is no such cost, and nothing is run.

    Raises:
        TradingError: If a run fails.

    Example:
        >>> from lstm_strategy import BASELINES, BrokerSettings, Spot, sample_bars
        >>> from lstm_strategy.bars import check_bars
        >>> from lstm_strategy.evaluation.backtests import prepare_job
        >>> bars, terms = check_bars(sample_bars("sp500")["2016":]), Spot(half_spread_rate=0.001)
        >>> broker = BrokerSettings(instrument=terms)
        >>> job = prepare_job(BASELINES["MACD"], bars, name="MACD", params={}, broker=broker)
        >>> try_each_cost(job, bars).loc["spread", "costs"].round(3).to_dict()
        {0: 0.091, 1: 0.149, 2: 0.204}
    """
    trials = plan_each_cost(job)
    return None if trials is None else trials.run(bars)


def plan_each_cost(job: BacktestJob) -> Trials[pd.DataFrame] | None:
    """Return what `try_each_cost` runs, if there is such a cost."""
    costs = job.broker.costs_beside_fee
    if not costs:
        return None
    variants = {("", 1): job}
    variants |= {
        (cost, times): replace(job, broker=job.broker.with_cost_times(cost, times))
        for cost in costs
        for times in TIMES
        if times != 1 and not (cost == "funding" and times > 1)
    }
    return Trials(variants, partial(_tabulate_each, costs=costs))


def _tabulate_each(results: Results, costs: Sequence[str]) -> pd.DataFrame:
    all_results = {**results, **{(cost, 1): results["", 1] for cost in costs}}
    tables = {
        cost: {times: all_results[cost, times] for times in TIMES if (cost, times) in all_results}
        for cost in costs
    }
    return pd.concat(
        {cost: tabulate_metrics(table, "times") for cost, table in tables.items()}, names=["cost"]
    )


def break_even(curve: pd.Series, *, level: float = 0.0) -> float:
    """Return where a falling curve first reaches a level.

    Args:
        curve: Values by cost or delay; undefined ones are skipped.
        level: What is to be reached.

    Returns:
        A place in units of the index, linear between the points; NaN where the curve begins at or
        below the level (there is nothing to lose), inf where it never gets there.

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
