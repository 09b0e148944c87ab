"""The table in a file, whichever kind of file it is."""

from dataclasses import replace
from pathlib import Path

from lstm_strategy.bars.files.content import read_content
from lstm_strategy.bars.files.encoding import encode_as_utf8
from lstm_strategy.bars.files.headerless import name_columns
from lstm_strategy.bars.files.separated import read_separated
from lstm_strategy.bars.files.stored import read_feather, read_json, read_parquet
from lstm_strategy.bars.files.table import Table
from lstm_strategy.errors import BarsError

_READERS = {"parquet": read_parquet, "feather": read_feather, "json": read_json}


def read_table(path: Path, market: str | None = None) -> Table:
    """Read a file of bars into columns.

    Args:
        path: A file of text, Parquet, Feather or JSON, compressed or not.
        market: The market to read of an archive of several files.

    Raises:
        BarsError: If it can't be read; without the name of the file in front where the file exists.
    """
    content = read_content(path, market)
    if not content.data or content.data.isspace():
        raise BarsError("the file is empty. Download it again, or check what wrote it.")
    if content.kind == "text":
        text, notes = encode_as_utf8(content.data)
        table = read_separated(text)
    else:
        table, notes = _READERS[content.kind](content.data), ()
    table = replace(
        table, notes=(*content.notes, *notes, *table.notes), is_chosen=content.is_chosen
    )
    return table if table.has_header or not len(table.rows) else name_columns(table)
