"""Bars before the start: every indicator sees them, nobody trades them."""

from collections.abc import Callable
from typing import Any

import backtrader as bt

from lstm_strategy.bars import describe_span
from lstm_strategy.errors import TooFewBarsError
from lstm_strategy.trading.backtrader_internals import (
    feed_name,
    may_skip_bars,
    minimum_period,
    minimum_periods,
    skip_bars,
)
from lstm_strategy.trading.cerebro.recorders import Recorder
from lstm_strategy.trading.execution import PortfolioStrategy

OPEN_METHODS = ("next_open", "nextstart_open", "prenext_open")
"""What backtrader calls at the open of a bar, with `cheat_on_open`."""


def acts_at_the_open(strategy: type) -> bool:
    """Return whether a strategy class defines what backtrader calls at the open of a bar.

    Args:
        strategy: A strategy class.

    Example:
        >>> acts_at_the_open(bt.strategies.MA_CrossOver)
        False
    """
    usual: dict[str, Any] = {name: getattr(bt.Strategy, name) for name in OPEN_METHODS}
    return any(getattr(strategy, name, own) is not own for name, own in usual.items())


class WarmUp(Recorder):
    """Keeps a strategy silent before the first bar that it may trade.

    What backtrader calls of a strategy is replaced in the object, not in its class: any class will
    do, whatever its metaclass makes of its methods. `nextstart`, where some strategies send their
    only order, is kept for the first bar that may be traded. The strategy gets
    `first_decided_bar`, the number of the bar (counted from 1) of its first decision.

    Where all indicators are computed at once, the bars before are skipped: nobody would notice
    them, and they are half of the run of a strategy that begins halfway.

    Args:
        first_bar: The number of the first bar at whose close the strategy may decide; of the first
            date, where it has many markets.
        first_date: The same as backtrader's date, in days.
    """

    params = (("first_bar", 1), ("first_date", 0.0))

    def __init__(self) -> None:
        strategy = self.strategy
        strategy.first_decided_bar = None
        self._has_markets = bool(feed_name(strategy.data))
        self._replace_beginning("next", "nextstart", self._is_early)
        self._replace_beginning("next_open", "nextstart_open", self._is_early_at_open)
        strategy.prenext = _unless(self._is_early, strategy.prenext)
        strategy.prenext_open = _unless(self._is_early_at_open, strategy.prenext_open)
        strategy.notify_timer = _unless(self._is_early, strategy.notify_timer)

    def start(self) -> None:
        """Refuse bars that are too few for the strategy's indicators, and skip those before."""
        bars, needed = self.strategy.data.p.dataname, minimum_period(self.strategy)
        if self._has_markets:
            self._check_markets()
        elif needed > len(bars):
            raise TooFewBarsError(
                f"{type(self.strategy).__name__} needs {needed} bars before its first decision, "
                f"got {describe_span(bars)}. {self._remedy}"
            )
        if type(self.strategy).reset is bt.Strategy.reset:  # and no method of the user's
            self.strategy.reset = self._reset

    def _reset(self) -> None:
        """What Cerebro calls before it goes from bar to bar, if all indicators are computed."""
        strategy = self.strategy
        del strategy.reset
        strategy.reset()
        needs_all = getattr(strategy.broker, "needs_every_bar", False)
        if needs_all or not may_skip_bars(strategy):
            return
        if all(isinstance(analyzer, Recorder) for analyzer in strategy.analyzers):
            n_bars = skip_bars(strategy, self.p.first_date)
            for analyzer in strategy.analyzers:
                analyzer.skip_bars(n_bars)

    def _check_markets(self) -> None:
        """Refuse a panel with too few bars; a portfolio needs one market that has enough."""
        periods = minimum_periods(self.strategy)
        datas = self.strategy.datas
        short = [
            f"{type(self.strategy).__name__} needs {needed} bars of market {feed_name(data)} "
            f"before its first decision, got {describe_span(data.p.dataname)}"
            for data, needed in zip(datas, periods, strict=True)
            if needed > len(data.p.dataname)
        ]
        can_do_without = isinstance(self.strategy, PortfolioStrategy) and len(short) < len(datas)
        if short and not can_do_without:
            raise TooFewBarsError(f"{short[0]}. {self._remedy}")

    @property
    def _remedy(self) -> str:
        """What to do about too few bars; what a trained model remembers can't be shortened."""
        if getattr(self.strategy.p, "model", None) is not None:
            return "Load more history: bars before those that you trade count too."
        return "Load more history or shorten its lookbacks."

    def _replace_beginning(self, always: str, once: str, is_early: Callable[[], bool]) -> None:
        """Let the first call of either method that isn't early be one of `once`."""
        strategy = self.strategy
        own_always, own_once = getattr(strategy, always), getattr(strategy, once)
        has_begun = False

        def call() -> None:
            nonlocal has_begun
            if has_begun:
                own_always()
            elif not is_early():
                has_begun = True
                if always == "next":
                    strategy.first_decided_bar = len(strategy)
                own_once()

        setattr(strategy, always, call)
        setattr(strategy, once, call)

    def _is_early(self) -> bool:
        if self._has_markets:
            return bool(self._newest_date() < self.p.first_date)
        return bool(len(self.strategy.data) < self.p.first_bar)

    def _is_early_at_open(self) -> bool:
        # the bar that has just opened isn't known yet
        if self._has_markets:
            return bool(self._newest_date() <= self.p.first_date)
        return bool(len(self.strategy.data) <= self.p.first_bar)

    def _newest_date(self) -> float:
        return float(max(data.datetime[0] for data in self.strategy.datas if len(data)))


def _unless(is_early: Callable[[], bool], method: Callable[..., None]) -> Callable[..., None]:
    def call(*args: Any, **kwargs: Any) -> None:
        if not is_early():
            method(*args, **kwargs)

    return call
