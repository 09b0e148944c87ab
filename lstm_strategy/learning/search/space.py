"""Which settings a search may try: plain data, or a function of an Optuna trial.

A space maps a name to a list of choices, or to `(low, high)` or `(low, high, "log")`. From
TOML, where there are no tuples, a range is `{low = 1, high = 9, log = true}`. The names are

* any setting of `LSTMForecaster` (`units` is the width of each layer, or a list of widths),
* `layers`: how many LSTM layers of that width,
* `preset`: the names of ready-made feature sets, or `features`: feature lists to choose from,
* `indicators`: single features, each of which is added to the others or left out,
* any parameter of the strategy that trades the forecasts, such as `min_signal`.
"""

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import optuna

from lstm_strategy.errors import FeatureError, TrainingError
from lstm_strategy.learning.features import FeatureSet
from lstm_strategy.learning.forecaster import LSTMForecaster
from lstm_strategy.learning.training import ForecasterSettings

Space = Mapping[str, Any] | Callable[[Any], Mapping[str, Any]]
"""Plain data, or a function that takes an Optuna trial and gives one value for each name."""

DEFAULT_SPACE: dict[str, Any] = {
    "preset": ["default", "momentum", "volatility", "trend"],
    "indicators": [
        {"kind": "rsi", "length": 2},
        {"kind": "cci", "length": 20},
        {"kind": "cmf", "length": 20},
        {"kind": "relative_volume", "length": 5},
    ],
    "lookback": (20, 120, "log"),
    "units": [8, 16, 24, 32],
    "layers": [1, 2],
    "dropout": (0.0, 0.6),
    "learning_rate": (5e-3, 0.1, "log"),
    "weight_decay": (1e-3, 0.2, "log"),
    "horizon": [1, 2, 5],
}
DEFAULT_STRATEGY_SPACE: dict[str, Any] = {"min_signal": (0.0, 0.5), "band": [0.05, 0.1, 0.2, 0.4]}
"""Thresholds of the strategy, where the objective depends on trading."""

_FEATURE_NAMES = ("preset", "features", "indicators")
_NETWORK_NAMES = (*ForecasterSettings.model_fields, "layers")


@dataclass(frozen=True)
class Range:
    """All numbers from low to high; whole ones where both ends are.

    Attributes:
        low: The lowest number, included.
        high: The highest number, included.
        log: Whether numbers are drawn evenly on a logarithmic scale.
    """

    low: float
    high: float
    log: bool = False

    def suggest(self, trial: optuna.Trial, name: str) -> float:
        """Let a trial choose a number for the parameter `name`."""
        if isinstance(self.low, int) and isinstance(self.high, int):
            return int(trial.suggest_int(name, self.low, self.high, log=self.log))
        return float(trial.suggest_float(name, self.low, self.high, log=self.log))


@dataclass(frozen=True)
class Setting:
    """One point of a space, as plain values that JSON can hold.

    Attributes:
        forecaster: Arguments of `LSTMForecaster` that differ from those of the one to be tuned.
        features: The features as a list; None for those of the forecaster to be tuned.
        strategy: Parameters of the strategy.

    Example:
        >>> Setting({"horizon": 5}).apply_to(LSTMForecaster(units=(8,))).settings.horizon
        5
    """

    forecaster: dict[str, Any] = field(default_factory=dict)
    features: list[dict[str, Any]] | None = None
    strategy: dict[str, Any] = field(default_factory=dict)

    def apply_to(self, base: LSTMForecaster) -> LSTMForecaster:
        """Build an untrained forecaster with this setting; what it leaves open is that of `base`.

        Raises:
            TrainingError: If the setting can't be trained.
            FeatureError: If the features can't be used.
        """
        features = base.features if self.features is None else FeatureSet(self.features)
        settings = {**dict(base.settings), **self.forecaster}
        return type(base)(features, network=base.network, **settings)


