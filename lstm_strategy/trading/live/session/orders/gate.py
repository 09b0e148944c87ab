"""Keeps a strategy silent on bars from which no order can follow."""

from collections.abc import Callable
from typing import Any

import backtrader as bt

from lstm_strategy.errors import TradingError
from lstm_strategy.trading.cerebro import acts_at_the_open


class LiveGate(bt.Analyzer):
    """Lets a strategy decide on live bars only, as a backtest lets it from its first day on.

    The methods that backtrader calls are replaced in the object, so any strategy will do. The
    first call that is let through is `nextstart`, where some strategies send their only order.

    Args:
        may_decide: What tells whether the present bar is live.
    """

    params = (("may_decide", None),)

    def __init__(self) -> None:
        strategy = self.strategy
        if acts_at_the_open(type(strategy)):
            raise TradingError(
                f"{type(strategy).__name__} decides at the open of a bar, and live bars are known "
                "at their close. Let it decide in next()."
            )
        self._has_begun = False
        own_next, own_start = strategy.next, strategy.nextstart
        strategy.next = lambda: self._decide(own_next, own_start)
        strategy.nextstart = strategy.next
        strategy.prenext = self._unless_early(strategy.prenext)
        strategy.notify_timer = self._unless_early(strategy.notify_timer)

    def _decide(self, own_next: Callable[[], None], own_start: Callable[[], None]) -> None:
        if not self.p.may_decide():
            return
        if self._has_begun:
            own_next()
        else:
            self._has_begun = True
            own_start()

    def _unless_early(self, method: Callable[..., None]) -> Callable[..., None]:
        def call(*args: Any, **kwargs: Any) -> None:
            if self.p.may_decide():
                method(*args, **kwargs)

        return call
