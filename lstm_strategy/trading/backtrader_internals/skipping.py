"""Bars that nobody would notice."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import backtrader as bt


def may_skip_bars(strategy: Any) -> bool:
    """Return whether nobody would notice bars on which a strategy is kept silent.

    Its indicators have all been computed, it has no observers and no timers, hears of no bar by
    other calls than those of its methods, and its account has nothing to do.

    Args:
        strategy: The only one of a Cerebro whose run is about to go from bar to bar.
    """
    cerebro, broker = strategy.env, strategy.broker
    told_of_bars = ("_oncepost", "_notify", "notify_cashvalue", "notify_fund")
    waiting = ("orders", "pending", "submitted", "_cash_addition", "_userhist")
    is_watched = strategy.getobservers() or cerebro.runwriters
    has_timers = cerebro._timers or cerebro._timerscheat
    hears = any(
        getattr(type(strategy), name) is not getattr(bt.Strategy, name) for name in told_of_bars
    )
    acts = any(getattr(broker, name) for name in waiting)
    lags = _follows_a_later_one(strategy._lineiterators[bt.Strategy.IndType])
    return not (is_watched or has_timers or hears or acts or lags)


def _follows_a_later_one(indicators: Sequence[Any]) -> bool:
    """Whether one goes by another that moves on after it, and so is a bar behind."""
    places = {id(indicator): place for place, indicator in enumerate(indicators)}
    followed = ((each._clock, getattr(each._clock, "_owner", None)) for each in indicators)
    return any(
        places.get(id(other), -1) >= place
        for place, others in enumerate(followed)
        for other in others
    )


def skip_bars(strategy: Any, date: float) -> int:
    """Go to the last bar before a date, as if Cerebro had gone from bar to bar.

    Args:
        strategy: One that `may_skip_bars`.
        date: As backtrader has it, in days.

    Returns:
        How many dates were skipped.
    """
    dates: set[float] = set()
    for feed in strategy.datas:
        known = feed.lines.datetime.array
        n_bars = bisect_left(known, date)
        dates.update(known[:n_bars])
        if n_bars:
            feed.advance(n_bars)
    for indicator in strategy._lineiterators[bt.Strategy.IndType]:
        n_bars = len(indicator._clock) - len(indicator)
        if n_bars > 0:
            indicator.advance(n_bars)
    for each in sorted(dates):
        strategy.forward()
        strategy.lines.datetime[0] = each
    strategy._getminperstatus()
    return len(dates)
