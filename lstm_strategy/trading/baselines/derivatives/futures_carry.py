"""Futures carry: hold what gains as it comes nearer to expiry."""

import math
from collections.abc import Callable
from typing import Any

import backtrader as bt

from lstm_strategy.trading.baselines.derivatives.columns import (
    HeldReturn,
    RollYield,
    add_line,
    require_columns,
)
from lstm_strategy.trading.execution import TargetStrategy, choose_length

COLUMNS = ("price", "carry_price", "years_to_carry")


class FuturesCarry(TargetStrategy):
    """Long a future in backwardation, short one in contango, sized by the roll yield over its risk.

    It reads `price` (the contract held), `carry_price` (the next or the previous one) and
    `years_to_carry` (its expiry less that of the contract held, in years) beside a back-adjusted
    close. The roll yield is averaged, and its last known value counts where a price is missing.

    Args:
        length: Bars over which the roll yield is averaged; None, the default, for those of
            20 trading days.
        full_carry: Roll yield in units of annual volatility for which it holds one times
            equity (0.3).

    Source:
        Koijen, Moskowitz, Pedersen & Vrugt, "Carry", Journal of Financial Economics 127 (2018);
        carry over volatility, and what is much of it, are those of Carver, "Systematic Trading"
        (2015), chapter 7.

    Example:
        >>> from lstm_strategy import simulate_bars
        >>> from lstm_strategy.trading.cerebro import run_cerebro
        >>> bars = simulate_bars("noise", 400).bars
        >>> bars = bars.assign(price=bars["close"], carry_price=bars["close"] * 0.97)
        >>> run = run_cerebro(FuturesCarry, bars.assign(years_to_carry=0.25))
        >>> bool(run.exposure.mean() > 0.8)
        True
    """

    params: Any = (("length", None), ("full_carry", 0.3))

    def __init__(self) -> None:
        super().__init__()
        self.carry = build_carry(self, self.data, self.p.length, self.p.full_carry)

    def target_exposure(self) -> float:
        """Return the carry over the full one, -1...1; NaN while none is known."""
        return self.carry()


def build_carry(
    strategy: Any, data: Any, length: int | None, full_carry: float, *, market: str | None = None
) -> Callable[[], float]:
    """Make what says the exposure that carry asks for at the close of each bar.

    Args:
        strategy: Who asks; its `__init__` calls this.
        data: The feed of the market.
        length: Bars over which the roll yield is averaged; None for those of 20 trading days.
        full_carry: Roll yield in units of annual volatility that makes the exposure 1.
        market: The name of the market in a portfolio.

    Returns:
        A function without arguments: the exposure, -1...1, or NaN while no carry is known.

    Raises:
        MissingColumnError: If the feed lacks a column.
    """
    require_columns(strategy, data, *COLUMNS)
    length = choose_length(strategy, length, days=20, market=market)
    days = choose_length(strategy, None, days=60, at_least=2, market=market)
    year = strategy.p.bars_per_year if market is None else strategy.bars_per_year_of(market)
    roll_yield = bt.indicators.SMA(add_line(RollYield, data), period=length)
    deviation = bt.indicators.StandardDeviation(
        add_line(HeldReturn, data), period=days, safepow=True
    )

    def carry() -> float:
        volatility = deviation[0] * math.sqrt(year)
        if math.isnan(roll_yield[0]) or not volatility > 0.0:
            return math.nan
        return float(max(-1.0, min(1.0, roll_yield[0] / volatility / full_carry)))

    return carry
