"""`lstm-strategy backtest` as a person at a terminal meets it."""

import re
import shlex
import shutil
import sys
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from printed import names_in, rows_of

from lstm_strategy import BASELINES, BrokerSettings, LSTMStrategy, load_bars, run_backtest

MACD = ("backtest", "bars.csv", "--strategy", "MACD")
SMA_CROSS = BASELINES["SMA cross"]
LEAVES_EARLY = """
import backtrader as bt

class Leaves(bt.Strategy):
    def next(self):
        if len(self) == 1:
            self.buy(size=1)
        if len(self) == 40:
            self.env.runstop()
"""


def test_a_model_starts_after_its_training(results, here, model_folder):
    printed = results("backtest", "bars.csv", "--model", model_folder, "--out", "results")
    expected = run_backtest(LSTMStrategy, load_bars("bars.csv"), model=str(model_folder))
    metrics = pd.read_csv("results/metrics.csv", index_col="strategy")
    assert metrics.loc["LSTM"].to_dict() == pytest.approx(expected.metrics.to_dict())
    equity = pd.read_csv("results/equity.csv", index_col="datetime", parse_dates=True)["equity"]
    assert list(equity) == pytest.approx(list(expected.equity))
    assert len(pd.read_csv("results/trades.csv")) == len(expected.trades)
    assert names_in(here / "results") == ["equity.csv", "equity.png", "metrics.csv", "trades.csv"]
    assert printed.startswith("LSTM, 2002-02-05 to 2002-05-15, 100 bars\n")
    assert rows_of(printed)["Sharpe"][0] == f"{expected.metrics['sharpe']:.2f}"


@pytest.mark.parametrize(("n_strange", "said"), [(12, True), (5, False), (0, False)])
def test_bars_that_are_strange_to_the_model_are_said_where_they_are_many(
    results, model_folder, monkeypatch, n_strange, said
):
    def forecast(model, bars):
        novelty = np.where(np.arange(len(bars)) >= len(bars) - n_strange, 1.5, 0.5)
        return pd.DataFrame({"novelty": novelty}, bars.index)

    monkeypatch.setattr("lstm_strategy.learning.serving.strange_bars.forecast_with_cache", forecast)
    printed = results("backtest", "bars.csv", "--model", model_folder)
    assert ("12% of the bars are strange to the model: " in printed) == said
    assert ("strange" in printed) == said


def test_holding_stands_beside_it_over_the_same_bars(results, model_folder):
    rows = rows_of(results("backtest", "bars.csv", "--model", model_folder))
    held = run_backtest(BASELINES["Buy and hold"], load_bars("bars.csv"), start="2002-02-05")
    assert rows["Metric"] == ["LSTM", "Buy and hold"]
    assert rows["Total return"][1] == f"{held.metrics['total_return']:.1%}"
    alone = rows_of(results("backtest", "bars.csv", "--strategy", "Buy and hold"))
    assert alone["Metric"] == ["Buy and hold"]


def test_a_strategy_that_ends_its_run_early_is_said_to_and_so_is_what_was_held_until_then(results):
    Path("leaves.py").write_text(LEAVES_EARLY)
    printed = results("backtest", "bars.csv", "--strategy", "leaves.py:Leaves")
    assert "Leaves ended its run 460 bars before the last: all its numbers cover only" in printed
    bars = load_bars("bars.csv")
    held = run_backtest(BASELINES["Buy and hold"], bars, end=bars.index[39])
    assert rows_of(printed)["Total return"][1] == f"{held.metrics['total_return']:.1%}"


