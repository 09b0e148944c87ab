"""`lstm-strategy train` as a person at a terminal meets it."""

import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from printed import names_in

from lstm_strategy import LSTMForecaster
from lstm_strategy.cli.output import print_training
from lstm_strategy.learning.targets import TARGETS, Policy, Quantiles, choose_target


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


def test_a_target_that_asks_for_costs_learns_with_those_that_are_given(results):
    words = ("train", "bars.csv", "--config", "tiny.toml", "--target", "policy", "--end", "2001")
    results(*words, "--instrument", "spot:commission_rate=0.002", "--slippage", "0.001")
    assert LSTMForecaster.load("model").target == Policy(cost_rate=0.003)
    results(*words, "--out", "usual")
    assert LSTMForecaster.load("usual").target == Policy()


def test_costs_of_a_market_that_there_is_not_are_refused(refusal):
    message = refusal("train", "bars.csv", "--config", "tiny.toml", "--instrument", "BTC=spot")
    assert "--instrument names a market 'BTC'" in message


@pytest.mark.parametrize(
    ("n_epochs", "sentence"),
    [
        ([1], "Trained 1 network for 1 epoch."),
        ([1, 1], "Trained 2 networks for 1 epoch each."),
        ([40, 50, 26], "Trained 3 networks for 40, 50 and 26 epochs."),
    ],
    ids=["one", "alike", "different"],
)
def test_the_lengths_of_trainings_are_listed_in_a_sentence(capsys, n_epochs, sentence):
    assert printed_of_training(capsys, n_epochs) == (
        f"{sentence} On the 90 bars held out for validation, where each half is scored with the "
        "network of the epoch that was best on the other half: log-loss 0.6900 (without skill: "
        "0.6931), AUC 0.5000 (without skill: 0.5)."
    )


@pytest.mark.parametrize(
    ("target", "kept", "words"),
    [
        ("direction", 0.84, "By how it held up there, 84% of its signal is kept."),
        ("direction", 0.0, "nothing is left of its signal: it stays out."),
        ("policy", 0.0, "nothing is left of its signal: it holds its prior."),
        ("direction", 1.0, "(without skill: 0.5)."),
    ],
)
def test_what_is_left_of_the_signal_is_said(capsys, target, kept, words):
    assert printed_of_training(capsys, [1], target=target, kept=kept).endswith(words)


def printed_of_training(capsys, n_epochs, *, target="direction", kept=1.0):
    """What is printed of a training of so many epochs, for each member."""
    members = [member for member, n in enumerate(n_epochs) for _ in range(n)]
    scores = {"n_rows": 90.0, "log_loss": 0.69, "auc": 0.5}
    print_training(
        SimpleNamespace(
            history=pd.DataFrame({"member": members}),
            validation_scores=scores,
            target=choose_target(target),
            cards=[SimpleNamespace(signal=SimpleNamespace(confidence=kept))],
        )
    )
    return " ".join(capsys.readouterr().out.split())


def test_the_target_is_an_option_or_a_setting_of_the_configuration_file(results, refusal):
    assert "--target must be one of direction" in refusal("train", "bars.csv", "--target", "up")
    assert not [name for name in TARGETS if name not in results("train", "--help")]
    assert "--target must be one of direction" in refusal("demo", "--target", "up")
    message = refusal("compare", "bars.csv", "--target", "direction", "--model", "model")
    assert "--target is for training. Leave --model or --target out." in message
    Path("asked.toml").write_text(
        f"{Path('tiny.toml').read_text()}\n[forecaster.target]\nname='up'"
    )
    assert "target must have one of the names" in refusal(
        "train", "bars.csv", "--config", "asked.toml"
    )
    results("train", "bars.csv", "--config", "tiny.toml", "--target", "direction")
    assert LSTMForecaster.load("model").target == choose_target("direction")
    table = "[forecaster.target]\nname='quantiles'\nlevels=[0.1,0.5,0.9]"
    Path("asked.toml").write_text(f"{Path('tiny.toml').read_text()}\n{table}")
    printed = results("train", "bars.csv", "--config", "asked.toml", "--out", "asked")
    assert LSTMForecaster.load("asked").target == Quantiles(levels=(0.1, 0.5, 0.9))
    assert "R¹ " in printed
    assert "coverage 80 " in printed


def test_options_override_the_configuration_file(results):
    options = ("--preset", "default", "--units", 3, "--units", 2)
    results("train", "bars.csv", "--config", "tiny.toml", *options, "--out", "deep")
    forecaster = LSTMForecaster.load("deep")
    assert forecaster.settings.units == (3, 2)
    assert forecaster.settings.lookback == 10
    assert "NATR_14" in forecaster.features.names


def test_a_model_is_replaced_by_one_of_the_same_settings_and_of_others_only_by_force(
    results, refusal, here, model_folder
):
    shutil.copytree(model_folder, "model")
    words = ("train", "bars.csv", "--config", "tiny.toml")
    message = refusal(*words)
    assert "--out model holds a model with other features, which stays. Choose a fresh" in message
    assert "replace it with --force" in message
    results(*words, "--force", "--end", "2001-10")
    assert "a model with other units, which stays" in refusal(*words, "--units", 3)
    results(*words, "--start", "2001-02", "--end", "2001-11")
    assert LSTMForecaster.load("model").training_end == pd.Timestamp("2001-11-30")
    assert names_in(here) == ["bars.csv", "model", "tiny.toml"]


def test_a_model_that_finds_no_room_leaves_the_earlier_one_and_its_picture(
    run, here, model_folder, monkeypatch
):
    shutil.copytree(model_folder, "model")
    Path("model/training.png").write_text("of the earlier model")
    before = {path.name: path.read_bytes() for path in Path("model").iterdir()}

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("matplotlib.image.imsave", fail)
    outcome = run("train", "bars.csv", "--config", "tiny.toml", "--force")
    assert outcome.code == 2
    assert "can't be used: No space left on device. Make room" in outcome.err
    assert {path.name: path.read_bytes() for path in Path("model").iterdir()} == before


MISUSES = {
    "unknown preset": (
        ("--preset", "magic"),
        r"--preset must be one of default, .*, got 'magic'",
    ),
    "units of text": (("--units", "many"), "--units must be a whole number"),
    "units of zero": (("--units", 0), "--units must be at least 1, got 0"),
    "epochs of zero": (("--epochs", 0), "--epochs must be at least 1, got 0"),
    "a folder with other files": (
        ("--out", "thesis"),
        "--out thesis exists and isn't a saved model, so it isn't overwritten",
    ),
    "the folder that the user is in": (("--out", "."), "--out . is the folder that you are in"),
    "no such configuration": (
        ("--config", "gone.toml"),
        "--config gone.toml: there is no such file",
    ),
}


@pytest.mark.parametrize("misuse", MISUSES)
def test_a_misuse_is_refused_before_the_training(refusal, misuse):
    words, message = MISUSES[misuse]
    Path("thesis").mkdir()
    Path("thesis/model.json").write_text('{"format": "layers-model"}')
    assert re.search(message, refusal("train", "bars.csv", *words))
