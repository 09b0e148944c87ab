"""The honest baselines for `btrun`, each by the name of its class.

    btrun --csvformat btcsv --data F.csv --commission 0.001 \
        --strategy strategies/baselines.py:SMACross:fast=10,slow=40

Name the class: `btrun` would take the first of the file in the order of the alphabet. To change a
rule, copy its class from `lstm_strategy/trading/baselines`.
"""

from lstm_strategy.trading.baselines import (
    MACD,
    BollingerReversion,
    BuyAndHold,
    DonchianBreakout,
    Momentum121,
    RandomEntries,
    RSIReversion,
    ShortTermReversal,
    SMACross,
    VolatilityTarget,
)

__all__ = [
    "MACD",
    "BollingerReversion",
    "BuyAndHold",
    "DonchianBreakout",
    "Momentum121",
    "RSIReversion",
    "RandomEntries",
    "SMACross",
    "ShortTermReversal",
    "VolatilityTarget",
]
