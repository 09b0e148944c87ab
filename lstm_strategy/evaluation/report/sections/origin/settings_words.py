"""The terms of trading and the parameters of a strategy in the words of a reader."""

from collections.abc import Mapping
from typing import Any

from lstm_strategy.evaluation.report.page import PERCENT, capitalise, money_form
from lstm_strategy.learning.forecaster import readable, value_words
from lstm_strategy.support import number_text, rate_text
from lstm_strategy.trading.cerebro import BrokerSettings


def broker_words(broker: BrokerSettings) -> dict[str, str]:
    """Return what trading cost, and how orders were sent.

    Example:
        >>> broker_words(BrokerSettings())["Commission"]
        '0.10% of each trade'
    """
    instruments = broker.describe_instruments(in_full=True)
    fee = {"Commission": f"{rate_text(broker.commission_rate)} of each trade"}
    if instruments:
        # words in front where they begin the row, and none of a market's name
        fee = {"Instrument": instruments if broker.instruments else capitalise(instruments)}
    return {
        "Starting cash": number_text(broker.cash, money_form(broker.cash)),
        **fee,
        "Slippage": f"{rate_text(broker.slippage_rate)} of the price",
        "Orders": f"fill at the next open{broker.describe_timing()}",
        "Cash reserve": f"{number_text(broker.reserve, PERCENT)}, in case the open is higher",
        "No-trade band": f"{number_text(broker.band, PERCENT)} of the equity",
        "Lot size": f"{broker.lot_size:.10f}".rstrip("0").rstrip(".") + " units",
    }


def params_words(params: Mapping[str, Any]) -> dict[str, str]:
    """Return parameters of a strategy by their names in words; those that are None are left out.

    Example:
        >>> params_words({"long_only": True, "stop_loss_atr": 2.0, "name": None})
        {'Long only': 'yes', 'Stop loss ATR': '2'}
    """
    return {
        readable(name): value_words(value) for name, value in params.items() if value is not None
    }
