"""Keras as it was told to be by others: another precision, or a backend that isn't there."""

import gc
import json
import os
import subprocess
import sys

import pytest
from made_up import SMALL, random_walk

from lstm_strategy import LSTMForecaster
from lstm_strategy.learning.network import keras

FEATURES = [{"kind": "log_return", "length": 1}]


@pytest.fixture
def keras_as_before():
    floatx, epsilon = keras.config.floatx(), keras.config.epsilon()
    policy = keras.config.dtype_policy()
    yield
    keras.config.set_floatx(floatx)
    keras.config.set_epsilon(epsilon)
    keras.config.set_dtype_policy(policy)


def test_a_precision_set_for_other_networks_changes_no_number(keras_as_before, tmp_path):
    bars = random_walk(200)
    usual = LSTMForecaster(FEATURES, **SMALL).fit(bars, progress=False)
    keras.config.set_floatx("float64")
    keras.config.set_epsilon(1e-3)
    keras.config.set_dtype_policy("mixed_float16")
    told = (keras.config.floatx(), keras.config.epsilon(), keras.config.dtype_policy().name)
    other = LSTMForecaster(FEATURES, **SMALL).fit(bars, progress=False)
    assert other.forecast(bars).equals(usual.forecast(bars))
    by_keras = LSTMForecaster.load(other.save(tmp_path / "model"), engine="keras")
    apart = (by_keras.forecast(bars) - usual.forecast(bars)).abs().max().max()
    assert apart < 1e-5
    assert told == (
        keras.config.floatx(),
        keras.config.epsilon(),
        keras.config.dtype_policy().name,
    )


@pytest.mark.parametrize(
    "by_file",
    [
        pytest.param(False, id="KERAS_BACKEND"),
        pytest.param(True, id="keras.json", marks=pytest.mark.slow),
    ],
)
def test_a_backend_that_is_not_installed_is_explained_in_one_line(by_file, tmp_path):
    (tmp_path / "keras.json").write_text(json.dumps({"backend": "nowhere"}))
    told = {"KERAS_HOME": str(tmp_path)} if by_file else {"KERAS_BACKEND": "nowhere"}
    environment = {n: v for n, v in os.environ.items() if n != "KERAS_BACKEND"} | told
    done = subprocess.run(
        [sys.executable, "-m", "lstm_strategy", "doctor"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    source = str(tmp_path / "keras.json") if by_file else "the variable KERAS_BACKEND"
    assert done.returncode == 2
    progress, line = done.stderr.strip().splitlines()
    assert progress.startswith("Checking the installation")
    assert f"can't be loaded with the backend nowhere (by {source})" in line


@pytest.mark.slow
@pytest.mark.parametrize("content", ["[]", '{"floatx": "float17"}', '{"epsilon": "x"}'])
def test_a_file_of_settings_that_keras_refuses_is_named(content, tmp_path):
    (tmp_path / "keras.json").write_text(content)
    done = subprocess.run(
        [sys.executable, "-m", "lstm_strategy", "doctor"],
        env=os.environ | {"KERAS_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    line = done.stderr.strip().splitlines()[-1]
    assert f"can't be loaded with what {tmp_path / 'keras.json'} says: " in line
    assert line.endswith("Correct or delete that file.")


def test_garbage_is_collected_again_once_keras_is_there():
    assert keras.__name__ == "keras"  # imported by now
    assert gc.isenabled()
