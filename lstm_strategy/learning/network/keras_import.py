"""The one place that imports Keras, quietly: `keras` and its `layers`."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lstm_strategy.errors import ModelError


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


with _silence_standard_error():
    import keras
    from keras import layers

    if keras.backend.backend() == "tensorflow":
        keras.distribution.list_devices()  # the search for GPUs writes notes of its own


def _is_worth_logging(record: logging.LogRecord) -> bool:
    """False for TensorFlow's warning at every fifth network that it traces it anew: it must."""
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


__all__ = ["check_not_forked", "keras", "layers"]
