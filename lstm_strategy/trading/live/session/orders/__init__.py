"""What may be ordered: nothing before bars come live, and nothing that breaks a limit."""

from lstm_strategy.trading.live.session.orders.gate import LiveGate
from lstm_strategy.trading.live.session.orders.guard import (
    OrderGuard,
    OrderNews,
    describe_end_of_order,
)
from lstm_strategy.trading.live.session.orders.limits import TradingLimits

__all__ = ["LiveGate", "OrderGuard", "OrderNews", "TradingLimits", "describe_end_of_order"]
