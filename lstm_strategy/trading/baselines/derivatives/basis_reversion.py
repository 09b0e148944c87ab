"""Basis reversion: a perpetual above its usual premium over spot is sold, one below is bought."""

import math
from typing import Any

import backtrader as bt

from lstm_strategy.trading.baselines.derivatives.columns import (
    Premium,
    add_line,
    require_columns,
)
from lstm_strategy.trading.execution import TargetStrategy, choose_length


class BasisReversion(TargetStrategy):
    """Hold against the premium of the past day, sized by how unusual it is.

    The exposure is minus the distance of the mean premium from its own mean, in (population)
    deviations, over `full_distance`.

    Args:
        length: Bars over which the premium is averaged; None, the default, for those of a day.
        history: Bars of the mean and the deviation of that; None, the default, for those of
            30 days.
        full_distance: Deviations for which it holds one times equity (2).

    Source:
        He, Manela, Ross & von Wachter, "Fundamentals of Perpetual Futures" (2022), trade the gap to
        spot until it closes, there with spot as a hedge, which one market can't give.

    Example:
        >>> from lstm_strategy import simulate_bars
        >>> from lstm_strategy.trading.cerebro import run_cerebro
        >>> run = run_cerebro(BasisReversion, simulate_bars("perpetual", 2_000).bars)
        >>> run.order_counts["completed"] > 50
        True
    """

    params: Any = (("length", None), ("history", None), ("full_distance", 2.0))

    def __init__(self) -> None:
        super().__init__()
        require_columns(self, self.data, "spot_close")
        self.p.length = choose_length(self, self.p.length, days=1)
        self.p.history = choose_length(self, self.p.history, days=30, at_least=2)
        self.premium = bt.indicators.SMA(add_line(Premium, self.data), period=self.p.length)
        self.middle = bt.indicators.SMA(self.premium, period=self.p.history)
        self.deviation = bt.indicators.StandardDeviation(
            self.premium, period=self.p.history, safepow=True
        )

    def target_exposure(self) -> float:
        """Return minus the distance over the full one, -1...1; NaN while no premium is known."""
        distance = self.premium[0] - self.middle[0]
        deviation = self.deviation[0]
        if math.isnan(distance) or deviation == 0.0:
            return math.nan
        return float(max(-1.0, min(1.0, -distance / deviation / self.p.full_distance)))
