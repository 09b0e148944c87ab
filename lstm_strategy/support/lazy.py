"""Names that a package offers and imports only when one is asked for."""

import sys
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def import_on_first_use(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Make a package's `__getattr__`, which imports a name from its module at its first use.

    Args:
        package: The package's `__name__`.
        homes: The module of each name, relative to the package: `{"keras": ".keras_import"}`.

    Returns:
        A function of a name. It raises `AttributeError` for one that `homes` lacks.

    Example:
        >>> find = import_on_first_use("lstm_strategy.support", {"sha256_of": ".hashing"})
        >>> find("sha256_of").__module__
        'lstm_strategy.support.hashing'
    """

    def find(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        with warnings.catch_warnings():
            # Optuna's tqdm, which isn't used, asks every notebook for ipywidgets
            warnings.filterwarnings("ignore", "IProgress not found")
            value = getattr(import_module(homes[name], package), name)
        setattr(sys.modules[package], name, value)
        return value

    return find
