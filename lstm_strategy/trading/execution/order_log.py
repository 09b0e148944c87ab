"""What strategies log of their orders, and how to keep them from it."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from lstm_strategy.trading.execution import target_strategy as execution


@contextmanager
def silence_orders() -> Iterator[None]:
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
