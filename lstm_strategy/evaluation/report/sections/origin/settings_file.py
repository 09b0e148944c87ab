"""The settings of a result as the file that the command line takes."""

from collections.abc import Mapping
from typing import Any

from lstm_strategy.errors import escape_controls
from lstm_strategy.evaluation.report.content import ReportContent
from lstm_strategy.evaluation.report.sections.origin.toml_text import toml_text
from lstm_strategy.trading.cerebro import BrokerSettings
from lstm_strategy.trading.instruments import INSTRUMENT_KINDS, Instrument

_FILE = "settings.toml"
_TAKING_A_FILE = ("lstm-strategy compare ", "lstm-strategy backtest ")
_PLAIN = (bool, int, float, str, list, tuple, dict)


def settings_file(content: ReportContent) -> str:
    """Return the settings of a report as TOML that `--config` of the command that made it takes.

    It has the forecaster (where its settings are known), the broker and the parameters of the
    strategy. What a file can't hold stands in comments above, and so does the command.

    Args:
        content: What the page is made from.

    Example:
        >>> from lstm_strategy import BASELINES, compare, sample_bars
        >>> bars = sample_bars("sp500")
        >>> comparison = compare({"MACD": BASELINES["MACD"]}, bars, start="2016")
        >>> text = settings_file(ReportContent(comparison, comparison.assess(), bars))
        >>> print(text[: text.index("slippage")])
        # Save this as settings.toml, then: lstm-strategy compare BARS --config settings.toml
        <BLANKLINE>
        [broker]
        cash = 100000.0
        commission_rate = 0.001
        <BLANKLINE>
    """
    forecaster, missing = _forecaster_table(content)
    strategy, unplain = _strategy_table(content.strategy_params)
    broker, unnamed = _broker_table(content.results.broker)
    command = content.command or "lstm-strategy compare BARS"
    if command.startswith(_TAKING_A_FILE):
        command = f"{command} --config {_FILE}"
        lines = [f"Save this as {_FILE}, then: {command}"]
    else:
        lines = [f"Made by: {command}"]
    comments = [f"# {_on_one_line(line)}" for line in (*lines, *missing, *unplain, *unnamed)]
    tables = {"forecaster": forecaster, "broker": broker, "strategy": strategy}
    return "\n".join(comments) + "\n\n" + toml_text(tables) + "\n"


def _on_one_line(text: str) -> str:
    """A comment of TOML ends with its line, whatever the name of a file or of a parameter has."""
    return escape_controls(text).replace("\n", "\\n")


def _forecaster_table(content: ReportContent) -> tuple[dict[str, Any], list[str]]:
    """The arguments of the forecaster, and what of them a file can't hold."""
    card = None if content.model is None else content.model.card
    if card is None:
        return {}, []
    settings = card.settings.model_dump(mode="json")
    settings["features"] = card.features["specs"]
    missing = []
    target = settings["target"]
    if (isinstance(target, str) and ":" in target) or "class" in target:
        missing.append("The target is a class or a function of your own, which a file can't hold.")
        settings.pop("target")
    if card.network:
        missing.append(f"The network is built by {card.network}, which a file can't hold.")
    return settings, missing


def _strategy_table(params: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    plain = {name: each for name, each in params.items() if isinstance(each, _PLAIN)}
    missing = [
        f"{name} of the strategy is an object, which a file can't hold."
        for name, each in params.items()
        if each is not None and name not in plain
    ]
    return plain, missing


def _broker_table(broker: BrokerSettings) -> tuple[dict[str, Any], list[str]]:
    settings: dict[str, Any] = {name: getattr(broker, name) for name in type(broker).model_fields}
    missing: list[str] = []
    if broker.instrument is not None:
        settings.pop("commission_rate")  # it is that of the instrument
        table, missing = _instrument_table(broker.instrument)
        settings["instrument"] = table or None
    if broker.instruments is not None:
        tables = {name: _instrument_table(each) for name, each in broker.instruments.items()}
        known = {name: table for name, (table, _) in tables.items() if table}
        settings["instruments"] = known or None
        missing += [line for _, unsaid in tables.values() for line in unsaid]
    return settings, missing


def _instrument_table(instrument: Instrument) -> tuple[dict[str, Any], list[str]]:
    kinds = {kind: name for name, kind in INSTRUMENT_KINDS.items()}
    if type(instrument) not in kinds:
        return {}, [f"{instrument} is an instrument of your own, which a file can't hold."]
    settings = {name: getattr(instrument, name) for name in sorted(instrument.model_fields_set)}
    unsaid = [
        f"{name} is None, which a file can't hold: give {instrument} as --instrument."
        for name, value in settings.items()
        if value is None and type(instrument).model_fields[name].default is not None
    ]
    return {"kind": kinds[type(instrument)], **settings}, unsaid
