"""Options that several commands share, each group as one object.

A command takes a group as one parameter; `expand_options` offers its fields as single options.
"""

import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

from lstm_strategy.cli import options as opt
from lstm_strategy.cli.settings.config_file import build_broker, build_forecaster, load_config
from lstm_strategy.support import name_options

if TYPE_CHECKING:
    from lstm_strategy.learning.forecaster import LSTMForecaster
    from lstm_strategy.trading.cerebro import BrokerSettings

OPTIONS = {
    "adjusted": "--adjusted",
    "columns": "--columns",
    "end": "--end",
    "engine": "--engine",
    "n_jobs": "--jobs",
    "objective": "--objective",
    "on_bad": "--on-bad",
    "repair": "--repair",
    "start": "--start",
    "symbol": "--symbol",
    "symbols": "--symbols",
    "test": "--test-window",
    "train": "--train-window",
}
"""The options of arguments that messages name."""

BROKER_OPTIONS = {
    "cash": "--cash",
    "commission_rate": "--commission",
    "slippage_rate": "--slippage",
    "latency_bars": "--latency-bars",
    "execution_bars": "--execution-bars",
    "execution": "--execution",
    "instrument": "--instrument",
    "instruments": "--instrument",
}
"""The options of the terms of a run."""
NETWORK_OPTIONS = {
    name: f"--{name}"
    for name in (
        *("target", "preset", "epochs", "members", "seed"),
        *("horizon", "units", "lookback"),
    )
} | {"market_embedding": "--market-embedding"}
"""The options of how a network is built and trained."""


def expand_options(
    command: Callable[..., None], *, around: type[AbstractContextManager[Any]] | None = None
) -> Callable[..., None]:
    """A command for typer, with an option for every field of the groups among its parameters.

    Args:
        command: A function whose parameters are options, or groups of options: dataclasses whose
            fields are annotated as options are.
        around: A group that the command doesn't take; it is entered while the command runs.

    Returns:
        A function of single options that makes the groups and calls the command.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {}
    parameters = []
    for name, parameter in inspect.signature(command).parameters.items():
        if is_dataclass(hints[name]):
            groups[name] = hints[name]
            parameters += _parameters_of(hints[name])
        else:
            parameters.append(
                parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY)
            )
    parameters += [] if around is None else _parameters_of(around)

    def run(**given: Any) -> None:
        with nullcontext() if around is None else _take(around, given):
            for name, group in groups.items():
                given[name] = _take(group, given)
            command(**given)

    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return run


def _take(group: Any, given: dict[str, Any]) -> Any:
    """A group of the options that are its fields, which leave the others."""
    return group(**{field.name: given.pop(field.name) for field in fields(group)})


def _parameters_of(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=hints[field.name],
        )
        for field in fields(group)
    ]


@dataclass(frozen=True)
class CostOptions:
    """What trading costs; an option that is given overrides the configuration file.

    Attributes:
        commission: A fraction of each trade's value.
        slippage: A fraction of the price.
        instrument: What is traded, in place of the commission.
    """

    commission: opt.Commission = None
    slippage: opt.Slippage = None
    instrument: opt.Instruments = None

    def build_broker(self, config: Path | None) -> "BrokerSettings":
        """The broker's terms from the options and the configuration file.

        Raises:
            SettingsError: If the file can't be used.
            TradingError: If a value is off.
        """
        loaded = load_config(config)
        with name_options(BROKER_OPTIONS):
            return build_broker(loaded, self._terms)

    @property
    def _terms(self) -> dict[str, Any]:
        return {
            "commission_rate": self.commission,
            "slippage_rate": self.slippage,
            "instrument": self.instrument or None,
        }


@dataclass(frozen=True)
class BrokerOptions(CostOptions):
    """What trading costs, with how much money it begins, and how orders are sent.

    Attributes:
        cash: The money at the start.
        latency_bars: By how many bars orders are late.
        execution_bars: Over how many bars each is worked.
        execution: How it is worked.
    """

    cash: opt.Cash = None
    latency_bars: opt.LatencyBars = None
    execution_bars: opt.ExecutionBars = None
    execution: opt.Execution = None

    @property
    def _terms(self) -> dict[str, Any]:
        return {
            **super()._terms,
            "cash": self.cash,
            "latency_bars": self.latency_bars,
            "execution_bars": self.execution_bars,
            "execution": self.execution,
        }


@dataclass(frozen=True)
class EnsembleOptions:
    """How an ensemble is trained; an option that is given overrides the configuration file.

    Attributes:
        target: The name of what the networks are asked.
        preset: The name of a set of features.
        epochs: The most epochs of each network.
        members: The number of networks.
        seed: What makes the training repeatable.
    """

    target: opt.Target = None
    preset: opt.Preset = None
    epochs: opt.Epochs = None
    members: opt.Members = None
    seed: opt.Seed = None

    def build_forecaster(self, config: Path | None) -> "LSTMForecaster":
        """An untrained forecaster from the options and the configuration file.

        Raises:
            SettingsError: If the file can't be used.
            TrainingError: If a value is off.
            FeatureError: If a feature can't be used.
        """
        loaded = load_config(config)
        with name_options(NETWORK_OPTIONS):
            return build_forecaster(loaded, self.given)

    @property
    def given(self) -> dict[str, Any]:
        """The options that were given, by their name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        # typer hands an empty list over where a repeatable option isn't given
        return {name: value for name, value in values.items() if value not in (None, [])}


@dataclass(frozen=True)
class NetworkOptions(EnsembleOptions):
    """How an ensemble is built and trained.

    Attributes:
        horizon: How many bars ahead it forecasts.
        units: The widths of the LSTM layers.
        lookback: How many bars a network sees before it forecasts.
        market_embedding: How many numbers it learns of each of several markets.
    """

    horizon: opt.Horizon = None
    units: opt.Units = None
    lookback: opt.Lookback = None
    market_embedding: opt.MarketEmbedding = None


@dataclass(frozen=True)
class WindowOptions:
    """How a walk forward moves along time.

    Attributes:
        train_window: What each fold trains on, as `WalkForward` takes it; None for what fits.
        test_window: What each fold is tested on; None for what fits.
    """

    train_window: opt.TrainWindow = None
    test_window: opt.TestWindow = None


@dataclass(frozen=True)
class PermutationOptions:
    """A test on bars whose order is destroyed.

    Attributes:
        permutations: How many times the bars are shuffled; 0 for no test.
        permutation_block: How many bars stay together in a shuffle.
    """

    permutations: opt.Permutations = 0
    permutation_block: opt.PermutationBlock = 1


@dataclass(frozen=True)
class TrackingOptions:
    """Where a training or a result is logged.

    Attributes:
        tensorboard: A folder for TensorBoard; None for nowhere.
        mlflow: An experiment of MLflow; None for nowhere.
    """

    tensorboard: opt.TensorBoard = None
    mlflow: opt.MLflow = None
