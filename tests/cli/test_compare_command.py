"""`lstm-strategy compare` as a person at a terminal meets it."""

import copy
import re
import shutil
from concurrent.futures import Future
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up import random_walk
from printed import names_in, rows_of
from rich.color import ColorSystem

from lstm_strategy import (
    BASELINES,
    BrokerSettings,
    LSTMForecaster,
    LSTMStrategy,
    LSTMStrategyError,
    compare,
    load_bars,
)
from lstm_strategy.cli.comparison import ComparisonSetup
from lstm_strategy.cli.model_folders import find_model
from lstm_strategy.cli.output import out
from lstm_strategy.evaluation.verdict import TrialRecord

TRAIN_HERE = ("compare", "bars.csv", "--config", "tiny.toml", "--out", "results")
WALK = (*TRAIN_HERE, "--walk-forward", "--train-window", "300 bars", "--test-window", "100 bars")


@pytest.fixture
def with_model(model_folder):
    return ("compare", "bars.csv", "--model", model_folder)


def test_the_model_and_every_baseline_run_on_the_same_terms(results, here, trained, with_model):
    printed = results(*with_model, "--out", "results", "--cash", 5000, "--long-only")
    entries = {"LSTM": (LSTMStrategy, {"model": trained, "long_only": True})}
    for name, baseline in BASELINES.items():
        entries[name] = (baseline, {"long_only": True})
    comparison = compare(entries, load_bars("bars.csv"), broker=BrokerSettings(cash=5000))
    metrics = pd.read_csv("results/metrics.csv", index_col="strategy")
    pd.testing.assert_frame_equal(metrics, comparison.table.rename_axis("strategy"))
    assert set(names_in(here / "results")) == {
        *("equity.csv", "equity.png", "metrics.csv", "report.html", "tearsheet.html"),
        *("trades.csv", "trials.json"),
    }
    assert 'href="tearsheet.html"' in Path("results/report.html").read_text()
    assert printed.startswith("Out of sample, 2002-02-05 to 2002-05-15, 100 bars\n")
    assert {"LSTM", *BASELINES} <= rows_of(printed).keys()
    assert "evidence of skill in LSTM" in printed


def test_strategies_of_ones_own_are_compared_too(results, here, with_model):
    (here / "mine.py").write_text(
        "import backtrader as bt\n\n\nclass Mine(bt.Strategy):\n    params = (('share', 0.5),)\n\n"
        "    def next(self):\n        self.order_target_percent(target=self.p.share)\n"
    )
    more = ("--strategy", "mine.py:Mine", "--strategy", "mine.py:Mine:share=0.2")
    printed = results(*with_model, *more, "--out", "results")
    metrics = pd.read_csv("results/metrics.csv", index_col="strategy")
    assert list(metrics.index[:3]) == ["LSTM", "Mine", "Mine:share=0.2"]
    assert {"LSTM", "Mine", "Mine:share=0.2", *BASELINES} <= rows_of(printed).keys()
    assert "evidence of skill in LSTM" in printed
    assert "mine.py:Mine:share=0.2" in Path("results/report.html").read_text()


def test_the_row_that_is_judged_and_the_verdict_stand_out(results, with_model, monkeypatch):
    printed = results(*with_model)
    marked = [line for line in printed.splitlines() if line.startswith(" > ")]
    assert [line.split()[1] for line in marked] == ["LSTM"]
    assert "\n\nVERDICT: No evidence of skill in LSTM" in printed
    monkeypatch.setattr(out, "_force_terminal", True)
    monkeypatch.setattr(out, "_color_system", ColorSystem.STANDARD)
    assert "\x1b[1;33mVERDICT: No evidence" in results(*with_model)


def test_models_of_the_same_settings_that_saw_other_bars_are_two_trials(trained):
    other = copy.copy(trained)
    seen = trained.card.training.model_copy(update={"sha256": "of other bars"})
    other.card = trained.card.model_copy(update={"training": seen})
    runs = [
        ComparisonSetup("bars", random_walk(500), model, BrokerSettings(), is_trained=True)
        for model in (trained, other)
    ]
    one, two = (setup.describe_training() for setup in runs)
    assert [name for name in one if one[name] != two[name]] == ["trained_on"]