@dataclass(frozen=True)
class SearchSpace:
    """A checked space; `from_space` makes one.

    Attributes:
        strategy_names: Parameters of the strategy that it may name.
        dimensions: A `Range`, or a list of choices, by name.
        function: The user's own function in place of dimensions.

    Example:
        >>> space = SearchSpace.from_space({"lookback": (20, 60)}, [])
        >>> space.description
        "{'lookback': Range(low=20, high=60, log=False)}"
    """

    strategy_names: frozenset[str]
    dimensions: dict[str, Any] = field(default_factory=dict)
    function: Callable[[Any], Mapping[str, Any]] | None = None

    @classmethod
    def from_space(cls, space: Space, strategy_names: Sequence[str]) -> Self:
        """Check a space that was given as plain data or as a function.

        Args:
            space: See the top of this module.
            strategy_names: Parameters of the strategy that may be searched too.

        Raises:
            TrainingError: Naming the first dimension that can't be searched.
            FeatureError: If features to choose from can't be used.
        """
        names = frozenset(strategy_names)
        if callable(space):
            return cls(names, function=space)
        if not isinstance(space, Mapping) or not space:
            raise TrainingError(
                f"space must map names to choices or (low, high), or be a function of an Optuna "
                f'trial; got {space!r}. Write space={{"lookback": (20, 120)}}.'
            )
        if {"preset", "features"} <= space.keys():
            raise TrainingError("space has both preset and features. Keep one of them.")
        dimensions = {}
        for name, given in space.items():
            _check_name(name, names)
            dimensions[name] = dimension = _parse_dimension(name, given)
            _check_values(name, dimension)
        return cls(names, dimensions)

    @property
    def description(self) -> str:
        """The space as text, the same for the same space in whatever process."""
        if self.function is None:
            return repr(self.dimensions)
        try:
            return inspect.getsource(self.function)
        except (OSError, TypeError):
            return f"{self.function.__module__}.{getattr(self.function, '__qualname__', '')}"

    def suggest(self, trial: optuna.Trial, base: LSTMForecaster) -> Setting:
        """Let a trial choose a setting.

        Args:
            trial: Chooses each parameter.
            base: The forecaster to be tuned; what the space doesn't name comes from here.

        Raises:
            TrainingError: If a function of the user's own gives a name that means nothing.
            FeatureError: If the features can't be used.
        """
        if self.function is not None:
            values = dict(self.function(trial))
            for name in values:
                _check_name(name, self.strategy_names)
        else:
            values = self._suggest_values(trial)
        return _build_setting(values, self.strategy_names, base)

    def choose_least_demanding(self, base: LSTMForecaster) -> LSTMForecaster | None:
        """Return the forecaster that needs the fewest bars of all that the space allows.

        Args:
            base: The forecaster to be tuned; what the space doesn't name comes from here.

        Returns:
            None where the space doesn't tell: of a function, and of dimensions whose part in the
            bars that are needed isn't simply that less needs less.

        Example:
            >>> space = SearchSpace.from_space({"lookback": [60, 30], "horizon": (2, 5)}, [])
            >>> settings = space.choose_least_demanding(LSTMForecaster()).settings
            >>> settings.lookback, settings.horizon
            (30, 2)
        """
        if self.function is not None or {"validation", "target"} & self.dimensions.keys():
            return None
        values: dict[str, Any] = {
            name: dimension.low if isinstance(dimension, Range) else min(dimension)
            for name, dimension in self.dimensions.items()
            if name in ("lookback", "horizon")
        }
        name = "preset" if "preset" in self.dimensions else "features"
        choices = [{**values, name: choice} for choice in self.dimensions.get(name, [])]
        if not choices and "indicators" in self.dimensions and not base.features.specs:
            return None
        settings = [_build_setting(each, frozenset(), base) for each in choices or [values]]
        return min((each.apply_to(base) for each in settings), key=_warm_up)

    def _suggest_values(self, trial: optuna.Trial) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, dimension in self.dimensions.items():
            if name == "indicators":
                values[name] = [spec for spec in dimension if _suggest_indicator(trial, spec)]
            elif isinstance(dimension, Range):
                values[name] = dimension.suggest(trial, name)
            else:
                by_label = {_choice_label(choice): choice for choice in dimension}
                values[name] = by_label[trial.suggest_categorical(name, list(by_label))]
        return values


def _warm_up(forecaster: LSTMForecaster) -> int:
    return forecaster.inputs.warm_up


