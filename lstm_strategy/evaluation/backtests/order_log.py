"""What became of a run and its orders, logged once for all runs of a strategy."""

import logging

from lstm_strategy.evaluation.backtests.result import BacktestResult
from lstm_strategy.evaluation.backtests.wording import describe_orders

log = logging.getLogger(__name__)


def log_note(result: BacktestResult) -> None:
    """Log that a strategy ended its run before the last bar, where it did.

    Args:
        result: Any backtest.

    Example:
        >>> from lstm_strategy import BASELINES, run_backtest, sample_bars
        >>> log_note(run_backtest(BASELINES["Buy and hold"], sample_bars("sp500")))
    """
    if result.note:
        log.warning(result.note)


def log_orders(result: BacktestResult) -> None:
    """Log once what became of the orders, as a warning where some did not fill as asked.

    Args:
        result: A backtest whose orders weren't logged while it ran.

    Example:
        >>> from lstm_strategy import BASELINES, run_backtest, sample_bars
        >>> log_orders(run_backtest(BASELINES["Buy and hold"], sample_bars("sp500")))
    """
    words = describe_orders(result.order_counts)
    if not words:
        return
    troubles = {kind for kind, count in result.order_counts.items() if count} - {"completed"}
    # Every other run ends with an order that had no next open, and staying out may be the answer;
    # what a portfolio bought less of for want of cash, it buys once there is some.
    level = logging.INFO if troubles <= {"unfilled_at_end", "cut"} else logging.WARNING
    remedy = ". Run it alone with run_backtest to see the first of each, with its remedy."
    log.log(level, "%s: %s%s", result.label, words, remedy if troubles else ".")