def test_without_a_model_one_is_trained_on_earlier_bars_and_kept(results):
    printed = results(*TRAIN_HERE, "--long-only", "--end", "2002-04-25")
    assert "training on 336 bars from 2001-01-01 to 2001-12-02" in printed
    # 12-1 momentum must see a year of days before all can trade
    assert "Out of sample, 2002-01-01 to 2002-04-25, 115 bars" in printed
    equity = pd.read_csv("results/equity.csv", index_col="datetime")
    assert set(equity.iloc[0]) == {5000.0}
    assert LSTMForecaster.load("results/model").training_end == pd.Timestamp("2001-12-02")
    assert "trials.json and model/ to results/." in printed
    assert {"LSTM", "Logistic, last bar", "Boosting, window", *BASELINES} <= rows_of(printed).keys()


def test_the_folder_of_a_comparison_serves_as_a_model(results, refusal, here, model_folder):
    shutil.copytree(model_folder, "results/model")
    in_itself = results("backtest", "bars.csv", "--model", "results/model")
    within = results("backtest", "bars.csv", "--model", "results")
    note = f"--model results: the model is {Path('results/model')}.\n"
    assert note in within
    assert within.replace(note, "") == in_itself
    shutil.copytree(model_folder, "results/model-2")
    for words in (("compare", "bars.csv"), ("forecast", "bars.csv"), ("audit", "bars.csv")):
        message = refusal(*words, "--model", "results")
        assert "--model results holds 2 models: model, model-2. Choose one: --model " in message


def test_of_several_models_the_one_that_was_judged_is_taken(here, model_folder):
    for name in ("model", "model-direction"):
        shutil.copytree(model_folder, f"results/{name}")
    bars = random_walk(500)
    record, _ = TrialRecord().with_trial(
        training={"units": 4}, trading={}, bars=bars, first=bars.index[0], last=bars.index[-1]
    )
    record.write("results")
    assert find_model(Path("results")) == Path("results/model")


def test_a_start_in_the_training_bars_is_called_in_sample(results, with_model):
    printed = results(*with_model, "--start", "2002")
    assert printed.startswith("IN-SAMPLE, 2002-01-01 to 2002-05-15")
    assert "LSTM (IN-SAMPLE)" in rows_of(printed)


@pytest.mark.slow
def test_a_walk_forward_trains_anew_and_resumes_where_it_was_stopped(results, run, here):
    printed = results(*WALK)
    assert "2 folds, each trained on the 300 bars before it and tested on 100 bars" in printed
    # 12-1 momentum must see a year of days before all can trade
    assert "Out of sample, 2002-01-01 to 2002-05-15, 135 bars" in printed
    assert {"LSTM", "Boosting, window", *BASELINES} <= rows_of(printed).keys()
    ledger = pd.read_csv("results/model/ledger.csv")
    assert ledger["fold"].tolist() == [1] * 100 + [2] * 100
    fold = here / "results" / "model" / "folds" / "001" / "model.json"
    trained_at = fold.stat().st_mtime_ns
    assert printed.startswith(run(*WALK).out)
    assert fold.stat().st_mtime_ns == trained_at


@pytest.mark.slow
def test_a_forecast_of_volatility_is_held_against_models_of_volatility(results):
    Path("volatility.toml").write_text(
        "[forecaster]\nunits = [3]\nlookback = 10\nepochs = 1\nmembers = 1\n"
        'features = [{kind = "log_variance_ratio", length = 1, slow = 60}]\n'
        '[forecaster.target]\nname = "volatility"\nslow = 60\n'
    )
    printed = results(*WALK, "--config", "volatility.toml")
    assert {"LSTM", "log-HAR with leverage", "GJR-GARCH-t", *BASELINES} <= rows_of(printed).keys()
    assert "Boosting, window" not in rows_of(printed)


@pytest.mark.slow
def test_permutations_train_anew_on_shuffled_bars_and_finished_ones_are_kept(
    results, refusal, monkeypatch
):
    printed = results(*TRAIN_HERE, "--permutations", 2)
    kept = pd.read_csv("results/permutations.csv")
    assert len(kept) == 2
    assert "2 shuffles of the bars" in printed
    assert "permutations.csv, trials.json and model/ to results/" in printed
    fit, n_bars = LSTMForecaster.fit, []

    def count_and_fit(self, bars, **options):
        n_bars.append(len(bars))
        return fit(self, bars, **options)

    monkeypatch.setattr(LSTMForecaster, "fit", count_and_fit)
    results(*TRAIN_HERE, "--permutations", 3)
    assert n_bars == [350, 350]  # the real bars and the third shuffle
    assert pd.read_csv("results/permutations.csv")[:2].equals(kept)
    message = refusal(*TRAIN_HERE, "--permutations", 3, "--permutation-block", 5)
    assert "permutations.csv holds permutations of another run" in message


