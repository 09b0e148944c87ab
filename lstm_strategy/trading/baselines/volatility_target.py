"""Volatility target: hold less when the market moves more."""

import math

import backtrader as bt

from lstm_strategy.trading.execution import TargetStrategy


class VolatilityTarget(TargetStrategy):
    """Hold target volatility over realised volatility, at most one times equity.

    Realised volatility is the (population) standard deviation of the last 20 bars' returns,
    annualised by `bars_per_year`. Without leverage, since equity is the limit for every strategy
    compared.

    Args:
        target_volatility: Fraction a year (0.15).
        length: Bars of the realised volatility (20).

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

    params = (("target_volatility", 0.15), ("length", 20))

    def __init__(self) -> None:
        super().__init__()
        returns = bt.indicators.PctChange(period=1)
        self.deviation = bt.indicators.StandardDeviation(
            returns, period=self.p.length, safepow=True
        )

    def target_exposure(self) -> float:
        """Return target over realised volatility, 1 at most."""
        realised = self.deviation[0] * math.sqrt(self.p.bars_per_year)
        return float(self.p.target_volatility / max(realised, self.p.target_volatility))
