"""Bars that nobody would notice."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import backtrader as bt
from backtrader.linebuffer import LineBuffer


def may_skip_bars(strategy: Any) -> bool:
    """Return whether nobody would notice bars on which a strategy is kept silent.

    Its indicators have all been computed and go by bars, it is the only one of its Cerebro, has no
    observers and no timers, hears of no bar by other calls than those of its methods, and its
    account has nothing to do.

    Args:
        strategy: One of a Cerebro whose run is about to go from bar to bar.
    """
    cerebro, broker = strategy.env, strategy.broker
    told_of_bars = ("_oncepost", "_notify", "notify_cashvalue", "notify_fund")
    waiting = ("orders", "pending", "submitted", "_cash_addition", "_userhist")
    is_alone = len(cerebro.runningstrats) == 1
    is_watched = strategy.getobservers() or strategy._slave_analyzers or cerebro.runwriters
    has_timers = cerebro._timers or cerebro._timerscheat
    hears = any(
        name in vars(strategy) or getattr(type(strategy), name) is not getattr(bt.Strategy, name)
        for name in told_of_bars
    )
    acts = any(getattr(broker, name) for name in waiting)
    return is_alone and not (is_watched or has_timers or hears or acts or _lag(strategy))


def _lag(strategy: Any) -> bool:
    """Whether an indicator goes by another, or by the strategy, that moves on after it.

    It is a bar behind then, as one on a line of the strategy's own is.
    """
    moving = [*strategy._lineiterators[bt.Strategy.IndType], strategy]
    places = {id(line): place for place, each in enumerate(moving) for line in _lines_of(each)}
    return any(
        places.get(id(line), -1) >= place
        for place, indicator in enumerate(moving[:-1])
        for line in _lines_of(indicator._clock)
    )


def _lines_of(lines: Any) -> Sequence[Any]:
    """The lines that tell how far something is; an operation on lines is one itself."""
    return [lines] if isinstance(lines, LineBuffer) else lines.lines.lines


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
