"""`lstm-strategy doctor` as a person at a terminal meets it."""

import json
import re
from pathlib import Path

import pytest

DOCTOR = ("doctor", "--config", "tiny.toml")
WINDOWS = ("--train-window", "300 bars", "--test-window", "50 bars")


def test_doctor_says_what_is_used_how_fast_it_is_and_how_long_a_walk_takes(results):
    printed = results(*DOCTOR, "--epochs", 5, "--bars", 400, *WINDOWS, "--out", "found")
    assert re.search(r"cuDNN's LSTM kernel +(not )?used: ", printed)
    assert re.search(r"then a network learns from [\d,]+ bars a second", printed)
    assert "A walk forward through 400 daily bars: 2 folds in 1 process would take " in printed
    assert printed.endswith("Wrote doctor.json to found/.\n")
    found = json.loads(Path("found/doctor.json").read_text())
    assert set(found) == {"environment", "speed", "estimate"}
    assert found["estimate"]["n_folds"] == 2


def test_bars_of_the_users_own_are_walked(results):
    printed = results(*DOCTOR, "bars.csv", *WINDOWS, "--jobs", 64)
    assert "through 500 bars from 2001-01-01 to 2002-05-15: 4 folds in 4 processes" in printed


MISUSES = {
    "two kinds of bars": (("bars.csv", "--bars", 400), "give BARS or --bars N, not both"),
    "no fold": (
        ("--bars", 100),
        "one fold needs bars over more than --train-window '10 years', got 100",
    ),
    "too few to train": (
        ("--bars", 60, "--train-window", "40 bars", "--test-window", "10 bars"),
        "Training needs",
    ),
    "no file": (("missing.csv",), "missing.csv"),
}


@pytest.mark.parametrize("misuse", MISUSES)
def test_a_misuse_ends_with_2_and_one_line(run, misuse):
    words, message = MISUSES[misuse]
    outcome = run(*DOCTOR, *words)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert re.search(message, outcome.err)
