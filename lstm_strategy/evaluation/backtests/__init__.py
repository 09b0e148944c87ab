"""One backtest as its user gets it, and several side by side."""

from lstm_strategy.evaluation.backtests.files import write_picture, write_results
from lstm_strategy.evaluation.backtests.order_log import log_orders
from lstm_strategy.evaluation.backtests.parallel_runs import Failure, Job, run_jobs
from lstm_strategy.evaluation.backtests.result import BacktestResult, build_result
from lstm_strategy.evaluation.backtests.run import run_backtest
from lstm_strategy.evaluation.backtests.training_span import (
    first_bar_after,
    load_model_param,
    training_end,
)
from lstm_strategy.evaluation.backtests.wording import (
    is_buy_and_hold,
    order_troubles,
    readable_metrics,
    span_text,
)

__all__ = [
    "BacktestResult",
    "Failure",
    "Job",
    "build_result",
    "first_bar_after",
    "is_buy_and_hold",
    "load_model_param",
    "log_orders",
    "order_troubles",
    "readable_metrics",
    "run_backtest",
    "run_jobs",
    "span_text",
    "training_end",
    "write_picture",
    "write_results",
]
