"""What became of a strategy's orders: counted, and logged where the user can do something."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)

ORDER_KINDS = (
    "completed",
    "margin",
    "rejected",
    "expired",
    "too_small",
    "unsized",
    "unfilled_at_end",
    "cut",
    "liquidated",
    "ruined",
)
"""What can become of an order, explained at `TargetStrategy`."""


@contextmanager
def silence_orders() -> Iterator[None]:
    """Keep the strategies of this thread from logging their orders inside the block.

    For runs whose troubles nobody asked for: a strategy that runs again would report everything
    twice, and a worker process doesn't know the caller's logging. `order_counts` still has them.

    Example:
        >>> with silence_orders():
        ...     log.warning("the order for 5 expired")
    """
    thread = threading.get_ident()

    def is_of_another_thread(record: logging.LogRecord) -> bool:
        return threading.get_ident() != thread

    log.addFilter(is_of_another_thread)
    try:
        yield
    finally:
        log.removeFilter(is_of_another_thread)
