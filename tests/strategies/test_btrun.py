"""Backtrader's own command line, given the strategies as files."""

import re
import subprocess
import sys
from pathlib import Path

import backtrader as bt
import pytest
from made_up import random_walk

from lstm_strategy import LSTMStrategy
from lstm_strategy.trading.baselines.sma_cross import SMACross

STRATEGIES = Path(__file__).parents[2] / "strategies"
BARS = random_walk(500)


@pytest.fixture
def bars_file(tmp_path):
    """Bars in backtrader's own format: date, open, high, low, close, volume, open interest."""
    BARS.assign(openinterest=0).to_csv(tmp_path / "bars.csv", date_format="%Y-%m-%d")
    return tmp_path / "bars.csv"


def _btrun(bars_file, strategy):
    # what the console script btrun does, wherever it was installed
    command = [sys.executable, "-c", "from backtrader.btrun import btrun; btrun()"]
    command += ["--csvformat", "btcsv", "--data", bars_file.name, "--strategy", strategy]
    command += ["--commission", "0.001", "--writer", "--analyzer", ":TradeAnalyzer"]
    return subprocess.run(command, cwd=bars_file.parent, capture_output=True, text=True)


def _trades_and_end_value(done):
    assert done.returncode == 0, done.stderr
    n_trades = re.search(r"- total:\s*\S*\s*- total: (\d+)", done.stdout)
    end_value = re.search(r"- Begin: 10000\.0\s*- End: (\S+)", done.stdout)
    return int(n_trades[1]), float(end_value[1])


def _in_cerebro(strategy, **params):
    """The same run in this process, on the same bars as a DataFrame."""
    cerebro = bt.Cerebro()
    cerebro.adddata(bt.feeds.PandasData(dataname=BARS))
    cerebro.broker.setcommission(commission=0.001)
    cerebro.addstrategy(strategy, **params)
    cerebro.addanalyzer(bt.analyzers.TradeAnalyzer, _name="trades")
    (run,) = cerebro.run()
    return run.analyzers.trades.get_analysis().total.total, cerebro.broker.getvalue()


def test_btrun_trades_a_saved_model(bars_file, model_folder):
    file = STRATEGIES / "lstm.py"
    done = _btrun(bars_file, f"{file}:LSTM:model='{model_folder}',long_only=True")
    n_trades, end_value = _trades_and_end_value(done)
    expected = _in_cerebro(LSTMStrategy, model=str(model_folder), long_only=True)
    assert n_trades > 5
    # both started the memory at the first bar, so all forecasts and fills are the same
    assert (n_trades, end_value) == (expected[0], pytest.approx(expected[1], rel=1e-6))


@pytest.mark.parametrize("class_name", ["SMACross", ""], ids=["named", "the first of the file"])
def test_btrun_trades_a_baseline(bars_file, class_name):
    done = _btrun(bars_file, f"{STRATEGIES / 'sma_cross.py'}:{class_name}:fast=5,slow=20")
    n_trades, end_value = _trades_and_end_value(done)
    expected = _in_cerebro(SMACross, fast=5, slow=20)
    assert n_trades > 5
    assert (n_trades, end_value) == (expected[0], pytest.approx(expected[1], rel=1e-9))


def test_btrun_shows_why_a_model_can_not_be_used(bars_file):
    done = _btrun(bars_file, f"{STRATEGIES / 'lstm.py'}:LSTM:model='gone'")
    assert done.returncode != 0
    assert "ModelError: No model at gone. Train one with `lstm-strategy train" in done.stderr


def test_btrun_shows_that_a_model_was_not_named(bars_file):
    done = _btrun(bars_file, f"{STRATEGIES / 'lstm.py'}:LSTM")
    assert done.returncode != 0
    assert "model must be a forecaster or the folder of a saved one, got None" in done.stderr
