"""Bars before the start: every indicator sees them, nobody trades them."""

import functools
from typing import Any

import backtrader as bt

from lstm_strategy.bars import describe_span
from lstm_strategy.errors import TooFewBarsError
from lstm_strategy.trading.backtrader_internals import minimum_period


class WarmUpCerebro(bt.Cerebro):
    """A Cerebro that knows on which bar (counted from 1) decisions may begin."""

    params = (("first_bar", 1),)


@functools.lru_cache(maxsize=128)
def add_warm_up(strategy: Any) -> Any:
    """Return a subclass of a strategy that is silent before the first bar of a `WarmUpCerebro`.

    `nextstart`, where some strategies send their only order, is kept for the first bar that may
    be traded. The classes are cached because backtrader keeps every class that it has seen.

    Args:
        strategy: A strategy class.

    Returns:
        The subclass, under the name of the strategy; the same one each time. Its objects have
        `first_decided_bar`, the number of the bar (counted from 1) of the first decision.

    Example:
        >>> quiet = add_warm_up(bt.strategies.MA_CrossOver)
        >>> quiet.__name__, quiet is add_warm_up(bt.strategies.MA_CrossOver)
        ('MA_CrossOver', True)
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
    bars, needed = strategy.data.p.dataname, minimum_period(strategy)
    if needed > len(bars):
        raise TooFewBarsError(
            f"{type(strategy).__name__} needs {needed} bars before its first decision, got "
            f"{describe_span(bars)}. Load more history or shorten its lookbacks."
        )
