"""What happens inside Cerebro.

Bars become a feed here. The rooms: `execution` turns a desired exposure into orders, `lstm` and
`baselines` hold the strategies that ask for one, and `cerebro` runs a strategy and collects what
it did.
"""

from lstm_strategy.trading.backtrader_internals import (
    declared_params,
    exactbars_of,
    feed_name,
    is_optimisation,
    minimum_period,
    operands_of,
    param_values,
    strategies_of_last_run,
    timeframe_of,
)
from lstm_strategy.trading.clock import day_numbers
from lstm_strategy.trading.feed import BarsFeed

__all__ = [
    "BarsFeed",
    "day_numbers",
    "declared_params",
    "exactbars_of",
    "feed_name",
    "is_optimisation",
    "minimum_period",
    "operands_of",
    "param_values",
    "strategies_of_last_run",
    "timeframe_of",
]
