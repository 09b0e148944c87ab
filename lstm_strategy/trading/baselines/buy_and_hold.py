"""Buy and hold: what owning the asset pays."""

from lstm_strategy.trading.execution import TargetStrategy


class BuyAndHold(TargetStrategy):
    """Hold one times equity from the first bar on.

    The yardstick of every timing rule: Sharpe, "The Arithmetic of Active Management", Financial
    Analysts Journal 47 (1991).
    """

    def target_exposure(self) -> float:
        """Return 1, always."""
        return 1.0