@pytest.mark.slow
def test_other_settings_in_the_same_folder_count_as_trials_and_keep_their_models(results, here):
    assert "settings that were tried" not in results(*TRAIN_HERE)
    assert "settings that were tried" not in results(*TRAIN_HERE)
    assert "the best of 2 settings that were tried" in results(*TRAIN_HERE, "--units", 3)
    assert "model-2/ to results/" in results(*TRAIN_HERE, "--units", 3, "--commission", 0)
    assert "the best of 9 settings that were tried" in results(*TRAIN_HERE, "--trials", 9)
    assert {"model", "model-2"} <= set(names_in(here / "results"))
    assert LSTMForecaster.load("results/model").settings.units == (4,)
    assert LSTMForecaster.load("results/model-2").settings.units == (3,)


@pytest.mark.slow
def test_a_report_of_other_settings_stays_unless_it_is_forced(results, here, with_model):
    words = (*with_model, "--out", "results")
    results(*words)
    first = {path.name: path.read_bytes() for path in Path("results").iterdir()}
    second = results(*words, "--cash", 7000)
    assert "Earlier results in results/ stay as they are; --force writes over" in second
    assert "Wrote metrics-2.csv, equity-2.csv, trades-2.csv, equity-2.png, report-2.html" in second
    assert 'href="tearsheet-2.html"' in Path("results/report-2.html").read_text()
    for name in first.keys() - {"trials.json"}:
        assert Path("results", name).read_bytes() == first[name]
    names = names_in(here / "results")
    third = results(*words, "--cash", 8000, "--force")
    assert "Wrote metrics.csv, equity.csv, trades.csv, equity.png, report.html" in third
    assert names_in(here / "results") == names


@pytest.mark.slow
def test_results_that_no_comparison_wrote_stay(results, model_folder, with_model):
    results("backtest", "bars.csv", "--model", model_folder, "--out", "results")
    metrics = Path("results/metrics.csv").read_bytes()
    assert "metrics-2.csv" in results(*with_model, "--out", "results")
    assert Path("results/metrics.csv").read_bytes() == metrics


@pytest.mark.slow
def test_a_model_that_no_comparison_trained_stays(results, model_folder):
    shutil.copytree(model_folder, "results/model")
    card = Path("results/model/model.json").read_bytes()
    assert "model-2/ to results/" in results(*TRAIN_HERE)
    assert Path("results/model/model.json").read_bytes() == card


@pytest.mark.slow
def test_where_no_tearsheet_can_be_made_one_line_says_why(results, here, monkeypatch, with_model):
    def refuse(*_, **__):
        raise LSTMStrategyError("quantstats can't digest it. Trade longer.")

    monkeypatch.setattr("lstm_strategy.cli.comparison.files.write_tearsheet", refuse)
    results(*with_model, "--out", "results")
    (here / "results" / "tearsheet.html").write_text("of the same comparison, run earlier")
    printed = results(*with_model, "--out", "results")
    assert "No tearsheet.html: quantstats can't digest it. Trade longer.\n" in printed
    assert "tearsheet.html" not in names_in(here / "results")
    assert "earsheet" not in Path("results/report.html").read_text()


@pytest.mark.parametrize(("share", "n_said"), [(0.12, 1), (0.04, 0)])
def test_bars_that_are_strange_to_the_lstm_are_said_once(
    results, monkeypatch, with_model, share, n_said
):
    shares = "lstm_strategy.cli.comparison.run.strange_shares"
    monkeypatch.setattr(shares, lambda novelty: {"all": share})
    printed = results(*with_model)
    assert printed.count("12% of the bars are strange to the model: ") == n_said
    assert printed.count("strange") == n_said


def test_nothing_is_said_of_a_tearsheet_that_nobody_asked_for(monkeypatch, capsys):
    files = import_module("lstm_strategy.cli.comparison.files")
    monkeypatch.setattr(files.importlib.util, "find_spec", lambda name: None)
    tearsheet = Future()
    tearsheet.set_exception(LSTMStrategyError("A tearsheet needs quantstats."))
    assert files.finish_tearsheet(tearsheet) is None
    assert capsys.readouterr().err == ""


