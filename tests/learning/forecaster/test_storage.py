"""A forecaster as a folder: whole or not at all, and never trusted."""

import json
import math
import os
import shutil
import subprocess
import sys
import threading

import numpy as np
import pandas as pd
import pytest
from made_up import SMALL_FEATURES, random_walk

from lstm_strategy import LSTMForecaster, LSTMStrategyError
from lstm_strategy.bars import bars_fingerprint
from lstm_strategy.learning.forecaster.model_card import ModelCard
from lstm_strategy.learning.forecaster.storage import digest_described
from lstm_strategy.learning.targets import SignalScale
from lstm_strategy.support import seal, sha256_of

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
    assert set(SignalScale.model_fields) == card["signal"].keys()
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
        "check.json", "history.csv", "model.json", "network.keras", "network.onnx", "novelty.json",
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


def edit_card(folder, change):
    """Change a card as someone would who knows how it is sealed."""
    card = json.loads((folder / "model.json").read_text())
    change(card)
    (folder / "model.json").write_text(json.dumps(seal(card)))


def edited(**changes):
    return lambda folder: edit_card(folder, lambda card: card.update(changes))


def edited_within(part, **changes):
    return lambda folder: edit_card(folder, lambda card: card[part].update(changes))


def unsealed(**changes):
    def edit(folder):
        card = json.loads((folder / "model.json").read_text())
        (folder / "model.json").write_text(json.dumps(card | changes))

    return edit


def with_file(name, content, field=None):
    """Put another content into a file, with its digest in the card."""

    def write(folder):
        (folder / name).write_bytes(content)
        if field is not None:
            edited(**{field: sha256_of(content)})(folder)

    return write


def with_check(**changes):
    def write(folder):
        check = json.loads((folder / "check.json").read_text())
        content = json.dumps(check | changes).encode()
        with_file("check.json", content, "check_sha256")(folder)

    return write


def with_features(**changes):
    """Change the features in the card, and what check.json says of the card."""

    def write(folder):
        edited_within("features", **changes)(folder)
        card = json.loads((folder / "model.json").read_text())
        with_check(card=digest_described(card))(folder)

    return write


def in_place_of(name, make):
    def replace(folder):
        (folder / name).unlink()
        make(folder / name)

    return replace


def make_sparse(path, *, n_bytes=2**40):
    with path.open("wb") as file:
        file.truncate(n_bytes)