def test_a_report_is_written_where_it_is_asked_for(results, refusal, here, model_folder):
    words = ("backtest", "bars.csv", "--model", model_folder, "--report")
    assert "--report writes to a folder. Add --out DIR." in refusal(*words)
    printed = results(*words, "-o", "results")
    assert "trades.csv, equity.png and report.html to results/." in printed
    page = Path("results/report.html").read_text()
    assert "<title>LSTM on bars: evaluation</title>" in page
    assert "Buy and hold" in page


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("--strategy", "sma CROSS", "--long-only"), id="a baseline"),
        pytest.param(("--strategy", "mine.py:SMACross:fast=5,slow=20"), id="a class"),
        pytest.param(("--model", "model"), id="a model"),
    ],
)
def test_the_settings_of_a_report_fed_back_give_the_same_table(results, model_folder, words):
    shutil.copy(sys.modules[SMA_CROSS.__module__].__file__, "mine.py")
    shutil.copytree(model_folder, "model")
    results("backtest", "bars.csv", *words, "--commission", 0.002, "--report", "-o", "first")
    page = Path("first/report.html").read_text(encoding="utf-8")
    text = unescape(re.search(r'<pre class="file"[^>]*>(.*?)</pre>', page, re.S)[1])
    (command,) = re.findall(r"^# Save this as settings.toml, then: (.*)$", text, re.M)
    typed = ["lstm-strategy", "backtest", "bars.csv", *words, "--commission", "0.002"]
    assert shlex.split(command) == [*typed, "--config", "settings.toml"]
    Path("settings.toml").write_text(text, encoding="utf-8")
    without_costs = ("backtest", "bars.csv", *words, "--config", "settings.toml")
    results(*without_costs, "--out", "second")
    assert Path("first/metrics.csv").read_text() == Path("second/metrics.csv").read_text()


def test_a_chart_is_drawn_where_it_is_asked_for(results, refusal, here):
    words = ("backtest", "bars.csv", "--strategy", "SMA cross", "--chart")
    assert "--chart writes to a folder. Add --out DIR." in refusal(*words)
    assert "equity.png and chart.png to results/." in results(*words, "-o", "results")
    assert Path("results/chart.png").read_bytes()[1:4] == b"PNG"


def test_either_engine_prints_the_same(results, model_folder):
    words = ("backtest", "bars.csv", "--model", model_folder, "--engine")
    assert results(*words, "onnx") == results(*words, "keras") == results(*words, "auto")


def test_a_start_in_the_training_bars_is_called_in_sample(results, model_folder):
    printed = results("backtest", "bars.csv", "--model", model_folder, "--start", "2002")
    assert printed.startswith("LSTM (IN-SAMPLE), 2002-01-01 to 2002-05-15")


@pytest.mark.parametrize("name", ["SMA cross", "sma CROSS"])
def test_a_baseline_runs_by_its_name_on_the_terms_that_are_given(results, name):
    terms = ("--start", "2001-08", "--cash", 5000, "--commission", 0, "--slippage", 0)
    printed = results("backtest", "bars.csv", "--strategy", name, *terms, "--long-only")
    assert printed.startswith("SMA cross, 2001-08-01 to 2002-05-15")
    assert rows_of(printed)["Costs"][0] == "0.0%"


def test_orders_leave_late_and_are_worked_over_several_bars(results):
    terms = ("--latency-bars", 2, "--execution-bars", 3, "--execution", "vwap")
    printed = results("backtest", "bars.csv", "--strategy", "SMA cross", *terms)
    broker = BrokerSettings(latency_bars=2, execution_bars=3, execution="vwap")
    expected = run_backtest(SMA_CROSS, load_bars("bars.csv"), broker=broker)
    assert rows_of(printed)["Turnover per year"][0] == f"{expected.metrics['turnover']:.2f}"
    assert rows_of(printed)["Total return"][0] == f"{expected.metrics['total_return']:.1%}"


def test_an_execution_that_means_nothing_is_refused_by_its_option(refusal):
    one_bar = refusal("backtest", "bars.csv", "--strategy", "SMA cross", "--execution", "vwap")
    assert (
        "--execution 'vwap' works an order over several bars, and --execution-bars is 1" in one_bar
    )
    unknown = refusal("backtest", "bars.csv", "--strategy", "SMA cross", "--execution", "iceberg")
    assert "--execution must be 'twap' or 'vwap', got 'iceberg'" in unknown


def test_a_class_of_a_file_runs_with_its_parameters(results):
    shutil.copy(sys.modules[SMA_CROSS.__module__].__file__, "my[red].py")
    printed = results("backtest", "bars.csv", "--strategy", "my[red].py:SMACross:fast=5,slow=20")
    expected = run_backtest(SMA_CROSS, load_bars("bars.csv"), fast=5, slow=20)
    assert rows_of(printed)["Turnover per year"][0] == f"{expected.metrics['turnover']:.2f}"
    assert rows_of(printed)["Closed trades"][0] == str(len(expected.trades.dropna()))


SWINGS = """
from lstm_strategy import TargetStrategy

class Swings(TargetStrategy):
    def target_exposure(self):
        return 1.0 if len(self) % 2 else -1.0
"""


