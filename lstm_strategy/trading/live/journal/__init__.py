"""The journal of a live run: a file of JSON Lines that only grows, and the bars before it.

`records` says what a line holds, `content` reads a journal as tables, and `journal` writes one.
"""

from lstm_strategy.trading.live.journal.content import JournalContent, read_journal
from lstm_strategy.trading.live.journal.journal import Journal

__all__ = ["Journal", "JournalContent", "read_journal"]
