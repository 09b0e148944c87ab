"""Tables that a stranger may have stored, as frames that take no more room than they should.

Parquet and Arrow pack a billion equal rows into a few bytes, and pyarrow unpacks what it is given.
`parquet` and `arrow_file` find out from the file itself how much it would become, and refuse a bomb
before anything is unpacked.
"""

from lstm_strategy.support.tables.arrow_file import frame_from_feather
from lstm_strategy.support.tables.parquet import frame_from_parquet

__all__ = ["frame_from_feather", "frame_from_parquet"]
