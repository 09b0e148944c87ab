"""A user's class as it was before a run, however often it runs."""

import copy
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd

_CONTAINERS = (list, dict, set, deque)
_STATE = (bool, int, float, str, type(None), np.ndarray, pd.DataFrame, pd.Series, *_CONTAINERS)


@contextmanager
def restore_class_state(strategy: Any) -> Iterator[None]:
    """Put back what a run leaves in the attributes of a user's class.

    A strategy that keeps notes in its class would otherwise see those of the run before.
    """
    owners = [owner for owner in strategy.__mro__ if not _is_library(owner.__module__)]
    before = [
        (owner, name, value, _copied(value)) for owner in owners for name, value in _state(owner)
    ]
    try:
        yield
    finally:
        for owner in owners:
            kept = {name for of, name, _, _ in before if of is owner}
            for name, _ in _state(owner):
                if name not in kept:
                    type.__delattr__(owner, name)
        for owner, name, value, old in before:
            _refill(value, old)
            type.__setattr__(owner, name, value if isinstance(value, _CONTAINERS) else old)


def _state(owner: type) -> list[tuple[str, Any]]:
    return [
        (name, value)
        for name, value in list(vars(owner).items())
        if not name.startswith("__") and isinstance(value, _STATE)
    ]


def _copied(value: Any) -> Any:
    try:
        return copy.deepcopy(value)
    except Exception:  # holds what can't be copied: leave it as it is
        return value


def _refill(value: Any, old: Any) -> None:
    """Give a container, to which other names may refer, its old content."""
    if value is old:
        return
    if isinstance(value, list):
        value[:] = old
    elif isinstance(value, dict | set):
        value.clear()
        value.update(old)
    elif isinstance(value, deque):
        value.clear()
        value.extend(old)


def _is_library(module: str) -> bool:
    return module.partition(".")[0] in {"backtrader", "builtins", "lstm_strategy"}
