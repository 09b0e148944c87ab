"""MACD: long while momentum is above its own average."""

import backtrader as bt

from lstm_strategy.trading.execution import TargetStrategy


class MACD(TargetStrategy):
    """Long while the MACD line (EMA 12 less EMA 26) is above its 9-bar EMA, flat otherwise.

    Args:
        fast: Bars of the fast average (12).
        slow: Bars of the slow average (26).
        signal: Bars of the average of their difference (9).

    Source:
        Appel, "Technical Analysis: Power Tools for Active Investors" (2005), whose signal line
        buys and sells; the rule dates from his newsletter of the late 1970s.

    Example:
        >>> from lstm_strategy import simulate_bars
        >>> from lstm_strategy.trading.cerebro import run_cerebro
        >>> run = run_cerebro(MACD, simulate_bars("noise", 400).bars)
        >>> run.order_counts["completed"]
        34
    """

    params = (("fast", 12), ("slow", 26), ("signal", 9))

    def __init__(self) -> None:
        super().__init__()
        self.macd = bt.indicators.MACD(
            period_me1=self.p.fast, period_me2=self.p.slow, period_signal=self.p.signal
        )

    def target_exposure(self) -> float:
        """Return 1 above the signal line, else 0."""
        return 1.0 if self.macd.macd[0] > self.macd.signal[0] else 0.0
