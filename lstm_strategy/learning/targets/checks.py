"""Checks that targets make of their settings, naming the one that is off."""

import math
import operator
from collections.abc import Sequence
from typing import Any

from lstm_strategy.errors import TrainingError
from lstm_strategy.support import refuse_choice

_RULES = {
    "at least": operator.ge,
    "above": operator.gt,
    "at most": operator.le,
    "below": operator.lt,
}


def check_choice(name: str, value: Any, choices: Sequence[str]) -> None:
    """Refuse a setting that isn't one of a few words.

    Raises:
        TrainingError: Naming the setting and the words.
    """
    if value not in choices:
        raise TrainingError(refuse_choice(name, value, choices))


def check_number(name: str, value: Any, **bounds: float) -> None:
    """Refuse a setting that isn't a finite number within its bounds.

    Args:
        name: What the setting is called.
        value: What it is.
        bounds: Numbers by `at_least`, `above`, `at_most` or `below`.

    Raises:
        TrainingError: Naming the setting and the bounds.

    Example:
        >>> check_number("cost_rate", 0.001, at_least=0, below=1)
    """
    rules = [(rule.replace("_", " "), bound) for rule, bound in bounds.items()]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if (
        is_number
        and math.isfinite(value)
        and all(_RULES[words](value, bound) for words, bound in rules)
    ):
        return
    wanted = " and ".join(f"{words} {bound:g}" for words, bound in rules)
    raise TrainingError(f"{name} must be a number {wanted}, got {value!r}.")


def check_bars(name: str, value: Any, *, least: int, default: int) -> None:
    """Refuse a setting that isn't a whole number of bars, at least so many.

    Raises:
        TrainingError: Naming the setting and its default.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise TrainingError(
            f"{name} must be a whole number of bars, at least {least}, got {value!r}. The default "
            f"is {default}."
        )
