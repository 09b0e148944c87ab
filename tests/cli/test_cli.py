"""What a person at a terminal sees: results, and one line for each mistake."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

import lstm_strategy
from lstm_strategy import LSTMForecaster, LSTMStrategy, compare, load_bars, run_backtest
from lstm_strategy.cli import comparison_run as evaluating_module
from lstm_strategy.cli import comparison_setup as study_module
from lstm_strategy.cli import main
from lstm_strategy.cli import output as printing
from lstm_strategy.evaluation.robustness import robustness
from lstm_strategy.trading.baselines.sma_cross import SMACross
from strategies import BASELINES

TINY = """
[forecaster]
units = [4]
lookback = 10
epochs = 2
features = [{kind = "log_return", length = 1}, {kind = "rsi", length = 5}]

[broker]
cash = 5000
"""
LEARNERS = ["Logistic, last bar", "Logistic, window", "Boosting, last bar", "Boosting, window"]
METRICS = [
    *("total_return", "cagr", "volatility", "sharpe", "sortino", "max_drawdown"),
    *("calmar", "turnover", "trades", "exposure", "costs"),
]


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working folder with 500 bars, 100 of them after the training of the small model."""
    monkeypatch.chdir(tmp_path)
    random_walk(500).to_csv("bars.csv")
    (tmp_path / "tiny.toml").write_text(TINY)
    return tmp_path


