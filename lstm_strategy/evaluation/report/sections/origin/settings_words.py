"""Settings in the words of a reader: no names of arguments, no JSON."""

from collections.abc import Mapping
from typing import Any

from lstm_strategy.evaluation.report.page import PERCENT, SMALL_PERCENT, WHOLE, capitalise
from lstm_strategy.learning.forecaster import ModelCard
from lstm_strategy.support import count_of, number_text
from lstm_strategy.trading.cerebro import BrokerSettings

_QUESTIONS = {
    "direction": "whether the close will be higher",
    "return": "the return",
    "volatility": "the volatility",
    "quantiles": "quantiles of the return",
    "triple_barrier": "which is hit first: the profit target, the stop or the time limit",
    "policy": "which exposure earns the most after costs",
}


def broker_words(broker: BrokerSettings) -> dict[str, str]:
    """Return what trading cost, and how orders were sent.

    Example:
        >>> broker_words(BrokerSettings())["Commission"]
        '0.10% of each trade'
    """
    instruments = broker.describe_instruments()
    fee = {"Instrument": instruments}
    if not instruments:
        fee = {"Commission": f"{number_text(broker.commission_rate, SMALL_PERCENT)} of each trade"}
    return {
        "Starting cash": number_text(broker.cash, WHOLE),
        **fee,
        "Slippage": f"{number_text(broker.slippage_rate, SMALL_PERCENT)} of the price",
        "Orders": f"fill at the next open{broker.describe_timing()}",
        "Cash reserve": f"{number_text(broker.reserve, PERCENT)}, in case the open is higher",
        "No-trade band": f"{number_text(broker.band, PERCENT)} of the equity",
        "Lot size": f"{broker.lot_size:.10f}".rstrip("0").rstrip(".") + " units",
    }


def model_words(card: ModelCard) -> dict[str, str]:
    """Return what a model is asked, what it sees and how it is trained.

    Args:
        card: Where it came from.
    """
    settings = card.settings
    n_features = len(card.features["specs"])
    return {
        "What it predicts": ask_words(card),
        **_target_words(card),
        "Inputs": f"{count_of(n_features, 'feature')}: {_feature_words(card.features)}",
        "Network": network_words(card),
        "Memory": _memory_words(card),
        "Training": _training_words(card),
        "Seed": str(settings.seed),
    }


def ask_words(card: ModelCard) -> str:
    """Return the question that a model is asked, with its horizon."""
    name, bars = card.settings.target.name, count_of(card.settings.horizon, "bar")
    return f"{_QUESTIONS.get(name, readable(name))} over the next {bars}".replace(" 1 bar", " bar")


def network_words(card: ModelCard) -> str:
    """Return how many networks there are and how large they are."""
    settings = card.settings
    members = count_of(settings.members, "network")
    units = " and ".join(str(number) for number in settings.units)
    layers = "one layer" if len(settings.units) == 1 else f"{len(settings.units)} layers"
    if card.network:
        return f"{members}, built by {card.network}"
    each = " each" if settings.members > 1 else ""
    return f"{members} with {layers} of {units} LSTM units{each}"


def params_words(params: Mapping[str, Any]) -> dict[str, str]:
    """Return parameters of a strategy by their names in words; those that are None are left out.

    Example:
        >>> params_words({"long_only": True, "stop_loss_atr": 2.0, "name": None})
        {'Long only': 'yes', 'Stop loss ATR': '2'}
    """
    return {
        readable(name): value_words(value) for name, value in params.items() if value is not None
    }


def readable(name: str) -> str:
    """Return the name of an argument in words."""
    words = ["ATR" if word == "atr" else word for word in name.split("_")]
    return capitalise(" ".join(words))


def value_words(value: object) -> str:
    """Return a value in words.

    Example:
        >>> value_words(True), value_words(0.05), value_words((1, 2)), value_words({"a": 1.0})
        ('yes', '0.05', '1, 2', 'a 1')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {value_words(each)}" for key, each in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(value_words, value))
    return str(value)


def _memory_words(card: ModelCard) -> str:
    lookback = count_of(card.settings.lookback, "bar")
    if card.settings.memory == "window":
        return f"a window of {lookback}"
    return f"carried from bar to bar, after a warm-up of at least {lookback}"


def _target_words(card: ModelCard) -> dict[str, str]:
    target = card.settings.model_dump(mode="json")["target"]
    if not isinstance(target, Mapping):
        return {}
    told = {key: each for key, each in target.items() if key not in {"name", "class"}}
    known = {readable(key).lower(): each for key, each in told.items() if each is not None}
    return {"Target settings": value_words(known)} if known else {}


def _feature_words(features: Mapping[str, Any]) -> str:
    return "; ".join(_spec_words(spec) for spec in features["specs"])


def _spec_words(spec: Mapping[str, Any]) -> str:
    kind, *rest = (str(spec.get("kind", "own")), *(key for key in spec if key != "kind"))
    name = kind.replace("_", " ")
    given = ", ".join(f"{key.replace('_', ' ')} {value_words(spec[key])}" for key in rest)
    return f"{name} ({given})" if given else name


def _training_words(card: ModelCard) -> str:
    settings = card.settings
    panel = ""
    if card.training.markets:
        embedding = f", {settings.market_embedding} numbers learned of each market"
        panel = f", features scaled by {settings.scaling}"
        panel += embedding if settings.market_embedding else ""
    return (
        f"up to {count_of(settings.epochs, 'epoch')}, stopping after {settings.patience} without "
        f"improvement on the {number_text(settings.validation, PERCENT)} of the bars that each "
        f"network holds out; batches of {settings.batch_size}, learning rate "
        f"{settings.learning_rate:.4g}, weight decay {settings.weight_decay:.4g}, dropout "
        f"{number_text(settings.dropout, PERCENT)}"
        + (", half of it on mirrored prices" if settings.mirror else "")
        + panel
    )
