"""How many bars a strategy waits for."""

from typing import Any


def minimum_period(strategy: Any) -> int:
    """Return how many bars a strategy needs before its first decision, the longest of its feeds'.

    Args:
        strategy: A strategy that Cerebro has begun to build. While its own `__init__` runs, or
            if that has failed, the period isn't known yet and counts as 1.

    Returns:
        The number, counted from 1, of the first bar on which backtrader calls `next`.

    Example:
        >>> import backtrader as bt
        >>> from lstm_strategy import BarsFeed, simulate_bars
        >>> cerebro = bt.Cerebro()
        >>> _ = cerebro.adddata(BarsFeed(simulate_bars("noise", 50).bars))
        >>> _ = cerebro.addstrategy(bt.strategies.MA_CrossOver, fast=5, slow=20)
        >>> minimum_period(cerebro.run()[0])
        21
    """
    return int(max([1, *getattr(strategy, "_minperiods", [])]))


def minimum_periods(strategy: Any) -> list[int]:
    """Return how many bars of each feed a strategy needs for the indicators on it.

    Args:
        strategy: A strategy that Cerebro has begun to run.

    Returns:
        One number for each feed, counted from 1, in the order of `strategy.datas`.

    Example:
        >>> import backtrader as bt
        >>> from lstm_strategy import BarsFeed, simulate_bars
        >>> cerebro = bt.Cerebro()
        >>> _ = cerebro.adddata(BarsFeed(simulate_bars("noise", 50).bars))
        >>> _ = cerebro.addstrategy(bt.strategies.MA_CrossOver, fast=5, slow=20)
        >>> minimum_periods(cerebro.run()[0])
        [21]
    """
    return [int(period) for period in strategy._minperiods]


def raise_minimum_period(strategy: Any, feed_number: int, n_bars: int) -> None:
    """Let a strategy wait for more bars of a feed than its indicators need.

    Args:
        strategy: A strategy that Cerebro has begun to run.
        feed_number: Which of its feeds, counted from 0.
        n_bars: The number of the first bar that will do, counted from 1.
    """
    strategy._minperiods[feed_number] = max(strategy._minperiods[feed_number], n_bars)
