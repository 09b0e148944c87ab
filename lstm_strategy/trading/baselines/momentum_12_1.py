"""12-1 momentum: follow the sign of the past year's return, its last month left out."""

from typing import Any

from lstm_strategy.trading.execution import TargetStrategy, choose_length


class Momentum121(TargetStrategy):
    """Long after a rise from 12 months to one month ago, short after a fall.

    Args:
        lookback: Bars back to where the return begins; None, the default, for those of a year.
        skip: Bars back to where it ends; None, the default, for those of a month.

    Source:
        The skipped month is that of Jegadeesh & Titman, "Returns to Buying Winners and Selling
        Losers", Journal of Finance 48 (1993); the sign of one asset's own return is that of
        Moskowitz, Ooi & Pedersen, "Time Series Momentum", Journal of Financial Economics 104
        (2012).

    Example:
        >>> from lstm_strategy import simulate_bars
        >>> from lstm_strategy.trading.cerebro import run_cerebro
        >>> run = run_cerebro(Momentum121, simulate_bars("noise", 400).bars)
        >>> run.order_counts["completed"]
        11
    """

    params: Any = (("lookback", None), ("skip", None))

    def __init__(self) -> None:
        super().__init__()
        self.p.lookback = choose_length(self, self.p.lookback, months=12)
        self.p.skip = choose_length(self, self.p.skip, months=1)
        self.change = self.data.close(-self.p.skip) - self.data.close(-self.p.lookback)

    def target_exposure(self) -> float:
        """Return the sign of the past return."""
        if self.change[0] == 0:
            return 0.0
        return 1.0 if self.change[0] > 0 else -1.0
