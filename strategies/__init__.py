"""Honest baselines: textbook rules that a forecast must beat on the same terms.

``BASELINES`` maps a readable name to the strategy class; each works in plain backtrader too.
"""

from strategies.bollinger_reversion import BollingerReversion
from strategies.buy_and_hold import BuyAndHold
from strategies.donchian_breakout import DonchianBreakout
from strategies.macd import MACD
from strategies.momentum_12_1 import Momentum121
from strategies.random_entries import RandomEntries
from strategies.rsi_reversion import RSIReversion
from strategies.short_term_reversal import ShortTermReversal
from strategies.sma_cross import SMACross
from strategies.volatility_target import VolatilityTarget

BASELINES = {
    "Buy and hold": BuyAndHold,
    "SMA cross": SMACross,
    "MACD": MACD,
    "RSI reversion": RSIReversion,
    "Bollinger reversion": BollingerReversion,
    "Donchian breakout": DonchianBreakout,
    "12-1 momentum": Momentum121,
    "Volatility target": VolatilityTarget,
    "Short-term reversal": ShortTermReversal,
    "Random entries": RandomEntries,
}

__all__ = ["BASELINES"]
