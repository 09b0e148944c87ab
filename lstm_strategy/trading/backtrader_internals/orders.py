"""Orders of the simulated broker."""

from collections.abc import Callable
from functools import partial
from typing import Any


def without_cash_check() -> dict[str, bool]:
    """Return the argument of `buy` by which the simulated broker accepts one order unchecked.

    The public `set_checksubmit` would spare all orders.
    """
    return {"_checksubmit": False}


def list_order(order: Any, broker: Any) -> None:
    """Add an order to the simulated broker's list of all, which those without a cash check miss.

    Args:
        order: The order that was sent last.
        broker: The simulated broker.
    """
    if not (broker.orders and broker.orders[-1] is order):
        broker.orders.append(order)


def hold_until_next_bar(order: Any, feed: Any, fit: Callable[[], bool] | None = None) -> None:
    """Keep the simulated broker from filling an order before its feed has a new bar.

    A market order waits by itself. A limit order would fill on the bar on which it was sent
    whenever another feed wakes the broker first.

    Args:
        order: An order that has been sent.
        feed: Its feed.
        fit: What is asked whenever the order could fill, and may resize it; where it answers
            False, the order waits on.
    """
    order.active = partial(_may_fill, feed, feed.datetime[0], fit)


def _may_fill(feed: Any, time: float, fit: Callable[[], bool] | None) -> bool:
    return bool(feed.datetime[0] > time) and (fit is None or fit())


def resize_order(order: Any, size: float) -> None:
    """Change the size of a buy that the simulated broker is about to fill.

    Args:
        order: The order.
        size: What is left to buy of it, in units.
    """
    bought = order.executed.size
    order.size = order.created.size = bought + size
    order.executed.remsize = size
