"""Where the commands print to: results to stdout, and what goes on meanwhile to stderr."""

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from textwrap import fill
from typing import Any

from rich.console import Console
from rich.text import Text

from lstm_strategy.cli.output.loudness import is_quiet
from lstm_strategy.cli.output.wording import begin_lower, in_options
from lstm_strategy.errors import escape_controls

WIDTH_OF_ALL_METRICS = 140


def _pipe_width() -> int | None:
    # a file or a pipe has no edge to keep to; a terminal and COLUMNS say theirs
    return None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDTH_OF_ALL_METRICS


class _PlainConsole(Console):
    """Prints text as it is, brackets and colons included, but obeys none of its escape codes."""

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(escape_controls(text), **options)


_plain_console = partial(_PlainConsole, markup=False, emoji=False, highlight=False)
out = _plain_console(width=_pipe_width())
err = _plain_console(stderr=True)


def say(text: str, *, style: str | None = None, is_code: bool = False) -> None:
    """Print a sentence that is part of the result to stdout.

    A terminal, or COLUMNS, wraps it at words; in a pipe it stays one line.

    Args:
        text: The sentence.
        style: The style of rich, such as "bold"; plain by default.
        is_code: Whether it quotes somebody's Python, which stays as it is. Other sentences are put
            into the words of options.

    Example:
        >>> say("No order was sent.")
        No order was sent.
    """
    _print_wrapped(out, text if is_code else in_options(text), style=style)


def tell(text: str, *, style: str | None = None) -> None:
    """Print what goes on to stderr, wrapped as by `say`: nothing with --quiet.

    Example:
        >>> tell("Wrote metrics.csv to results/.")
    """
    if not is_quiet():
        _print_wrapped(err, in_options(text), style=style)


def tell_command(*words: str) -> None:
    """Print a command to stderr as one line, however long, so that it can be copied.

    Example:
        >>> tell_command("lstm-strategy", "train", "my bars.csv")
    """
    if not is_quiet():
        err.print(f"  {shlex.join(words)}", soft_wrap=True)


def tell_note(text: str) -> None:
    """Tell a note on stderr as `tell` does.

    Example:
        >>> tell_note("The model knows no market SPY.")
    """
    tell(f"note: {begin_lower(in_options(text))}")


def complain(label: str, text: str, *, style: str | None = None) -> None:
    """Print an error to stderr in any case, wrapped as by `say`.

    Args:
        label: What it is. Behind a colon the text begins in lower case, unless with a name.
        text: The message.
        style: The style of the label, such as "bold red"; plain by default.

    Example:
        >>> complain("error:", "there is no file prices.csv. Check the path.")
    """
    text = in_options(text)
    text = begin_lower(text) if label.endswith(":") else text
    shown = Text(_wrap(err, escape_controls(f"{label} {text}")))
    shown.stylize(style or "", 0, len(label))
    err.print(shown, soft_wrap=True)


def _print_wrapped(console: Console, text: str, *, style: str | None) -> None:
    console.print(_wrap(console, text), style=style, soft_wrap=True)


def _wrap(console: Console, text: str) -> str:
    if not console.is_terminal and "COLUMNS" not in os.environ:
        return text
    # a path that is longer than a line stays whole, so that it can be copied
    wrap_words = partial(fill, width=console.width, break_long_words=False, break_on_hyphens=False)
    return "\n".join(map(wrap_words, text.split("\n")))


@contextmanager
def status(activity: str) -> Iterator[None]:
    """Show on stderr that work is going on: a sign on a terminal, a line elsewhere.

    Args:
        activity: What is being done, in words.

    Example:
        >>> with status("Backtesting"):
        ...     say("done")
        done
    """
    if is_quiet() or not err.is_terminal:
        tell(f"{activity} …")
        yield
        return
    with err.status(f"{activity} …"):
        yield
