"""The one place that imports Keras, quietly: `keras` and its `layers`."""

import gc
import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lstm_strategy.errors import ModelError, SettingsError, lacks_memory


@contextmanager
def _silence_standard_error() -> Iterator[None]:
    """Silence what TensorFlow's C++ side writes while it loads, before its own log level counts."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stderr.flush()
    kept = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _describe_failure(error: Exception) -> str:
    """What keeps Keras from being loaded, and what to do about it."""
    file, stored = _read_settings()
    reason = next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")
    if not isinstance(stored, dict) or " configuration. " in reason:
        return (
            f"Keras can't be loaded with what {file} says: {reason}. Correct or delete that file."
        )
    backend = "tensorflow (its default)"
    if stored.get("backend"):
        backend = f"{stored['backend']} (by {file})"
    if os.environ.get("KERAS_BACKEND"):
        backend = f"{os.environ['KERAS_BACKEND']} (by the variable KERAS_BACKEND)"
    return (
        f"Keras can't be loaded with the backend {backend}: {reason}. Install that backend, or "
        "name one that is installed: KERAS_BACKEND=tensorflow, jax or torch. A saved model with "
        "network.onnx forecasts without Keras."
    )


def _read_settings() -> tuple[Path | None, Any]:
    """The file of Keras' settings, and what it says; nothing where Keras reads none."""
    try:
        file = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "keras.json"
        return file, json.loads(file.read_text())
    except (OSError, ValueError, RuntimeError):  # no such file, or no home
        return None, {}


@contextmanager
def _pause_collection() -> Iterator[None]:
    """Look for no garbage: what is imported stays, and would be looked through again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


with _silence_standard_error(), _pause_collection():
    try:
        import keras
        from keras import layers
    except Exception as error:  # Keras raises whatever the backend does
        if lacks_memory(error):
            raise
        raise SettingsError(_describe_failure(error)) from None

    if keras.backend.backend() == "tensorflow":
        keras.distribution.list_devices()  # the search for GPUs writes notes of its own


@contextmanager
def usual_precision() -> Iterator[None]:
    """Let Keras compute in float32 inside the block, whatever it was told for other networks.

    Mixed precision in a notebook, or `floatx` and `epsilon` in keras.json, would otherwise change
    or break a training of ours.

    Example:
        >>> with usual_precision():
        ...     keras.config.floatx()
        'float32'
    """
    floatx, epsilon = keras.config.floatx(), keras.config.epsilon()
    policy = keras.config.dtype_policy()
    _set_precision("float32", 1e-7, "float32")
    try:
        yield
    finally:
        _set_precision(floatx, epsilon, policy)


def _set_precision(floatx: str, epsilon: float, policy: Any) -> None:
    keras.config.set_floatx(floatx)
    keras.config.set_epsilon(epsilon)
    keras.config.set_dtype_policy(policy)


def _is_worth_logging(record: logging.LogRecord) -> bool:
    """False for TensorFlow's warning at every fifth network that it is traced again: it must be."""
    return "triggered tf.function retracing" not in str(record.msg)


logging.getLogger("tensorflow").addFilter(_is_worth_logging)

_IMPORTED_IN = os.getpid()


def check_not_forked() -> None:
    """Refuse to use Keras in a fork of the process that loaded it, where it would hang.

    Raises:
        ModelError: In such a fork, as `optstrategy` and `multiprocessing` make them on Linux.

    Example:
        >>> check_not_forked()
    """
    if os.getpid() != _IMPORTED_IN:
        raise ModelError(
            "This process is a fork of one that has loaded Keras, which would hang here. Use "
            "bt.Cerebro(maxcpus=1) for optstrategy; or save the model and run it from its folder "
            "with ONNX Runtime, in a script that doesn't train; or call multiprocessing."
            'set_start_method("spawn") at the beginning.'
        )


__all__ = ["check_not_forked", "keras", "layers", "usual_precision"]
