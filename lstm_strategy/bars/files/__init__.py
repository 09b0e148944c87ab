"""How files of bars are built.

Compression, encoding, separators, rows of names and files without any: whatever is read becomes a
`Table` of columns, about whose meaning nothing is known here but what their shape shows.
"""

from lstm_strategy.bars.files.content import is_file_of_bars, market_of_file
from lstm_strategy.bars.files.read import read_table
from lstm_strategy.bars.files.table import Table, table_from_frame

__all__ = ["Table", "is_file_of_bars", "market_of_file", "read_table", "table_from_frame"]
