"""Trading on bars that are still to come, and what was done on those that came.

`closed_bars` hands on the bars of a live source once they are over, and `journal` keeps every bar,
forecast, order and fill of a run on disk.
"""

from lstm_strategy.trading.live.closed_bars import BarNote, ClosedBars
from lstm_strategy.trading.live.journal import (
    Journal,
    JournalContent,
    read_journal,
)

__all__ = ["BarNote", "ClosedBars", "Journal", "JournalContent", "read_journal"]
