"""A network from the bytes of a `.keras` file, which may come from a stranger."""

import io
import math
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import h5py

from lstm_strategy.errors import ModelError, lacks_memory
from lstm_strategy.learning.network.keras_import import check_not_forked, keras, usual_precision
from lstm_strategy.support import parse_json, temporary_folder

_CONFIG_FILE = "config.json"
_WEIGHTS_FILE = "model.weights.h5"
_FILES = {_CONFIG_FILE, "metadata.json", _WEIGHTS_FILE}
_LARGEST_CONFIG = 16 * 2**20
_LARGEST_NUMBER = 65_536  # units, paddings, repetitions
_LENGTHENING = ("UpSampling", "RepeatVector", "Conv1DTranspose")  # a thousand rows of one
_ANY_NUMBER = ("seed", "shared_object_id")

_DEEPEST, _MOST_PARTS = 32, 100_000  # of groups of weights

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
        if lacks_memory(error):
            raise
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
    # the code of an activation; a number is that of an initializer
    is_code = config.keys() == {"value"} and not isinstance(config["value"], int | float)
    if kind == "__lambda__" or is_code:
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
        _check_config(parse_json(archive.read(_CONFIG_FILE)))
        _check_weights(archive.read(_WEIGHTS_FILE))


def _check_config(config: Any) -> None:
    unread = [config]
    while unread:
        part = unread.pop()
        if isinstance(part, dict):
            if str(part.get("class_name")).startswith(_LENGTHENING):
                raise ValueError(f"it has a layer {part['class_name']:.30}, which adds rows")
            unread += [value for name, value in part.items() if name not in _ANY_NUMBER]
        elif isinstance(part, list):
            unread += part
        elif isinstance(part, int) and abs(part) > _LARGEST_NUMBER:
            raise ValueError(f"{_CONFIG_FILE} has the number {part}")


def _check_weights(content: bytes) -> None:
    """Refuse weights that aren't all in the file itself, as plain numbers.

    HDF5 can take numbers from other files, unpack a few bytes to terabytes, or name numbers that
    are nowhere. Keras writes none of that.
    """
    n_parts, left = 0, len(content)
    with h5py.File(io.BytesIO(content), "r") as file:
        unread = [(file["/"], 0)]
        while unread:
            group, depth = unread.pop()
            for name in group:
                n_parts += 1
                if depth > _DEEPEST or n_parts > _MOST_PARTS:
                    raise ValueError("its weights are nested too deep")
                if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                    raise ValueError(f"its weights {name!r:.100} lie elsewhere")
                part = group[name]
                if isinstance(part, h5py.Group):
                    unread.append((part, depth + 1))
                    continue
                left -= _count_bytes(part)
                if left < 0:
                    raise ValueError(f"its weights {name!r:.100} aren't in the file")


def _count_bytes(weights: h5py.Dataset) -> int:
    is_plain = weights.chunks is None and not (weights.external or weights.is_virtual)
    n_bytes = int(weights.nbytes)
    if not is_plain or weights.id.get_storage_size() < n_bytes:
        raise ValueError(f"its weights {weights.name!r:.100} aren't in the file")
    return n_bytes


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