@pytest.fixture
def run(here, monkeypatch, capsys):
    """Run a command as the console script does."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["lstm-strategy", *map(str, words)])
        with pytest.raises(SystemExit) as stop:
            main()
        printed = capsys.readouterr()
        return Outcome(stop.value.code or 0, printed.out, printed.err)

    return run


@pytest.fixture
def results(run):
    """Run a command that must succeed, in silence on stderr; returns what it printed."""

    def results(*words):
        outcome = run(*words)
        assert (outcome.code, outcome.err) == (0, "")
        return outcome.out

    return results


@pytest.fixture
def refusal(run, here):
    """Run a command that must be refused and change no file; returns its one line on stderr."""

    def refusal(*words):
        before = _snapshot(here)
        outcome = run(*words)
        assert outcome.code == 2
        assert re.fullmatch(r"error: .*[.?]\n", outcome.err)
        assert "Traceback" not in outcome.out
        assert _snapshot(here) == before
        return outcome.err

    return refusal


def _snapshot(folder):
    return {path: path.is_file() and path.read_bytes() for path in folder.rglob("*")}


def _names(folder):
    return sorted(path.name for path in folder.iterdir())


def _rows_of(printed):
    """First cell → other cells of each line of a printed table."""
    lines = [re.split(r"\s{2,}", line.strip()) for line in printed.splitlines()]
    return {cells[0]: cells[1:] for cells in lines if len(cells) > 1}


MACD = ("backtest", "bars.csv", "--strategy", "MACD")

# Results


def test_train_saves_a_model_that_knows_its_settings_and_bars(results, here):
    printed = results("train", "bars.csv", "--config", "tiny.toml", "--members", 1, "--end", "2001")
    forecaster = LSTMForecaster.load("model")
    assert forecaster.features.names == ["LOGRET_1", "RSI_5"]
    assert (forecaster.settings.units, forecaster.settings.members) == ((4,), 1)
    assert forecaster.training_end == pd.Timestamp("2001-12-31")
    files = ["history.csv", "model.json", "network.keras", "network.onnx", "training.png"]
    assert _names(here / "model") == files
    assert "bars.csv: training on 365 bars from 2001-01-01 to 2001-12-31." in printed
    assert "Trained 1 network for 2 epochs" in printed
    assert printed.endswith("Wrote the model and training.png to model/.\n")


def test_options_override_the_configuration_file(results):
    words = ["--preset", "default", "--units", 3, "--units", 2, "--epochs", 1, "--members", 1]
    results("train", "bars.csv", "--config", "tiny.toml", *words, "--out", "deep")
    forecaster = LSTMForecaster.load("deep")
    assert forecaster.settings.units == (3, 2)
    assert forecaster.settings.lookback == 10
    assert "NATR_14" in forecaster.features.names


def test_training_again_replaces_the_model(results, here, model_folder):
    shutil.copytree(model_folder, "model")
    tiny = ("--config", "tiny.toml", "--members", 1, "--epochs", 1)
    results("train", "bars.csv", *tiny, "--start", "2001-02", "--end", "2001-11")
    assert LSTMForecaster.load("model").training_end == pd.Timestamp("2001-11-30")
    assert _names(here) == ["bars.csv", "model", "tiny.toml"]


def test_forecast_writes_what_the_forecaster_says(results, here, trained, model_folder):
    printed = results("forecast", "bars.csv", "--model", model_folder, "--out", "deep/results")
    written = pd.read_csv("deep/results/forecast.csv", index_col="datetime", parse_dates=True)
    expected = trained.forecast(load_bars("bars.csv"))
    pd.testing.assert_frame_equal(written, expected, check_freq=False, check_index_type=False)
    last = expected.iloc[-1]
    assert _rows_of(printed)["2002-05-15"] == [f"{value:.4f}" for value in last]
    assert len([name for name in _rows_of(printed) if name.startswith("2002")]) == 10
    assert "IN-SAMPLE" not in printed


def test_forecasts_of_training_bars_are_called_in_sample(results, model_folder):
    random_walk(400).to_csv("seen.csv")
    printed = results("forecast", "seen.csv", "--model", model_folder)
    assert "IN-SAMPLE up to 2002-02-04: the model was trained on these bars." in printed


def test_backtest_of_a_model_starts_after_its_training(results, here, model_folder):
    printed = results("backtest", "bars.csv", "--model", model_folder, "--out", "results")
    expected = run_backtest(LSTMStrategy, load_bars("bars.csv"), model=str(model_folder))
    metrics = pd.read_csv("results/metrics.csv", index_col="strategy")
    assert list(metrics.columns) == METRICS
    assert metrics.loc["LSTMStrategy"].to_dict() == pytest.approx(expected.metrics.to_dict())
    equity = pd.read_csv("results/equity.csv", index_col="datetime", parse_dates=True)["equity"]
    assert list(equity) == pytest.approx(list(expected.equity))
    assert len(pd.read_csv("results/trades.csv")) == len(expected.trades)
    assert _names(here / "results") == ["equity.csv", "equity.png", "metrics.csv", "trades.csv"]
    assert printed.startswith("LSTMStrategy, 2002-02-05 to 2002-05-15, 100 bars\n")
    assert _rows_of(printed)["sharpe"] == [f"{expected.metrics['sharpe']:.2f}"]


def test_either_engine_prints_the_same_backtest_and_another_is_refused(
    results, refusal, model_folder
):
    words = ("backtest", "bars.csv", "--model", model_folder, "--engine")
    assert results(*words, "onnx") == results(*words, "keras") == results(*words, "auto")
    assert "engine must be one of auto, onnx, keras, got 'tf'" in refusal(*words, "tf")


def test_backtest_that_starts_in_the_training_bars_is_called_in_sample(results, model_folder):
    printed = results("backtest", "bars.csv", "--model", model_folder, "--start", "2002")
    assert printed.startswith("LSTMStrategy (IN-SAMPLE), 2002-01-01 to 2002-05-15")


@pytest.mark.parametrize("name", ["SMA cross", "sma CROSS"])
def test_backtest_runs_a_baseline_by_name(results, name):
    words = ("--start", "2001-08", "--cash", 5000, "--commission", 0, "--slippage", 0)
    printed = results("backtest", "bars.csv", "--strategy", name, *words, "--long-only")
    assert printed.startswith("SMACross, 2001-08-01 to 2002-05-15")
    assert _rows_of(printed)["costs"] == ["0.0%"]


def test_backtest_runs_a_class_of_a_file_with_its_parameters(results, here):
    shutil.copy(sys.modules[SMACross.__module__].__file__, "my[red].py")
    printed = results("backtest", "bars.csv", "--strategy", "my[red].py:SMACross:fast=5,slow=20")
    expected = run_backtest(SMACross, load_bars("bars.csv"), fast=5, slow=20)
    assert _rows_of(printed)["turnover"] == [f"{expected.metrics['turnover']:.2f}"]
    assert _rows_of(printed)["trades"] == [str(len(expected.trades.dropna()))]


def test_compare_shows_the_model_and_every_baseline_on_the_same_terms(
    results, here, model_folder, trained
):
    printed = results(
        "compare", "bars.csv", "--model", model_folder, "--out", "results", "--cash", 5000
    )
    lstm = (LSTMStrategy, {"model": trained})
    broker = lstm_strategy.BrokerSettings(cash=5000)
    board = compare({"LSTM": lstm, **BASELINES}, load_bars("bars.csv"), broker=broker)
    metrics = pd.read_csv("results/metrics.csv", index_col="strategy")
    pd.testing.assert_frame_equal(metrics, board.table.rename_axis("strategy"))
    assert _names(here / "results") == [
        *("equity.csv", "equity.png", "metrics.csv", "report.html", "tearsheet.html"),
        "trials.json",
    ]
    assert 'href="tearsheet.html"' in (here / "results" / "report.html").read_text()
    assert printed.startswith("Out of sample, 2002-02-05 to 2002-05-15, 100 bars\n")
    assert {"LSTM", *BASELINES} <= _rows_of(printed).keys()
    assert board.standing("LSTM") in printed


def test_compare_without_a_model_trains_on_what_comes_before_and_keeps_the_model(results, here):
    words = ("--config", "tiny.toml", "--members", 1, "--long-only", "--end", "2002-04-25")
    printed = results("compare", "bars.csv", *words, "--out", "results")
    assert "bars.csv: training on 336 bars from 2001-01-01 to 2001-12-02." in printed
    assert "Out of sample, 2001-12-03 to 2002-04-25, 144 bars" in printed
    equity = pd.read_csv("results/equity.csv", index_col="datetime")
    assert set(equity.iloc[0]) == {5000.0}
    assert LSTMForecaster.load("results/model").training_end == pd.Timestamp("2001-12-02")
    assert "tearsheet.html, trials.json and model/ to results/." in printed
    assert {"LSTM", "Logistic, last bar", "Boosting, window", *BASELINES} <= _rows_of(
        printed
    ).keys()


def test_compare_says_when_it_starts_in_the_training_bars(results, model_folder):
    printed = results("compare", "bars.csv", "--model", model_folder, "--start", "2002")
    assert printed.startswith("IN-SAMPLE, 2002-01-01 to 2002-05-15")
    assert "LSTM (IN-SAMPLE)" in _rows_of(printed)


def test_bars_from_the_newest_to_the_oldest_give_the_same_result(results):
    random_walk(500).iloc[::-1].to_csv("turned.csv")
    straight = results("backtest", "bars.csv", "--strategy", "MACD")
    assert results("backtest", "turned.csv", "--strategy", "MACD") == straight


def test_times_with_changing_utc_offsets_become_utc(results):
    bars = random_walk(300)
    offsets = ["+01:00" if n < 100 else "+02:00" for n in range(300)]
    bars.index = [f"{day:%Y-%m-%d}T12:00:00{o}" for day, o in zip(bars.index, offsets, strict=True)]
    bars.to_csv("zones.csv", index_label="datetime")
    results("backtest", "zones.csv", "--strategy", "MACD", "--out", "results")
    dates = pd.read_csv("results/equity.csv")["datetime"]
    assert dates.iloc[-1] == "2001-10-27 10:00:00+00:00"


@pytest.mark.slow
def test_walking_forward_trains_anew_and_goes_on_where_it_was_stopped(results, here):
    windows = ("--train-window", "300 bars", "--test-window", "100 bars")
    words = ("compare", "bars.csv", "--walk-forward", *windows, "--config", "tiny.toml")
    printed = results(*words, "--members", 1, "--epochs", 1, "--out", "results")
    assert "2002-05-15: 2 folds, each trained on the 300 bars before it and tested on" in printed
    assert "Out of sample, 2001-10-28 to 2002-05-15, 200 bars" in printed
    rows = _rows_of(printed)
    assert {"LSTM", "Logistic, last bar", "Boosting, window", *BASELINES} <= rows.keys()
    assert "evidence of skill in LSTM" in printed
    ledger = pd.read_csv("results/model/ledger.csv")
    assert ledger["fold"].tolist() == [1] * 100 + [2] * 100
    first = (here / "results" / "model" / "folds" / "001" / "model.json").stat().st_mtime_ns
    assert results(*words, "--members", 1, "--epochs", 1, "--out", "results") == printed
    again = (here / "results" / "model" / "folds" / "001" / "model.json").stat().st_mtime_ns
    assert first == again


FEW = ("--config", "tiny.toml", "--members", 1, "--epochs", 1)


@pytest.mark.slow
def test_a_null_test_trains_anew_on_shuffled_bars_and_keeps_what_is_finished(
    results, refusal, here, monkeypatch
):
    words = ("compare", "bars.csv", *FEW, "--out", "results", "--null-test")
    printed = results(*words, 2)
    kept = pd.read_csv("results/permutation_test.csv")
    assert len(kept) == 2
    assert "Null test: trained and traded anew on 2 shuffles of the bars" in printed
    assert "permutation_test.csv, trials.json and model/ to results/" in printed
    assert 'id="null-test"' in (here / "results" / "report.html").read_text()
    tried = []
    train = study_module.trained_lstm

    def counted(*args, quietly=False, **kwargs):
        tried.extend([1] * quietly)
        return train(*args, quietly=quietly, **kwargs)

    monkeypatch.setattr(evaluating_module, "trained_lstm", counted)
    results(*words, 3)
    assert len(tried) == 1
    assert pd.read_csv("results/permutation_test.csv")[:2].equals(kept)
    assert "permutation_test.csv holds permutations of another run" in refusal(
        *words, 3, "--null-block", 5
    )


@pytest.mark.slow
def test_other_settings_in_the_same_folder_count_as_trials_and_keep_their_models(results, here):
    words = ("compare", "bars.csv", *FEW, "--out", "results")
    assert "settings that were tried" not in results(*words)
    assert "settings that were tried" not in results(*words)
    assert "the best of 2 settings that were tried" in results(*words, "--units", 3)
    assert "model-2/ to results/" in results(*words, "--units", 3, "--commission", 0)
    assert "the best of 9 settings that were tried" in results(*words, "--trials", 9)
    assert _names(here / "results")[3:6] == ["model", "model-2", "report.html"]
    assert LSTMForecaster.load("results/model").settings.units == (4,)
    assert LSTMForecaster.load("results/model-2").settings.units == (3,)
    assert "9 trials are counted" in (here / "results" / "report.html").read_text()


def test_where_no_tearsheet_can_be_made_one_line_says_why(results, here, monkeypatch, model_folder):
    def refused(*_, **__):
        raise lstm_strategy.LSTMStrategyError("quantstats can't digest it. Trade longer.")

    monkeypatch.setattr("lstm_strategy.evaluation.report.tearsheet.write_tearsheet", refused)
    (here / "results").mkdir()
    (here / "results" / "tearsheet.html").write_text("of an earlier run")
    printed = results("compare", "bars.csv", "--model", model_folder, "--out", "results")
    assert "No tearsheet.html: quantstats can't digest it. Trade longer.\n" in printed
    assert _names(here / "results") == [
        *("equity.csv", "equity.png", "metrics.csv", "report.html", "trials.json")
    ]
    assert "earsheet" not in (here / "results" / "report.html").read_text()


def test_costs_and_delays_are_tried_with_the_rules_of_the_comparison(
    results, monkeypatch, model_folder
):
    told = {}
    monkeypatch.setattr(
        "lstm_strategy.evaluation.robustness.assess.robustness",
        lambda *args, **terms: told.update(terms) or robustness(*args, **terms),
    )
    results("compare", "bars.csv", "--model", model_folder, "--long-only", "--out", "results")
    assert told["long_only"] is True


def test_demo_is_known_to_the_help(results):
    assert "S&P 500" in results("demo", "--help")


@pytest.mark.slow
def test_demo_leaves_tables_pictures_and_a_model(results, here):
    printed = results("demo", "--out", "shown")
    assert _names(here / "shown") == [
        *("chart.png", "equity.csv", "equity.png", "metrics.csv", "model", "report.html"),
        *("tearsheet.html", "trials.json"),
    ]
    metrics = pd.read_csv("shown/metrics.csv", index_col="strategy")
    assert list(metrics.index) == ["LSTM", *LEARNERS, *BASELINES]
    assert list(metrics.columns) == METRICS
    assert {"LSTM", *LEARNERS, *BASELINES} <= _rows_of(printed).keys()
    ledger = pd.read_csv("shown/model/ledger.csv", parse_dates=["datetime", "train_end"])
    assert ledger["fold"].nunique() == 10
    assert (ledger["train_end"] < ledger["datetime"]).all()


WALK = ("compare", "bars.csv", "--walk-forward", *FEW, "--out", "results")
BAD_WALKS = {
    "too few bars for one fold": (
        ("--train-window", "2 years", "--test-window", "1 year"),
        'needs bars over more than train="2 years", got 500 from .* Load more history',
    ),
    "folds that overlap by the horizon": (
        ("--horizon", 30, "--train-window", "20 bars", "--test-window", "9 bars"),
        "train must be above purge=30, got 20. Widen it",
    ),
    "a window of text": (("--train-window", "soon"), 'such as 250, .*, got "soon"'),
    "a model for a walk": (("--model", "x"), "--walk-forward trains anew; leave --model out"),
    "a null test of a model": (("--model", "x", "--null-test", 3), "leave --model out"),
    "a cluster without Ray": (("--address", "here:1"), "--address here:1 .* add --engine ray"),
    "no trial at all": (("--trials", 0), "'--trials': .* greater than or equal to 1"),
}


@pytest.mark.parametrize("case", BAD_WALKS)
def test_a_walk_that_cannot_be_made_is_refused_before_anything_is_written(refusal, case):
    words, expected = BAD_WALKS[case]
    command = [word for word in WALK if "--null-test" not in words or word != "--walk-forward"]
    assert re.search(expected, refusal(*command, *words))


def test_a_fold_whose_labels_are_all_the_same_is_named_and_finished_folds_are_kept(run, here):
    bars = random_walk(500)
    rises = np.where(np.arange(500) < 250, 1.0, 1.05 ** np.maximum(np.arange(500) - 249, 0))
    prices = ["open", "high", "low", "close"]
    bars[prices] = bars[prices].mul(rises, axis=0)
    bars["low"] = bars["low"].clip(upper=bars["open"])
    bars["high"] = bars[["open", "high", "close"]].max(axis=1)
    bars.to_csv("rising.csv")
    windows = ("--train-window", "150 bars", "--test-window", "100 bars")
    outcome = run("compare", "rising.csv", *WALK[2:], *windows)
    assert outcome.code == 2
    assert re.search("error: Fold 4, trained on 2001-10-28 to .*: Every label is 1", outcome.err)
    assert (here / "results" / "model" / "folds" / "001" / "model.json").exists()


def test_a_model_folder_that_holds_something_else_is_left_alone(run, here):
    (here / "results" / "model").mkdir(parents=True)
    (here / "results" / "model" / "thesis.tex").write_text("years of work")
    windows = ("--train-window", "300 bars", "--test-window", "200 bars")
    for words in ((*WALK, *windows), ("compare", "bars.csv", *FEW, "--out", "results")):
        outcome = run(*words)
        assert outcome.code in (0, 2)
        assert (here / "results" / "model" / "thesis.tex").read_text() == "years of work"
    assert "results/model holds something else" in run(*WALK, *windows).err


def test_a_damaged_record_of_trials_is_refused(refusal, here, model_folder):
    (here / "results").mkdir()
    (here / "results" / "trials.json").write_text("{")
    message = refusal("compare", "bars.csv", "--model", model_folder, "--out", "results")
    assert "trials.json isn't a record of trials" in message


# What is printed


SWINGS = """
from lstm_strategy import TargetStrategy

