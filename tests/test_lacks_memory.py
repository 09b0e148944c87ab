"""Memory that runs out is told apart from what is damaged or wrong."""

import errno
import os

import keras
import onnxruntime
import pytest
import tensorflow as tf
from made_up import SMALL_FEATURES, random_walk

from lstm_strategy import FeatureSet
from lstm_strategy.errors import lacks_memory
from lstm_strategy.learning.inference import OnnxEngine
from lstm_strategy.learning.network import build_lstm_member, read_network
from lstm_strategy.support import frame_from_feather, frame_from_parquet


def out_of_memory_on_a_device():
    return tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        out_of_memory_on_a_device(),
        OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)),
        ImportError("libtensorflow_cc.so.2: failed to map segment from shared object"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_says_that_memory_ran_out_is_known(error):
    assert lacks_memory(error)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("the column 'out of memory' has no number"),
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        ModuleNotFoundError("No module named 'jax'"),
        RuntimeError("shapes differ"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_says_something_else_is_not_taken_for_it(error):
    assert not lacks_memory(error)


def as_bytes(tmp_path, write):
    write(tmp_path / "file")
    return (tmp_path / "file").read_bytes()


def read_parquet_file(tmp_path):
    frame_from_parquet(as_bytes(tmp_path, random_walk(9).to_parquet))


def read_feather_file(tmp_path):
    frame_from_feather(as_bytes(tmp_path, random_walk(9).reset_index().to_feather))


def read_keras_file(tmp_path):
    member = build_lstm_member(2, units=(2,), dropout=0.0, lookback=5, seed=0)
    member.save(tmp_path / "a.keras")
    read_network((tmp_path / "a.keras").read_bytes(), saved_with=keras.__version__)


def compute_a_feature(tmp_path):
    FeatureSet(SMALL_FEATURES).frame(random_walk(60))


FEATURES = "lstm_strategy.learning.features"
PLACES = {
    "a Parquet file": (read_parquet_file, "pandas.read_parquet"),
    "a Feather file": (read_feather_file, "pandas.read_feather"),
    "a network": (read_keras_file, "keras.saving.load_model"),
    "a feature": (compute_a_feature, f"{FEATURES}.indicators._silence_on_one_bar"),
}


@pytest.mark.parametrize(("use", "name"), PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("error", [MemoryError(), out_of_memory_on_a_device()], ids=["RAM", "GPU"])
def test_nothing_is_called_damaged_where_memory_ran_out(tmp_path, monkeypatch, use, name, error):
    use(tmp_path)

    def fail(*_, **__):
        raise error

    monkeypatch.setattr(name, fail)
    with pytest.raises(type(error)) as raised:
        use(tmp_path)
    assert raised.value is error


def test_an_onnx_model_is_not_called_unreadable_where_memory_ran_out(monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("std::bad_alloc")

    monkeypatch.setattr("lstm_strategy.learning.inference.onnx_engine.check_onnx", lambda _: None)
    monkeypatch.setattr(onnxruntime, "InferenceSession", fail)
    with pytest.raises(RuntimeError, match="bad_alloc"):
        OnnxEngine(b"")
