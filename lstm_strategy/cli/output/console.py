"""Where the commands print to, and the sign that work is going on."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

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


def build_table(columns: list[str]) -> Table:
    """An empty table of these columns, of which the first is left-aligned."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column(columns[0], no_wrap=True)
    for column in columns[1:]:
        table.add_column(column.replace("_", " "), justify="right", min_width=8)
    return table


def say(text: str, *, style: str | None = None) -> None:
    """Print one line to stdout. A terminal wraps it; in a pipe it stays whole.

    Args:
        text: The line.
        style: The style of rich, such as "bold"; plain by default.

    Example:
        >>> say("Wrote metrics.csv to results/.")
        Wrote metrics.csv to results/.
    """
    # soft: the terminal wraps the line, and a pipe gets it whole
    out.print(text, soft_wrap=True, style=style)


@contextmanager
def status(activity: str) -> Iterator[None]:
    """Show on a terminal's stderr that work is going on.

    Args:
        activity: What is being done, in words.

    Example:
        >>> with status("Backtesting"):
        ...     say("done")
        done
    """
    with err.status(f"{activity} …"):
        yield
