"""A strategy on bars as they come, its account, and what guards it.

`session` is what a user starts and stops, and `run` its run in Cerebro; `orders` holds back what
may not be ordered, `bookkeeper` keeps the journal, `state` and `board` are what a page shows, and
`reconcile` compares a real account with the journal.
"""

from lstm_strategy.trading.live.session.bookkeeper import (
    forecast_of,
    verdicts_of,
    withdrawals_of,
)
from lstm_strategy.trading.live.session.orders import (
    LiveGate,
    OrderGuard,
    OrderNews,
    TradingLimits,
    describe_end_of_order,
)
from lstm_strategy.trading.live.session.recorder import SessionRecorder
from lstm_strategy.trading.live.session.session import LiveSession
from lstm_strategy.trading.live.session.state import STATE_FILE, Account, LiveState

__all__ = [
    "Account",
    "LiveGate",
    "LiveSession",
    "LiveState",
    "OrderGuard",
    "OrderNews",
    "STATE_FILE",
    "SessionRecorder",
    "TradingLimits",
    "describe_end_of_order",
    "forecast_of",
    "verdicts_of",
    "withdrawals_of",
]
