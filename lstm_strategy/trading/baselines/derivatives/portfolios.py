"""Carry, and carry and trend, of many futures at equal risk."""

import math
from collections.abc import Mapping
from typing import Any

from lstm_strategy.trading.baselines.derivatives.carry_and_trend import build_carry_and_trend
from lstm_strategy.trading.baselines.derivatives.futures_carry import build_carry
from lstm_strategy.trading.execution import PortfolioStrategy, choose_length


class CarryPortfolio(PortfolioStrategy):
    """Hold each future as `FuturesCarry` does, at equal risk.

    Args:
        length: Bars over which roll yields are averaged; None, the default, for those of 20 trading
            days.
        full_carry: Roll yield in units of annual volatility for a full position (0.3).
        target_volatility: Fraction per year of each market (0.15).
        rebalance_bars: Dates from one decision to the next; None, the default, for 5 trading days.

    Source:
        Koijen, Moskowitz, Pedersen & Vrugt, "Carry", Journal of Financial Economics 127 (2018).

    Example:
        >>> from lstm_strategy import run_backtest, simulate_bars
        >>> panel = {}
        >>> for name, bars in simulate_bars("noise", 300, seed=1, n_assets=2).bars.items():
        ...     bars = bars.assign(price=bars["close"], carry_price=bars["close"] * 0.97)
        ...     panel[name] = bars.assign(years_to_carry=0.25)
        >>> result = run_backtest(CarryPortfolio, panel)
        >>> bool((result.exposure.iloc[-1] > 0.2).all())
        True
    """

    params: Any = (
        ("length", None),
        ("full_carry", 0.3),
        ("target_volatility", 0.15),
        ("rebalance_bars", None),
    )

    def __init__(self) -> None:
        self.p.rebalance_bars = choose_length(self, self.p.rebalance_bars, days=5)
        super().__init__()
        self.carries = {
            name: build_carry(self, data, self.p.length, self.p.full_carry, market=name)
            for name, data in self.markets.items()
        }

    def target_exposures(self) -> Mapping[str, float]:
        """Return what the carry of each market asks for; 0 while none is known."""
        asked = {name: self.carries[name]() for name in self.live_markets}
        return {name: 0.0 if math.isnan(carry) else carry for name, carry in asked.items()}


class CarryAndTrendPortfolio(PortfolioStrategy):
    """Hold each future as `CarryAndTrend` does, at equal risk.

    Args:
        length: Bars over which roll yields are averaged; None, the default, for those of 20 trading
            days.
        full_carry: Roll yield in units of annual volatility for a full position (0.3).
        lookback: Bars of the past change; None, the default, for those of each market in a year.
        target_volatility: Fraction per year of each market (0.15).
        rebalance_bars: Dates from one decision to the next; None, the default, for 5 trading days.

    Source:
        As in `CarryAndTrend`.

    Example:
        >>> from lstm_strategy import run_backtest, simulate_bars
        >>> panel = {}
        >>> for name, bars in simulate_bars("noise", 300, seed=1, n_assets=2).bars.items():
        ...     bars = bars.assign(price=bars["close"], carry_price=bars["close"] * 0.97)
        ...     panel[name] = bars.assign(years_to_carry=0.25)
        >>> result = run_backtest(CarryAndTrendPortfolio, panel)
        >>> result.first_tradable == panel["A01"].index[252]
        True
    """

    params: Any = (
        ("length", None),
        ("full_carry", 0.3),
        ("lookback", None),
        ("target_volatility", 0.15),
        ("rebalance_bars", None),
    )

    def __init__(self) -> None:
        self.p.rebalance_bars = choose_length(self, self.p.rebalance_bars, days=5)
        super().__init__()
        self.rules = {
            name: build_carry_and_trend(
                self, data, self.p.length, self.p.full_carry, self.p.lookback, market=name
            )
            for name, data in self.markets.items()
        }

    def target_exposures(self) -> Mapping[str, float]:
        """Return the mean of what carry and trend of each market ask for."""
        return {name: self.rules[name]() for name in self.live_markets}