class Swings(TargetStrategy):
    def target_exposure(self):
        return 1.0 if len(self) % 2 else -1.0
"""


def test_trouble_with_orders_is_told_once_in_words(results, here, caplog):
    (here / "swings.py").write_text(SWINGS)
    printed = results("backtest", "bars.csv", "--strategy", "swings.py:Swings")
    assert printed.count("1 sent on the last bar, so never filled") == 1
    assert caplog.records == []


def test_a_wide_output_shows_every_metric_whole(results, monkeypatch, model_folder):
    monkeypatch.setattr(printing.out, "width", 140)
    printed = results("compare", "bars.csv", "--model", model_folder)
    assert len(_rows_of(printed)["Short-term reversal"]) == len(METRICS)
    assert "…" not in printed


def test_a_narrow_terminal_gets_the_metrics_that_fit(results, monkeypatch, model_folder):
    monkeypatch.setattr(printing.out, "width", 80)
    printed = results("compare", "bars.csv", "--model", model_folder)
    assert len(_rows_of(printed)["Short-term reversal"]) == 6
    assert "…" not in printed
    table = printed.partition("LSTM: ")[0]
    assert max(map(len, table.splitlines())) <= 80


def test_names_with_brackets_and_colons_are_printed_as_they_are(results):
    printed = results(*MACD, "--out", "a[red]b:smile:")
    assert printed.endswith("trades.csv and equity.png to a[red]b:smile:/.\n")


def test_version_is_that_of_the_package(results):
    assert results("--version") == f"lstm-strategy {lstm_strategy.__version__}\n"


def test_without_a_command_the_help_is_shown(run):
    outcome = run()
    assert outcome.code == 2
    assert "Usage: lstm-strategy" in outcome.out


@pytest.mark.parametrize(
    "command", ["demo", "train", "forecast", "backtest", "compare", "audit", "doctor"]
)
def test_every_option_of_a_command_is_explained(results, command):
    printed = results(command, "--help")
    options = re.findall(
        r"^\W*(--\w[\w-]*)\s+(?:-h\s+)?(?:<\S+>|[A-Z]+)?\s*(?:\[x\S+\])?\s*(\S*)", printed, re.M
    )
    assert {"--help", "--out"} <= {name for name, _ in options}
    assert [name for name, explanation in options if not explanation[:1].isalpha()] == []


def test_an_interrupted_command_ends_with_130_and_one_line(run, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(lstm_strategy, "load_bars", interrupted)
    outcome = run("backtest", "bars.csv", "--strategy", "MACD")
    assert (outcome.code, outcome.err.count("\n")) == (130, 1)
    assert outcome.err.startswith("Interrupted;")


def test_a_reader_that_closes_the_pipe_sees_no_error(here):
    script = "import sys; sys.argv[0] = 'lstm-strategy'; from lstm_strategy.cli import main; main()"
    command = [sys.executable, "-c", script, "backtest", "bars.csv", "--strategy", "MACD"]
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed:
        done = subprocess.run(command, stdout=closed, stderr=subprocess.PIPE, text=True)
    assert done.stderr == ""


# Mistakes in the bars


def _bars(**changes):
    return random_walk(120).astype(object).assign(**changes)


def _with_value(column, value):
    bars = _bars()
    bars.iloc[50, bars.columns.get_loc(column)] = value
    return bars


def _with_dates(change):
    dates = [f"{day:%Y-%m-%d}" for day in random_walk(120).index]
    change(dates)
    return _bars().set_axis(pd.Index(dates, name="datetime"), axis=0)


def _repeat_a_date(dates):
    dates[60] = dates[59]


def _swap_two_dates(dates):
    dates[50], dates[51] = dates[51], dates[50]


def _lose_a_date(dates):
    dates[50] = ""


BAD_TABLES = {
    "NaN price": (_with_value("close", None), "close is NaN at 2001-02-20 .* Fill or drop"),
    "infinite price": (_with_value("open", "inf"), "open is inf at 2001-02-20 .* Correct or drop"),
    "high below low": (_with_value("high", 1.0), "high 1 is below low .* 2001-02-20 .* Correct"),
    "negative price": (_with_value("low", -3), "low is -3 at 2001-02-20 .* correct or drop"),
    "negative volume": (_with_value("volume", -1), "volume is -1 at 2001-02-20 .* correct or drop"),
    "text price": (_with_value("close", "n/a?"), "close holds .* 'n/a.' at 2001-02-20 .* numbers"),
    "duplicate date": (_with_dates(_repeat_a_date), "date is repeated at 2001-03-01 .* Keep one"),
    "unsorted dates": (_with_dates(_swap_two_dates), "back to 2001-02-20 after .*-21 .* Sort"),
    "missing date": (_with_dates(_lose_a_date), r"date of row 50 is missing .* Drop"),
    "missing column": (_bars().drop(columns="low"), "column low is missing .* Add it"),
    "constant price": (
        _bars(open=5, high=5, low=5, close=5),
        "close is 5 on every bar from 2001-01-01 to 2001-04-30 .* Load prices that move",
    ),
    "no rows": (_bars()[:0], "there are no bars: .* Load at least one bar"),
}


@pytest.mark.parametrize("case", BAD_TABLES)
def test_a_bad_table_is_refused_with_its_first_offence(refusal, here, case):
    table, expected = BAD_TABLES[case]
    table.to_csv("bad.csv")
    (here / "results").mkdir()
    (here / "results" / "metrics.csv").write_text("from an earlier run")
    message = refusal("backtest", "bad.csv", "--strategy", "MACD", "--out", "results")
    assert re.search(f"bad.csv: .*{expected}", message)


@pytest.mark.parametrize("command", ["train", "forecast", "backtest", "compare"])
def test_every_command_refuses_bad_bars_and_keeps_earlier_results(
    refusal, here, model_folder, command
):
    _with_value("close", None).to_csv("bad.csv")
    shutil.copytree(model_folder, "kept")
    (here / "kept" / "metrics.csv").write_text("from an earlier run")
    model = () if command == "train" else ("--model", model_folder)
    message = refusal(command, "bad.csv", *model, "--out", "kept")
    assert "close is NaN at 2001-02-20" in message


BAD_SOURCES = {
    "missing file": ("gone.csv", "there is no file gone.csv. Check the path"),
    "empty file": ("empty.csv", "empty.csv has no line of at least five column names. Add one"),
    "no text at all": ("binary.csv", "binary.csv can't be read .* Check that it is a whole .csv"),
    "not Parquet": ("text.parquet", "text.parquet can't be read .* Check that it is a whole"),
    "unknown ending": ("bars.xlsx", "must end in .csv, .* got 'bars.xlsx'. Convert it"),
    "unknown sample": ("sample:dax", "must be sp500 or nasdaq, got 'dax'. Choose one"),
    "unknown scheme": ("yahoo:SPY", "scheme must be sample:, got yahoo: .* Save those prices"),
}


@pytest.mark.parametrize("case", BAD_SOURCES)
def test_a_source_that_holds_no_bars_is_refused(refusal, here, case):
    (here / "empty.csv").write_text("")
    (here / "binary.csv").write_bytes(bytes(range(256)))
    (here / "text.parquet").write_text("not Parquet")
    (here / "bars.xlsx").write_text("")
    source, expected = BAD_SOURCES[case]
    assert re.search(expected, refusal("backtest", source, "--strategy", "MACD"))


def test_adjusting_needs_a_column_of_adjusted_closes(refusal):
    message = refusal("backtest", "bars.csv", "--strategy", "MACD", "--adjusted")
    assert "needs a column of adjusted closes" in message


TOO_FEW = {
    "train": (("--config", "tiny.toml"), "Training needs 82 bars .*, got 12. Load more history"),
    "forecast": (("--model", "MODEL"), "needs {} bars before its first forecast, got 12. Load"),
    "backtest": (("--model", "MODEL"), "needs {} bars before its first decision, got 12 "),
    "compare": (("--model", "MODEL"), "needs {} bars before its first decision, got 12 "),
}


@pytest.mark.parametrize("command", TOO_FEW)
def test_too_few_bars_are_counted(refusal, trained, model_folder, command):
    random_walk(12, start="2002-03-01").to_csv("short.csv")
    words, expected = TOO_FEW[command]
    expected = expected.format(trained.warm_up + 1)
    words = [str(model_folder) if word == "MODEL" else word for word in words]
    assert re.search(expected, refusal(command, "short.csv", *words))


# Mistakes in the model


def _edited_card(folder, change):
    card = json.loads((folder / "model.json").read_text())
    change(card)
    (folder / "model.json").write_text(json.dumps(card))


BAD_MODELS = {
    "missing": (shutil.rmtree, "No model at mine. Train one with `lstm-strategy train"),
    "without a network": (
        lambda folder: (folder / "network.keras").unlink(),
        "model at mine is incomplete: network.keras is missing. Save or train it again",
    ),
    "without a card": (
        lambda folder: (folder / "model.json").unlink(),
        "model at mine is incomplete: model.json is missing. Save or train it again",
    ),
    "half-written card": (
        lambda folder: (folder / "model.json").write_text('{"format": 1,'),
        "mine/model.json isn't readable JSON. Save or train",
    ),
    "of another format": (
        lambda folder: _edited_card(folder, lambda card: card.update(format=2)),
        "model at mine has format 2, this version reads format 1. Train it again",
    ),
    "of another feature library": (
        lambda folder: _edited_card(folder, lambda card: card["features"].update(library="ta-x")),
        r"made with ta-x [\d.]+, and pandas-ta-classic [\d.]+ is installed; .* Install ta-x==",
    ),
    "with a tampered network": (
        lambda folder: (folder / "network.keras").write_bytes(b"other weights"),
        "mine/network.keras isn't the network that was saved .* Restore it, or train",
    ),
}


@pytest.mark.parametrize("command", ["forecast", "backtest", "compare"])
@pytest.mark.parametrize("case", BAD_MODELS)
def test_a_model_that_cannot_be_trusted_is_refused(refusal, here, model_folder, case, command):
    shutil.copytree(model_folder, "mine")
    damage, expected = BAD_MODELS[case]
    damage(here / "mine")
    assert re.search(expected, refusal(command, "bars.csv", "--model", "mine"))


# Mistakes in options

BAD_OPTIONS = {
    "unknown preset": (
        ("train", "bars.csv", "--preset", "magic"),
        "preset must be one of default, momentum, volatility, trend, got 'magic'",
    ),
    "units of text": (("train", "bars.csv", "--units", "many"), "'--units': .* integer"),
    "units of zero": (("train", "bars.csv", "--units", 0), "units.* equal to 1, got 0"),
    "epochs of zero": (("train", "bars.csv", "--epochs", 0), "epochs: .* equal to 1, got 0"),
    "start of text": ((*MACD, "--start", "soon"), "--start must be a date such as .* 'soon'"),
    "end of text": ((*MACD, "--end", "2001-13"), "--end must be a date such as .* '2001-13'"),
    "start after the end": (
        (*MACD, "--start", "2031"),
        "No bar lies between 2031 and the end; .* 2001-01-01 to 2002-05-15. Choose other dates",
    ),
    "start after --end": (
        ("train", "bars.csv", "--start", "2002", "--end", "2001"),
        "No bar lies between 2002 and 2001; there are 500 bars",
    ),
    "start that leaves nothing to train on": (
        ("compare", "bars.csv", "--config", "tiny.toml", "--start", "2001"),
        "--start 2001 leaves no bar to train on; .* Choose a later start",
    ),
    "nothing to run": (("backtest", "bars.csv"), "Say what to run: --model DIR, or --strategy"),
    "model for a baseline": ((*MACD, "--model", "x"), "MACD takes no --model. Leave"),
    "unknown strategy": (
        ("backtest", "bars.csv", "--strategy", "Magic"),
        "must be FILE.py:Class or one of Buy and hold, SMA cross, .*; got 'Magic'",
    ),
    "missing strategy file": (
        ("backtest", "bars.csv", "--strategy", "gone.py:Mine"),
        "there is no file gone.py. Check the path",
    ),
    "negative cash": ((*MACD, "--cash", -1), "cash must be greater than 0, got -1.0. Give starting"),
    "cash of text": ((*MACD, "--cash", "lots"), "'--cash': .* number"),
    "commission of 200%": ((*MACD, "--commission", 2), "commission_rate: .* less than 1, got 2.0"),
    "unknown option": ((*MACD, "--fast", 3), "No such option: --fast.* See .* backtest --help"),
    "unknown command": (("predict", "bars.csv"), "No such command 'predict'. See lstm-strategy"),
    "no bars named": (("train",), "Missing argument 'BARS'. See lstm-strategy train --help"),
    "a file as --out": ((*MACD, "--out", "bars.csv"), "bars.csv is a file, .* Choose another"),
    "--out below a file": (
        ("train", "bars.csv", "--out", "bars.csv/model"),
        "--out bars.csv/model: .*bars.csv is a file, not a folder. Choose another folder",
    ),
    "--out with other files": (
        ("train", "bars.csv", "--out", "."),
        "--out . holds other files than a saved model, so it isn't overwritten. Choose another",
    ),
}


@pytest.mark.parametrize("case", BAD_OPTIONS)
def test_a_bad_option_is_refused(refusal, case):
    words, expected = BAD_OPTIONS[case]
    assert re.search(expected, refusal(*words))


@pytest.mark.parametrize("command", ["train", "forecast", "backtest", "compare", "demo"])
def test_a_folder_that_may_not_be_written_is_refused_before_the_work(
    refusal, here, monkeypatch, command
):
    # by hand, because root may write everywhere
    monkeypatch.setattr(os, "access", lambda path, mode: path != here)
    words = () if command == "demo" else ("bars.csv",)
    model = ("--model", "gone") if command == "forecast" else ()
    message = refusal(command, *words, *model, "--out", "new/results")
    assert f"nothing may be written to {here}. Choose another folder" in message


def test_a_disk_that_refuses_the_results_leaves_the_old_ones(refusal, results, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device", "results/equity.csv")

    results(*MACD, "--out", "results")
    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    assert "results/equity.csv can't be used: No space left" in refusal(*MACD, "--out", "results")


# Mistakes in a strategy's file and in the configuration

BAD_STRATEGY_FILES = {
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
        "Mine has no parameter 'n'. Did you mean one of: period",
    ),
    "raises on the way": (
        "import backtrader as bt\nclass Mine(bt.Strategy):\n    params = (('n', 3),)\n"
        "    def next(self):\n        1 / 0\n",
        r"Mine raises ZeroDivisionError: division by zero \(.*mine.py, line 5\). Mend it there",
    ),
}


@pytest.mark.parametrize("case", BAD_STRATEGY_FILES)
def test_a_strategy_file_that_fails_is_named_with_its_line(refusal, here, monkeypatch, case):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    text, expected = BAD_STRATEGY_FILES[case]
    (here / "mine.py").write_text(text)
    assert re.search(expected, refusal("backtest", "bars.csv", "--strategy", "mine.py:Mine:n=5"))


BAD_CONFIGURATIONS = {
    "isn't TOML": ("cash = = 3", "bad.toml isn't valid TOML: .*line 1.* Correct it"),
    "unknown table": ("[model]", r"the tables \[forecaster\], .* got model = {}. Rename"),
    "a value for a table": ("broker = 3", r"takes the tables .*, got broker = 3. Rename"),
    "unknown key": ("[forecaster]\nlookbak = 3", "has no argument 'lookbak'. Known: .*lookback"),
    "unknown broker field": ("[broker]\ncsh = 3", "no setting 'csh'. Did you mean .*cash"),
    "broker field of text": ("[broker]\ncash = 'lots'", "cash must be a valid number.*'lots'. Give"),
    "unknown feature": (
        "[[forecaster.features]]\nkind = 'rsy'",
        "Unknown feature kind 'rsy'. Did you mean .*rsi",
    ),
    "features and preset": (
        "[forecaster]\npreset = 'trend'\nfeatures = []",
        "has both preset and features. Keep one",
    ),
    "a start in the strategy": (
        "[strategy]\nstart = '2013'",
        r"start in \[strategy\] isn't a parameter of a strategy. Remove it; --start",
    ),
}


@pytest.mark.parametrize("case", BAD_CONFIGURATIONS)
def test_a_bad_configuration_is_refused(refusal, here, case):
    text, expected = BAD_CONFIGURATIONS[case]
    (here / "bad.toml").write_text(text)
    assert re.search(expected, refusal("compare", "bars.csv", "--config", "bad.toml"))


def test_a_missing_configuration_is_refused(refusal):
    message = refusal("train", "bars.csv", "--config", "gone.toml")
    assert "--config gone.toml can't be read: No such file or directory. Check" in message


def test_an_unknown_parameter_of_the_strategy_is_refused(refusal, here, model_folder):
    (here / "bad.toml").write_text("[strategy]\nstop_los = 2")
    message = refusal("backtest", "bars.csv", "--model", model_folder, "--config", "bad.toml")
    assert "has no parameter 'stop_los'. Did you mean one of: " in message
