"""Short-term reversal: against the sign of the last week's return."""

from typing import Any

from lstm_strategy.trading.execution import TargetStrategy, choose_length


class ShortTermReversal(TargetStrategy):
    """Short after a rise over the last 5 trading days, long after a fall.

    The sources rank many assets; here one asset's own return is faded.

    Args:
        lookback: Bars of the return; None, the default, for those of 5 trading days.

    Source:
        Lehmann, "Fads, Martingales, and Market Efficiency", Quarterly Journal of Economics 105
        (1990), for weeks; Jegadeesh, "Evidence of Predictable Behavior of Security Returns",
        Journal of Finance 45 (1990), for months.

    Example:
        >>> from lstm_strategy import simulate_bars
        >>> from lstm_strategy.trading.cerebro import run_cerebro
        >>> run = run_cerebro(ShortTermReversal, simulate_bars("noise", 400).bars)
        >>> run.order_counts["completed"]
        77
    """

    params: Any = (("lookback", None),)

    def __init__(self) -> None:
        super().__init__()
        self.p.lookback = choose_length(self, self.p.lookback, days=5)
        self.change = self.data.close - self.data.close(-self.p.lookback)

    def target_exposure(self) -> float:
        """Return the opposite sign of the last return."""
        if self.change[0] == 0:
            return 0.0
        return -1.0 if self.change[0] > 0 else 1.0
