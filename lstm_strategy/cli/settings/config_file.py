"""A TOML file of settings, which options on the command line override.

The file may have the tables `[forecaster]` (arguments of `LSTMForecaster`, and `preset` or
`[[forecaster.features]]`), `[broker]` (arguments of `BrokerSettings`; what is traded is a table
`[broker.instrument]` with its `kind`, or one `[broker.instruments.NAME]` for each market) and
`[strategy]` (parameters of the strategy that trades the forecasts). For the command `tune` there is
also `[space]`, which names what may be tried.
"""

import json
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from lstm_strategy.errors import LSTMStrategyError, SettingsError, TradingError
from lstm_strategy.support import describe_first_offence, name_options, read_whole, spell

if TYPE_CHECKING:
    from lstm_strategy.learning.forecaster import LSTMForecaster
    from lstm_strategy.trading.cerebro import BrokerSettings

_LARGEST = 2**20  # bytes; settings take a few hundred
_RUN_ARGUMENTS = {"strategy", "bars", "start", "end", "broker", "name"}


class Config(BaseModel):
    """The tables of a configuration file; those that it leaves out are empty.

    Attributes:
        forecaster: Arguments of `LSTMForecaster`, and `preset`.
        broker: Arguments of `BrokerSettings`.
        strategy: Parameters of the strategy that trades the forecasts.
        space: What `tune` may try, as `search_space` takes it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    forecaster: dict[str, Any] = {}
    broker: dict[str, Any] = {}
    strategy: dict[str, Any] = {}
    space: dict[str, Any] = {}


AnyConfig = TypeVar("AnyConfig", bound=Config)


def load_config(path: Path | None) -> Config:
    """The configuration in a TOML file, or an empty one without a file.

    Raises:
        SettingsError: If the file is missing, isn't TOML, or has a table that isn't known.
        LSTMStrategyError: If a value in [forecaster] or [broker] is off.
    """
    return Config() if path is None else read_config(path, Config, title=f"--config {path}")


def read_config(path: Path, tables: type[AnyConfig], *, title: str) -> AnyConfig:
    """The tables of a TOML file.

    Args:
        path: The file.
        tables: Those that it may have.
        title: What messages call the file.

    Raises:
        SettingsError: If the file is missing, isn't TOML, or has a table that isn't known.
        LSTMStrategyError: If a value in [forecaster] or [broker] is off.
    """
    try:
        text = read_whole(path, largest=_LARGEST).decode()
        config = tables.model_validate(tomllib.loads(text.replace("\r\n", "\n")))
    except FileNotFoundError:
        raise SettingsError(f"{title}: there is no such file. Check the path.") from None
    except OSError as error:
        raise SettingsError(f"{title} can't be read: {error.strerror}. Check the path.") from None
    except RecursionError:
        raise SettingsError(f"{title} is nested too deep. Correct it.") from None
    except ValidationError as error:
        offence = describe_first_offence(error)
        known = ", ".join(f"[{name}]" for name in tables.model_fields)
        raise SettingsError(
            f"{title} takes the tables {known}, got {offence.name} = {offence.value!r}. "
            "Rename or remove it."
        ) from None
    except ValueError as error:  # not TOML, not UTF-8, or a number of too many digits
        raise SettingsError(f"{title} isn't valid TOML: {error}. Correct it.") from None
    for name in sorted(_RUN_ARGUMENTS & config.strategy.keys()):
        raise SettingsError(
            f"{title}: {name} in [strategy] isn't a parameter of a strategy. Remove it; "
            "--start and --end choose the bars, [broker] the terms."
        )
    for table, build in (("forecaster", build_forecaster), ("broker", build_broker)):
        try:
            with name_options({}):
                build(config, {})
        except LSTMStrategyError as error:
            raise type(error)(f"{title}, [{table}]: {error}") from None
    return config


def build_forecaster(config: Config, overrides: Mapping[str, Any]) -> "LSTMForecaster":
    """An untrained forecaster from the file and the options that were given.

    Args:
        config: The file.
        overrides: Arguments of `LSTMForecaster`, and `preset`; None where an option wasn't given.

    Raises:
        SettingsError: If the file asks for both a preset and a list of features.
        TrainingError: If an argument is off; it names the first one.
        FeatureError: If a feature can't be used.
    """
    from lstm_strategy.learning.features import FeatureSet
    from lstm_strategy.learning.forecaster import LSTMForecaster

    arguments = {**config.forecaster, **_drop_none(overrides)}
    if {"preset", "features"} <= config.forecaster.keys():
        raise SettingsError("it has both preset and features. Keep one of them.")
    arguments = {name: _read_quoted(name, value) for name, value in arguments.items()}
    preset = arguments.pop("preset", None)
    if preset is not None:
        arguments["features"] = FeatureSet.preset(str(preset))
    return LSTMForecaster.from_arguments(arguments)


def _read_quoted(name: str, value: Any) -> Any:
    """A value of the file, as a number where it is one in quotes: Python refuses `epochs="5"`."""
    from lstm_strategy.learning.training import ForecasterSettings

    if isinstance(value, list):
        return [_read_quoted(name, each) for each in value]
    field = ForecasterSettings.model_fields.get(name)
    if isinstance(value, str) and field and isinstance(field.default, int | float | tuple):
        with suppress(ValueError):
            return json.loads(value)
    return value


def build_broker(config: Config, overrides: Mapping[str, Any]) -> "BrokerSettings":
    """The broker's terms from the file and the options that were given.

    Args:
        config: The file.
        overrides: Arguments of `BrokerSettings`; None where an option wasn't given. `instrument`
            is a list of lines that `parse_instrument` reads.

    Raises:
        SettingsError: If two lines are for the same market.
        TradingError: If an argument is off; it names the first one.
    """
    from lstm_strategy.trading.cerebro import BrokerSettings
    from lstm_strategy.trading.instruments import build_instrument, parse_instrument

    settings = dict(config.broker)
    if "instrument" in settings:
        settings["instrument"] = build_instrument(settings["instrument"])
    if "instruments" in settings:
        tables = dict(settings["instruments"])
        settings["instruments"] = {name: build_instrument(each) for name, each in tables.items()}
    given = dict(_drop_none(overrides))
    parsed: dict[str, Any] = {}
    for line in given.pop("instrument", ()):
        try:
            market, instrument = parse_instrument(line)
        except TradingError as error:
            raise TradingError(f"{spell('instrument')} {line}: {error}") from None
        if market in parsed:
            raise SettingsError(
                f"{spell('instrument')} is given twice for {market or 'all markets'}, the second "
                f"time as {line!r}. Give it once."
            )
        parsed[market] = instrument
    if "" in parsed:
        settings["instrument"] = parsed.pop("")
    if parsed:
        settings["instruments"] = {**settings.get("instruments", {}), **parsed}
    return BrokerSettings(**{**settings, **given})


def _drop_none(overrides: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in overrides.items() if value is not None}
