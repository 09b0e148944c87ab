"""RSI reversion: buy the oversold, sell the overbought, leave at the middle."""

import backtrader as bt

from lstm_strategy.trading.execution import TargetStrategy


class RSIReversion(TargetStrategy):
    """Long from an RSI(14) below 30, short from above 70, until it is back at 50.

    Leaving at 50, the index's own middle, is the usual exit where Wilder names none.

    Args:
        length: Bars of the relative strength index (14).
        oversold: RSI points, 0…100, below which it buys (30).
        overbought: RSI points above which it sells (70).
        middle: RSI points at which it leaves (50).

    Source:
        Wilder, "New Concepts in Technical Trading Systems" (1978), chapter on the relative
        strength index.

    Example:
        >>> from lstm_strategy import simulate_bars
        >>> from lstm_strategy.trading.cerebro import run_cerebro
        >>> run = run_cerebro(RSIReversion, simulate_bars("noise", 400).bars)
        >>> run.order_counts["completed"]
        8
    """

    params = (("length", 14), ("oversold", 30.0), ("overbought", 70.0), ("middle", 50.0))

    def __init__(self) -> None:
        super().__init__()
        # The plain RSI of backtrader divides by zero when no bar of the window fell.
        self.rsi = bt.indicators.RSI_Safe(period=self.p.length)

    def target_exposure(self) -> float:
        """Return 1 or -1 from an extreme until the middle, else 0."""
        rsi = self.rsi[0]
        if rsi < self.p.oversold:
            return 1.0
        if rsi > self.p.overbought:
            return -1.0
        is_back = rsi >= self.p.middle if self.target > 0 else rsi <= self.p.middle
        return 0.0 if is_back else self.target
