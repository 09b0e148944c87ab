"""What happens inside Cerebro."""

from lstm_strategy.trading.feed import BarsFeed, day_numbers

__all__ = ["BarsFeed", "day_numbers"]
