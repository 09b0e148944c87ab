"""Buy and hold: what owning the asset pays."""

from lstm_strategy.trading.execution import TargetStrategy


class BuyAndHold(TargetStrategy):
    """Hold one times equity from the first bar on.

    Source:
        Sharpe, "The Arithmetic of Active Management", Financial Analysts Journal 47 (1991), makes
        it the yardstick of every timing rule.

    Example:
        >>> from lstm_strategy import simulate_bars
        >>> from lstm_strategy.trading.cerebro import run_cerebro
        >>> run = run_cerebro(BuyAndHold, simulate_bars("noise", 400).bars)
        >>> run.order_counts["completed"]
        1
    """

    def target_exposure(self) -> float:
        """Return 1, always."""
        return 1.0
