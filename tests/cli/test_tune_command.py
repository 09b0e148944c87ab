"""`lstm-strategy tune` as a person at a terminal meets it."""

from pathlib import Path

import pandas as pd
import pytest
from printed import names_in

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


def test_tune_prints_a_table_writes_its_files_and_best_toml_trains(results, refusal, here):
    Path("space.toml").write_text(FILE)
    words = ("bars.csv", "--config", "space.toml", "--trials", 2, "--folds", 2, "--out", "found")
    printed = results("tune", *words)
    assert "500 bars from 2001-01-01 to 2002-05-15; 2 trials, the last 20% kept back." in printed
    assert "Best of 2 trials: number " in printed
    assert "Probability of backtest overfitting: " in printed
    files = set(names_in(here / "found"))
    assert {"trials.csv", "best.toml", "history.png", "study.db"} <= files
    assert "importance.png" not in files  # ten trials are the fewest that can tell
    assert "What the score depends on can't be told from 2 trials." in printed
    assert {"dropout", "units", "horizon"} < set(pd.read_csv("found/trials.csv").columns)
    assert "commission_rate = 0.002" in Path("found/best.toml").read_text()
    results("train", "bars.csv", "--config", "found/best.toml", "--out", "model")
    message = refusal("tune", *words, "--objective", "auc")
    assert "found holds a search that differs in its objective" in message


MISUSES = {
    "no trials": (["--trials", "0"], "--trials"),
    "objective": (["--objective", "profit"], "--objective must be one of sharpe, log_loss, auc"),
    "holdout": (["--holdout", "1.5"], "--holdout must lie between 0 and 0.9, got 1.5"),
    "storage": (["--storage", "redis://x"], "Write sqlite:///FILE"),
    "space": (["--config", "wrong.toml"], "no dimension 'lookbak'"),
    "threshold": (["--config", "threshold.toml"], "no parameter 'min_sginal'"),
    "model": (["--config", "model.toml"], "Remove model from [strategy]"),
    "too few bars": (
        ["--end", "2001-02-01", "--trials", "1"],
        "no setting of the space fits the bars",
    ),
    "address": (["--address", "here:1"], "Add --engine ray"),
    "engine": (["--engine", "keras"], "--engine must be one of local, ray, got 'keras'"),
}


@pytest.mark.parametrize("misuse", MISUSES)
def test_a_misuse_ends_with_2_and_one_line_of_error(run, misuse):
    Path("wrong.toml").write_text("[space]\nlookbak = [10]\n")
    Path("threshold.toml").write_text(FILE + "[strategy]\nmin_sginal = 0.1\n")
    Path("model.toml").write_text("[strategy]\nmodel = 'here'\n")
    words, message = MISUSES[misuse]
    outcome = run("tune", "bars.csv", *words)
    assert (outcome.code, outcome.err.count("error: ")) == (2, 1)
    assert message in outcome.err.splitlines()[-1]
