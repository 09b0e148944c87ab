"""An account on margin inside Cerebro: what backs its positions, and when they are closed."""

from lstm_strategy.trading.instruments.account.broker import InstrumentBroker
from lstm_strategy.trading.instruments.account.records import (
    FillCost,
    FundingPayment,
    Liquidation,
)

__all__ = ["FillCost", "FundingPayment", "InstrumentBroker", "Liquidation"]
