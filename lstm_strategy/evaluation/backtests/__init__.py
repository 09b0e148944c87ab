"""One backtest as its user gets it, and several on the same terms.

`run_backtest` runs one strategy; `prepare_job` and `run_jobs` are what a comparison is made of.
"""

from typing import TYPE_CHECKING

from lstm_strategy.support.lazy import import_on_first_use

if TYPE_CHECKING:
    from lstm_strategy.evaluation.backtests.files import write_picture, write_results
    from lstm_strategy.evaluation.backtests.job import BacktestJob, is_model, prepare_job
    from lstm_strategy.evaluation.backtests.markets import (
        CheckedMarkets,
        check_markets,
        dates_frame,
        market_close,
        markets_frame,
    )
    from lstm_strategy.evaluation.backtests.order_log import log_note, log_orders
    from lstm_strategy.evaluation.backtests.parallel_runs import (
        Failure,
        run_jobs,
        worthwhile_processes,
    )
    from lstm_strategy.evaluation.backtests.result import BacktestResult, Role
    from lstm_strategy.evaluation.backtests.result_set import ResultSet
    from lstm_strategy.evaluation.backtests.run import run_backtest
    from lstm_strategy.evaluation.backtests.training_span import first_bar_after, training_end
    from lstm_strategy.evaluation.backtests.wording import (
        METRIC_TITLES,
        describe_orders,
        describe_rolls,
        extrapolation_note,
        readable_metrics,
        span_text,
    )

__all__ = [
    "BacktestJob",
    "BacktestResult",
    "CheckedMarkets",
    "Failure",
    "ResultSet",
    "Role",
    "check_markets",
    "dates_frame",
    "describe_orders",
    "describe_rolls",
    "extrapolation_note",
    "first_bar_after",
    "is_model",
    "log_note",
    "log_orders",
    "market_close",
    "markets_frame",
    "prepare_job",
    "readable_metrics",
    "METRIC_TITLES",
    "run_backtest",
    "run_jobs",
    "span_text",
    "training_end",
    "worthwhile_processes",
    "write_picture",
    "write_results",
]

__getattr__ = import_on_first_use(
    __name__,
    {
        "write_picture": ".files",
        "write_results": ".files",
        "BacktestJob": ".job",
        "is_model": ".job",
        "prepare_job": ".job",
        "CheckedMarkets": ".markets",
        "check_markets": ".markets",
        "dates_frame": ".markets",
        "market_close": ".markets",
        "markets_frame": ".markets",
        "log_note": ".order_log",
        "log_orders": ".order_log",
        "Failure": ".parallel_runs",
        "run_jobs": ".parallel_runs",
        "worthwhile_processes": ".parallel_runs",
        "BacktestResult": ".result",
        "Role": ".result",
        "ResultSet": ".result_set",
        "run_backtest": ".run",
        "first_bar_after": ".training_span",
        "training_end": ".training_span",
        "describe_orders": ".wording",
        "describe_rolls": ".wording",
        "extrapolation_note": ".wording",
        "readable_metrics": ".wording",
        "METRIC_TITLES": ".wording",
        "span_text": ".wording",
    },
)