def test_orders_that_did_not_fill_are_mentioned_once(results, caplog):
    Path("swings.py").write_text(SWINGS)
    printed = results("backtest", "bars.csv", "--strategy", "swings.py:Swings")
    assert printed.count("1 sent on the last bar, so never filled") == 1
    assert caplog.records == []


def test_names_with_brackets_and_colons_are_printed_as_they_are(results):
    printed = results(*MACD, "--out", "a[red]b:smile:")
    assert printed.endswith("trades.csv and equity.png to a[red]b:smile:/.\n")


MISUSES = {
    "nothing to run": ((), "nothing to run. Give --model DIR, or --strategy NAME"),
    "a model for a baseline": (
        ("--strategy", "MACD", "--model", "x"),
        "MACD takes no --model. Leave",
    ),
    "unknown strategy": (
        ("--strategy", "Magic"),
        "must be FILE.py:Class or one of Buy and hold, SMA cross, .*; got 'Magic'",
    ),
    "no such file": (("--strategy", "gone.py:Mine"), "there is no file gone.py. Check the path"),
    "negative cash": (("--strategy", "MACD", "--cash", -1), "cash.* greater than 0, got -1.0"),
    "commission of 200%": (
        ("--strategy", "MACD", "--commission", 2),
        "--commission must be less than 1, got 2.0",
    ),
}


@pytest.mark.parametrize("misuse", MISUSES)
def test_a_misuse_is_refused(refusal, misuse):
    words, message = MISUSES[misuse]
    assert re.search(message, refusal("backtest", "bars.csv", *words))


STRATEGY_FILES = {
    "raises on import": (
        "import os\nraise RuntimeError('no\\nluck')\n",
        r"importing mine.py raises RuntimeError: no luck \(mine.py, line 2\)",
    ),
    "isn't Python": ("class Mine(:\n", r"importing mine.py raises SyntaxError: .*line 1"),
    "ends the program": ("import sys\nsys.exit(3)\n", r"SystemExit: 3 \(mine.py, line 2\)"),
    "has no such class": ("class Other: ...\n", "mine.py has no class 'Mine' derived from"),
    "has no strategy of that name": ("class Mine: ...\n", "no class 'Mine' derived from"),
    "has other parameters": (
        "import backtrader as bt\nclass Mine(bt.Strategy):\n    params = (('period', 3),)\n",
        "Mine has no parameter 'n'. .*period",
    ),
    "raises on the way": (
        "import backtrader as bt\nclass Mine(bt.Strategy):\n    params = (('n', 3),)\n"
        "    def next(self):\n        1 / 0\n",
        r"Mine raises ZeroDivisionError: division by zero \(.*mine.py, line 5\). Fix it there",
    ),
}


@pytest.mark.parametrize("case", STRATEGY_FILES)
def test_a_strategy_file_that_fails_is_named_with_its_line(refusal, case):
    text, message = STRATEGY_FILES[case]
    Path("mine.py").write_text(text)
    assert re.search(message, refusal("backtest", "bars.csv", "--strategy", "mine.py:Mine:n=5"))


def test_an_unknown_parameter_of_the_strategy_is_refused(refusal, model_folder):
    Path("bad.toml").write_text("[strategy]\nstop_los = 2")
    message = refusal("backtest", "bars.csv", "--model", model_folder, "--config", "bad.toml")
    assert "has no parameter 'stop_los'. Did you mean " in message


TERMS = """
import backtrader as bt

class Mine(bt.Strategy):
    def {where}(self):
        self.broker.{change}
"""
CHANGED_TERMS = {
    "commission": ("start", "setcommission(commission=0)"),
    "multiplier": ("start", "setcommission(commission=0.001, mult=50)"),
    "money from outside": ("next", "add_cash(1000)"),
}


@pytest.mark.parametrize("case", CHANGED_TERMS)
def test_a_strategy_that_changes_its_terms_is_shown_the_options_that_give_them(refusal, here, case):
    where, change = CHANGED_TERMS[case]
    (here / "mine.py").write_text(TERMS.format(where=where, change=change))
    message = refusal("backtest", "bars.csv", "--strategy", "mine.py:Mine")
    assert "--cash" in message
    assert "BrokerSettings" not in message


def test_a_model_of_the_newest_bars_is_shown_the_option_for_earlier_ones(refusal, model_folder):
    pd.read_csv("bars.csv").iloc[:400].to_csv("old.csv", index=False)
    message = refusal("backtest", "old.csv", "--model", model_folder)
    assert "or choose a --start to see an in-sample result" in message


