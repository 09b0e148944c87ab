"""From what a user writes to the target that it means."""

from lstm_strategy.errors import TrainingError
from lstm_strategy.learning.targets.base import Target
from lstm_strategy.learning.targets.direction import Direction
from lstm_strategy.learning.targets.own import OWN_PREFIX, LabelFunction, OwnTarget

TARGETS: dict[str, type[Target]] = {"direction": Direction}
"""The targets that can be asked for by name."""


def choose_target(target: str | Target | LabelFunction) -> Target:
    """The target that a name, a function or a target means.

    Args:
        target: A name in `TARGETS`, which stands for that target with its default settings; a
            function of bars and horizon; a target itself; or what `Target.describe` gave.

    Returns:
        The target.

    Raises:
        TrainingError: For anything else.

    Example:
        >>> choose_target("direction")
        Direction()
    """
    if isinstance(target, Target):
        return target
    if isinstance(target, str) and target.startswith(OWN_PREFIX):
        return OwnTarget(None, saved_name=target)
    if isinstance(target, str) and target in TARGETS:
        return TARGETS[target]()
    if isinstance(target, type):
        raise TrainingError(f"target must be an object, got a class. Write {target.__name__}().")
    if callable(target):
        return OwnTarget(target)
    raise TrainingError(
        f"target must be one of {', '.join(TARGETS)}, got {target!r}. Or pass a function of bars "
        "and horizon that gives labels."
    )
