"""Desired exposure becomes orders: sizing, stops, and what became of each order."""

from lstm_strategy.trading.execution.order_log import silence_orders
from lstm_strategy.trading.execution.target_strategy import ORDER_KINDS, TargetStrategy

__all__ = ["ORDER_KINDS", "TargetStrategy", "silence_orders"]
