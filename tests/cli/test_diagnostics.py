"""What `doctor` finds out about this machine, and its estimate of a walk forward."""

import numpy as np
import pytest
from made_up import random_walk

from lstm_strategy import LSTMForecaster, WalkForward
from lstm_strategy.cli.diagnostics import (
    Speed,
    estimate_walk_forward,
    inspect_environment,
    measure_speed,
)

FEATURES = [{"kind": "log_return", "length": 1}]


def forecaster(**changes):
    settings = {"units": (4,), "lookback": 10, "epochs": 30, "patience": 9, "members": 2}
    return LSTMForecaster(FEATURES, **{**settings, **changes})


def test_the_environment_names_versions_devices_and_both_kernels():
    found = inspect_environment(n_cpus=2)
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
