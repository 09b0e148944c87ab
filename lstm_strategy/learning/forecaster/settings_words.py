"""Settings in the words of a reader: no names of arguments, no JSON."""

from collections.abc import Mapping
from typing import Any

from lstm_strategy.learning.forecaster.model_card import ModelCard
from lstm_strategy.learning.training import ForecasterSettings
from lstm_strategy.support import count_of, number_text

_QUESTIONS = {
    "direction": "whether the close will be higher",
    "return": "the return",
    "volatility": "the volatility",
    "quantiles": "quantiles of the return",
    "triple_barrier": "which is hit first: the profit target, the stop or the time limit",
    "policy": "which exposure earns the most after costs",
}
_SCORES = {
    "auc": "AUC",
    "log_loss": "log-loss",
    "n_rows": "rows",
    "prior_sharpe": "Sharpe ratio of the prior",
    "qlike": "QLIKE",
    "r1": "R¹",
    "r2": "R²",
    "r2_log": "R² of logarithms",
    "sharpe": "Sharpe ratio",
    "slow_qlike": "QLIKE of the usual volatility",
    "turnover": "turnover per year",
}
_PERCENT = "{:.1%}"
_ABBREVIATIONS = {"adx", "atr", "auc", "ema", "macd", "mfi", "natr", "obv", "roc", "rsi", "sma"}


def model_words(
    settings: ForecasterSettings,
    features: Mapping[str, Any],
    *,
    network: str = "",
    is_panel: bool = False,
) -> dict[str, str]:
    """Return what a model is asked, what it sees and how it is trained.

    Args:
        settings: Its settings.
        features: What `FeatureSet.to_dict` gives.
        network: The user's own network builder by name; "" for the LSTM of the package.
        is_panel: Whether it was trained on a panel.
    """
    specs = features["specs"]
    inputs = "; ".join(_spec_words(spec) for spec in specs)
    return {
        "What it predicts": ask_words(settings),
        **_target_words(settings),
        "Inputs": f"{count_of(len(specs), 'feature')}: {inputs}",
        "Network": network_words(settings, network),
        "Memory": _memory_words(settings),
        "Training": _training_words(settings, is_panel=is_panel),
        "Seed": str(settings.seed),
    }


def card_words(card: ModelCard) -> dict[str, str]:
    """Return the same of a trained model.

    Args:
        card: Where it came from.
    """
    return model_words(
        card.settings,
        card.features,
        network=card.network,
        is_panel=bool(card.training.markets),
    )


def ask_words(settings: ForecasterSettings) -> str:
    """Return the question that a model is asked, with its horizon.

    Example:
        >>> from lstm_strategy import LSTMForecaster
        >>> ask_words(LSTMForecaster(target="direction", horizon=5).settings)
        'whether the close will be higher over the next 5 bars'
    """
    name, bars = settings.target.name, count_of(settings.horizon, "bar")
    return f"{_QUESTIONS.get(name, readable(name))} over the next {bars}".replace(" 1 bar", " bar")


def network_words(settings: ForecasterSettings, network: str = "") -> str:
    """Return how many networks there are and how large they are.

    Args:
        settings: Of the model.
        network: The user's own network builder by name; "" for the LSTM of the package.

    Example:
        >>> from lstm_strategy import LSTMForecaster
        >>> network_words(LSTMForecaster(units=(8, 4), members=3).settings)
        '3 networks with 2 layers of 8 and 4 LSTM units each'
    """
    members = count_of(settings.members, "network")
    units = " and ".join(str(number) for number in settings.units)
    layers = "one layer" if len(settings.units) == 1 else f"{len(settings.units)} layers"
    if network:
        return f"{members}, built by {network}"
    each = " each" if settings.members > 1 else ""
    return f"{members} with {layers} of {units} LSTM units{each}"


def readable(name: str) -> str:
    """Return the name of an argument in words.

    Example:
        >>> readable("stop_loss_atr")
        'Stop loss ATR'
    """
    words = _plain_words(name)
    return words[:1].upper() + words[1:]


def score_words(name: str) -> str:
    """Return the name of a score as it stands in a sentence, wherever a reader meets it.

    Args:
        name: As in `validation_scores`, or an objective of `tune`.

    Example:
        >>> score_words("sharpe"), score_words("turnover"), score_words("coverage_80")
        ('Sharpe ratio', 'turnover per year', 'coverage 80')
    """
    return _SCORES.get(name, name.replace("_", " "))


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


def _plain_words(name: str) -> str:
    words = name.split("_")
    return " ".join(word.upper() if word in _ABBREVIATIONS else word for word in words)


def _memory_words(settings: ForecasterSettings) -> str:
    lookback = count_of(settings.lookback, "bar")
    if settings.memory == "window":
        return f"a window of {lookback}"
    return f"carried from bar to bar, after a warm-up of at least {lookback}"


def _target_words(settings: ForecasterSettings) -> dict[str, str]:
    target = settings.model_dump(mode="json")["target"]
    if not isinstance(target, Mapping):
        return {}
    told = {key: each for key, each in target.items() if key not in {"name", "class"}}
    known = {readable(key).lower(): each for key, each in told.items() if each is not None}
    return {"Target settings": value_words(known)} if known else {}


def _spec_words(spec: Mapping[str, Any]) -> str:
    kind, *rest = (str(spec.get("kind", "own")), *(key for key in spec if key != "kind"))
    given = ", ".join(f"{_plain_words(key)} {value_words(spec[key])}" for key in rest)
    name = _plain_words(kind)
    return f"{name} ({given})" if given else name


def _training_words(settings: ForecasterSettings, *, is_panel: bool) -> str:
    panel = ""
    if is_panel:
        embedding = f", {settings.market_embedding} numbers learned of each market"
        panel = f", features scaled by {settings.scaling}"
        panel += embedding if settings.market_embedding else ""
    return (
        f"up to {count_of(settings.epochs, 'epoch')}, stopping after {settings.patience} without "
        f"improvement on the {number_text(settings.validation, _PERCENT)} of the bars that each "
        f"network holds out; batches of {settings.batch_size}, learning rate "
        f"{settings.learning_rate:.4g}, weight decay {settings.weight_decay:.4g}, dropout "
        f"{number_text(settings.dropout, _PERCENT)}"
        + (", half of it on mirrored prices" if settings.mirror else "")
        + panel
    )
