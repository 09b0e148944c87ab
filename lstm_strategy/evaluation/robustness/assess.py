"""Everything that may change around one strategy, tried at once."""

import math
from dataclasses import dataclass

import pandas as pd

from lstm_strategy.bars import CheckedBars
from lstm_strategy.evaluation.backtests import BacktestJob, BacktestResult
from lstm_strategy.evaluation.robustness.costs import break_even, try_costs
from lstm_strategy.evaluation.robustness.delays import try_delays
from lstm_strategy.evaluation.robustness.folds import fold_table
from lstm_strategy.evaluation.robustness.members import member_equities
from lstm_strategy.learning.forecaster import Forecaster


@dataclass(frozen=True, eq=False)
class Robustness:
    """One strategy under other terms.

    Attributes:
        costs: see `try_costs`.
        delays: see `try_delays`.
        folds: see `fold_table`; None for a model that was trained once.
        equity_by_member: see `member_equities`; None for a model with one member.
    """

    costs: pd.DataFrame
    delays: pd.DataFrame
    folds: pd.DataFrame | None = None
    equity_by_member: pd.DataFrame | None = None

    @property
    def break_even_bps(self) -> float:
        """The commission at which the Sharpe ratio is zero, in basis points; see `break_even`."""
        return break_even(self.costs["sharpe"])

    @property
    def delayed_sharpe(self) -> float:
        """The annual Sharpe ratio when every order comes one bar later."""
        return float(self.delays["sharpe"].get(1, math.nan))


def assess_robustness(
    job: BacktestJob, bars: CheckedBars, *, result: BacktestResult, model: Forecaster
) -> Robustness:
    """Try other costs, late orders, each fold and each member of an ensemble alone.

    Everything is computed from forecasts: no network is trained again.

    Args:
        job: the strategy on its own terms; it trades forecasts.
        bars: those that it trades.
        result: what it earned; every other run begins on the same bar.
        model: what made the forecasts, for its ledger and its members.

    Raises:
        TradingError: if a run fails.
    """
    job = job.from_bar(result.first_tradable)
    signals, ledger = model.member_signals(bars.frame), model.ledger
    return Robustness(
        costs=try_costs(job, bars),
        delays=try_delays(job, bars),
        folds=None if ledger is None else fold_table(result, ledger, close=bars.frame["close"]),
        equity_by_member=(
            member_equities(job, bars, signals=signals) if signals.shape[1] > 1 else None
        ),
    )
