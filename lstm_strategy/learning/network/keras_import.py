"""The one place that imports Keras, quietly: `keras` and its `layers`."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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

__all__ = ["keras", "layers"]