def make_zeros(path):
    """Far below a gigabyte, and far above a network of four units and two members."""
    make_sparse(path, n_bytes=2**26)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        pytest.param(shutil.rmtree, "No model at", id="missing folder"),
        pytest.param(lambda f: (f / "network.keras").unlink(), "network.keras is miss", id="half"),
        pytest.param(lambda f: (f / "model.json").unlink(), "model.json is missing", id="no card"),
        pytest.param(lambda f: (f / "check.json").unlink(), "it is missing", id="no forecasts"),
        pytest.param(with_file("model.json", b"{"), "readable JSON", id="torn card"),
        pytest.param(with_file("model.json", b"[" * 10**5), "too deep", id="nested card"),
        pytest.param(with_file("model.json", b"[1]"), "holds no names", id="card without names"),
        pytest.param(
            with_file("model.json", b'{"format": 3, "format": 3}'), "is there twice", id="twice"
        ),
        pytest.param(with_file("model.json", b'{"width": NaN}'), "isn't finite", id="NaN in card"),
        pytest.param(
            edited(format=1),
            r"saved by lstm-strategy 0\.1\.0 in format 1.*Train it again, or install the version",
            id="another version",
        ),
        pytest.param(
            edited(format=2, versions={"lstm-strategy": "1; rm -rf ~"}),
            "lstm-strategy==unknown",
            id="a command for a version",
        ),
        pytest.param(unsealed(created="2020-01-01T00:00:00Z"), "sha256 differs", id="not sealed"),
        pytest.param(edited(signal={"width": 1}), "signal.threshold", id="field missing"),
        pytest.param(edited_within("signal", width=0), "signal.width must", id="width of zero"),
        pytest.param(edited_within("signal", width=9), "another model.json", id="other width"),
        pytest.param(
            edited_within("signal", confidence=2), "signal.confidence must", id="too sure"
        ),
        pytest.param(
            edited_within("training", end="2024-01-01T00:00:00"), "another model.json", id="later"
        ),
        pytest.param(edited_within("settings", lookback=11), "another model.json", id="lookback"),
        pytest.param(edited_within("settings", members=3), "members=3", id="other members"),
        pytest.param(
            edited_within("training", end="1999-01-01T00:00:00"), "follow each other", id="ends"
        ),
        pytest.param(edited_within("training", end=5), "training.end must", id="end as a number"),
        pytest.param(edited_within("memory", bars=10**9), "memory.bars", id="endless memory"),
        pytest.param(
            edited_within("settings", horizon=401), "settings.horizon must be at most", id="horizon"
        ),
        pytest.param(
            with_features(specs=[{"kind": "rsi"}], columns=[[{"name": "RSI"}]]),
            "1 features, and check.json 3",
            id="other features",
        ),
        pytest.param(
            with_features(columns=[[{"name": "RSI_5", "memory": "long"}]]),
            "features are damaged.*memory",
            id="a memory in words",
        ),
        pytest.param(
            with_features(library="malware"), "no feature library 'malware'", id="no library"
        ),
        pytest.param(with_features(columns=[]), "more features or fewer", id="no columns"),
        pytest.param(
            with_features(library_version="0.0.1"),
            "pandas-ta.* 0.0.1.*Install",
            id="another feature library",
        ),
        pytest.param(with_file("network.keras", b"PK"), "sha256 differs", id="other network"),
        pytest.param(with_check(rows=[[1, 2], [3]]), "check.json is damaged", id="ragged rows"),
        pytest.param(with_check(rows=[[1, 2]] * 24), "and check.json 2", id="other rows"),
        pytest.param(
            with_check(forecasts=[[0.5, 0.5]] * 24), "others, up to", id="other forecasts"
        ),
        pytest.param(in_place_of("model.json", os.mkfifo), "a regular file", id="pipe"),
        pytest.param(
            in_place_of("network.keras", lambda path: path.symlink_to("/dev/zero")),
            "a regular file",
            id="device",
        ),
        pytest.param(in_place_of("network.onnx", make_sparse), "larger than", id="sparse"),
        pytest.param(in_place_of("network.keras", make_zeros), "larger than", id="zeros"),
    ],
)
def test_a_damaged_model_is_refused_with_a_remedy(model_folder, tmp_path, damage, message):
    folder = damaged(model_folder, tmp_path, damage)
    with pytest.raises(LSTMStrategyError, match=message):
        LSTMForecaster.load(folder)


@pytest.mark.parametrize("name", ["model.json", "network.keras", "network.onnx", "check.json"])
def test_a_file_of_a_model_that_is_a_link_out_of_its_folder_is_refused(
    model_folder, tmp_path, name
):
    folder = shutil.copytree(model_folder, tmp_path / "model")
    (folder / name).rename(tmp_path / name)
    (folder / name).symlink_to(tmp_path / name)
    with pytest.raises(LSTMStrategyError, match="leads out of the folder"):
        LSTMForecaster.load(folder)


def test_a_model_behind_a_link_is_loaded(model_folder, tmp_path):
    (tmp_path / "newest").symlink_to(model_folder)
    assert LSTMForecaster.load(tmp_path / "newest").card.network_sha256


def test_epochs_that_an_earlier_version_counted_from_0_begin_at_1(trained, tmp_path):
    earlier = trained.with_memory("carry")
    earlier.history = trained.history.assign(epoch=trained.history["epoch"] - 1)
    read = LSTMForecaster.load(earlier.save(tmp_path / "model")).history
    assert read["epoch"].tolist() == trained.history["epoch"].tolist()
    assert read["epoch"].min() == 1


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda f: (f / "history.csv").unlink(), id="missing"),
        pytest.param(with_file("history.csv", b"member,epoch,loss,val_loss\n1,1,9,9"), id="other"),
        pytest.param(in_place_of("history.csv", os.mkfifo), id="pipe"),
    ],
)
def test_a_history_that_was_lost_is_empty(model_folder, tmp_path, damage):
    assert LSTMForecaster.load(damaged(model_folder, tmp_path, damage)).history.empty


