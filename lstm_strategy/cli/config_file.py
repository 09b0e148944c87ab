"""What the command line is told: a TOML file, overridden by options.

The file may have the tables ``[forecaster]`` (arguments of LSTMForecaster, and ``preset`` or
``[[forecaster.features]]``), ``[broker]`` (arguments of BrokerSettings) and ``[strategy]``
(parameters of the strategy that trades the forecasts). For the command ``tune`` there is also
``[space]``: what may be tried.
"""

import ast
import importlib.util
import re
import sys
import tomllib
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from lstm_strategy.errors import LSTMStrategyError, SettingsError

if TYPE_CHECKING:
    from types import ModuleType

    from lstm_strategy.learning.forecaster import LSTMForecaster
    from lstm_strategy.trading.cerebro import BrokerSettings

_RUN_ARGUMENTS = {"strategy", "bars", "start", "end", "broker", "name"}
_MODULE_PREFIX = "strategy_file_"


class Config(BaseModel):
    """The tables of a configuration file; empty where it says nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    forecaster: dict[str, Any] = {}
    broker: dict[str, Any] = {}
    strategy: dict[str, Any] = {}
    space: dict[str, Any] = {}


def load_config(path: Path | None) -> Config:
    """The configuration in a TOML file, or an empty one without a file.

    Raises:
        SettingsError: if the file is missing, isn't TOML, or has what it can't have.
    """
    if path is None:
        return Config()
    try:
        config = Config.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise SettingsError(
            f"--config {path} can't be read: {error.strerror}. Check the path."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"--config {path} isn't valid TOML: {error}. Correct it.") from None
    except ValidationError as error:
        offender = error.errors()[0]
        tables = ", ".join(f"[{name}]" for name in Config.model_fields)
        raise SettingsError(
            f"--config {path} takes the tables {tables}, got {offender['loc'][0]} = "
            f"{offender['input']!r}. Rename or remove it."
        ) from None
    for name in sorted(_RUN_ARGUMENTS & config.strategy.keys()):
        raise SettingsError(
            f"--config {path}: {name} in [strategy] isn't a parameter of a strategy. Remove it; "
            "--start and --end choose the bars, [broker] the terms."
        )
    return config


def build_forecaster(config: Config, overrides: Mapping[str, Any]) -> "LSTMForecaster":
    """An untrained forecaster from the file and the options that were given.

    Raises:
        SettingsError: if the file asks for both a preset and a list of features.
        TrainingError: naming the first argument that is off.
        FeatureError: if a feature can't be used.
    """
    from lstm_strategy.learning.features import FeatureSet
    from lstm_strategy.learning.forecaster import LSTMForecaster

    arguments = {**config.forecaster, **_given(overrides)}
    if {"preset", "features"} <= config.forecaster.keys():
        raise SettingsError("[forecaster] has both preset and features. Keep one of them.")
    preset = arguments.pop("preset", None)
    if preset is not None:
        arguments["features"] = FeatureSet.preset(str(preset))
    return LSTMForecaster(**arguments)


def build_broker(config: Config, overrides: Mapping[str, Any]) -> "BrokerSettings":
    """The broker's terms from the file and the options that were given.

    Raises:
        TradingError: naming the first field that is off.
    """
    from lstm_strategy.trading.cerebro import BrokerSettings

    return BrokerSettings(**{**config.broker, **_given(overrides)})


def find_strategy(text: str, *, or_indicator: bool = False) -> tuple[type, dict[str, Any]]:
    """The strategy class and its parameters that ``--strategy`` asks for.

    ``text`` is the name of a baseline in upper or lower case, or ``FILE.py:Class`` or
    ``FILE.py:Class:name=value,...`` as backtrader's own ``btrun`` writes it. With ``or_indicator``
    the class may be an indicator.

    Raises:
        SettingsError: if there is no such baseline, file, class, or the values aren't plain.
    """
    from lstm_strategy import BASELINES

    baselines = {name.casefold(): baseline for name, baseline in BASELINES.items()}
    if text.casefold() in baselines:
        return baselines[text.casefold()], {}
    parts = re.fullmatch(r"(.+?\.py):(\w+)(?::(.*))?", text)
    if parts is None:
        raise SettingsError(
            f"--strategy must be FILE.py:Class or one of {', '.join(BASELINES)}; got {text!r}."
        )
    file_name, class_name, arguments = parts.groups(default="")
    chosen = _class_in_file(Path(file_name), class_name, or_indicator=or_indicator)
    return chosen, _plain_arguments(arguments)


@contextmanager
def explain_failures(strategy: type) -> Iterator[None]:
    """Turn what a strategy out of somebody's file raises into one line that says where.

    Raises:
        SettingsError: naming the exception, the file and the line.
    """
    try:
        yield
    except LSTMStrategyError:
        raise
    except Exception as error:
        if not strategy.__module__.startswith(_MODULE_PREFIX):
            raise
        path = Path(str(sys.modules[strategy.__module__].__file__))
        raise SettingsError(
            f"--strategy: {strategy.__name__} raises {_failure_text(error, path)}. Mend it there."
        ) from error


def _class_in_file(path: Path, class_name: str, *, or_indicator: bool) -> type:
    import backtrader as bt

    found = getattr(_imported(path), class_name, None)
    bases = (bt.Strategy, bt.Indicator) if or_indicator else (bt.Strategy,)
    if not (isinstance(found, type) and issubclass(found, bases)):
        wanted = " or ".join(f"backtrader.{base.__name__}" for base in bases)
        raise SettingsError(
            f"--strategy: {path} has no class {class_name!r} derived from {wanted}. "
            "Check the name after the colon."
        )
    return found


def _imported(path: Path) -> "ModuleType":
    name = _MODULE_PREFIX + path.stem  # a strategy in json.py must not become the module json
    spec = importlib.util.spec_from_file_location(name, path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise SettingsError(f"--strategy: there is no file {path}. Check the path.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # backtrader looks up the module of every class
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise SettingsError(
            f"--strategy: importing {path} raises {_failure_text(error, path)}. Mend it there."
        ) from error
    return module


def _failure_text(error: BaseException, path: Path) -> str:
    """The exception and the last line of the file that led to it."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename) == path.absolute()]
    place = f" ({path}, line {lines[-1]})" if lines else ""
    return f"{type(error).__name__}: {error}{place}"


def _plain_arguments(arguments: str) -> dict[str, Any]:
    try:
        match ast.parse(f"dict({arguments})", mode="eval").body:
            case ast.Call(func=ast.Name("dict"), args=[], keywords=words):
                return {_name_of(word): ast.literal_eval(word.value) for word in words}
    except (SyntaxError, ValueError):
        pass
    raise SettingsError(
        f"--strategy: {arguments!r} must be name=value pairs with plain values, for example "
        "period=20,model=\"'models/sp500'\"."
    )


def _name_of(word: ast.keyword) -> str:
    if word.arg is None:
        raise ValueError("**mapping has no name")
    return word.arg


def _given(overrides: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in overrides.items() if value is not None}
