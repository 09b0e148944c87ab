"""Bars before the start: seen by every indicator, traded by nobody."""

import functools
from typing import Any

import backtrader as bt

from lstm_strategy.bars import span_text
from lstm_strategy.errors import TradingError


class WarmUpCerebro(bt.Cerebro):
    """A Cerebro that knows on which bar (counted from 1) decisions may begin."""

    params = (("first_bar", 1),)


@functools.lru_cache(maxsize=128)
def add_warm_up(strategy: Any) -> Any:
    """Return the strategy, silent before Cerebro's first bar.

    ``nextstart`` is where some strategies place their only order, so it is kept for the first bar
    that may be traded. Cached because backtrader keeps every class it has seen.
    """

    class _WarmedUp(strategy):
        first_decided_bar: int | None = None

        def start(self) -> None:
            _check_enough_bars(self)
            super().start()

        def prenext(self) -> None:
            if len(self.data) >= self.cerebro.p.first_bar:
                super().prenext()

        def nextstart(self) -> None:
            self.next()

        def next(self) -> None:
            if len(self.data) < self.cerebro.p.first_bar:
                return
            if self.first_decided_bar is None:
                self.first_decided_bar = len(self.data)
                super().nextstart()
            else:
                super().next()

    _WarmedUp.__name__, _WarmedUp.__qualname__ = strategy.__name__, strategy.__qualname__
    _WarmedUp.__module__, _WarmedUp.__doc__ = strategy.__module__, strategy.__doc__
    return _WarmedUp


def _check_enough_bars(strategy: Any) -> None:
    bars, needed = strategy.data.p.dataname, max(strategy._minperiods)
    if needed > len(bars):
        raise TradingError(
            f"{type(strategy).__name__} needs {needed} bars before its first decision, got "
            f"{len(bars)} ({span_text(bars)}). Load more history or shorten its lookbacks."
        )
