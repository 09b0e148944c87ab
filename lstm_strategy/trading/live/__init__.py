"""Trading on bars that are still to come, and what was done on those that came.

`closed_bars` hands on the bars of a live source once they are over, `session` trades on them, and
`journal` keeps every bar, forecast, order and fill of a run on disk. `replay` reruns a journal as a
backtest and explains what differs.
"""

from lstm_strategy.trading.live.closed_bars import BarNote, ClosedBars
from lstm_strategy.trading.live.journal import (
    Journal,
    JournalContent,
    read_journal,
)
from lstm_strategy.trading.live.replay import Replay, replay_journal
from lstm_strategy.trading.live.session import (
    Account,
    LiveSession,
    LiveState,
    TradingLimits,
)

__all__ = [
    "Account",
    "BarNote",
    "ClosedBars",
    "Journal",
    "JournalContent",
    "LiveSession",
    "LiveState",
    "Replay",
    "TradingLimits",
    "read_journal",
    "replay_journal",
]
