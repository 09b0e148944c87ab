"""A strategy by the name of a baseline, or by a file and a class as btrun writes it.

A commission scheme comes from a file as well.
"""

import ast
import difflib
import importlib.util
import re
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import backtrader as bt

from lstm_strategy.errors import LSTMStrategyError, SettingsError, lacks_memory
from lstm_strategy.trading.baselines import BASELINES, EVERY_BASELINE, PORTFOLIO_BASELINES

_MODULE_PREFIX = "strategy_file_"
_ALIKE = 0.75  # from 0 to 1: what MCAD and MACD have
_LSTM = "LSTM"
_STRATEGY, _SCHEME = "--strategy", "--commission-scheme"


def find_strategy(text: str, *, or_indicator: bool = False) -> tuple[type, dict[str, Any]]:
    """The class that --strategy asks for, and its parameters.

    Args:
        text: The name of a baseline in upper or lower case, or `FILE.py:Class` or
            `FILE.py:Class:name=value,...` as backtrader's own `btrun` writes it.
        or_indicator: Whether the class may be an indicator.

    Raises:
        SettingsError: If there is no such baseline, file or class, or the values aren't plain.
    """
    baselines = {name.casefold(): baseline for name, baseline in EVERY_BASELINE.items()}
    if text.casefold() in baselines:
        return baselines[text.casefold()], {}
    parts = _split(text)
    if parts is None:
        known = {name.casefold(): name for name in EVERY_BASELINE}
        nearest = difflib.get_close_matches(text.casefold(), known, cutoff=_ALIKE)
        if nearest:
            names = ", ".join(known[name] for name in nearest)
            raise SettingsError(f"there is no strategy {text!r}. Did you mean {names}?")
        raise SettingsError(
            f"--strategy must be FILE.py:Class or one of {', '.join(BASELINES)}, or for several "
            f"markets {', '.join(PORTFOLIO_BASELINES)}; got {text!r}. With the columns that they "
            f"read, there are also {', '.join(_list_others())}."
        )
    bases = (bt.Strategy, bt.Indicator) if or_indicator else (bt.Strategy,)
    return _find_in_file(*parts, bases=bases, option=_STRATEGY)


def find_strategies(texts: Sequence[str]) -> dict[str, tuple[type, dict[str, Any]]]:
    """The classes that several --strategy ask for, with their parameters, by their name for tables.

    Args:
        texts: What `find_strategy` takes, each. Where two are of one class, the name says the
            parameters as well, and where a class is called as a baseline is, its file.

    Raises:
        SettingsError: As `find_strategy`, and for the same twice.
    """
    names = [name_strategy(text) for text in texts]
    found: dict[str, tuple[type, dict[str, Any]]] = {}
    for text, name in zip(texts, names, strict=True):
        parts = _split(text)
        if parts is not None:
            if name in {*EVERY_BASELINE, _LSTM}:
                name = f"{name} of {Path(parts[0]).name}"
            elif names.count(name) > 1 and parts[2]:
                name = f"{name}:{parts[2]}"
        if name in found:
            raise SettingsError(f"--strategy {text} is there twice. Leave one out.")
        found[name] = find_strategy(text)
    return found


def name_strategy(text: str | None) -> str:
    """The name that tables give to what --strategy asks for: a baseline keeps its own.

    Args:
        text: What `find_strategy` takes; None for the LSTM, which trades where nothing is asked.

    Example:
        >>> name_strategy(None), name_strategy("sma cross"), name_strategy("mine.py:Mine:fast=5")
        ('LSTM', 'SMA cross', 'Mine')
    """
    if text is None:
        return _LSTM
    parts = _split(text)
    if parts is not None:
        return parts[1]
    return next((name for name in EVERY_BASELINE if name.casefold() == text.casefold()), text)


