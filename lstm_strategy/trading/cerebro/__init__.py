"""One strategy, one set of bars, one Cerebro run and what it did."""

from lstm_strategy.trading.cerebro.broker import BrokerSettings
from lstm_strategy.trading.cerebro.run import BacktestRun, build_cerebro, run_cerebro, run_for_chart
from lstm_strategy.trading.cerebro.warm_up import add_warm_up

__all__ = [
    "BacktestRun",
    "BrokerSettings",
    "add_warm_up",
    "build_cerebro",
    "run_cerebro",
    "run_for_chart",
]
