"""Tables that programs store: Parquet, Feather and JSON."""

import json
from typing import Any

import pandas as pd
import pyarrow as pa

from lstm_strategy.bars.columns import Column, Rows, count_usual_names, find_tickers, plain_values
from lstm_strategy.bars.files.table import Table, table_from_frame
from lstm_strategy.errors import BarsError
from lstm_strategy.support import frame_from_feather, frame_from_parquet

_MOST_GAPS, _FEW_CELLS = 10, 1_000_000
_DAMAGE = (
    OSError,
    ValueError,
    TypeError,
    KeyError,
    NotImplementedError,
    RecursionError,
    pa.ArrowException,
)


def read_parquet(data: bytes) -> Table:
    """Read a Parquet file.

    Raises:
        BarsError: If it is damaged.
    """
    try:
        return table_from_frame(frame_from_parquet(data))
    except _DAMAGE as error:
        raise _unreadable("Parquet", error) from error


def read_feather(data: bytes) -> Table:
    """Read a Feather file.

    Raises:
        BarsError: If it is damaged.
    """
    try:
        return table_from_frame(frame_from_feather(data))
    except _DAMAGE as error:
        raise _unreadable("Feather", error) from error


def read_json(data: bytes) -> Table:
    """Read JSON: a list of rows, a list of records, or columns by name.

    Raises:
        BarsError: If it is damaged or none of these.
    """
    try:
        content = _parse_json(data)
    except (ValueError, RecursionError) as error:
        raise _unreadable("JSON", error) from error
    try:
        return _table_from_json(content)
    except _DAMAGE as error:
        if isinstance(error, BarsError):
            raise
        raise _unreadable("JSON", error) from error


def _table_from_json(content: Any) -> Table:
    if isinstance(content, dict):
        if {"columns", "data"} <= set(content):
            _check_is_full(_records_in(content["data"]))
            return table_from_frame(pd.DataFrame(content["data"], columns=content["columns"]))
        by_market = {name: rows for name, rows in content.items() if _holds_bars(rows)}
        if len(by_market) > 1:
            return table_from_frame(_join_markets(by_market))
        nested = [value for value in content.values() if isinstance(value, list | dict) and value]
        inner = [value for value in nested if _holds_rows(value)]
        if len(inner) == 1:
            return _table_from_json(inner[0])
        if len(inner) > 1 and all(isinstance(value, list) for value in inner):
            names = ", ".join(name for name, value in content.items() if value in inner)
            raise BarsError(f"the JSON holds several lists of rows ({names[:200]}). Keep one.")
        if len(nested) == 1 and isinstance(nested[0], dict):  # as Kraken answers
            return _table_from_json(nested[0])
        if nested and all(isinstance(value, dict) for value in nested):
            _check_is_full(_records_in(content))
            frame = pd.DataFrame(content)
            is_by_date = count_usual_names([str(name) for name in frame.index]) >= 4
            frame = frame.T if is_by_date else frame
            return table_from_frame(frame.infer_objects())
        objects = [name for name, value in content.items() if isinstance(value, dict)]
        if nested and objects:
            raise BarsError(
                f"the JSON holds lists and, under {objects[0][:200]}, an object. Keep the columns "
                "alone, each of them as a list."
            )
        if nested:
            return table_from_frame(pd.DataFrame(content))
    if isinstance(content, list) and content and all(isinstance(row, list) for row in content):
        width = len(content[0])
        for row, cells in enumerate(content):
            if len(cells) != width:
                raise BarsError(
                    f"row {row} has {len(cells)} cells, and the first has {width}. Drop it."
                )
        frame = pd.DataFrame(content)
        columns = [Column("", plain_values(frame.iloc[:, place])) for place in range(width)]
        return Table(tuple(columns), Rows("row", range(len(frame))), has_header=False)
    if isinstance(content, list) and content and all(isinstance(row, dict) for row in content):
        _check_is_full(_records_in(content))
        return table_from_frame(pd.DataFrame(content))
    raise BarsError("the JSON holds no bars: it must be a list of rows. Convert it to CSV.")


def _holds_bars(value: Any) -> bool:
    """Whether something is the bars of a market: a list of records, or lists by column."""
    if isinstance(value, list):
        value = value[0] if value else None
    elif not (isinstance(value, dict) and all(isinstance(of, list) for of in value.values())):
        return False
    return isinstance(value, dict) and count_usual_names(list(map(str, value))) >= 4


def _join_markets(by_market: dict[str, Any]) -> pd.DataFrame:
    """The bars of several markets below each other, with a column that says whose they are."""
    for rows in by_market.values():
        _check_is_full(_records_in(rows))
    frames = {name: pd.DataFrame(rows) for name, rows in by_market.items()}
    labels = {label for frame in frames.values() for label in frame}
    n_rows = sum(map(len, frames.values()))
    _check_room(n_rows * len(labels), given=sum(frame.size for frame in frames.values()))
    if all(find_tickers([str(label) for label in frame]) for frame in frames.values()):
        return pd.concat(list(frames.values()), ignore_index=True)
    return pd.concat(
        [frame.assign(Symbol=name) for name, frame in frames.items()], ignore_index=True
    )


def _records_in(value: Any) -> list[dict[str, Any]]:
    values = value.values() if isinstance(value, dict) else value
    return [each for each in values if isinstance(each, dict)] if values else []


def _check_is_full(records: list[dict[str, Any]]) -> None:
    """Refuse records that would make a table of gaps, since each has names of its own."""
    labels = {name for record in records for name in record}
    _check_room(len(records) * len(labels), given=sum(map(len, records)))


def _check_room(n_cells: int, *, given: int) -> None:
    if n_cells > _FEW_CELLS + _MOST_GAPS * given:
        raise BarsError(
            f"the JSON holds {given:,} values that would make a table of {n_cells:,} cells. Give "
            "every record the same names."
        )


def _parse_json(data: bytes) -> Any:
    """What JSON holds; the rows of a file that has one on each line, as DuckDB writes them."""
    try:
        return json.loads(data)
    except ValueError:
        lines = data.splitlines()
        if len(lines) < 2 or not all(line.strip()[-1:] in (b"}", b"]", b"") for line in lines):
            raise
        return [json.loads(line) for line in lines if line.strip()]


def _holds_rows(value: Any) -> bool:
    """Whether a list or dict holds lists or dicts alone."""
    rows = value.values() if isinstance(value, dict) else value
    return bool(rows) and all(isinstance(row, list | dict) for row in rows)


def _unreadable(kind: str, error: Exception) -> BarsError:
    reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    return BarsError(f"the file can't be read as {kind} ({reason}). Check that it is a whole file.")
