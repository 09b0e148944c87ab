"""Bollinger reversion: buy below the lower band, sell above the upper, leave at the average."""

import backtrader as bt

from lstm_strategy.trading.execution import TargetStrategy


class BollingerReversion(TargetStrategy):
    """Long from a close below the lower band, short from above the upper, until the middle band.

    Args:
        length: Bars over which the bands are taken (20).
        width: (Population) standard deviations between the middle and a band (2).

    Source:
        Bollinger, "Bollinger on Bollinger Bands" (2001).

    Example:
        >>> from lstm_strategy import simulate_bars
        >>> from lstm_strategy.trading.cerebro import run_cerebro
        >>> run = run_cerebro(BollingerReversion, simulate_bars("noise", 400).bars)
        >>> run.order_counts["completed"]
        29
    """

    params = (("length", 20), ("width", 2.0))

    def __init__(self) -> None:
        super().__init__()
        self.middle = bt.indicators.SMA(period=self.p.length)
        # safepow: rounding can make the variance of equal closes a hair negative.
        self.deviation = bt.indicators.StandardDeviation(period=self.p.length, safepow=True)

    def target_exposure(self) -> float:
        """Return 1 or -1 from a band until the middle, else 0."""
        distance = self.data.close[0] - self.middle[0]
        reach = self.p.width * self.deviation[0]
        if distance < -reach:
            return 1.0
        if distance > reach:
            return -1.0
        is_back = distance >= 0 if self.target > 0 else distance <= 0
        return 0.0 if is_back else self.target
