"""Backtrader's own command line, given the strategies as files."""

import ast
import importlib
import re
import shlex
import subprocess
import sys
from pathlib import Path

import backtrader as bt
import numpy as np
import pytest
from made_up import SMALL, SMALL_FEATURES, random_walk

from lstm_strategy import LSTMForecaster, simulate_bars
from lstm_strategy.trading.baselines import FundingCarry
from lstm_strategy.trading.cerebro import run_cerebro

STRATEGIES = Path(__file__).parents[2] / "strategies"
OTHERS = {"lstm_rank.py", "perpetual_carry.py"}  # of many markets, of bars with more columns
FILES = [f for f in sorted(STRATEGIES.glob("[!_]*.py")) if f.name not in OTHERS]
BARS = random_walk(500)


@pytest.fixture
def bars_file(tmp_path):
    """Bars in backtrader's own format: date, open, high, low, close, volume, open interest."""
    BARS.assign(openinterest=0).to_csv(tmp_path / "bars.csv", date_format="%Y-%m-%d")
    return tmp_path / "bars.csv"


def run_btrun(bars_file, *arguments):
    # what the console script btrun does, wherever it was installed
    command = [sys.executable, "-c", "from backtrader.btrun import btrun; btrun()", *arguments]
    return subprocess.run(command, cwd=bars_file.parent, capture_output=True, text=True)


def documented_arguments(file, bars_file, model_folder):
    """The arguments of the btrun line at the top of a file, for these bars and this model."""
    docstring = ast.get_docstring(ast.parse(file.read_text()))
    line = re.search(r"^ +btrun (.+)$", docstring, re.MULTILINE)[1]
    line = line.replace("models/universe", str(model_folder))
    line = line.replace("strategies/", f"{STRATEGIES}/").replace("F.csv", bars_file.name)
    return shlex.split(line.replace("models/sp500", str(model_folder)))


def trades_and_end_value(done):
    assert done.returncode == 0, done.stderr
    n_trades = re.search(r"- total:\s*\S*\s*- total: (\d+)", done.stdout)
    end_value = re.search(r"- Begin: 10000\.0\s*- End: (\S+)", done.stdout)
    return int(n_trades[1]), float(end_value[1])


def trades_and_end_value_in_python(strategy, **params):
    """The same run in this process, on the same bars as a DataFrame."""
    cerebro = bt.Cerebro()
    cerebro.adddata(bt.feeds.PandasData(dataname=BARS))
    cerebro.broker.setcommission(commission=0.001)
    cerebro.addstrategy(strategy, **params)
    cerebro.addanalyzer(bt.analyzers.TradeAnalyzer, _name="trades")
    (run,) = cerebro.run()
    return run.analyzers.trades.get_analysis().total.total, cerebro.broker.getvalue()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_line_at_the_top_of_a_file_trades_as_python_does(bars_file, model_folder, file):
    arguments = documented_arguments(file, bars_file, model_folder)
    done = run_btrun(bars_file, *arguments, "--writer", "--analyzer", ":TradeAnalyzer")
    n_trades, end_value = trades_and_end_value(done)
    _, name, params = arguments[arguments.index("--strategy") + 1].split(":", 2)
    strategy = getattr(importlib.import_module(f"strategies.{file.stem}"), name)
    expected = trades_and_end_value_in_python(strategy, **eval(f"dict({params})"))
    assert n_trades > 1
    # both began the LSTM's memory at the first bar, so all forecasts and fills are the same
    assert (n_trades, end_value) == (expected[0], pytest.approx(expected[1], rel=1e-6))


@pytest.mark.slow  # trains a model on a panel
def test_btrun_ranks_the_markets_of_several_files(tmp_path):
    panel = {name: random_walk(300, seed=seed) for seed, name in enumerate("ABC")}
    model = LSTMForecaster(SMALL_FEATURES, **SMALL | {"epochs": 1, "members": 1})
    folder = model.fit(panel, progress=False).save(tmp_path / "universe")
    for name, bars in panel.items():
        bars.assign(openinterest=0).to_csv(tmp_path / f"{name}.csv", date_format="%Y-%m-%d")
    arguments = documented_arguments(STRATEGIES / "lstm_rank.py", tmp_path / "A.csv", folder)
    done = run_btrun(tmp_path / "A.csv", *arguments, "--writer", "--analyzer", ":TradeAnalyzer")
    n_trades, end_value = trades_and_end_value(done)
    assert n_trades > 1
    assert end_value != 10_000


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        pytest.param(
            "lstm.py::model='gone'",
            "ModelError: No model at gone. Train one with `lstm-strategy train",
            id="no such model, the class of the file",
        ),
        pytest.param(
            "lstm.py:LSTM",
            "model must be a forecaster or the folder of a saved one, got None",
            id="no model named",
        ),
    ],
)
def test_btrun_shows_why_a_model_can_not_be_used(bars_file, strategy, message):
    arguments = ["--csvformat", "btcsv", "--data", bars_file.name]
    done = run_btrun(bars_file, *arguments, "--strategy", f"{STRATEGIES}/{strategy}")
    assert done.returncode != 0
    assert message in done.stderr


def test_funding_is_collected_unless_the_trend_is_against_it(tmp_path):
    from strategies.perpetual_carry import PerpetualCarry

    bars = simulate_bars("perpetual", 1_500, seed=4).bars
    run = run_cerebro(PerpetualCarry, bars, trend_bars=200, band=0.0)
    carry = run_cerebro(FundingCarry, bars, band=0.0, start=run.first_tradable)
    has_risen = (bars["close"].diff(200) > 0).shift(1)  # the order fills a bar after the decision
    followed = run.exposure.round(6) != 0
    assert 50 < followed.sum() < len(followed) - 50
    assert ((run.exposure > 0) == has_risen.reindex(run.exposure.index))[followed].mean() > 0.99
    np.testing.assert_allclose(run.exposure[followed], carry.exposure[followed], atol=0.1)
