"""From what a user writes to the target that it means."""

import sys
from collections.abc import Mapping
from typing import Any

from lstm_strategy.errors import TrainingError
from lstm_strategy.learning.targets.base import OWN_CLASS, Target, describe_fields
from lstm_strategy.learning.targets.direction import Direction
from lstm_strategy.learning.targets.moves import Quantiles, Return, TripleBarrier
from lstm_strategy.learning.targets.own import OWN_PREFIX, LabelFunction, OwnTarget
from lstm_strategy.learning.targets.policy import Policy
from lstm_strategy.learning.targets.volatility import Volatility
from lstm_strategy.support import refuse_choice, spell, suggest_names

TARGETS: dict[str, type[Target]] = {
    "direction": Direction,
    "return": Return,
    "quantiles": Quantiles,
    "triple_barrier": TripleBarrier,
    "policy": Policy,
    "volatility": Volatility,
}
"""The targets that can be asked for by name."""

TargetChoice = str | Mapping[str, Any] | Target | LabelFunction
"""What stands for a target: see `choose_target`."""


def choose_target(target: TargetChoice) -> Target:
    """The target that a name, a function or a target means.

    Args:
        target: A name in `TARGETS`, which stands for that target with its default settings; a
            dict of such a `name` and settings; a function of bars and horizon; a target itself;
            or what `describe_target` gave.

    Returns:
        The target.

    Raises:
        TrainingError: For anything else.

    Example:
        >>> choose_target("direction")
        Direction()
    """
    if isinstance(target, Target):
        _check_is_hashable(target)
        return target
    if isinstance(target, str) and target.startswith(OWN_PREFIX):
        return OwnTarget(None, saved_name=target)
    if isinstance(target, str) and target in TARGETS:
        return TARGETS[target]()
    if isinstance(target, Mapping):
        return _build_target(target)
    if isinstance(target, type):
        raise TrainingError(f"target must be an object, got a class. Write {target.__name__}().")
    if callable(target):
        return OwnTarget(target)
    remedy = ""
    if spell("target") == "target":
        remedy = " Or pass a function of bars and horizon that gives labels."
    raise TrainingError(f"{refuse_choice(spell('target'), target, TARGETS)}{remedy}")


def describe_target(target: Target) -> str | dict[str, Any]:
    """A target as JSON can hold it; `choose_target` makes it a target again.

    Args:
        target: Any target. One of a class of the user's own is described by that class and its
            fields.

    Example:
        >>> describe_target(Direction())
        'direction'
    """
    kind = type(target)
    if kind is OwnTarget or kind in TARGETS.values():
        return target.describe()
    return describe_fields(target, {OWN_CLASS: f"{kind.__module__}:{kind.__qualname__}"})


def _build_target(described: Mapping[str, Any]) -> Target:
    """The target of a name or class and settings."""
    settings = {key: value for key, value in described.items() if key not in ("name", OWN_CLASS)}
    if OWN_CLASS in described:
        kind = _find_class(described[OWN_CLASS])
    elif described.get("name") in TARGETS:
        kind = TARGETS[described["name"]]
    else:
        raise TrainingError(
            f"target must have one of the names {', '.join(TARGETS)}, got "
            f"{described.get('name')!r}."
        )
    known = getattr(kind, "__dataclass_fields__", {})
    for name in settings:
        if name not in known:
            raise TrainingError(
                f"The target {kind.__name__} has no setting {name!r}. {suggest_names(name, known)}"
            )
    settings = {
        name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()
    }
    try:
        return kind(**settings)
    except TypeError as error:
        raise TrainingError(f"The target {kind.__name__} can't be built: {error}.") from None


def _find_class(path: Any) -> type[Target]:
    """A class of the user's own, if its module has been imported: a file imports nothing."""
    module_name, _, qualified = str(path).partition(":")
    found: Any = sys.modules.get(module_name)
    for name in qualified.split("."):
        found = getattr(found, name, None)
    if isinstance(found, type) and issubclass(found, Target):
        return found
    raise TrainingError(
        f"The model's target is the class {qualified!r:.80} of the module {module_name!r:.80}, "
        "which isn't known here. Import that module first."
    )


def _check_is_hashable(target: Target) -> None:
    try:
        hash(target)
    except TypeError:
        raise TrainingError(
            f"The target {type(target).__name__} can't be hashed. Write @dataclass(frozen=True) "
            "above its class, and tuples instead of lists."
        ) from None
