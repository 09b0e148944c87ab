"""`lstm-strategy live` as a person at a terminal meets it."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy.trading.live import read_journal

CONFIG = """
[live]
source = "play:bars.csv?history=450&pace={pace}"
strategy = "SMA cross"

[broker]
cash = 5_000

[strategy]
fast = 2
slow = 6

[limits]
max_order_value = 10_000
"""


@pytest.fixture
def config(here):
    def config(pace=0, more=""):
        Path("my.toml").write_text(CONFIG.format(pace=pace) + more)
        return "my.toml"

    return config


def test_a_run_on_played_bars_ends_with_the_account_of_a_backtest(results, config):
    printed = results("live", config())
    content = read_journal("live")
    assert "Stopped after 50 bars: the end. At 2002-05-15 the account has" in printed
    assert "The journal is in live/." in printed
    results("backtest", "bars.csv", "--strategy", "SMA cross", "--start", "2002-03-27", "--cash",
            "5000", "--config", strategy_file(), "--out", "tested")  # fmt: skip
    equity = pd.read_csv("tested/equity.csv", index_col=0)
    assert content.accounts["equity"].iloc[-1] == pytest.approx(equity.iloc[-1, 0])
    assert f"{content.accounts['equity'].iloc[-1]:,.2f}" in printed


def strategy_file():
    Path("strategy.toml").write_text("[strategy]\nfast = 2\nslow = 6\n")
    return "strategy.toml"


def test_a_line_is_told_of_each_bar_and_none_when_quiet(run, config):
    told = run("live", config(), "--out", "a").err
    assert "2002-03-27  close" in told and "holding +0.00%" in told
    quiet = run("live", config(), "--out", "b", "--quiet")
    assert (quiet.code, quiet.err) == (0, "")
    assert "Stopped after 50 bars" in quiet.out


def test_a_run_goes_on_where_it_was(results, config):
    results("live", config(), "--bars", "20")
    assert "2002-04-16  close" in results("live", config(), "--bars", "1")
    printed = results("live", config())
    assert "2002-04-16  close" not in printed
    assert read_journal("live").bars.index.equals(random_walk(500).index)


def test_the_model_of_a_folder_is_traded(results, config, model_folder):
    file = Path(config())
    file.write_text(file.read_text().replace('strategy = "SMA cross"', "").partition("[str")[0])
    results("live", "my.toml", "--model", model_folder, "--out", "run")
    content = read_journal("run")
    assert content.forecasts["signal"].notna().all()
    assert content.head["model"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_run_after_the_bar_at_hand(number, run, config):
    def end_it():
        journal = Path("live/journal.jsonl")
        while not (journal.exists() and journal.read_bytes().count(b'"bar"') > 2):
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=end_it)
    thread.start()
    outcome = run("live", config(pace=0.05))
    thread.join()
    assert outcome.code == 0
    assert f": {signal.Signals(number).name}. At " in outcome.out
    content = read_journal("live")
    assert 3 <= len(content.accounts) < 50
    assert content.runs["reason"].iloc[-1] == signal.Signals(number).name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(("SMA cross", "SMA"), "--strategy must be FILE.py:Class or", id="strategy"),
        pytest.param(
            ("source", "sauce"), "[live]: source is missing. Write one, such as", id="no source"
        ),
        pytest.param(("[limits]", "[limit]"), "takes the tables [forecaster]", id="table"),
        pytest.param(("max_order_value", "max_order"), "TradingLimits has no setting", id="limit"),
        pytest.param(("strategy =", "strategie ="), "[live]: strategie isn't known", id="key"),
        pytest.param(('strategy = "SMA cross"', ""), "[live]: nothing to run.", id="nothing"),
        pytest.param(("play:", "plan:"), "there is no source plan:", id="source"),
        pytest.param(("bars.csv", "no.csv"), "there is no file no.csv", id="no file"),
        pytest.param(
            ("max_order_value = 10_000", "max_order_value = -5"),
            "[limits]: max_order_value must be greater than 0, got -5. Give money such as 10_000, "
            "or leave it out.",
            id="limit below 0",
        ),
        pytest.param(("cash = 5_000", "cash = -5"), "[broker]: cash must be", id="cash"),
        pytest.param(("fast = 2", "fist = 2"), "has no parameter 'fist'", id="parameter"),
    ],
)
def test_a_mistake_in_the_file_is_one_line(change, message, refusal, config):
    file = Path(config())
    file.write_text(file.read_text().replace(*change))
    line = refusal("live", "my.toml")
    assert message in line


def test_a_missing_file_is_one_line(refusal):
    assert "no.toml: there is no such file" in refusal("live", "no.toml")


def test_a_folder_of_another_run_is_refused(run, config):
    run("live", config(), "--bars", "3")
    file = Path("my.toml")
    file.write_text(file.read_text().replace("fast = 2", "fast = 3"))
    outcome = run("live", "my.toml")
    assert outcome.code == 2
    assert "another parameter of the strategy, fast: 2 when it was begun, 3 now." in outcome.err


def test_no_bar_is_told_of_again_where_none_came(run, config):
    run("live", config())
    again = run("live", config())
    assert (again.code, again.err.count("close")) == (0, 0)
    assert "Stopped after 50 bars: the end." in again.out


@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_ends_as_one_that_was_not(here, results, config):
    results("live", config(), "--out", "whole")
    command = [sys.executable, "-m", "lstm_strategy", "live", config(pace=0.1), "--out", "killed"]
    n_kills = 0
    while True:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        before = _n_bars("killed")
        deadline = time.monotonic() + 0.05 * (n_kills % 7)
        while process.poll() is None and _n_bars("killed") < before + 2 + n_kills % 3:
            time.sleep(0.005)
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.001)
        if process.poll() is not None:
            break
        process.kill()
        process.wait()
        n_kills += 1
    assert process.returncode == 0
    assert n_kills >= 5
    whole, killed = read_journal("whole"), read_journal("killed")
    for name in ("bars", "forecasts", "orders", "fills", "accounts"):
        assert getattr(killed, name).equals(getattr(whole, name)), name


def _n_bars(folder):
    """How many bars a journal has: as fast as can be, for the run goes on meanwhile."""
    journal = Path(folder, "journal.jsonl")
    return journal.read_bytes().count(b'"kind": "account"') if journal.exists() else 0
