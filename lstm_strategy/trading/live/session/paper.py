"""A simulated broker that stands still while no bar comes."""

from collections.abc import Callable
from typing import Any


def hold_between_bars(broker: Any, data: Any) -> None:
    """Let a simulated broker move once a bar, as in a backtest.

    A live Cerebro moves its broker on idle rounds too. Backtrader's own would fill a limit order on
    the very bar at whose close it was sent, and one that charges funding would charge it again.

    Args:
        broker: The simulated broker, whose method is replaced in the object.
        data: The feed.
    """
    own: Callable[[], None] = broker.next
    n_seen = 0

    def move() -> None:
        nonlocal n_seen
        if len(data) > n_seen:
            n_seen = len(data)
            own()

    broker.next = move