def with_network(build, *, forges_forecasts=False):
    """Put another network in place of the trained one, with all digests right."""

    def plant(folder):
        from lstm_strategy.learning.network import build_scaling, join_members, keras

        keras.utils.set_random_seed(0)
        rows = np.array(json.loads((folder / "check.json").read_text())["rows"], "float32")
        network = build(keras, lambda *members: join_members(build_scaling(rows), members))
        network.save(folder / "network.keras")
        content = (folder / "network.keras").read_bytes()
        with_file("network.keras", content, "network_sha256")(folder)
        if forges_forecasts:
            forecasts = keras.ops.convert_to_numpy(network(rows[None]))[0]
            with_check(forecasts=forecasts.tolist())(folder)

    return plant


def member_of(keras, *layers):
    inputs = keras.Input((None, 3))
    outputs = inputs
    for layer in layers:
        outputs = layer(outputs)
    return keras.Model(inputs, keras.layers.Dense(1, "sigmoid")(outputs))


def build_bidirectional(keras, join):
    both = keras.layers.Bidirectional(keras.layers.GRU(2, return_sequences=True))
    return join(member_of(keras, both), member_of(keras))


@pytest.mark.parametrize(
    ("plant", "message"),
    [
        pytest.param(
            with_network(lambda keras, _: member_of(keras, keras.layers.Lambda(lambda x: -x))),
            "a lambda|can't be read by Keras",
            id="code",
        ),
        pytest.param(
            with_network(lambda keras, _: member_of(keras)), "that this package trains", id="Dense"
        ),
        pytest.param(
            with_network(lambda keras, join: join(member_of(keras))),
            "of the shape",
            id="one member",
        ),
        pytest.param(
            with_network(lambda keras, join: join(member_of(keras), member_of(keras))),
            "others, up to",
            id="other weights",
        ),
        pytest.param(
            with_network(build_bidirectional, forges_forecasts=True),
            "others, up to",
            id="looks ahead",
        ),
    ],
)
def test_another_network_is_refused_even_with_matching_digests(
    model_folder, tmp_path, plant, message
):
    folder = damaged(model_folder, tmp_path, plant)
    with pytest.raises(LSTMStrategyError, match=message):
        LSTMForecaster.load(folder, engine="keras")


def test_the_keras_network_of_a_model_that_runs_in_onnx_is_checked_once_it_is_read(
    model_folder, tmp_path
):
    plant = with_network(lambda keras, join: join(member_of(keras), member_of(keras)))
    forecaster = LSTMForecaster.load(damaged(model_folder, tmp_path, plant), engine="onnx")
    with pytest.raises(LSTMStrategyError, match="others, up to"):
        _ = forecaster.keras_model


def test_a_model_is_read_as_one_version_while_it_is_saved_again(trained, tmp_path):
    folder = trained.save(tmp_path / "model")
    other = trained.with_memory("window", lookback=7)
    is_done = threading.Event()

    def save_again():
        for turn in range(60):
            (other if turn % 2 else trained).save(folder)
        is_done.set()

    writer = threading.Thread(target=save_again)
    writer.start()
    lookbacks = set()
    while not is_done.is_set():
        lookbacks.add(LSTMForecaster.load(folder, engine="onnx").settings.lookback)
    writer.join()
    assert lookbacks <= {7, trained.settings.lookback}


def test_a_score_that_could_not_be_computed_survives_the_card(trained):
    scores = trained.card.validation_scores | {"auc": math.nan}
    card = trained.card.model_copy(update={"validation_scores": scores})
    again = ModelCard.model_validate_json(card.model_dump_json())
    assert math.isnan(again.validation_scores["auc"])
    assert again.validation_scores["log_loss"] == scores["log_loss"]
