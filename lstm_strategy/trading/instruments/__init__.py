"""What a position costs, what it pays and what margin it needs.

`Spot`, `Future` and `Perpetual` are values; each gives a commission scheme of backtrader that works
in anybody's Cerebro. With `InstrumentBroker` as its broker, margin is checked on both sides, and
positions whose margin is used up are closed.
"""

from lstm_strategy.trading.instruments.account import (
    FillCost,
    FundingPayment,
    InstrumentBroker,
    Liquidation,
)
from lstm_strategy.trading.instruments.by_name import (
    INSTRUMENT_KINDS,
    build_instrument,
    parse_instrument,
)
from lstm_strategy.trading.instruments.funding_checks import has_funding
from lstm_strategy.trading.instruments.future import Future
from lstm_strategy.trading.instruments.instrument import (
    Instrument,
    InstrumentScheme,
    spell_instrument,
)
from lstm_strategy.trading.instruments.perpetual import Perpetual
from lstm_strategy.trading.instruments.rolls import RollingScheme
from lstm_strategy.trading.instruments.spot import Spot

__all__ = [
    "FillCost",
    "Future",
    "FundingPayment",
    "INSTRUMENT_KINDS",
    "Instrument",
    "InstrumentBroker",
    "InstrumentScheme",
    "Liquidation",
    "Perpetual",
    "RollingScheme",
    "Spot",
    "build_instrument",
    "has_funding",
    "parse_instrument",
    "spell_instrument",
]
