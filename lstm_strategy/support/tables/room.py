"""How much room a table may take, which of its columns are read, and which zones they may have."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

_SMALL_BYTES = 128 * 2**20
_MOST_BYTES = 4 * 2**30
_MOST_GROWTH = 100
_UNREAD = "nested"
_ZONES_OF_FILES = "dateutil/"


class TooLargeError(ValueError):
    """Raised when a table would take far more room than its file."""

    def __init__(self) -> None:
        super().__init__(
            f"it becomes more than {_MOST_GROWTH} times as large as its file when it is unpacked"
        )


def most_bytes(content: bytes) -> int:
    """The most bytes that a table may take whose file has this content."""
    return min(max(_SMALL_BYTES, _MOST_GROWTH * len(content)), _MOST_BYTES)


def is_flat(kind: pa.DataType) -> bool:
    """Whether a column has one plain value a row: no list, record or extension."""
    if pa.types.is_dictionary(kind):
        return is_flat(kind.value_type) and not pa.types.is_dictionary(kind.value_type)
    return bool(
        pa.types.is_primitive(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_null(kind)
        or holds_text(kind)
    )


def holds_text(kind: pa.DataType) -> bool:
    """Whether the values of a column, or the words that it repeats, have different lengths."""
    if pa.types.is_dictionary(kind):
        return holds_text(kind.value_type)
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_string_view(kind)
    )


def count_text(column: pa.ChunkedArray) -> int:
    """The bytes that a column of text takes when each row has its own."""
    return sum(map(_count_chunk, column.chunks))


def _count_chunk(chunk: pa.Array) -> int:
    if pa.types.is_string_view(chunk.type):  # pyarrow can't count it
        views = np.frombuffer(chunk.buffers()[1], "<i4").reshape(-1, 4)
        lengths = views[chunk.offset :][: len(chunk), 0][chunk.is_valid().to_numpy(False)]
        return int(lengths.astype("int64").sum())
    if pa.types.is_dictionary(chunk.type):
        lengths = pc.binary_length(chunk.dictionary).cast(pa.int64()).take(chunk.indices)
    else:
        lengths = pc.binary_length(chunk).cast(pa.int64())
    return int(pc.sum(lengths).as_py() or 0)


def put_back(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """A frame with the names of columns that weren't read, so that they can be reported."""
    return frame.assign(**dict.fromkeys(names, _UNREAD)) if names else frame


def refuse_files_as_zones(schema: pa.Schema) -> None:
    """Refuse a table whose columns, or their types by the name of pandas, have a file as timezone.

    pandas opens the file `/etc/passwd` for the type `datetime64[ns, dateutil//etc/passwd]`.
    """
    described = json.loads((schema.metadata or {}).get(b"pandas", b"null"))
    if _ZONES_OF_FILES in json.dumps(described) or any(
        _ZONES_OF_FILES in str(field.type) for field in schema
    ):
        raise ValueError("it names a file as the timezone of a column")
