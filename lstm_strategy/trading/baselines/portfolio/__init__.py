"""Honest baselines for many markets: textbook portfolios that a forecast must beat.

`PORTFOLIO_BASELINES` maps a readable name to the strategy class; each works in plain backtrader
too. Lengths that the sources give in days or months are counted in the bars' own frequency.
"""

from lstm_strategy.support import NamedDict
from lstm_strategy.trading.baselines.portfolio.cross_sectional_momentum import (
    CrossSectionalMomentum,
)
from lstm_strategy.trading.baselines.portfolio.equal_weight import EqualWeight
from lstm_strategy.trading.baselines.portfolio.macd_trend import MACDTrend
from lstm_strategy.trading.baselines.portfolio.minimum_variance import MinimumVariance
from lstm_strategy.trading.baselines.portfolio.time_series_momentum import TimeSeriesMomentum
from lstm_strategy.trading.baselines.portfolio.volatility_scaled_hold import VolatilityScaledHold
from lstm_strategy.trading.execution import PortfolioStrategy

PORTFOLIO_BASELINES: dict[str, type[PortfolioStrategy]] = NamedDict(
    {
        "Equal weight": EqualWeight,
        "Volatility-scaled hold": VolatilityScaledHold,
        "12-1 cross-sectional momentum": CrossSectionalMomentum,
        "Time-series momentum": TimeSeriesMomentum,
        "MACD trend": MACDTrend,
        "Minimum variance": MinimumVariance,
    }
)

__all__ = [
    "PORTFOLIO_BASELINES",
    "CrossSectionalMomentum",
    "EqualWeight",
    "MACDTrend",
    "MinimumVariance",
    "TimeSeriesMomentum",
    "VolatilityScaledHold",
]
