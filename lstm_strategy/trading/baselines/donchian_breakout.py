"""Donchian breakout: follow a close beyond the extremes of the bars before it."""

import backtrader as bt

from lstm_strategy.trading.execution import TargetStrategy


class DonchianBreakout(TargetStrategy):
    """Enter on a close beyond the previous 55 bars' extreme, leave beyond the opposite 20 bars'.

    The Turtles traded the breakout within the bar; here it is known at the close and filled at
    the next open, as for every other strategy.

    Args:
        entry: Bars before the present one whose extreme a close has to break (55).
        exit: Bars before the present one whose opposite extreme ends the trade (20).

    Source:
        System 2 of the Turtles: Faith, "Way of the Turtle" (2007), after Donchian's channels.

    Example:
        >>> from lstm_strategy import simulate_bars
        >>> from lstm_strategy.trading.cerebro import run_cerebro
        >>> run = run_cerebro(DonchianBreakout, simulate_bars("noise", 400).bars)
        >>> run.order_counts["completed"]
        13
    """

    params = (("entry", 55), ("exit", 20))

    def __init__(self) -> None:
        super().__init__()
        # (-1): the channel of the bars before, which the present bar can break.
        self.entry_high = bt.indicators.Highest(self.data.high, period=self.p.entry)(-1)
        self.entry_low = bt.indicators.Lowest(self.data.low, period=self.p.entry)(-1)
        self.exit_high = bt.indicators.Highest(self.data.high, period=self.p.exit)(-1)
        self.exit_low = bt.indicators.Lowest(self.data.low, period=self.p.exit)(-1)

    def target_exposure(self) -> float:
        """Return 1 or -1 from a breakout until the exit channel breaks, else 0."""
        close = self.data.close[0]
        if close > self.entry_high[0]:
            return 1.0
        if close < self.entry_low[0]:
            return -1.0
        is_over = close < self.exit_low[0] if self.target > 0 else close > self.exit_high[0]
        return 0.0 if is_over else self.target
