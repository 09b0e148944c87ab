"""An account on margin inside Cerebro: what backs its positions, and when they are closed."""

from lstm_strategy.trading.instruments.account.broker import FundingPayment, InstrumentBroker
from lstm_strategy.trading.instruments.account.liquidation import Liquidation

__all__ = ["FundingPayment", "InstrumentBroker", "Liquidation"]
