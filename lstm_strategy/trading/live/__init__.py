"""Trading on bars that are still to come, and what was done on those that came.

`journal` keeps every bar, forecast, order and fill of a run on disk.
"""

from lstm_strategy.trading.live.journal import (
    Journal,
    JournalContent,
    read_journal,
)

__all__ = ["Journal", "JournalContent", "read_journal"]
