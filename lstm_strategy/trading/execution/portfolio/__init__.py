"""One budget for many markets: exposures by market become orders that the cash can pay.

`PortfolioStrategy` is the class to derive a strategy from; `fit_to_budget` and `EwmVolatility` are
what it is made of.
"""

from lstm_strategy.trading.execution.portfolio.budget import fit_to_budget
from lstm_strategy.trading.execution.portfolio.parameters import PortfolioParameters
from lstm_strategy.trading.execution.portfolio.ranking import choose_best_and_worst
from lstm_strategy.trading.execution.portfolio.strategy import (
    PORTFOLIO_ORDER_KINDS,
    PortfolioStrategy,
)
from lstm_strategy.trading.execution.portfolio.volatility import EwmVolatility

__all__ = [
    "PORTFOLIO_ORDER_KINDS",
    "EwmVolatility",
    "PortfolioParameters",
    "PortfolioStrategy",
    "choose_best_and_worst",
    "fit_to_budget",
]