def test_a_perpetual_shows_what_it_paid_and_lists_it_in_files(run, here):
    bars = pd.read_csv("bars.csv", index_col=0)
    settles = np.arange(len(bars)) % 2 == 0
    bars.assign(funding_rate=np.where(settles, 0.0007, np.nan)).to_csv("perpetual.csv")
    words = ("backtest", "perpetual.csv", "--strategy", "Buy and hold", "--out", "results")
    outcome = run(*words, "--instrument", "perpetual:leverage=2,taker_rate=0.0004")
    assert outcome.code == 0
    rows = rows_of(outcome.out)
    metrics = pd.read_csv("results/metrics.csv").iloc[0]
    assert rows["Funding paid"][0] == f"{metrics['funding']:.1%}"
    assert rows["Gross return"][0] == f"{metrics['gross_return']:.1%}"
    assert outcome.out.count("the bars have no mark price") == 1
    assert "Wrote funding.csv, " in outcome.err
    assert metrics["funding"] == pytest.approx(
        pd.read_csv("results/funding.csv")["amount"].sum() / 1e5
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--instrument", "perpetual"), "the bars have no column 'funding_rate'"),
        (
            ("--instrument", "perp"),
            r"there is no instrument 'perp'\. Did you mean perpetual\?",
        ),
        (
            ("--instrument", "spot", "--commission", "0.1"),
            "--commission and --instrument both say what a trade costs",
        ),
        (("--instrument", "BTC=spot"), "--instrument names a market 'BTC'"),
        (
            ("--instrument", "spot", "--instrument", "future:multiplier=2,initial_margin=3"),
            "--instrument is given twice for all markets",
        ),
        (("--instrument", "perpetual"), "or give --instrument perpetual:funding=none"),
    ],
    ids=["no funding", "no such kind", "two commissions", "no such market", "twice", "remedy"],
)
def test_an_instrument_that_is_off_is_refused_by_its_option(refusal, words, message):
    assert re.search(message, refusal(*MACD, *words))


@pytest.mark.parametrize("words", [("--commission", "0.1"), ("--config", "costly.toml")])
def test_a_commission_that_may_be_a_percentage_is_noted_once_and_taken(run, words):
    Path("costly.toml").write_text("[broker]\ncommission_rate = 0.1\n")
    outcome = run(*MACD, *words)
    assert outcome.code == 0
    notes = [line for line in outcome.err.splitlines() if line.startswith("note: ")]
    assert notes == [
        "note: --commission 0.1 takes 10.00% of the value of what is traded. If 0.10% is meant, "
        "give --commission 0.001."
    ]


def test_messages_about_instruments_speak_of_the_option(refusal):
    Path("twice.py").write_text(
        "from lstm_strategy import TargetStrategy\n"
        "class Twice(TargetStrategy):\n"
        "    def target_exposure(self):\n"
        "        return 2.0\n"
    )
    message = refusal("backtest", "bars.csv", "--strategy", "twice.py:Twice:max_leverage=2")
    assert message.endswith("such as --instrument perpetual:leverage=2.\n")
    bars = pd.read_csv("bars.csv", index_col=0)
    bars.assign(price=bars["close"] + 5.0).to_csv("continuous.csv")
    words = ("backtest", "continuous.csv", "--strategy", "Buy and hold")
    message = refusal(*words, "--instrument", "future:multiplier=2,initial_margin=9")
    assert "Give --instrument future:price=price, so that" in message


def test_tiers_of_a_perpetual_go_into_an_option_or_a_file(results):
    bars = pd.read_csv("bars.csv", index_col=0)
    words = ("backtest", "bars.csv", "--strategy", "Buy and hold")
    tiers = "perpetual:maintenance_margin_rate=((0,0.004),(5e6,0.9)),leverage=2,funding=none"
    printed = results(*words, "--instrument", tiers)
    Path("tiers.toml").write_text(
        '[broker.instrument]\nkind = "perpetual"\nleverage = 2\n'
        "maintenance_margin_rate = [[0, 0.004], [5_000_000, 0.9]]\n"
    )
    bars.assign(funding_rate=0.0).to_csv("free.csv")
    assert rows_of(results("backtest", "free.csv", *words[2:], "--config", "tiers.toml")) == (
        rows_of(printed)
    )