def find_scheme(text: str) -> bt.CommInfoBase:
    """The commission scheme that --commission-scheme asks for.

    Args:
        text: `FILE.py:Class` or `FILE.py:Class:name=value,...`.

    Raises:
        SettingsError: If there is no such file or class, the values aren't plain, or the class
            can't be made with them.
    """
    parts = _split(text)
    if parts is None:
        raise SettingsError(f"{_SCHEME} must be FILE.py:Class, got {text!r}. Name both.")
    chosen, params = _find_in_file(*parts, bases=(bt.CommInfoBase,), option=_SCHEME)
    with explain_failures(chosen, option=_SCHEME):
        return chosen(**params)


def _split(text: str) -> tuple[str, str, str] | None:
    """File, class and arguments; None for something else."""
    parts = re.fullmatch(r"(.+?\.py):(\w+)(?::(.*))?", text)
    return None if parts is None else (parts[1], parts[2], parts[3] or "")


def _find_in_file(
    file_name: str, class_name: str, arguments: str, *, bases: tuple[type, ...], option: str
) -> tuple[type, dict[str, Any]]:
    try:
        chosen = _find_class(Path(file_name), class_name, bases)
        return chosen, _parse_arguments(arguments)
    except SettingsError as error:
        raise SettingsError(f"{option}: {error}") from error.__cause__


def _list_others() -> list[str]:
    usual = {*BASELINES, *PORTFOLIO_BASELINES}
    return [name for name in EVERY_BASELINE if name not in usual]


@contextmanager
def explain_failures(strategy: type, *, option: str = _STRATEGY) -> Iterator[None]:
    """Turn what a class out of a user's file raises into one line that says where.

    Args:
        strategy: The class.
        option: The option that named it.

    Raises:
        SettingsError: If the strategy raised; it names the exception, the file and the line.
    """
    try:
        yield
    except LSTMStrategyError:
        raise
    except Exception as error:
        if lacks_memory(error) or not strategy.__module__.startswith(_MODULE_PREFIX):
            raise
        path = Path(str(sys.modules[strategy.__module__].__file__))
        failure = _describe_failure(error, path)
        raise SettingsError(
            f"{option}: {strategy.__name__} raises {failure}. Fix it there."
        ) from error


def _find_class(path: Path, class_name: str, bases: tuple[type, ...]) -> type:
    found = getattr(_import_file(path), class_name, None)
    if not (isinstance(found, type) and issubclass(found, bases)):
        wanted = " or ".join(f"backtrader.{base.__name__}" for base in bases)
        raise SettingsError(
            f"{path} has no class {class_name!r} derived from {wanted}. "
            "Check the name after the colon."
        )
    return found


def _import_file(path: Path) -> ModuleType:
    name = _MODULE_PREFIX + path.stem  # a strategy in json.py must not become the module json
    spec = importlib.util.spec_from_file_location(name, path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise SettingsError(f"there is no file {path}. Check the path.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # backtrader looks up the module of every class
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        if lacks_memory(error):
            raise
        raise SettingsError(
            f"importing {path} raises {_describe_failure(error, path)}. Fix it there."
        ) from error
    return module


def _describe_failure(error: BaseException, path: Path) -> str:
    """The exception and the last line of the file that led to it."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename) == path.absolute()]
    place = f" ({path}, line {lines[-1]})" if lines else ""
    return f"{type(error).__name__}: {error}{place}"


def _parse_arguments(arguments: str) -> dict[str, Any]:
    try:
        match ast.parse(f"dict({arguments})", mode="eval").body:
            case ast.Call(func=ast.Name("dict"), args=[], keywords=words):
                return {_name_of(word): ast.literal_eval(word.value) for word in words}
    except (SyntaxError, ValueError):
        pass
    raise SettingsError(
        f"{arguments!r} must be name=value pairs with plain values. Text needs quotes, inside "
        "those of the shell: \"FILE.py:Class:period=20,model='models/sp500'\"."
    )


def _name_of(word: ast.keyword) -> str:
    if word.arg is None:
        raise ValueError("**mapping has no name")
    return word.arg
