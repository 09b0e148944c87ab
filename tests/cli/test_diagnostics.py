"""What `doctor` measures and estimates, and what it prints."""

import json
import re
import sys

import numpy as np
import pytest
from made_up import random_walk

from lstm_strategy import LSTMForecaster, WalkForward
from lstm_strategy.cli import main
from lstm_strategy.cli.diagnostics import Speed, environment, estimate_walk_forward, measure_speed

FEATURES = [{"kind": "log_return", "length": 1}]
TINY = """
[forecaster]
units = [4]
lookback = 10
epochs = 30
patience = 9
features = [{kind = "log_return", length = 1}]
"""


def forecaster(**changes):
    settings = {"units": (4,), "lookback": 10, "epochs": 30, "patience": 9, "members": 2}
    return LSTMForecaster(FEATURES, **{**settings, **changes})


@pytest.fixture
def doctor(tmp_path, monkeypatch, capsys):
    """Run the command with a tiny network; returns exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.toml").write_text(TINY)

    def doctor(*words):
        words = ["lstm-strategy", "doctor", "--config", "tiny.toml", *map(str, words)]
        monkeypatch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as stop:
            main()
        printed = capsys.readouterr()
        return stop.value.code or 0, printed.out, printed.err

    return doctor


def test_the_environment_names_versions_devices_and_both_kernels():
    found = environment(n_cpus=2)
    assert found.versions["numpy"] == np.__version__
    assert {"keras", "lstm-strategy", "backtrader"} <= set(found.versions)
    assert found.devices
    assert found.cudnn.reason and found.fused_cpu.reason
    assert not (found.cudnn.is_used and found.fused_cpu.is_used)


def test_speeds_are_measured_without_touching_the_forecaster():
    asked = forecaster()
    speed = measure_speed(asked, random_walk(400))
    assert speed.n_bars == 400
    assert speed.targets_per_second > 100
    assert speed.forecast_bars_per_second > 100
    assert 0 <= speed.startup_seconds < 600
    assert not asked.is_fitted


def test_an_estimate_is_epochs_times_bars_over_the_measured_speed():
    # two folds of 299 training bars (300 less a purge of 1), 80% of them learned from
    bars, splits = random_walk(400), WalkForward(300, 50)
    speed = Speed(
        targets_per_second=100.0,
        forecast_bars_per_second=1e12,
        startup_seconds=3.0,
        n_bars=400,
    )
    estimate = estimate_walk_forward(speed, forecaster(members=2), splits, bars, n_jobs=1)
    an_epoch = 2 * (2 * 299 * 0.8) / 100
    assert estimate.n_folds == 2
    assert estimate.shortest_seconds == pytest.approx(3 + 10 * an_epoch)  # patience 9: epoch 10
    assert estimate.longest_seconds == pytest.approx(3 + 30 * an_epoch)


def test_processes_share_the_work_but_no_more_of_them_than_folds():
    bars, splits = random_walk(400), WalkForward(300, 50)
    speed = Speed(100.0, 1e12, 0.0, 400)
    alone = estimate_walk_forward(speed, forecaster(), splits, bars, n_jobs=1)
    many = estimate_walk_forward(speed, forecaster(), splits, bars, n_jobs=8)
    assert many.n_jobs == 2
    assert many.longest_seconds == pytest.approx(alone.longest_seconds / 2)


def test_forecasts_and_their_context_count_too():
    bars, splits = random_walk(400), WalkForward(300, 50)
    asked = forecaster()
    estimate = estimate_walk_forward(Speed(1e12, 10.0, 0.0, 400), asked, splits, bars, n_jobs=1)
    forecast_bars = 2 * (299 + 50 + asked.context_bars)
    assert estimate.longest_seconds == pytest.approx(forecast_bars / 10)


def test_the_command_says_what_is_used_how_fast_it_is_and_how_long_a_walk_takes(doctor):
    code, out, err = doctor(
        "--bars", 400, "--train-window", "300 bars", "--test-window", "50 bars", "--out", "found"
    )
    assert (code, err) == (0, "")
    assert re.search(r"cuDNN's LSTM kernel +(not )?used: ", out)
    assert re.search(r"trains [\d,]+ targets/s", out)
    assert "A walk forward through 400 daily bars: 2 folds in 1 process take " in out
    assert out.endswith("Wrote doctor.json to found/.\n")


def test_the_json_has_all_that_was_found(doctor, tmp_path):
    doctor(
        "--bars", 400, "--train-window", "300 bars", "--test-window", "50 bars", "--out", "found"
    )
    found = json.loads((tmp_path / "found/doctor.json").read_text())
    assert set(found) == {"environment", "speed", "estimate"}
    assert set(found["environment"]) == {
        *("python", "versions", "backend", "devices", "n_cpus"),
        *("cudnn", "fused_cpu", "has_onnxruntime"),
    }
    assert found["estimate"]["n_folds"] == 2
    assert found["estimate"]["shortest_seconds"] < found["estimate"]["longest_seconds"]


def test_bars_of_the_users_own_are_walked(doctor, tmp_path):
    random_walk(400).to_csv(tmp_path / "bars.csv")
    windows = ("--train-window", "300 bars", "--test-window", "50 bars", "--jobs", 64)
    code, out, _ = doctor("bars.csv", *windows)
    assert code == 0
    assert "through 400 bars from 2001-01-01 to 2002-02-04: 2 folds in 2 processes" in out


@pytest.mark.parametrize(
    "words, message",
    [
        (("bars.csv", "--bars", 400), "Give BARS or --bars N, not both."),
        (("--bars", 100), 'train="10 years", got 100'),
        (("--bars", 60, "--train-window", "40 bars", "--test-window", "10 bars"), "Training needs"),
        (("missing.csv",), "missing.csv"),
    ],
    ids=["two kinds of bars", "no fold", "too few to train", "no file"],
)
def test_a_mistake_ends_in_one_line(doctor, words, message):
    code, out, err = doctor(*words)
    assert code == 2
    assert re.fullmatch(r"error: .*[.?]\n", err)
    assert message in err
    assert "Traceback" not in out
