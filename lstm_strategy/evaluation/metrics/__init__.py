"""What one equity curve earned, what it risked for it, and what it paid."""

from lstm_strategy.evaluation.metrics.equity import (
    bar_returns,
    drawdown,
    max_drawdown,
    metrics_of,
    round_trips,
    sharpe,
    total_return,
    turnover,
)

__all__ = [
    "bar_returns",
    "drawdown",
    "max_drawdown",
    "metrics_of",
    "round_trips",
    "sharpe",
    "total_return",
    "turnover",
]
