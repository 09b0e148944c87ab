"""Files of models: the folder, its networks, and the checkpoint of a stream."""

import json
import random
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from lstm_strategy import LSTMForecaster, LSTMStrategyError
from lstm_strategy.learning.forecaster.storage import digest_described
from lstm_strategy.support import seal, sha256_of
from tools.fuzz.mutations import damage_bytes, damage_json, damage_value, damage_zip
from tools.fuzz.readers.reader import BARS, Damage, Reader, damaged_file

FEATURES = [
    {"kind": "log_return", "length": 1},
    {"kind": "rsi", "length": 5},
    {"kind": "relative_volume", "length": 5},
]
IN_KERAS: dict[str, Damage] = {
    "config.json": damage_json,
    "metadata.json": damage_json,
    "model.weights.h5": damage_bytes,
}


def damage_keras(content: bytes, chance: random.Random) -> bytes:
    """A network of Keras with its settings or weights damaged."""
    return damage_zip(content, chance, IN_KERAS)


DIGESTS = {
    "network.keras": "network_sha256",
    "network.onnx": "onnx_sha256",
    "check.json": "check_sha256",
    "history.csv": "history_sha256",
}
DAMAGES: dict[str, Damage] = {"network.keras": damage_keras, "check.json": damage_json}


@cache
def model() -> LSTMForecaster:
    """A small model, trained in seconds."""
    forecaster = LSTMForecaster(FEATURES, units=(6,), lookback=10, epochs=3, members=2, seed=5)
    return forecaster.fit(BARS, progress=False)


@cache
def model_files() -> dict[str, bytes]:
    """The files of its folder."""
    with tempfile.TemporaryDirectory() as folder:
        saved = model().save(Path(folder) / "model")
        return {file.name: file.read_bytes() for file in saved.iterdir()}


def write_model(folder: Path, chance: random.Random) -> None:
    """A model whose card or one of whose files is damaged, mostly with digests that match."""
    files = dict(model_files())
    name = chance.choice(["model.json", "model.json", *DIGESTS])
    card = json.loads(files["model.json"])
    if name == "model.json":
        card = damage_value(card, chance)
    else:
        files[name] = DAMAGES.get(name, damage_bytes)(files[name], chance)
        card[DIGESTS[name]] = sha256_of(files[name])
    if isinstance(card, dict) and chance.random() < 0.97:
        if name == "model.json":
            check = json.loads(files["check.json"]) | {"card": digest_described(card)}
            files["check.json"] = json.dumps(check).encode()
            card["check_sha256"] = sha256_of(files["check.json"])
        card = seal(card)
    files["model.json"] = json.dumps(card).encode()
    for each, content in files.items():
        (folder / each).write_bytes(content)


def read_model(folder: Path) -> object:
    """Load a model and forecast a few bars."""
    return LSTMForecaster.load(folder).forecast(BARS.iloc[:60])


def read_keras(folder: Path) -> object:
    """Read a network of Keras."""
    from lstm_strategy.learning.network import read_network

    return read_network((folder / "network.keras").read_bytes(), saved_with="3")


def read_onnx(folder: Path) -> object:
    """Read an ONNX model, and run it if it is one."""
    from lstm_strategy.learning.inference import OnnxEngine

    engine = OnnxEngine((folder / "network.onnx").read_bytes())
    try:
        rows = np.zeros((1, 9, len(FEATURES)), np.float32)
        return engine.scan(rows, engine.initial_state(1))
    except Exception as error:  # the forecaster compares stored forecasts, and says what differs
        raise LSTMStrategyError(str(type(error))) from None


@cache
def checkpoint() -> bytes:
    """The checkpoint of a stream."""
    with tempfile.TemporaryDirectory() as folder:
        path = model().stream(BARS.iloc[:60]).checkpoint(Path(folder) / "checkpoint")
        return Path(path).read_bytes()


def write_checkpoint(folder: Path, chance: random.Random) -> None:
    """A checkpoint whose first line or numbers are damaged, mostly with digests that match."""
    if chance.random() < 0.1:
        (folder / "checkpoint").write_bytes(damage_bytes(checkpoint(), chance))
        return
    line, _, numbers = checkpoint().partition(b"\n")
    header = json.loads(line)
    if chance.random() < 0.2:
        numbers = damage_bytes(numbers, chance)
        header["arrays_sha256"] = sha256_of(numbers)
    else:
        part = chance.choice(["state", "state", "arrays", None])
        damaged = damage_value(header if part is None else header[part], chance)
        header = damaged if part is None else header | {part: damaged}
    first = seal(header) if isinstance(header, dict) else header
    (folder / "checkpoint").write_bytes(json.dumps(first).encode() + b"\n" + numbers)


def read_checkpoint(folder: Path) -> object:
    """Resume a stream, and hand it a bar."""
    stream = model().resume(folder / "checkpoint")
    return stream.update({"datetime": BARS.index[200], **BARS.iloc[200]})


MODEL_READERS = {
    "checkpoint": Reader(write_checkpoint, read_checkpoint, is_fast=False),
    "onnx": Reader(
        damaged_file("network.onnx", lambda: model_files()["network.onnx"]),
        read_onnx,
        is_fast=False,
    ),
    "keras": Reader(
        damaged_file("network.keras", lambda: model_files()["network.keras"], damage_keras),
        read_keras,
        is_fast=False,
    ),
    "model": Reader(write_model, read_model, is_fast=False),
}
