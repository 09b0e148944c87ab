"""A forecaster as a folder: whole or not at all, and never trusted."""

import json
import math
import shutil
import subprocess
import sys

import pandas as pd
import pytest
from made_up import SMALL_FEATURES, random_walk

from lstm_strategy import LSTMForecaster, LSTMStrategyError
from lstm_strategy.bars import bars_fingerprint
from lstm_strategy.learning.forecaster.model_card import ModelCard
from lstm_strategy.support import sha256_of

BARS = random_walk(160, seed=3)


def test_a_reloaded_forecaster_gives_the_same_numbers(trained, model_folder):
    again = LSTMForecaster.load(model_folder)
    pd.testing.assert_frame_equal(again.forecast(BARS), trained.forecast(BARS))
    assert again.card.network_sha256
    assert again.settings == trained.settings
    pd.testing.assert_frame_equal(again.history, trained.history, check_dtype=False)


def test_a_forecaster_in_a_new_process_gives_the_same_numbers(trained, model_folder, tmp_path):
    BARS.to_csv(tmp_path / "bars.csv")
    code = (
        "from lstm_strategy import LSTMForecaster, load_bars\n"
        f"bars = load_bars({str(tmp_path / 'bars.csv')!r})\n"
        f"frame = LSTMForecaster.load({str(model_folder)!r}).forecast(bars)\n"
        f"frame.to_pickle({str(tmp_path / 'frame.pkl')!r})\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    there = pd.read_pickle(tmp_path / "frame.pkl")
    pd.testing.assert_frame_equal(
        there, trained.forecast(BARS), atol=1e-6, check_freq=False, check_index_type=False
    )


def test_the_model_card_says_where_the_model_came_from(trained, model_folder):
    card = json.loads((model_folder / "model.json").read_text())
    bars = random_walk(400)
    assert card["training"]["sha256"] == bars_fingerprint(bars)
    assert card["training"]["n_bars"] == 400
    assert pd.Timestamp(card["training"]["start"]) == bars.index[0]
    assert pd.Timestamp(card["training"]["end"]) == bars.index[-1] == trained.training_end
    assert {"keras", "numpy", "lstm-strategy"} <= card["versions"].keys()
    assert {"threshold", "width"} == card["signal"].keys()
    assert {"log_loss", "auc", "accuracy", "n_rows"} == card["validation_scores"].keys()
    assert card["settings"]["seed"] == 5
    assert [spec["kind"] for spec in card["features"]["specs"]] == [
        spec["kind"] for spec in SMALL_FEATURES
    ]


def test_saving_again_replaces_the_model_and_leaves_nothing_behind(trained, tmp_path):
    for _ in range(2):
        trained.save(tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == [
        "history.csv", "model.json", "network.keras", "network.onnx",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        pytest.param({"chapter.txt": "years of work"}, id="no card"),
        pytest.param({"model.json": '{"format": "layers-model"}', "w.bin": ""}, id="TensorFlow.js"),
        pytest.param({"model.json": "{", "network.keras": "mine"}, id="torn card"),
        pytest.param({"model.json": '{"format": 2, "versions": {}}'}, id="card of others"),
    ],
)
def test_saving_never_overwrites_a_folder_that_is_not_a_model(trained, tmp_path, content):
    folder = tmp_path / "thesis"
    folder.mkdir()
    for name, text in content.items():
        (folder / name).write_text(text)
    with pytest.raises(LSTMStrategyError, match="isn't a saved model"):
        trained.save(folder)
    assert {path.name: path.read_text() for path in folder.iterdir()} == content


def test_saving_over_a_model_leaves_what_else_lies_in_its_folder(trained, tmp_path):
    folder = trained.save(tmp_path / "model")
    (folder / "notes.md").write_text("trained on Sunday")
    (folder / "backtest").mkdir()
    (folder / "backtest" / "metrics.csv").write_text("sharpe,1")
    trained.save(folder)
    assert (folder / "notes.md").read_text() == "trained on Sunday"
    assert (folder / "backtest" / "metrics.csv").read_text() == "sharpe,1"


def test_saving_never_replaces_the_folder_that_the_user_is_in(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in (".", tmp_path):
        with pytest.raises(LSTMStrategyError, match="the folder that you are in"):
            trained.save(folder)


def test_a_failed_save_leaves_the_earlier_model_whole(trained, tmp_path, monkeypatch):
    folder = trained.save(tmp_path / "model")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    monkeypatch.setattr(type(trained.history), "to_csv", _fail_on_full_disk)
    with pytest.raises(OSError, match="No space left"):
        trained.save(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def _fail_on_full_disk(*args, **kwargs):
    raise OSError(28, "No space left on device")


def damaged(folder, tmp_path, damage):
    copy = tmp_path / "model"
    shutil.copytree(folder, copy)
    damage(copy)
    return copy


def _edit_card(**changes):
    def edit(folder):
        card = json.loads((folder / "model.json").read_text())
        card.update(changes)
        (folder / "model.json").write_text(json.dumps(card))

    return edit


def _other_library(folder):
    card = json.loads((folder / "model.json").read_text())
    card["features"]["library_version"] = "0.0.1"
    (folder / "model.json").write_text(json.dumps(card))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        pytest.param(shutil.rmtree, "No model at", id="missing folder"),
        pytest.param(lambda f: (f / "network.keras").unlink(), "network.keras is miss", id="half"),
        pytest.param(lambda f: (f / "model.json").unlink(), "model.json is missing", id="no card"),
        pytest.param(lambda f: (f / "model.json").write_text("{"), "readable JSON", id="torn card"),
        pytest.param(
            _edit_card(format=1),
            r"saved by lstm-strategy 0\.1\.0 in format 1.*Train it again, or install the version",
            id="another version",
        ),
        pytest.param(_edit_card(signal={"width": 1}), "signal.threshold", id="field missing"),
        pytest.param(_other_library, "pandas-ta.* 0.0.1.*Install", id="another feature library"),
        pytest.param(
            lambda f: (f / "network.keras").write_bytes(b"PK"), "sha256 differs", id="tampered"
        ),
    ],
)
def test_a_damaged_model_is_refused_with_a_remedy(model_folder, tmp_path, damage, message):
    folder = damaged(model_folder, tmp_path, damage)
    with pytest.raises(LSTMStrategyError, match=message):
        LSTMForecaster.load(folder)


def test_a_network_with_code_in_it_is_refused_even_with_a_matching_sha256(model_folder, tmp_path):
    from lstm_strategy.learning.network import keras

    def plant(folder):
        inputs = keras.Input((None, 3))
        planted = keras.Model(inputs, keras.layers.Lambda(lambda x: x[..., :1])(inputs))
        planted.save(folder / "network.keras")
        _edit_card(network_sha256=sha256_of((folder / "network.keras").read_bytes()))(folder)

    with pytest.raises(LSTMStrategyError, match=r"can't be read by Keras"):
        LSTMForecaster.load(damaged(model_folder, tmp_path, plant), engine="keras")


def test_a_score_that_could_not_be_computed_survives_the_card(trained):
    scores = trained.card.validation_scores | {"auc": math.nan}
    card = trained.card.model_copy(update={"validation_scores": scores})
    again = ModelCard.model_validate_json(card.model_dump_json())
    assert math.isnan(again.validation_scores["auc"])
    assert again.validation_scores["log_loss"] == scores["log_loss"]
