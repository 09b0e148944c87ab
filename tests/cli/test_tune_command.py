"""`lstm-strategy tune` as a person at a terminal meets it."""

import sys
from pathlib import Path

import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy.cli import main

FILE = """
[forecaster]
features = [{kind = "log_return", length = 1}]
units = [4]
lookback = 10
epochs = 1
members = 1
[broker]
commission_rate = 0.002
[space]
dropout = {low = 0.0, high = 0.5}
units = [[4], [6]]
horizon = [1, 2]
"""


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the command in a folder with 420 bars and a configuration; (code, out, err)."""
    monkeypatch.chdir(tmp_path)
    random_walk(420).to_csv("bars.csv")
    Path("space.toml").write_text(FILE)

    def run(command, *words):
        monkeypatch.setattr(sys, "argv", ["lstm-strategy", command, *map(str, words)])
        with pytest.raises(SystemExit) as stop:
            main()
        printed = capsys.readouterr()
        return stop.value.code or 0, printed.out, printed.err

    return run


def test_tune_prints_a_table_writes_its_files_and_best_toml_trains(run):
    words = ["bars.csv", "--config", "space.toml", "--trials", 2, "--folds", 2, "--out", "found"]
    code, out, err = run("tune", *words)
    assert (code, err) == (0, "")
    assert "420 bars from 2001-01-01 to 2002-02-24; 2 trials, the last 20% kept back." in out
    assert "Best of 2 trials: number " in out
    assert "Probability of backtest overfitting: " in out
    assert {f.name for f in Path("found").iterdir()} == {
        *("study.json", "study.db", "forecasts", "holdout"),
        *("trials.csv", "best.toml", "history.png", "importance.png"),
    }
    table = pd.read_csv("found/trials.csv")
    assert list(table.columns) == [
        *("number", "state", "value", "folds", "seconds", "dropout", "units", "horizon", "error")
    ]
    assert "commission_rate = 0.002" in Path("found/best.toml").read_text()
    code, out, err = run("train", "bars.csv", "--config", "found/best.toml", "--out", "model")
    assert (code, err) == (0, "")
    code, out, err = run("tune", *words, "--objective", "auc")
    assert (code, err.count("\n")) == (2, 1)
    assert "found holds a search with another objective" in err


MISUSES = {
    "no bars": (["none.csv"], "none.csv"),
    "no trials": (["bars.csv", "--trials", "0"], "--trials"),
    "objective": (["bars.csv", "--objective", "profit"], "objective must be one of sharpe"),
    "holdout": (["bars.csv", "--holdout", "1.5"], "holdout must lie between 0 and 0.9"),
    "storage": (["bars.csv", "--storage", "redis://x"], "Write sqlite:///FILE"),
    "space": (["bars.csv", "--config", "wrong.toml"], "no dimension 'lookbak'"),
    "threshold": (["bars.csv", "--config", "threshold.toml"], "no parameter 'min_sginal'"),
    "model": (["bars.csv", "--config", "model.toml"], "remove model from [strategy]"),
    "too few bars": (["bars.csv", "--end", "2001-02-01", "--trials", "1"], "None of 1 trials"),
    "address": (["bars.csv", "--address", "here:1"], "add --engine ray"),
    "engine": (["bars.csv", "--engine", "keras"], "--engine must be local or ray"),
    "no folder": (["bars.csv", "--out", "bars.csv"], "is a file, not a folder"),
}


@pytest.mark.parametrize("misuse", MISUSES)
def test_misuse_ends_with_2_and_one_line(run, misuse):
    Path("wrong.toml").write_text("[space]\nlookbak = [10]\n")
    Path("threshold.toml").write_text(FILE + "[strategy]\nmin_sginal = 0.1\n")
    Path("model.toml").write_text("[strategy]\nmodel = 'here'\n")
    words, message = MISUSES[misuse]
    code, _, err = run("tune", *words)
    assert (code, err.count("\n")) == (2, 1)
    assert message in err
