"""Honest baselines for derivatives: what funding, basis and carry pay by themselves.

`PERPETUAL_BASELINES` read funding rates and spot, `FUTURES_BASELINES` the prices of two contracts,
and `FUTURES_PORTFOLIO_BASELINES` those of many markets. `COLUMNS_OF_BASELINES` says which columns
of the bars each class needs.
"""

from lstm_strategy.support import NamedDict
from lstm_strategy.trading.baselines.derivatives.basis_reversion import BasisReversion
from lstm_strategy.trading.baselines.derivatives.carry_and_trend import CarryAndTrend
from lstm_strategy.trading.baselines.derivatives.funding_carry import FundingCarry
from lstm_strategy.trading.baselines.derivatives.funding_reversal import FundingReversal
from lstm_strategy.trading.baselines.derivatives.futures_carry import COLUMNS, FuturesCarry
from lstm_strategy.trading.baselines.derivatives.portfolios import (
    CarryAndTrendPortfolio,
    CarryPortfolio,
)
from lstm_strategy.trading.execution import PortfolioStrategy, TargetStrategy

PERPETUAL_BASELINES: dict[str, type[TargetStrategy]] = NamedDict(
    {
        "Funding carry": FundingCarry,
        "Funding reversal": FundingReversal,
        "Basis reversion": BasisReversion,
    }
)

FUTURES_BASELINES: dict[str, type[TargetStrategy]] = NamedDict(
    {
        "Carry": FuturesCarry,
        "Carry and trend": CarryAndTrend,
    }
)

FUTURES_PORTFOLIO_BASELINES: dict[str, type[PortfolioStrategy]] = NamedDict(
    {
        "Carry of all": CarryPortfolio,
        "Carry and trend of all": CarryAndTrendPortfolio,
    }
)

COLUMNS_OF_BASELINES: dict[type, tuple[str, ...]] = {
    FundingCarry: ("funding_rate",),
    FundingReversal: ("funding_rate",),
    BasisReversion: ("spot_close",),
    **dict.fromkeys((FuturesCarry, CarryAndTrend, CarryPortfolio, CarryAndTrendPortfolio), COLUMNS),
}

__all__ = [
    "COLUMNS_OF_BASELINES",
    "FUTURES_BASELINES",
    "FUTURES_PORTFOLIO_BASELINES",
    "PERPETUAL_BASELINES",
    "BasisReversion",
    "CarryAndTrend",
    "CarryAndTrendPortfolio",
    "CarryPortfolio",
    "FundingCarry",
    "FundingReversal",
    "FuturesCarry",
]
