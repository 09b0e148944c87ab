"""One file for each command of the command line: parse, set up, run, print."""

from lstm_strategy.cli.commands.audit import audit
from lstm_strategy.cli.commands.backtest import backtest
from lstm_strategy.cli.commands.compare import compare
from lstm_strategy.cli.commands.demo import demo
from lstm_strategy.cli.commands.doctor import doctor
from lstm_strategy.cli.commands.forecast import forecast
from lstm_strategy.cli.commands.live import live, replay
from lstm_strategy.cli.commands.simulate import simulate
from lstm_strategy.cli.commands.train import train
from lstm_strategy.cli.commands.tune import tune

COMMANDS = (demo, train, forecast, backtest, compare, audit, tune, simulate, live, replay, doctor)

__all__ = ["COMMANDS"]
