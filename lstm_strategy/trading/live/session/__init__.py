"""A strategy on bars as they come, its account, and what guards it.

`session` runs it; `limits` and `guard` stop orders, `gate` silences a strategy until its bars come
live, `bookkeeper` keeps the journal, `state` is what a page shows, and `reconcile` compares a real
account with the journal.
"""

from lstm_strategy.trading.live.session.limits import TradingLimits
from lstm_strategy.trading.live.session.session import LiveSession
from lstm_strategy.trading.live.session.state import STATE_FILE, Account, LiveState

__all__ = ["STATE_FILE", "Account", "LiveSession", "LiveState", "TradingLimits"]
