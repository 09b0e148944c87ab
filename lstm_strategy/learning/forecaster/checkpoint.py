"""The state of a stream as a file: written whole, read as a stranger's.

The first line is JSON: what wrote the file, for which model, the state with a number in place of
each array, and a digest of it all. The numbers of the arrays follow, one array behind the other.
Nothing in it is code, and reading it takes no more memory than the file has bytes.
"""

import json
from collections.abc import Callable, Mapping
from datetime import tzinfo
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from lstm_strategy.errors import ModelError
from lstm_strategy.support import (
    check_zone,
    library_versions,
    name_zone,
    parse_json,
    read_whole,
    seal,
    sha256_of,
    write_whole,
)

FORMAT = 1
_OWN = "lstm-strategy"
_LARGEST_FILE = 2**30
_LARGEST_HEADER = 16 * 2**20
_TYPES = ("<f4", "<f8", "<i8", "|b1")
_UNITS = ("s", "ms", "us", "ns")

Snapshot = Mapping[str, Any]
"""The state of a stream: frames of bars, arrays, times and plain values, in mappings and lists."""

_Restored = TypeVar("_Restored")


def write_checkpoint(path: str | Path, snapshot: Snapshot, *, fingerprint: str | None) -> Path:
    """Write the state of a stream as one file, whole or not at all, and return its path.

    Args:
        path: The file; an earlier one is replaced.
        snapshot: The state.
        fingerprint: That of the model, which alone can go on from the state.

    Raises:
        ModelError: If the model has no fingerprint, or a time is in a zone without a name.
        OSError: If the file can't be written; an earlier one is left as it was.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "stream.checkpoint"
        >>> _ = write_checkpoint(path, {"bars": 3, "state": np.ones(2)}, fingerprint="mine")
        >>> resume_from(path, lambda kept: kept["state"].tolist(), fingerprint="mine")
        [1.0, 1.0]
    """
    if fingerprint is None:
        raise ModelError(
            "A checkpoint is bound to the fingerprint of its model, and this one has none, or was "
            "trained again after the stream had begun. Begin with stream(history) instead."
        )
    arrays: list[np.ndarray] = []
    state = _encode(snapshot, arrays)
    content = b"".join(array.tobytes() for array in arrays)
    header = seal(
        {
            "format": FORMAT,
            "version": _own_version(),
            "fingerprint": fingerprint,
            "state": state,
            "arrays": [[array.dtype.str, list(array.shape)] for array in arrays],
            "arrays_sha256": sha256_of(content),
        }
    )
    return write_whole(path, json.dumps(header).encode() + b"\n" + content)


def resume_from(
    path: str | Path, restore: Callable[[Snapshot], _Restored], *, fingerprint: str | None
) -> _Restored:
    """Restore what `write_checkpoint` wrote.

    Args:
        path: The file.
        restore: Makes a stream of the state.
        fingerprint: That of the model that shall go on.

    Raises:
        ModelError: If there is no such file, it is damaged, or it is of another model or version.
    """
    header, content = _read(Path(path))
    _check_origin(path, header, fingerprint)
    try:
        return restore(_decode(header["state"], _read_arrays(header["arrays"], content)))
    except ModelError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise _damaged(path, repr(error)[:200]) from None


def check_shape(array: Any, shape: tuple[int | None, ...]) -> np.ndarray:
    """Refuse what isn't an array of this shape.

    Args:
        array: What was restored.
        shape: The sizes that it must have; None where any will do.

    Raises:
        ValueError: If it has another shape.
    """
    if not isinstance(array, np.ndarray) or array.ndim != len(shape):
        raise ValueError("an array has too many or too few dimensions")
    if any(size not in (None, of) for size, of in zip(shape, array.shape, strict=True)):
        raise ValueError(f"an array has the shape {array.shape}")
    return array


def _own_version() -> str:
    return library_versions([_OWN]).get(_OWN, "unknown")


def _damaged(path: str | Path, why: str) -> ModelError:
    return ModelError(
        f"{path} isn't a checkpoint of a stream, or is damaged: {why}. Begin with "
        "stream(history) instead."
    )


