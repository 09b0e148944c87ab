"""SMA cross: long while the fast average is above the slow one."""

import backtrader as bt

from lstm_strategy.trading.execution import TargetStrategy


class SMACross(TargetStrategy):
    """Long while the 50-bar average of closes is above the 200-bar one, flat otherwise.

    The "golden cross" of Brock, Lakonishok & LeBaron, "Simple Technical Trading Rules and the
    Stochastic Properties of Stock Returns", Journal of Finance 47 (1992). Flat rather than short
    below, as in Faber, "A Quantitative Approach to Tactical Asset Allocation" (2007): the rule is
    meant to sit out declines, not to earn from them.
    """

    params = (
        ("fast", 50),  # bars
        ("slow", 200),  # bars
    )

    def __init__(self) -> None:
        super().__init__()
        self.fast = bt.indicators.SMA(period=self.p.fast)
        self.slow = bt.indicators.SMA(period=self.p.slow)

    def target_exposure(self) -> float:
        """Return 1 above the slow average, else 0."""
        return 1.0 if self.fast[0] > self.slow[0] else 0.0
