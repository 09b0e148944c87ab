"""Funding carry: be paid the funding, the more of it there is."""

from typing import Any

import backtrader as bt

from lstm_strategy.trading.baselines.derivatives.columns import (
    SettledFunding,
    add_line,
    require_columns,
)
from lstm_strategy.trading.execution import TargetStrategy, choose_length


class FundingCarry(TargetStrategy):
    """Short while the funding of the past week was positive, long while it was negative.

    The exposure is against the trailing funding rate of a year over `full_rate`, at most one times
    equity, so that it falls with the rate. The usual rate of 0.01% every eight hours is 11% a year.

    Args:
        length: Bars over which funding is added up; None, the default, for those of 7 days.
        full_rate: Funding a year, a fraction, for which it holds one times equity (0.3).

    Source:
        Koijen, Moskowitz, Pedersen & Vrugt, "Carry", Journal of Financial Economics 127 (2018), for
        carry as a signal; Schmeling, Schrimpf & Todorov, "Crypto Carry" (2023), for that of
        perpetuals, there with spot as a hedge, which one market can't give.

    Example:
        >>> from lstm_strategy import simulate_bars
        >>> from lstm_strategy.trading.cerebro import run_cerebro
        >>> run = run_cerebro(FundingCarry, simulate_bars("perpetual", 2_000).bars)
        >>> bool(run.exposure.mean() < -0.2)
        True
    """

    params: Any = (("length", None), ("full_rate", 0.3))

    def __init__(self) -> None:
        super().__init__()
        require_columns(self, self.data, "funding_rate")
        self.p.length = choose_length(self, self.p.length, days=7)
        self.total = bt.indicators.SumN(add_line(SettledFunding, self.data), period=self.p.length)

    def target_exposure(self) -> float:
        """Return minus the annual rate over the full one, -1...1."""
        annual = self.total[0] * self.p.bars_per_year / self.p.length
        return float(max(-1.0, min(1.0, -annual / self.p.full_rate)))
