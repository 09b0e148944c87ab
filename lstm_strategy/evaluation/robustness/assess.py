"""Everything that may change around one strategy, tried at once."""

import math
from dataclasses import dataclass

import pandas as pd

from lstm_strategy.evaluation.backtests import (
    BacktestJob,
    BacktestResult,
    CheckedMarkets,
    market_close,
)
from lstm_strategy.evaluation.robustness.costs import break_even, plan_costs, plan_each_cost
from lstm_strategy.evaluation.robustness.delays import plan_delays
from lstm_strategy.evaluation.robustness.folds import fold_table
from lstm_strategy.evaluation.robustness.members import plan_members
from lstm_strategy.evaluation.robustness.runs import run_all
from lstm_strategy.learning.forecaster import Forecaster


@dataclass(frozen=True, eq=False)
class Robustness:
    """One strategy under other terms.

    Attributes:
        costs: The metrics at each commission, see `try_costs`.
        delays: The metrics at each delay, see `try_delays`.
        each_cost: The metrics without each other cost and with twice of it, see `try_each_cost`;
            None where commission and slippage are all.
        folds: The metrics of each fold, see `fold_table`; None for a model that was trained once.
        equity_by_member: The equity of each member alone, see `member_equities`; None for a model
            with one member.

    Example:
        >>> costs = pd.DataFrame({"sharpe": [1.0, -1.0]}, index=[0.0, 50.0])
        >>> delays = pd.DataFrame({"sharpe": [0.8, 0.3]}, index=[0, 1])
        >>> robustness = Robustness(costs, delays)
        >>> robustness.break_even_bps, robustness.delayed_sharpe
        (25.0, 0.3)
    """

    costs: pd.DataFrame
    delays: pd.DataFrame
    folds: pd.DataFrame | None = None
    equity_by_member: pd.DataFrame | None = None
    each_cost: pd.DataFrame | None = None

    @property
    def break_even_bps(self) -> float:
        """The commission at which the Sharpe ratio is zero, in basis points; see `break_even`."""
        return break_even(self.costs["sharpe"])

    @property
    def delayed_sharpe(self) -> float:
        """The annual Sharpe ratio when every order comes one bar later; NaN if not tried."""
        return float(self.delays["sharpe"].get(1, math.nan))


def assess_robustness(
    job: BacktestJob, bars: CheckedMarkets, *, result: BacktestResult, model: Forecaster
) -> Robustness:
    """Try other costs, each cost, late orders, each fold, and each member of an ensemble alone.

    Everything is computed from forecasts: no network is trained again.

    Args:
        job: The strategy on its own terms; it trades forecasts.
        bars: The bars that it trades.
        result: What it earned on its own terms; every other run begins on the same bar.
        model: What made the forecasts, for its ledger and its members.

    Raises:
        TradingError: If the strategy trades no forecasts, or a run fails.

    Example:
        >>> from lstm_strategy import LSTMStrategy, sample_bars
        >>> from lstm_strategy.bars import check_bars
        >>> from lstm_strategy.evaluation.backtests import prepare_job
        >>> from lstm_strategy.learning.serving import precomputed_frame
        >>> bars = check_bars(sample_bars("sp500")["2018":])
        >>> signal = bars.frame["close"].pct_change().fillna(0.0).clip(-0.01, 0.01) * -100
        >>> forecasts = pd.DataFrame({"signal": signal, "forecast": 0.5, "uncertainty": 0.0})
        >>> model = precomputed_frame(forecasts, bars.frame)
        >>> job = prepare_job(LSTMStrategy, bars, name="Reversal", params={"model": model})
        >>> result = job.to_result(job.run(bars))
        >>> robustness = assess_robustness(job, bars, result=result, model=model)
        >>> bool(robustness.costs.loc[10.0, "sharpe"] == result.metrics["sharpe"])
        True
    """
    job = job.from_bar(result.first_tradable)
    trials = {
        "costs": plan_costs(job, bars),
        "delays": plan_delays(job, bars),
        "each_cost": plan_each_cost(job),
        "equity_by_member": plan_members(job, bars, model=model),
    }
    ledger = model.ledger
    folds = None if ledger is None else fold_table(result, ledger, close=market_close(bars))
    return Robustness(**run_all(trials, bars), folds=folds)
