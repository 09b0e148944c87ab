"""What the command line is told: a TOML file, overridden by options.

The file may have the tables ``[forecaster]`` (arguments of LSTMForecaster, and ``preset`` or
``[[forecaster.features]]``), ``[broker]`` (arguments of BrokerSettings) and ``[strategy]``
(parameters of the strategy that trades the forecasts).
"""

import ast
import importlib.util
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from lstm_strategy.errors import SettingsError

if TYPE_CHECKING:
    from lstm_strategy.learning.forecaster import LSTMForecaster
    from lstm_strategy.trading.backtest import BrokerSettings


class Config(BaseModel):
    """The tables of a configuration file; empty where it says nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    forecaster: dict[str, Any] = {}
    broker: dict[str, Any] = {}
    strategy: dict[str, Any] = {}


def loaded_config(path: Path | None) -> Config:
    """The configuration in a TOML file, or an empty one without a file.

    Raises:
        SettingsError: if the file is missing, isn't TOML, or has an unknown table.
    """
    if path is None:
        return Config()
    try:
        return Config.model_validate(tomllib.loads(path.read_text()))
    except OSError as error:
        raise SettingsError(f"--config {path} can't be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"--config {path} isn't valid TOML: {error}.") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise SettingsError(
            f"--config {path}: unknown or malformed table {first['loc'][0]!r}. "
            f"The tables are {', '.join(Config.model_fields)}."
        ) from None


def configured_forecaster(config: Config, overrides: Mapping[str, Any]) -> "LSTMForecaster":
    """An untrained forecaster from the file and the options that were given.

    Raises:
        SettingsError: if both a preset and a list of features are asked for.
        TrainingError: naming the first argument that is off.
        FeatureError: if a feature can't be used.
    """
    from lstm_strategy.learning.features import FeatureSet
    from lstm_strategy.learning.forecaster import LSTMForecaster

    arguments = {**config.forecaster, **_given(overrides)}
    preset = arguments.pop("preset", None)
    if preset is not None and "features" in arguments:
        raise SettingsError("Give either a preset or a list of features, not both.")
    if preset is not None:
        arguments["features"] = FeatureSet.preset(preset)
    return LSTMForecaster(**arguments)


def configured_broker(config: Config, overrides: Mapping[str, Any]) -> "BrokerSettings":
    """The broker's terms from the file and the options that were given.

    Raises:
        TradingError: naming the first field that is off.
    """
    from lstm_strategy.trading.backtest import BrokerSettings

    return BrokerSettings(**{**config.broker, **_given(overrides)})


def strategy_named(text: str) -> tuple[type, dict[str, Any]]:
    """The strategy class and its parameters that ``--strategy`` asks for.

    ``text`` is the name of a baseline, or ``FILE.py:Class`` or ``FILE.py:Class:name=value,...`` as
    backtrader's own ``btrun`` writes it.

    Raises:
        SettingsError: if there is no such baseline, file, class, or the values aren't plain.
    """
    from strategies import BASELINES

    if text in BASELINES:
        return BASELINES[text], {}
    file_name, _, rest = text.partition(":")
    class_name, _, arguments = rest.partition(":")
    if not file_name.endswith(".py") or not class_name:
        raise SettingsError(
            f"--strategy must be FILE.py:Class or one of {', '.join(BASELINES)}; got {text!r}."
        )
    return _class_in_file(Path(file_name), class_name), _plain_arguments(arguments)


def _class_in_file(path: Path, class_name: str) -> type:
    import backtrader as bt

    spec = importlib.util.spec_from_file_location(path.stem, path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise SettingsError(f"--strategy: there is no file {path}.")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise SettingsError(
            f"--strategy: {path} raises {type(error).__name__} when imported: {error}."
        ) from error
    found = getattr(module, class_name, None)
    if not (isinstance(found, type) and issubclass(found, bt.Strategy)):
        raise SettingsError(f"--strategy: {path} has no backtrader strategy {class_name!r}.")
    return found


def _plain_arguments(arguments: str) -> dict[str, Any]:
    try:
        call = ast.parse(f"dict({arguments})", mode="eval").body
        assert isinstance(call, ast.Call)
        return {str(word.arg): ast.literal_eval(word.value) for word in call.keywords}
    except (SyntaxError, ValueError):
        raise SettingsError(
            f"--strategy: {arguments!r} must be name=value pairs with plain values, for example "
            "period=20,model=\"'models/sp500'\"."
        ) from None


def _given(overrides: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in overrides.items() if value is not None}
