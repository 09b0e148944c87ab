"""What became of a strategy's orders, logged once for all of its runs."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from lstm_strategy.evaluation.result import BacktestResult, order_troubles
from lstm_strategy.trading import execution

log = logging.getLogger(__name__)


@contextmanager
def orders_unlogged() -> Iterator[None]:
    """Keep the strategies of this thread from logging their orders.

    A worker process knows nothing of the caller's logging, and a strategy that runs again would
    tell everything twice: `log_orders` speaks for all of them.
    """
    thread = threading.get_ident()

    def is_of_another_thread(record: logging.LogRecord) -> bool:
        return threading.get_ident() != thread

    execution.log.addFilter(is_of_another_thread)
    try:
        yield
    finally:
        execution.log.removeFilter(is_of_another_thread)


def log_orders(result: BacktestResult) -> None:
    """Say once what became of the orders, as a warning where some did not fill as asked."""
    troubles = {kind for kind, count in result.order_counts.items() if count} - {"completed"}
    if troubles:
        # Every other run ends with an order that had no next open: no trouble by itself.
        level = logging.INFO if troubles == {"unfilled_at_end"} else logging.WARNING
        log.log(
            level,
            "%s: orders that did not fill as asked: %s. Run it alone with run_backtest to see the "
            "first of each, with its remedy.",
            result.name, order_troubles(result.order_counts),
        )  # fmt: skip
