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
    before = {owner: _state(owner) for owner in owners}
    copies = {owner: {n: _copy(value) for n, value in before[owner].items()} for owner in owners}
    try:
        yield
    finally:
        for owner in owners:
            for name in _state(owner).keys() - before[owner].keys():
                type.__delattr__(owner, name)
            for name, value in before[owner].items():
                old = copies[owner][name]
                _refill(value, old)
                type.__setattr__(owner, name, value if isinstance(value, _CONTAINERS) else old)


def _state(owner: type) -> dict[str, Any]:
    return {
        name: value
        for name, value in vars(owner).items()
        if not name.startswith("__") and isinstance(value, _STATE)
    }


def _copy(value: Any) -> Any:
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
