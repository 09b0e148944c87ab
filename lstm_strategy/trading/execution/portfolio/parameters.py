"""The settings of a portfolio: limits, risk, the band and how often it is decided."""

from typing import Annotated

from pydantic import Field

from lstm_strategy.trading.execution.parameters import (
    Band,
    Bars,
    Flag,
    Latency,
    Leverage,
    PerDay,
    PerYear,
    Reserve,
)
from lstm_strategy.trading.settings import LotSize, TradingSettings

_Limit = Annotated[float, Field(gt=0, description="a multiple of equity such as 1")]
_Net = Annotated[float | None, Field(ge=0, description="a multiple of equity such as 0.2, or None")]
_Cap = Annotated[float, Field(ge=0)]
_Caps = Annotated[
    _Cap | dict[str, _Cap] | None,
    Field(
        description="a fraction of equity such as 0.2, one by market such as {'SPY': 0.2}, or None"
    ),
]
_ByMarket = Annotated[
    dict[str, Annotated[float, Field(gt=0)]] | None,
    Field(description="a number by market such as {'BTC': 365}, or None"),
]
_Volatility = Annotated[
    float | None, Field(gt=0, description="a fraction per year such as 0.15, or None")
]


class PortfolioParameters(TradingSettings):
    """The parameters that every `PortfolioStrategy` has.

    Attributes:
        long_only: Whether exposures below 0 become 0.
        max_gross: The most that all positions together may be worth, long and short, in multiples
            of equity.
        max_net: The most that longs may exceed shorts, or shorts longs; None for no such limit.
        max_leverage: The most that longs may be worth together, in multiples of equity; above 1
            for what is held on margin.
        max_exposure: The most that one market may be worth, long or short, as a fraction of
            equity: for all alike, or by market; None for no such limit.
        target_volatility: Fraction per year; an answer of 1 then holds a market's equal share of
            the portfolio at that volatility. None to take the answers as fractions of equity.
        volatility_span: Bars of the exponential weights of that volatility.
        rebalance_bars: Dates from one decision to the next.
        latency_bars: Dates from a decision to the closes at which its orders leave.
        band: Fraction of a market's equal share of equity; smaller differences between the target
            and the present exposure aren't traded.
        reserve: Fraction of the close; a buy pays up to `close * (1 + reserve)`, and of what a
            sale brings, `close * (1 - reserve)` is spent at once.
        lot_size: The smallest tradable number of units; 1 for whole shares.
        bars_per_year: How many dates a year has; annualises volatilities, and counts months.
        bars_per_day: The same of a day, for strategies that count days.
        bars_per_year_by_market: The bars of each market in a year, where it differs.
        bars_per_day_by_market: The same of a day.

    Example:
        >>> PortfolioParameters(max_exposure={"SPY": 0.2}).max_gross
        1.0
    """

    long_only: Flag = False
    max_gross: _Limit = 1.0
    max_net: _Net = None
    max_leverage: Leverage = 1.0
    max_exposure: _Caps = None
    target_volatility: _Volatility = None
    volatility_span: Annotated[
        int, *Bars.__metadata__[:1], Field(ge=2, description="a whole number such as 60")
    ] = 60
    rebalance_bars: Bars = 1
    latency_bars: Latency = 0
    band: Band = 0.1
    reserve: Reserve = 0.01
    lot_size: LotSize = 1e-6
    bars_per_year: PerYear = 252
    bars_per_day: PerDay = 1
    bars_per_year_by_market: _ByMarket = None
    bars_per_day_by_market: _ByMarket = None
