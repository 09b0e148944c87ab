"""A network from the bytes of a `.keras` file, which may come from a stranger."""

import io
import math
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lstm_strategy.errors import ModelError
from lstm_strategy.learning.network.keras_import import check_not_forked, keras, usual_precision
from lstm_strategy.support import parse_json, temporary_folder

_CONFIG_FILE = "config.json"
_FILES = {_CONFIG_FILE, "metadata.json", "model.weights.h5"}
_LARGEST_CONFIG = 16 * 2**20
_LARGEST_NUMBER = 65_536  # units, paddings, repetitions
_ANY_NUMBER = ("seed", "shared_object_id")

LAMBDA = "a lambda"

_one_at_a_time = threading.Lock()


def read_network(content: bytes, *, saved_with: str) -> keras.Model:
    """Read a network that Keras saved; no code from the file is run.

    Args:
        content: The bytes of a `.keras` file.
        saved_with: The version of Keras that wrote it, for the message.

    Raises:
        ModelError: If Keras can't read it, or if it would take more memory than its file does.

    Example:
        >>> try:
        ...     read_network(b"no archive", saved_with="3.15.1")
        ... except ModelError as error:
        ...     print(str(error).partition(";")[2].strip())
        train the model again.
    """
    check_not_forked()
    try:
        _check_archive(content)
        with temporary_folder("network") as folder:
            path = folder / "network.keras"
            path.write_bytes(content)
            with _one_at_a_time, usual_precision(), _bounded_weights(len(content)):
                return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        unknown = _find_unregistered_in(content)
        if unknown not in (None, LAMBDA):
            raise ModelError(
                f"network.keras holds {unknown!r:.100}, which isn't registered with Keras here. "
                "Import the module that defines it before you load the model."
            ) from error
        raise ModelError(
            f"network.keras can't be read by Keras {keras.__version__}: "
            f"{(str(error) or type(error).__name__).splitlines()[0]}. It was saved with Keras "
            f"{saved_with}; train the model again."
        ) from error


def find_unregistered(config: Any) -> str | None:
    """The name of the first thing in a network's configuration that Keras couldn't find.

    Args:
        config: What `get_config` and `serialize_keras_object` of Keras give.

    Returns:
        A class or a function that isn't registered, or `LAMBDA`; None where all is known.

    Example:
        >>> find_unregistered({"module": None, "class_name": "Mine", "registered_name": "Mine"})
        'Mine'
    """
    if isinstance(config, list | tuple):
        return next(filter(None, map(find_unregistered, config)), None)
    if not isinstance(config, dict):
        return None
    kind, name = config.get("class_name"), config.get("registered_name")
    if kind == "__lambda__" or config.keys() == {"value"}:  # the code of an activation
        return LAMBDA
    if kind == "function" and isinstance(config.get("config"), str):
        name = config["config"]
    is_own = isinstance(name, str) and not str(config.get("module")).startswith("keras")
    if is_own and keras.saving.get_registered_object(name) is None:
        return name
    return find_unregistered(list(config.values()))


def _find_unregistered_in(content: bytes) -> str | None:
    try:
        _check_archive(content)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return find_unregistered(parse_json(archive.read(_CONFIG_FILE)))
    except Exception:  # it isn't the archive that Keras writes
        return None


def _check_archive(content: bytes) -> None:
    """Refuse what would grow when it is unpacked, and numbers that aren't part of a network."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = archive.infolist()
        is_grown = sum(file.file_size for file in files) > len(content)
        if is_grown or {file.filename for file in files} != _FILES or len(files) > len(_FILES):
            raise ValueError("it isn't the archive that Keras writes")
        if archive.getinfo(_CONFIG_FILE).file_size > _LARGEST_CONFIG:
            raise ValueError(f"{_CONFIG_FILE} is larger than any network's")
        _check_numbers(parse_json(archive.read(_CONFIG_FILE)))


def _check_numbers(config: Any) -> None:
    unread = [config]
    while unread:
        part = unread.pop()
        if isinstance(part, dict):
            unread += [value for name, value in part.items() if name not in _ANY_NUMBER]
        elif isinstance(part, list):
            unread += part
        elif isinstance(part, int) and abs(part) > _LARGEST_NUMBER:
            raise ValueError(f"{_CONFIG_FILE} has the number {part}")


@contextmanager
def _bounded_weights(most: int) -> Iterator[None]:
    """Let no network be built that has more weights than its file has bytes.

    Keras makes the weights, at random, before it reads them.
    """
    add_weight, thread, left = keras.Layer.add_weight, threading.get_ident(), most

    def add_bounded(layer: Any, *arguments: Any, **named: Any) -> Any:
        nonlocal left
        if threading.get_ident() == thread:
            shape = named.get("shape") or (arguments[0] if arguments else ())
            left -= math.prod(shape)
            if left < 0:
                raise ValueError("it asks for more weights than its file holds")
        return add_weight(layer, *arguments, **named)

    keras.Layer.add_weight = add_bounded
    try:
        yield
    finally:
        keras.Layer.add_weight = add_weight
