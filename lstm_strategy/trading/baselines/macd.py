"""MACD: long while momentum is above its own average."""

import backtrader as bt

from lstm_strategy.trading.execution import TargetStrategy


class MACD(TargetStrategy):
    """Long while the MACD line (EMA 12 less EMA 26) is above its 9-bar EMA, flat otherwise.

    Appel, "Technical Analysis: Power Tools for Active Investors" (2005), whose signal line buys
    and sells; the rule dates from his newsletter of the late 1970s.
    """

    params = (
        ("fast", 12),  # bars
        ("slow", 26),  # bars
        ("signal", 9),  # bars
    )

    def __init__(self) -> None:
        super().__init__()
        self.macd = bt.indicators.MACD(
            period_me1=self.p.fast, period_me2=self.p.slow, period_signal=self.p.signal
        )

    def target_exposure(self) -> float:
        """Return 1 above the signal line, else 0."""
        return 1.0 if self.macd.macd[0] > self.macd.signal[0] else 0.0
