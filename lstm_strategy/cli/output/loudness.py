"""How much the commands print: --quiet and --verbose."""

from contextlib import ExitStack
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Self

from lstm_strategy.cli import options as opt
from lstm_strategy.support import choose_progress

_quiet: ContextVar[bool] = ContextVar("quiet", default=False)
_verbose: ContextVar[bool] = ContextVar("verbose", default=False)


def is_quiet() -> bool:
    """Whether results alone are to be printed."""
    return _quiet.get()


def is_verbose() -> bool:
    """Whether details are to be printed that are summed up otherwise."""
    return _verbose.get()


@dataclass
class Loudness:
    """How much is printed inside a `with` block; what is said outside of it holds as well.

    Attributes:
        quiet: Whether results alone are printed.
        verbose: Whether details are printed too.

    Example:
        >>> with Loudness(quiet=True):
        ...     is_quiet()
        True
        >>> is_quiet()
        False
    """

    quiet: opt.Quiet = False
    verbose: opt.Verbose = False

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        for variable, is_wanted in ((_quiet, self.quiet), (_verbose, self.verbose)):
            self._stack.callback(variable.reset, variable.set(is_wanted or variable.get()))
        self._stack.enter_context(choose_progress("none" if is_quiet() else "lines"))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