def _read(path: Path) -> tuple[dict[str, Any], bytes]:
    """The first line, if it is as it was written, and what follows."""
    try:
        whole = read_whole(path, largest=_LARGEST_FILE)
    except FileNotFoundError:
        raise ModelError(
            f"No checkpoint at {path}. Write one with stream.checkpoint(path), or begin with "
            "stream(history)."
        ) from None
    except OSError as error:
        raise _damaged(path, str(error.strerror)) from None
    end = whole.find(b"\n", 0, _LARGEST_HEADER)
    try:
        header = parse_json(whole[: max(end, 0)])
        if not isinstance(header, dict) or header != seal(header):
            raise ValueError("its sha256 differs")
        content = whole[end + 1 :]
        if header.get("format") == FORMAT and header["arrays_sha256"] != sha256_of(content):
            raise ValueError("its sha256 differs")
    except (ValueError, KeyError, RecursionError) as error:
        raise _damaged(path, str(error)[:200]) from None
    return header, content


def _check_origin(path: str | Path, header: dict[str, Any], fingerprint: str | None) -> None:
    written, own = header.get("version"), _own_version()
    if header.get("format") != FORMAT or written != own:
        raise ModelError(
            f"{path} was written by {_OWN} {written!r:.20} in format {header.get('format')!r:.20}, "
            f"and this is {_OWN} {own} with format {FORMAT}. Begin with stream(history) instead."
        )
    if fingerprint is None or header.get("fingerprint") != fingerprint:
        raise ModelError(
            f"{path} is of another model than this one, or of the same with another memory, engine "
            "or library of features. Resume it by the model that wrote it, or begin with "
            "stream(history)."
        )


def _encode(value: Any, arrays: list[np.ndarray]) -> Any:
    """A value as JSON can hold it; arrays are put aside, and their number takes their place."""
    encode = partial(_encode, arrays=arrays)
    if isinstance(value, Mapping):
        return {"map": {name: encode(of) for name, of in value.items()}}
    if isinstance(value, list):
        return [encode(of) for of in value]
    if isinstance(value, pd.Timestamp):
        return {"time": [int(value.asm8.view(np.int64)), value.unit, _name_zone(value.tz)]}
    if isinstance(value, pd.DataFrame):
        index = pd.DatetimeIndex(value.index)
        times = index.asi8, index.unit, _name_zone(index.tz)
        columns = list(value.columns)
        return {"frame": [encode(value.to_numpy(float)), columns, *map(encode, times)]}
    if isinstance(value, np.ndarray):
        arrays.append(np.ascontiguousarray(value, value.dtype.newbyteorder("<")))
        return {"array": len(arrays) - 1}
    return value


def _decode(encoded: Any, arrays: list[np.ndarray]) -> Any:
    """What `_encode` encoded."""
    decode = partial(_decode, arrays=arrays)
    if isinstance(encoded, list):
        return [decode(of) for of in encoded]
    if not isinstance(encoded, dict):
        return encoded
    ((kind, content),) = encoded.items()
    if kind == "map":
        return {name: decode(of) for name, of in content.items()}
    if kind == "array":
        return arrays[content]
    if kind == "time":
        value, unit, zone = content
        return _build_times(np.array([value]), unit, zone)[0]
    if kind == "frame":
        values, columns, times, unit, zone = decode(content)
        index = _build_times(times, unit, zone)
        return pd.DataFrame(check_shape(values, (len(index), len(columns))), index, columns)
    raise ValueError(f"it holds a {kind!r:.20}")


def _build_times(values: np.ndarray, unit: str, zone: str | None) -> pd.DatetimeIndex:
    if unit not in _UNITS:
        raise ValueError("a time has no unit")
    times = pd.DatetimeIndex(check_shape(values, (None,)).view(f"M8[{unit}]"))
    if times.hasnans or not (times.is_monotonic_increasing and times.is_unique):
        raise ValueError("its times aren't in order")
    return times if zone is None else times.tz_localize("UTC").tz_convert(check_zone(zone))


def _name_zone(zone: tzinfo | None) -> str | None:
    """The name of a timezone by which pandas knows it again."""
    if zone is None:
        return None
    try:
        return name_zone(zone)
    except ValueError:
        raise ModelError(
            f"The bars are in the timezone {zone!r:.60}, which has no name that a checkpoint could "
            "keep. Give them in one such as Europe/Berlin, or in UTC."
        ) from None


def _read_arrays(described: Any, content: bytes) -> list[np.ndarray]:
    arrays, place = [], 0
    for kind, shape in described:
        if kind not in _TYPES or any(type(size) is not int or size < 0 for size in shape):
            raise ValueError("it has an array of an unknown kind")
        n_items = int(np.prod([float(size) for size in shape]))
        stop = place + n_items * np.dtype(kind).itemsize
        if stop > len(content):
            raise ValueError("it is torn")
        numbers = np.frombuffer(content[place:stop], kind).reshape(shape)
        arrays.append(numbers.astype(np.dtype(kind).newbyteorder("=")))
        place = stop
    return arrays
