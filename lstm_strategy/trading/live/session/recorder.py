"""What backtrader tells of a session: its orders, and the end of each bar."""

from collections.abc import Callable
from typing import Any

import backtrader as bt


class SessionRecorder(bt.Analyzer):
    """Hands what happens in Cerebro to the session.

    Args:
        begin: Called with the strategy once the run begins.
        order: Called with the strategy and a notified order.
        bar: Called with the strategy at the end of each bar.
    """

    params = (("begin", None), ("order", None), ("bar", None))

    def start(self) -> None:
        """Tell that the run begins: the broker has started."""
        self._call(self.p.begin)

    def notify_order(self, order: Any) -> None:
        """Tell of an order."""
        self._call(self.p.order, order)

    def next(self) -> None:
        """Tell that a bar ends, on which the strategy has decided."""
        self._call(self.p.bar)

    def _call(self, told: Callable[..., None], *what: Any) -> None:
        told(self.strategy, *what)
