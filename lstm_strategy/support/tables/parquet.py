"""Parquet, whose pages are counted before they are unpacked."""

import io
import struct
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

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

# Plain, of a dictionary, of runs, of differences of integers, of lengths, and of split bytes. What
# repeats the beginning of the text before it (7) can make a word of a megabyte out of two bytes.
_ENCODINGS = {0, 2, 3, 4, 5, 6, 8, 9}
_BYTES_A_VALUE = 8
_DEEPEST = 8
# fields of the header of a page, by the numbers that parquet.thrift gives them
_UNPACKED, _PACKED, _DATA, _DICTIONARY, _DATA_V2 = 2, 3, 5, 7, 8
_ENCODING_FIELD = {_DATA: 2, _DICTIONARY: 2, _DATA_V2: 4}
# and of the footer: the groups of rows, their columns, and what is known of each
_GROUPS, _COLUMNS, _KNOWN = 4, 1, 3
_PATH, _COLUMN_BYTES, _FIRST_PAGE, _FIRST_WORDS = 3, 7, 9, 11


def frame_from_parquet(content: bytes) -> pd.DataFrame:
    """Read a Parquet file that a stranger may have written.

    Args:
        content: The bytes of the file.

    Returns:
        What `pd.read_parquet` gives; where a column holds lists or records, only that it does.

    Raises:
        ValueError: If it is damaged, or would take more than 100 times the room of its file and
            more than 128 MiB.

    Example:
        >>> file = io.BytesIO()
        >>> pd.DataFrame({"close": [1.5, 2.5]}).to_parquet(file)
        >>> frame_from_parquet(file.getvalue())["close"].tolist()
        [1.5, 2.5]
    """
    try:
        names, nested = _check_room(content)
        frame = pd.read_parquet(io.BytesIO(content), columns=names if nested else None)
        return put_back(frame, nested)
    except Exception as error:  # whatever a damaged file makes of pyarrow and pandas
        if isinstance(error, TooLargeError) or lacks_memory(error):
            raise
        raise ValueError(str(error) or type(error).__name__) from error


def _check_room(content: bytes) -> tuple[list[str], list[str]]:
    """The names of the columns that can be read, and of those that can't."""
    most = most_bytes(content)
    file = pq.ParquetFile(io.BytesIO(content))
    schema, metadata = file.schema_arrow, file.metadata
    refuse_files_as_zones(schema)
    names = [field.name for field in schema if is_flat(field.type)]
    n_values = sum(metadata.row_group(group).num_rows for group in range(metadata.num_row_groups))
    if max(n_values, metadata.num_rows) * max(len(names), 1) * _BYTES_A_VALUE > most:
        raise TooLargeError
    n_bytes = 0
    of_words: set[str] = set()
    for column in _read_columns(content):
        for size, is_dictionary in _count_pages(content, column):
            n_bytes += size
            if n_bytes > most:
                raise TooLargeError
            if is_dictionary:
                of_words.add(b".".join(column[_PATH]).decode())
    words = [field.name for field in schema if holds_text(field.type) and field.name in of_words]
    if words:
        _check_words(content, words, most)
    return names, [field.name for field in schema if not is_flat(field.type)]


def _check_words(content: bytes, names: list[str], most: int) -> None:
    """Refuse text whose words are stored once and repeated without end."""
    table = pq.read_table(
        io.BytesIO(content), columns=names, read_dictionary=names, use_pandas_metadata=False
    )
    if sum(map(count_text, table.columns)) > most:
        raise TooLargeError


def _read_columns(content: bytes) -> Iterator[dict[int, Any]]:
    """What the footer says of each column in each group of rows.

    pyarrow's own accessor ends the whole process where that contradicts the schema.
    """
    size = int.from_bytes(content[-8:-4], "little")
    footer, _ = _read_struct(content, len(content) - 8 - size)
    for group in footer.get(_GROUPS, []):
        for column in group[_COLUMNS]:
            yield column[_KNOWN]


def _count_pages(content: bytes, column: dict[int, Any]) -> Iterator[tuple[int, bool]]:
    """What each page of a column takes when it is unpacked, and whether it is a dictionary."""
    starts = [start for key in (_FIRST_PAGE, _FIRST_WORDS) if (start := column.get(key))]
    if not starts and column[_COLUMN_BYTES] == 0:
        return  # of no rows
    place = min(starts, default=0)
    end = place + column[_COLUMN_BYTES]
    if not 0 < place <= end <= len(content):
        raise ValueError("it is torn")
    while place < end:
        header, place = _read_struct(content, place)
        for kind, field in _ENCODING_FIELD.items():
            if kind in header and header[kind][field] not in _ENCODINGS:
                raise ValueError(f"it has the encoding {header[kind][field]}")
        if header[_PACKED] < 0 or header[_UNPACKED] < 0:
            raise ValueError("it is torn")
        place += header[_PACKED]
        yield header[_UNPACKED], _DICTIONARY in header


def _read_struct(content: bytes, place: int, depth: int = 0) -> tuple[dict[int, Any], int]:
    """A struct in the compact form of Thrift, and the place after it."""
    fields: dict[int, Any] = {}
    number = 0
    while kind := content[place]:
        place += 1
        if kind >> 4:
            number += kind >> 4
        else:
            number, place = _read_integer(content, place)
        fields[number], place = _read_value(content, place, kind & 15, depth + 1)
    return fields, place + 1


def _read_value(content: bytes, place: int, kind: int, depth: int) -> tuple[Any, int]:
    if depth > _DEEPEST:
        raise ValueError("it is nested too deep")
    if kind in (1, 2):  # true, false
        return kind == 1, place
    if kind == 3:
        return content[place], place + 1
    if kind in (4, 5, 6):
        return _read_integer(content, place)
    if kind == 7:
        return struct.unpack_from("<d", content, place)[0], place + 8
    if kind == 8:
        size, place = _read_varint(content, place)
        if place + size > len(content):
            raise ValueError("it is torn")
        return content[place : place + size], place + size
    if kind in (9, 10):  # a list, a set
        return _read_list(content, place, depth)
    if kind == 12:
        return _read_struct(content, place, depth)
    raise ValueError("it is torn")


def _read_list(content: bytes, place: int, depth: int) -> tuple[list[Any], int]:
    size, kind = content[place] >> 4, content[place] & 15
    place += 1
    if size == 15:
        size, place = _read_varint(content, place)
    # a truth takes a byte in a list, and stands in the type elsewhere
    kind = 3 if kind in (1, 2) else kind
    values = []
    for _ in range(size):
        value, place = _read_value(content, place, kind, depth + 1)
        values.append(value)
    return values, place


def _read_integer(content: bytes, place: int) -> tuple[int, int]:
    value, place = _read_varint(content, place)
    return (value >> 1) ^ -(value & 1), place


def _read_varint(content: bytes, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = content[place]
        value |= (byte & 127) << shift
        place += 1
        if byte < 128:
            return value, place
    raise ValueError("it is torn")
