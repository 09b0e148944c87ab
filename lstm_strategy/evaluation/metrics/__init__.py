"""What one equity curve earned, what it risked for it, and what it paid.

Every number is computed from the close-to-close equity curve, with a risk-free rate of zero.
"""

from lstm_strategy.evaluation.metrics.curve import (
    bar_returns,
    drawdown,
    max_drawdown,
    sharpe,
    total_return,
)
from lstm_strategy.evaluation.metrics.summary import metrics_by_market, metrics_of
from lstm_strategy.evaluation.metrics.trading import round_trips, turnover

__all__ = [
    "bar_returns",
    "drawdown",
    "max_drawdown",
    "metrics_by_market",
    "metrics_of",
    "round_trips",
    "sharpe",
    "total_return",
    "turnover",
]
