"""`lstm-strategy train` as a person at a terminal meets it."""

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from printed import names_in

from lstm_strategy import LSTMForecaster


def test_train_saves_a_model_that_knows_its_settings_and_bars(results, here):
    printed = results("train", "bars.csv", "--config", "tiny.toml", "--end", "2001")
    forecaster = LSTMForecaster.load("model")
    assert forecaster.features.names == ["LOGRET_1", "RSI_5"]
    assert (forecaster.settings.units, forecaster.settings.members) == ((4,), 1)
    assert forecaster.training_end == pd.Timestamp("2001-12-31")
    assert {"model.json", "network.keras", "training.png"} <= set(names_in(here / "model"))
    assert "training on 365 bars from 2001-01-01 to 2001-12-31" in printed
    assert "Trained 1 network for 1 epoch." in printed
    assert printed.endswith("Wrote the model and training.png to model/.\n")


def test_options_override_the_configuration_file(results):
    options = ("--preset", "default", "--units", 3, "--units", 2)
    results("train", "bars.csv", "--config", "tiny.toml", *options, "--out", "deep")
    forecaster = LSTMForecaster.load("deep")
    assert forecaster.settings.units == (3, 2)
    assert forecaster.settings.lookback == 10
    assert "NATR_14" in forecaster.features.names


def test_training_again_replaces_the_model(results, here, model_folder):
    shutil.copytree(model_folder, "model")
    results("train", "bars.csv", "--config", "tiny.toml", "--start", "2001-02", "--end", "2001-11")
    assert LSTMForecaster.load("model").training_end == pd.Timestamp("2001-11-30")
    assert names_in(here) == ["bars.csv", "model", "tiny.toml"]


MISUSES = {
    "unknown preset": (
        ("--preset", "magic"),
        "trend, prices, got 'magic'",
    ),
    "units of text": (("--units", "many"), "'--units'"),
    "units of zero": (("--units", 0), r"units.* equal to 1, got 0"),
    "epochs of zero": (("--epochs", 0), "epochs.* equal to 1, got 0"),
    "a folder with other files": (
        ("--out", "thesis"),
        "--out thesis exists and isn't a saved model, so it isn't overwritten",
    ),
    "the folder that the user is in": (("--out", "."), "--out . is the folder that you are in"),
    "no such configuration": (("--config", "gone.toml"), "--config gone.toml can't be read"),
}


@pytest.mark.parametrize("misuse", MISUSES)
def test_a_misuse_is_refused_before_the_training(refusal, misuse):
    words, message = MISUSES[misuse]
    Path("thesis").mkdir()
    Path("thesis/model.json").write_text('{"format": "layers-model"}')
    assert re.search(message, refusal("train", "bars.csv", *words))
