"""SMA cross: long while the fast average is above the slow one."""

from typing import Any

import backtrader as bt

from lstm_strategy.trading.execution import TargetStrategy, choose_length


class SMACross(TargetStrategy):
    """Long while the 50-day average of closes is above the 200-day one, flat otherwise.

    Flat rather than short below: the rule is meant to sit out declines, not to earn from them.

    Args:
        fast: Bars of the fast average; None, the default, for those of 50 trading days.
        slow: Bars of the slow average; None, the default, for those of 200 trading days.

    Source:
        The "golden cross" of Brock, Lakonishok & LeBaron, "Simple Technical Trading Rules and the
        Stochastic Properties of Stock Returns", Journal of Finance 47 (1992); flat below as in
        Faber, "A Quantitative Approach to Tactical Asset Allocation" (2007).

    Example:
        >>> from lstm_strategy import simulate_bars
        >>> from lstm_strategy.trading.cerebro import run_cerebro
        >>> run = run_cerebro(SMACross, simulate_bars("noise", 400).bars, fast=5, slow=20)
        >>> run.order_counts["completed"]
        24
    """

    params: Any = (("fast", None), ("slow", None))

    def __init__(self) -> None:
        super().__init__()
        self.p.fast = choose_length(self, self.p.fast, days=50)
        self.p.slow = choose_length(self, self.p.slow, days=200)
        self.fast = bt.indicators.SMA(period=self.p.fast)
        self.slow = bt.indicators.SMA(period=self.p.slow)

    def target_exposure(self) -> float:
        """Return 1 above the slow average, else 0."""
        return 1.0 if self.fast[0] > self.slow[0] else 0.0
