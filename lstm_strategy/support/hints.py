"""Errors that name what was meant, for arguments and attributes that aren't there."""

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import NoReturn, ParamSpec, TypeVar

from lstm_strategy.errors import UnknownNameError
from lstm_strategy.support.wording import suggest_names

_P = ParamSpec("_P")
_R = TypeVar("_R")
_V = TypeVar("_V")


def explain_arguments(error: type[Exception]) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Let a function refuse arguments that it doesn't take by the nearest names that it does.

    Args:
        error: What is raised in place of Python's own `TypeError`.

    Example:
        >>> @explain_arguments(ValueError)
        ... def walk(bars, *, train=1): ...
        >>> walk([], trian=2)
        Traceback (most recent call last):
        ValueError: walk has no argument 'trian'. Did you mean train?
        >>> walk([], 2)
        Traceback (most recent call last):
        ValueError: walk takes bars alone without a name, got 2 arguments without one. Name the \
others: train=...
    """

    def explain(function: Callable[_P, _R]) -> Callable[_P, _R]:
        takes = dict(inspect.signature(function).parameters)
        is_method = takes.pop("self", None) is not None
        name = function.__qualname__.removesuffix(".__init__")
        ordered = [each for each, of in takes.items() if of.kind is of.POSITIONAL_OR_KEYWORD]
        others = [each for each in takes if each not in ordered]

        @wraps(function)
        def checked(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            for given in kwargs:
                if given not in takes:
                    raise error(f"{name} has no argument {given!r}. {suggest_names(given, takes)}")
            n_given = len(args) - is_method
            if n_given > len(ordered):
                shown = f"{', '.join(f'{each}=...' for each in others[:5])}"
                more = f" and {len(others) - 5} more" if len(others) > 5 else ""
                raise error(
                    f"{name} takes {' and '.join(ordered)} alone without a name, got {n_given} "
                    f"arguments without one. Name the others: {shown}{more}"
                )
            return function(*args, **kwargs)

        return checked

    return explain


class NamedDict(dict[str, _V]):
    """A dict that answers a name that it lacks with the nearest ones that it has.

    Example:
        >>> NamedDict({"MACD": 1})["Macd"]
        Traceback (most recent call last):
        lstm_strategy.errors.UnknownNameError: there is no 'Macd' here. Did you mean MACD?
    """

    def __missing__(self, name: object) -> NoReturn:
        raise UnknownNameError(f"there is no {name!r} here. {suggest_names(name, self)}")


def refuse_attribute(owner: object, name: str, elsewhere: Mapping[str, str]) -> NoReturn:
    """Refuse an attribute that isn't there by where it is, or by the nearest names.

    Args:
        owner: What was asked for it.
        name: The attribute.
        elsewhere: Where a user finds what isn't an attribute: `{"sharpe": 'metrics["sharpe"]'}`.

    Raises:
        AttributeError: Always.

    Example:
        >>> refuse_attribute(1.5, "verdict", {"verdict": "assess().verdict"})
        Traceback (most recent call last):
        AttributeError: float has no attribute 'verdict'. It is in assess().verdict.
    """
    if hasattr(type(owner), name):
        object.__getattribute__(owner, name)  # there is one, and it raised this error itself
    front = f"{type(owner).__name__} has no attribute {name!r}"
    if name.startswith("_"):
        raise AttributeError(f"{front}.", name=name, obj=owner)
    if name in elsewhere:
        raise AttributeError(f"{front}. It is in {elsewhere[name]}.", name=name, obj=owner)
    public = [each for each in dir(owner) if not each.startswith("_")]
    raise AttributeError(f"{front}. {suggest_names(name, public)}", name=name, obj=owner)
