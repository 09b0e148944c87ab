"""The orders for one market: how large they may be, how they are sent, and how they fill.

`MarketOrders` sends and withdraws them. `MarketSizes` says how large they may be, by what units
take of the cash (`FullPayment`, `MarginPayment`) and by whole lots; `fitting` cuts them once more
at the moment at which they can fill.
"""

from lstm_strategy.trading.execution.orders.market_orders import MarketOrders, has_filled
from lstm_strategy.trading.execution.orders.sizing import is_worth_trading

__all__ = ["MarketOrders", "has_filled", "is_worth_trading"]
