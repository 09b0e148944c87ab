"""A desired exposure becomes orders: how large, when a stop closes, and what became of each.

`TargetStrategy` is the class to derive a strategy for one market from, `PortfolioStrategy` the one
for many; `ExposureStrategy` is either. `TradingSettings`, with `LotSize`,
`Reserve` and `Band`, lets other settings check the same values by the same rules.
"""

from lstm_strategy.trading.execution.exposure_strategy import ExposureStrategy
from lstm_strategy.trading.execution.lengths import choose_length
from lstm_strategy.trading.execution.order_log import ORDER_KINDS, silence_orders
from lstm_strategy.trading.execution.order_log import log as order_logger
from lstm_strategy.trading.execution.parameters import (
    Band,
    Bars,
    Execution,
    Latency,
    Reserve,
    check_execution,
    check_params,
    default_params,
)
from lstm_strategy.trading.execution.portfolio import (
    PORTFOLIO_ORDER_KINDS,
    EwmVolatility,
    PortfolioParameters,
    PortfolioStrategy,
    choose_best_and_worst,
)
from lstm_strategy.trading.execution.target_strategy import TargetStrategy
from lstm_strategy.trading.execution.terms import note_one_unit, trades_one_unit
from lstm_strategy.trading.settings import LotSize, TradingSettings

__all__ = [
    "Band",
    "Bars",
    "EwmVolatility",
    "Execution",
    "ExposureStrategy",
    "Latency",
    "LotSize",
    "ORDER_KINDS",
    "PORTFOLIO_ORDER_KINDS",
    "PortfolioParameters",
    "PortfolioStrategy",
    "Reserve",
    "TargetStrategy",
    "TradingSettings",
    "check_execution",
    "check_params",
    "choose_best_and_worst",
    "choose_length",
    "default_params",
    "note_one_unit",
    "order_logger",
    "silence_orders",
    "trades_one_unit",
]
