"""The terms of trading and the parameters of a strategy in the words of a reader."""

from collections.abc import Callable, Mapping
from typing import Any

from lstm_strategy.evaluation.backtests import ResultSet
from lstm_strategy.evaluation.report.page import PERCENT, capitalise, money_form
from lstm_strategy.learning.forecaster import readable, value_words
from lstm_strategy.support import number_text, rate_text


def terms_words(results: ResultSet) -> dict[str, str]:
    """Return what trading cost, how orders were sent and, where it applies, how they were sized.

    Example:
        >>> from lstm_strategy import BrokerSettings
        >>> terms_words(ResultSet({}, BrokerSettings()))["Commission"]
        '0.10% of each trade'
    """
    broker = results.broker
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
        **_sizing_words(results),
    }


def _sizing_words(results: ResultSet) -> dict[str, str]:
    """What only strategies keep to whose orders are sized by a target exposure."""
    words = {
        "Cash reserve": _words_by_strategy(
            results,
            "reserve",
            lambda share: f"{number_text(share, PERCENT)}, in case the open is higher",
        ),
        "No-trade band": _words_by_strategy(
            results, "band", lambda share: f"{number_text(share, PERCENT)} of the equity"
        ),
        "Lot size": _words_by_strategy(
            results, "lot_size", lambda size: f"{size:.10f}".rstrip("0").rstrip(".") + " units"
        ),
    }
    return {heading: text for heading, text in words.items() if text}


def _words_by_strategy(results: ResultSet, name: str, form: Callable[[float], str]) -> str:
    """A setting in words, with the strategies that differ; "" where it applies to none."""
    labels_by_words: dict[str, list[str]] = {}
    without = []
    for result in results.results.values():
        if result.uses_broker_sizing:
            words = form(result.params.get(name, getattr(results.broker, name)))
            labels_by_words.setdefault(words, []).append(result.label)
        else:
            without.append(result.label)
    if not labels_by_words:
        return ""
    usual = max(labels_by_words, key=lambda words: len(labels_by_words[words]))
    others = [
        f"{words} for {', '.join(labels)}"
        for words, labels in (labels_by_words | {"none": without}).items()
        if labels and words != usual
    ]
    return "; ".join([usual, *others])


def params_words(params: Mapping[str, Any]) -> dict[str, str]:
    """Return parameters of a strategy by their names in words; those that are None are left out.

    Example:
        >>> params_words({"long_only": True, "stop_loss_atr": 2.0, "name": None})
        {'Long only': 'yes', 'Stop loss ATR': '2'}
    """
    return {
        readable(name): value_words(value) for name, value in params.items() if value is not None
    }
