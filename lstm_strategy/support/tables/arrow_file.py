"""Feather, a file of Arrow's messages, whose sizes are counted before they are unpacked."""

import io
import struct
from collections.abc import Iterator

import pandas as pd
import pyarrow as pa
import pyarrow.feather

from lstm_strategy.errors import lacks_memory
from lstm_strategy.support.tables.room import (
    TooLargeError,
    count_text,
    holds_text,
    is_flat,
    most_bytes,
    put_back,
    refuse_files_as_zones,
)

_MAGIC = b"ARROW1\0\0"  # that of the first Feather, which packs nothing, is FEA1
_BYTES_A_VALUE = 8
# the fields of a message and of a batch of rows, and the kinds of messages, from Message.fbs
_KIND, _HEADER = 1, 2
_N_ROWS, _BUFFERS, _COMPRESSION, _BATCH_OF_DICTIONARY = 0, 2, 3, 1
_SCHEMA, _DICTIONARY, _ROWS = 1, 2, 3


def frame_from_feather(content: bytes) -> pd.DataFrame:
    """Read a Feather file that a stranger may have written.

    Args:
        content: The bytes of the file.

    Returns:
        What `pd.read_feather` gives; where a column holds lists or records, only that it does.

    Raises:
        ValueError: If it is damaged, or would take more than 100 times the room of its file and
            more than 128 MiB.

    Example:
        >>> file = io.BytesIO()
        >>> pd.DataFrame({"close": [1.5, 2.5]}).to_feather(file)
        >>> frame_from_feather(file.getvalue())["close"].tolist()
        [1.5, 2.5]
    """
    try:
        table = _read_table(content)
        refuse_files_as_zones(table.schema)
        table.validate(full=True)  # text may begin and end outside of the file
        nested = [field.name for field in table.schema if not is_flat(field.type)]
        table = table.drop_columns(nested) if nested else table
        _check_room(table, most_bytes(content))
        plain = io.BytesIO()
        pyarrow.feather.write_feather(table, plain, compression="uncompressed")
        return put_back(pd.read_feather(plain), nested)
    except Exception as error:  # whatever a damaged file makes of pyarrow and pandas
        if isinstance(error, TooLargeError) or lacks_memory(error):
            raise
        raise ValueError(str(error) or type(error).__name__) from error


def _read_table(content: bytes) -> pa.Table:
    """The table, in whatever way it was stored; text of views becomes plain text."""
    if not content.startswith(_MAGIC):
        return pyarrow.feather.read_table(io.BytesIO(content), memory_map=False)
    messages = content[len(_MAGIC) :]
    most, n_bytes = most_bytes(content), 0
    for size in _unpacked_sizes(messages):
        n_bytes += size
        if n_bytes > most:
            raise TooLargeError
    # not by the footer of the file, which may point at messages that weren't counted
    return pa.ipc.open_stream(pa.py_buffer(messages)).read_all()


def _check_room(table: pa.Table, most: int) -> None:
    n_bytes = table.num_rows * max(table.num_columns, 1) * _BYTES_A_VALUE
    if n_bytes > most:
        raise TooLargeError
    for column in table.columns:
        if holds_text(column.type):
            n_bytes += count_text(column)
            if n_bytes > most:
                raise TooLargeError


def _unpacked_sizes(messages: bytes) -> Iterator[int]:
    """What the buffers of each message take when they are unpacked, and its rows at the least."""
    n_columns = 1
    reader = pa.ipc.MessageReader.open_stream(pa.py_buffer(messages))
    for message in reader:
        metadata = message.metadata.to_pybytes()
        root = _offset(metadata, 0)
        kind = metadata[_field(metadata, root, _KIND)]
        header = _pointer(metadata, root, _HEADER)
        if kind == _SCHEMA:
            n_columns = len(pa.ipc.read_schema(message))
        elif kind in (_DICTIONARY, _ROWS):
            if kind == _DICTIONARY:
                header = _pointer(metadata, header, _BATCH_OF_DICTIONARY)
            yield _count_batch(metadata, header, message.body, n_columns)


def _count_batch(metadata: bytes, batch: int, body: pa.Buffer, n_columns: int) -> int:
    place = _field(metadata, batch, _N_ROWS)
    n_rows = struct.unpack_from("<q", metadata, place)[0] if place else 0
    n_bytes = n_rows * n_columns * _BYTES_A_VALUE
    is_packed = _field(metadata, batch, _COMPRESSION)
    if not is_packed or not _field(metadata, batch, _BUFFERS):
        return int(n_bytes)
    start = _pointer(metadata, batch, _BUFFERS)
    sizes = 0
    for number in range(_offset(metadata, start)):
        offset, length = struct.unpack_from("<qq", metadata, start + 4 + 16 * number)
        if length >= 8:
            unpacked = struct.unpack_from("<q", body, offset)[0]
            sizes += length if unpacked == -1 else unpacked
            if unpacked < -1:
                raise ValueError("it is torn")
    return int(max(n_bytes, sizes))


def _offset(metadata: bytes, place: int) -> int:
    return int(struct.unpack_from("<I", metadata, place)[0])


def _field(metadata: bytes, table: int, number: int) -> int:
    """Where a field of a table of FlatBuffers stands; 0 where it has none."""
    fields = table - struct.unpack_from("<i", metadata, table)[0]
    (size,) = struct.unpack_from("<H", metadata, fields)
    if 4 + 2 * number >= size:
        return 0
    (place,) = struct.unpack_from("<H", metadata, fields + 4 + 2 * number)
    return int(table + place) if place else 0


def _pointer(metadata: bytes, table: int, number: int) -> int:
    """The place that a field points at."""
    place = _field(metadata, table, number)
    if not place:
        raise ValueError("it is torn")
    return place + _offset(metadata, place)
