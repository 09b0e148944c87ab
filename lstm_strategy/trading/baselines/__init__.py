"""Honest baselines: textbook rules that a forecast must beat on the same terms.

`BASELINES` maps a readable name to the strategy class, and `PORTFOLIO_BASELINES` those for many
markets; each works in plain backtrader too. Lengths that the textbooks give in days or months are
counted in the bars' own frequency, by `bars_per_day` and `bars_per_year`; oscillators and channels
have the same number of bars on bars of any size.
"""

from lstm_strategy.trading.baselines.bollinger_reversion import BollingerReversion
from lstm_strategy.trading.baselines.buy_and_hold import BuyAndHold
from lstm_strategy.trading.baselines.donchian_breakout import DonchianBreakout
from lstm_strategy.trading.baselines.macd import MACD
from lstm_strategy.trading.baselines.momentum_12_1 import Momentum121
from lstm_strategy.trading.baselines.portfolio import PORTFOLIO_BASELINES, EqualWeight
from lstm_strategy.trading.baselines.random_entries import RandomEntries
from lstm_strategy.trading.baselines.rsi_reversion import RSIReversion
from lstm_strategy.trading.baselines.short_term_reversal import ShortTermReversal
from lstm_strategy.trading.baselines.sma_cross import SMACross
from lstm_strategy.trading.baselines.volatility_target import VolatilityTarget
from lstm_strategy.trading.execution import TargetStrategy

BASELINES: dict[str, type[TargetStrategy]] = {
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

__all__ = [
    "BASELINES",
    "BollingerReversion",
    "BuyAndHold",
    "DonchianBreakout",
    "EqualWeight",
    "MACD",
    "Momentum121",
    "PORTFOLIO_BASELINES",
    "RSIReversion",
    "RandomEntries",
    "SMACross",
    "ShortTermReversal",
    "VolatilityTarget",
]
