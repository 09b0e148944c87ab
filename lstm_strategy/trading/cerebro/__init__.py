"""One strategy, one set of bars, one Cerebro run and what it did."""

from lstm_strategy.trading.cerebro.broker import BrokerSettings, choose_broker
from lstm_strategy.trading.cerebro.outcome import BacktestRun, collect_run
from lstm_strategy.trading.cerebro.params import complete_params
from lstm_strategy.trading.cerebro.recorders import FILL_COLUMNS
from lstm_strategy.trading.cerebro.run import (
    build_cerebro,
    run_cerebro,
    run_for_chart,
    trades_one_market,
)
from lstm_strategy.trading.cerebro.run_bars import cut_to_run, sum_markets
from lstm_strategy.trading.cerebro.trades import trades_from_fills
from lstm_strategy.trading.cerebro.warm_up import OPEN_METHODS, acts_at_the_open

__all__ = [
    "BacktestRun",
    "BrokerSettings",
    "FILL_COLUMNS",
    "OPEN_METHODS",
    "acts_at_the_open",
    "build_cerebro",
    "choose_broker",
    "collect_run",
    "complete_params",
    "cut_to_run",
    "run_cerebro",
    "run_for_chart",
    "sum_markets",
    "trades_from_fills",
    "trades_one_market",
]
