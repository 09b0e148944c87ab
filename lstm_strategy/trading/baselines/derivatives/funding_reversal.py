"""Funding reversal: go against a crowd that pays unusually much."""

from typing import Any

import backtrader as bt

from lstm_strategy.trading.baselines.derivatives.columns import (
    SettledFunding,
    add_line,
    require_columns,
)
from lstm_strategy.trading.execution import TargetStrategy, choose_length


class FundingReversal(TargetStrategy):
    """Short from funding far above its own mean, long from far below, until it is back there.

    Args:
        length: Bars over which funding is added up; None, the default, for those of 3 days.
        history: Bars of the mean and (population) deviation of that; None, the default, for those
            of 30 days.
        width: Deviations between the mean and an extreme (2).

    Source:
        The rule is that of Bollinger, "Bollinger on Bollinger Bands" (2001), on funding in place of
        prices.

    Example:
        >>> from lstm_strategy import simulate_bars
        >>> from lstm_strategy.trading.cerebro import run_cerebro
        >>> run = run_cerebro(FundingReversal, simulate_bars("perpetual", 3_000).bars)
        >>> sorted(run.exposure.round().unique().tolist())
        [-1.0, 0.0, 1.0]
    """

    params: Any = (("length", None), ("history", None), ("width", 2.0))

    def __init__(self) -> None:
        super().__init__()
        require_columns(self, self.data, "funding_rate")
        self.p.length = choose_length(self, self.p.length, days=3)
        self.p.history = choose_length(self, self.p.history, days=30, at_least=2)
        self.total = bt.indicators.SumN(add_line(SettledFunding, self.data), period=self.p.length)
        self.middle = bt.indicators.SMA(self.total, period=self.p.history)
        self.deviation = bt.indicators.StandardDeviation(
            self.total, period=self.p.history, safepow=True
        )

    def target_exposure(self) -> float:
        """Return 1 or -1 from an extreme until the mean, else 0."""
        distance = self.total[0] - self.middle[0]
        reach = self.p.width * self.deviation[0]
        if abs(distance) > reach:
            return -1.0 if distance > 0 else 1.0
        is_back = distance >= 0 if self.target > 0 else distance <= 0
        return 0.0 if is_back else self.target
