"""What one equity curve earned, what it risked for it, and what it paid.

Every number is computed from the close-to-close equity curve, with a risk-free rate of zero.
"""

from lstm_strategy.evaluation.metrics.calendar import monthly_returns, yearly_returns
from lstm_strategy.evaluation.metrics.curve import (
    bar_returns,
    drawdown,
    drawdown_periods,
    earned_returns,
    max_drawdown,
    ruin_date,
    sharpe,
    total_return,
)
from lstm_strategy.evaluation.metrics.summary import (
    contribution_by_market,
    metrics_by_market,
    metrics_of,
)
from lstm_strategy.evaluation.metrics.trades import exposure_time, trade_statistics
from lstm_strategy.evaluation.metrics.trading import round_trips, turnover

__all__ = [
    "bar_returns",
    "contribution_by_market",
    "drawdown",
    "drawdown_periods",
    "earned_returns",
    "exposure_time",
    "max_drawdown",
    "metrics_by_market",
    "metrics_of",
    "monthly_returns",
    "round_trips",
    "ruin_date",
    "sharpe",
    "total_return",
    "trade_statistics",
    "turnover",
    "yearly_returns",
]