MISUSES = {
    "too few bars for one fold": (
        ("--walk-forward", "--train-window", "2 years"),
        "bars over more than --train-window '2 years', got 500 from .* Load",
    ),
    "folds that overlap by the horizon": (
        ("--walk-forward", "--horizon", 30, "--train-window", "20 bars"),
        "error: --train-window must be above the purge of 30 bars, got 20. Widen it",
    ),
    "too few bars to train a fold": (
        ("--walk-forward", "--train-window", "60 bars"),
        r"fold 1, .* Training needs \d+ bars .* Or train on a longer --train-window",
    ),
    "too few bars to train the learners of a fold": (
        ("--walk-forward", "--train-window", "110 bars"),
        r"fold 1, .* A logistic regression on a window of 20 bars needs 125 bars .* Or train on a "
        "longer --train-window",
    ),
    "too few bars to train the learners": (
        ("--start", "2001-04-21"),
        r"regression on a window of 20 bars needs 125 bars \(25 of .* Or choose a later --start",
    ),
    "a window of text": (("--walk-forward", "--train-window", "soon"), "got .soon."),
    "a window without a walk": (("--test-window", "9 bars"), "need --walk-forward"),
    "a block without permutations": (("--permutation-block", 9), "needs --permutations"),
    "a walk with a model": (("--model", "x", "--walk-forward"), "Leave --model out"),
    "permutations with a model": (("--model", "x", "--permutations", 3), "Leave --model out"),
    "training with a model": (("--model", "x", "--units", 3), "Leave --model or --units out"),
    "a log of no training": (("--model", "x", "--tensorboard", "y"), "Leave --model or --tens"),
    "a cluster without Ray": (("--address", "here:1"), "--address here:1 .* Add --engine ray"),
    "nothing to train on": (("--start", "2001"), "--start 2001 leaves no bar to train on"),
}


@pytest.mark.parametrize("misuse", MISUSES)
def test_a_misuse_is_refused_before_anything_is_written(refusal, misuse):
    words, message = MISUSES[misuse]
    assert re.search(message, refusal(*TRAIN_HERE, *words))


def test_a_fold_that_fails_is_named_and_finished_folds_are_kept(run):
    bars = random_walk(500)
    rises = 1.05 ** np.maximum(np.arange(500) - 249, 0)  # from there on every label is 1
    prices = ["open", "high", "low", "close"]
    bars[prices] = bars[prices].mul(rises, axis=0)
    bars["low"] = bars["low"].clip(upper=bars["open"])
    bars["high"] = bars[["open", "high", "close"]].max(axis=1)
    bars.to_csv("bars.csv")
    outcome = run(*WALK, "--train-window", "150 bars", "--jobs", 1)  # one fold after the other
    assert outcome.code == 2
    assert re.search(
        "error: fold 4, trained on 2001-10-28 to .*, failed. Every label is 1", outcome.err
    )
    assert Path("results/model/folds/001/model.json").exists()


@pytest.mark.parametrize("command", [WALK, TRAIN_HERE], ids=["walk forward", "train once"])
def test_a_model_folder_that_holds_something_else_is_left_alone(run, command):
    thesis = Path("results/model/thesis.tex")
    thesis.parent.mkdir(parents=True)
    thesis.write_text("years of work")
    outcome = run(*command)
    assert outcome.code == 2
    assert re.search("results/model (holds something else|exists and isn.t a saved)", outcome.err)
    assert thesis.read_text() == "years of work"


def test_a_damaged_record_of_trials_is_refused(refusal, with_model):
    Path("results").mkdir()
    Path("results/trials.json").write_text("{")
    assert "trials.json isn't a record of trials" in refusal(*with_model, "--out", "results")


@pytest.mark.parametrize("width, n_metrics", [(140, 11), (80, 6), (40, 2)])
def test_a_terminal_gets_the_metrics_that_fit(results, monkeypatch, with_model, width, n_metrics):
    monkeypatch.setattr(out, "width", width)
    monkeypatch.setenv("COLUMNS", str(width))
    printed = results(*with_model)
    assert len(rows_of(printed)["Short-term reversal"]) == n_metrics
    table = printed.partition("LSTM: ")[0]
    assert "…" not in table
    assert max(map(len, table.splitlines())) <= width