def _build_setting(
    values: dict[str, Any], strategy_names: frozenset[str], base: LSTMForecaster
) -> Setting:
    network = {name: value for name, value in values.items() if name in _NETWORK_NAMES}
    layers = network.pop("layers", None)
    if layers is not None or "units" in network:
        units = network.get("units", base.settings.units[0])
        is_width = isinstance(units, int)
        network["units"] = [units] * (layers or 1) if is_width else list(units)
    strategy = {name: value for name, value in values.items() if name in strategy_names}
    return Setting(network, _choose_features(values, base), strategy)


def _choose_features(values: dict[str, Any], base: LSTMForecaster) -> list[dict[str, Any]] | None:
    if not values.keys() & set(_FEATURE_NAMES):
        return None
    choice = values.get("preset", values.get("features"))
    specs = list((base.features if choice is None else _build_features(choice)).specs)
    for spec in values.get("indicators", []):
        present = set(FeatureSet(specs).names) if specs else set()
        if not present & set(FeatureSet([spec]).names):  # a preset may hold it already
            specs.append(dict(spec))
    return specs


def _build_features(choice: Any) -> FeatureSet:
    return FeatureSet.preset(choice) if isinstance(choice, str) else FeatureSet(choice)


def _suggest_indicator(trial: optuna.Trial, spec: Mapping[str, Any]) -> bool:
    """Let a trial choose whether a single feature joins; its parameter is called "with RSI_2"."""
    name = f"with {' '.join(FeatureSet([spec]).names)}"
    return bool(trial.suggest_categorical(name, [False, True]))


def _choice_label(choice: Any) -> Any:
    """A choice as Optuna can keep it: plain values as they are, others as JSON."""
    if choice is None or isinstance(choice, bool | int | float | str):
        return choice
    return json.dumps(choice)


def _check_name(name: str, strategy_names: frozenset[str]) -> None:
    if name in _NETWORK_NAMES or name in _FEATURE_NAMES or name in strategy_names:
        return
    thresholds = ", ".join(sorted(strategy_names)) or "none here"
    raise TrainingError(
        f"space has no dimension {name!r}. Known: {', '.join((*_FEATURE_NAMES, *_NETWORK_NAMES))}; "
        f"of the strategy: {thresholds}."
    )


def _parse_dimension(name: str, given: Any) -> Any:
    if isinstance(given, Mapping):
        if not {"low", "high"} <= given.keys() <= {"low", "high", "log"}:
            raise TrainingError(f"space: {name} as a table has low, high and log, got {given!r}.")
        return _check_range(name, given["low"], given["high"], bool(given.get("log", False)))
    if isinstance(given, tuple) and (len(given) == 2 or (len(given) == 3 and given[2] == "log")):
        return _check_range(name, given[0], given[1], len(given) == 3)
    if isinstance(given, list) and given:
        return given
    raise TrainingError(
        f'space: {name} must be a list of choices, (low, high) or (low, high, "log"), '
        f"got {given!r}."
    )


def _check_range(name: str, low: Any, high: Any, log: bool) -> Range:
    are_numbers = all(isinstance(end, int | float) and end == end for end in (low, high))
    if not are_numbers or not low < high or (log and low <= 0):
        first = "above 0 and below the second" if log else "below the second"
        raise TrainingError(
            f"space: the range of {name} must be two numbers, the first {first}, got {low!r} and "
            f"{high!r}."
        )
    return Range(low, high, log)


def _check_values(name: str, dimension: Any) -> None:
    """Refuse a value that no forecaster takes before the work begins."""
    values = [dimension.low, dimension.high] if isinstance(dimension, Range) else dimension
    for value in values:
        if name in ("preset", "features"):
            _build_features(value)
        elif name == "indicators":
            if not isinstance(value, Mapping):
                raise FeatureError(f'space: indicators are dicts with "kind", got {value!r}.')
            FeatureSet([value])
        elif name == "layers":
            if value not in (1, 2, 3):
                raise TrainingError(f"space: layers must be 1, 2 or 3, got {value!r}.")
        elif name in ForecasterSettings.model_fields:
            is_width = name == "units" and isinstance(value, int)
            ForecasterSettings.from_arguments(**{name: (value,) if is_width else value})
