"""Volatility target: hold less when the market moves more."""

import math
from typing import Any

import backtrader as bt

from lstm_strategy.trading.execution import TargetStrategy, choose_length
from lstm_strategy.trading.held_close import held_close


class VolatilityTarget(TargetStrategy):
    """Hold target volatility over realised volatility, at most one times equity.

    Realised volatility is the (population) standard deviation of the last 20 days' returns,
    annualised by `bars_per_year`. Without leverage, since equity is the limit for every strategy
    compared.

    Args:
        target_volatility: Fraction per year (0.15).
        length: Bars of the realised volatility; None, the default, for those of 20 trading days.

    Source:
        Harvey and others, "The Impact of Volatility Targeting", Journal of Portfolio Management
        45 (2018); Moreira & Muir, "Volatility-Managed Portfolios", Journal of Finance 72 (2017),
        weigh by inverse variance instead.

    Example:
        >>> from lstm_strategy import simulate_bars
        >>> from lstm_strategy.trading.cerebro import run_cerebro
        >>> run = run_cerebro(VolatilityTarget, simulate_bars("noise", 400).bars)
        >>> run.order_counts["completed"]
        21
    """

    params: Any = (("target_volatility", 0.15), ("length", None))

    def __init__(self) -> None:
        super().__init__()
        # a single return has no deviation
        self.p.length = choose_length(self, self.p.length, days=20, at_least=2)
        returns = bt.indicators.PctChange(held_close(self.data), period=1)
        self.deviation = bt.indicators.StandardDeviation(
            returns, period=self.p.length, safepow=True
        )

    def target_exposure(self) -> float:
        """Return target over realised volatility, 1 at most."""
        realised = self.deviation[0] * math.sqrt(self.p.bars_per_year)
        return float(self.p.target_volatility / max(realised, self.p.target_volatility))
