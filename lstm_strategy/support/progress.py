"""How far long work is, shown where somebody looks.

In a terminal rich draws a bar. In a notebook it is one output that is written over, in plain HTML:
it needs no widgets, looks the same in JupyterLab and VS Code, and what stays in the file is one
line. Elsewhere nothing is shown, unless `choose_progress` asks for lines, and the caller's own
function takes the place of all this.
"""

import html
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any, Literal, TypeVar

OnEpoch = Callable[[int, int, float], None]
"""Called after each epoch with: members done, epochs done of this member, validation loss."""

OnStep = Callable[[int, int], None]
"""Called after each step with: steps done, steps in all."""

OnWords = Callable[[str], None]
"""Called with a few words on what is being done."""

_Show = Callable[[float | None, str], None]  # the share done, None where it isn't known, and words
_Report = TypeVar("_Report")

_SECONDS_BETWEEN_UPDATES = 0.2
_SECONDS_BETWEEN_LINES = 10.0

_Elsewhere = Literal["usual", "lines", "none"]
_chosen: ContextVar[_Elsewhere] = ContextVar("progress", default="usual")


@contextmanager
def choose_progress(how: Literal["lines", "none"]) -> Iterator[None]:
    """Choose how work shows how far it is, where its caller leaves that open.

    Args:
        how: "lines" to write lines to stderr where that is no terminal, such as a log file; "none"
            for nothing anywhere.

    Example:
        >>> with choose_progress("none"), steps_progress(None, "folds") as on_step:
        ...     on_step is None
        True
    """
    token = _chosen.set(how)
    try:
        yield
    finally:
        _chosen.reset(token)


@contextmanager
def training_progress(
    progress: bool | OnEpoch | None, *, members: int, epochs: int
) -> Iterator[OnEpoch | None]:
    """Give what to call after each epoch of a training, and show how far it is.

    Args:
        progress: True to show it, False for nothing, None to show it if somebody looks: in a
            terminal or a notebook. A function is called instead.
        members: The networks that are trained one after the other.
        epochs: The most epochs that each of them trains.

    Yields:
        The function to call; None where nothing is to be shown.

    Example:
        >>> with training_progress(print, members=1, epochs=2) as on_epoch:
        ...     on_epoch(0, 1, 0.7)
        0 1 0.7
    """

    def count_epochs(show: _Show) -> OnEpoch:
        return lambda members_done, epochs_done, loss: show(
            (members_done * epochs + epochs_done) / (members * epochs),
            f"member {members_done + 1}/{members}, epoch {epochs_done}/{epochs}, "
            f"validation loss {loss:.4f}",
        )

    with _choose_report(progress, "training", count_epochs) as on_epoch:
        yield on_epoch


@contextmanager
def steps_progress(progress: bool | OnStep | None, what: str) -> Iterator[OnStep | None]:
    """Give what to call after each of a number of steps, and show how far they are.

    Args:
        progress: As for `training_progress`.
        what: The name of the work, in front of the count.

    Yields:
        The function to call; None where nothing is to be shown.

    Example:
        >>> with steps_progress(print, "folds") as on_step:
        ...     on_step(1, 8)
        1 8
    """

    def count_steps(show: _Show) -> OnStep:
        return lambda done, total: show(done / max(total, 1), f"{done} of {total}")

    with _choose_report(progress, what, count_steps) as on_step:
        yield on_step


@contextmanager
def words_progress(progress: bool | OnWords | None, what: str) -> Iterator[OnWords]:
    """Give what to call with words on what is being done, where nobody knows how long it takes.

    Args:
        progress: As for `training_progress`.
        what: The name of the work, in front of the words.

    Yields:
        The function to call; it does nothing where nothing is to be shown.

    Example:
        >>> with words_progress(print, "auditing") as on_words:
        ...     on_words("rsi")
        rsi
    """

    def show_words(show: _Show) -> OnWords:
        return lambda words: show(None, words)

    with _choose_report(progress, what, show_words) as on_words:
        yield on_words or (lambda words: None)


@contextmanager
def _choose_report(
    progress: bool | _Report | None, what: str, report_by: Callable[[_Show], _Report]
) -> Iterator[_Report | None]:
    """The caller's own function, one that writes a line where somebody looks, or None."""
    if progress is not None and not isinstance(progress, bool):
        yield progress
    elif progress or (progress is None and _somebody_looks()):
        with _open_line(what) as show:
            yield report_by(show)
    else:
        yield None


def _open_line(what: str) -> AbstractContextManager[_Show]:
    if _is_notebook():
        return _notebook_line(what)
    is_log = _chosen.get() == "lines" and not sys.stderr.isatty()
    return _written_lines(what) if is_log else _terminal_line(what)


def _somebody_looks() -> bool:
    if _chosen.get() == "usual":
        return _is_notebook() or sys.stderr.isatty()
    return _chosen.get() == "lines"


def _is_notebook() -> bool:
    """Whether this runs in a Jupyter kernel; one that was merely imported doesn't count."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return getattr(shell, "kernel", None) is not None


@contextmanager
def _terminal_line(what: str) -> Iterator[_Show]:
    """A bar of rich; at the end it is full, or gone where the share done was never known."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        line = bars.add_task(what, total=None)

        def show(share: float | None, words: str) -> None:
            total = None if share is None else 1.0
            bars.update(line, description=f"{what}: {words}", total=total, completed=share)

        yield show
        bars.update(line, completed=1.0, visible=bars.tasks[0].total is not None)


@contextmanager
def _written_lines(what: str) -> Iterator[_Show]:
    """A line at the first step, one now and then, and one at the end, for a log file or a pipe."""
    began = time.monotonic()
    written_at = -math.inf
    last = ""

    def write(line: str) -> None:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()

    def show(share: float | None, words: str) -> None:
        nonlocal written_at, last
        last = words
        if time.monotonic() - written_at > _SECONDS_BETWEEN_LINES:
            written_at = time.monotonic()
            write(f"{what}: {words}")

    yield show
    words = f"{last}, " if last else ""
    write(f"{what}: {words}took {time.monotonic() - began:.0f} s")


@contextmanager
def _notebook_line(what: str) -> Iterator[_Show]:
    """One output, written over.

    At the end the last words stay, with the time that it took, and no bar: a notebook that is
    saved or shown on the web holds one finished line. What was stopped says so.
    """
    from IPython import display

    began = shown_at = time.monotonic()
    last = ""
    output = display.display(_render(what, "", None), raw=True, display_id=True)  # type: ignore[no-untyped-call]

    def show(share: float | None, words: str) -> None:
        nonlocal shown_at, last
        last = words
        # a message for each of a thousand epochs would keep the browser busy
        if time.monotonic() - shown_at > _SECONDS_BETWEEN_UPDATES:
            shown_at = time.monotonic()
            output.update(_render(what, words, share), raw=True)

    end = "stopped after"
    try:
        yield show
        end = "took"
    finally:
        seconds = f"{end} {time.monotonic() - began:.0f} s"
        words = f"{last}, {seconds}" if last else seconds
        output.update({"text/plain": f"{what}: {words}"}, raw=True)


def _render(what: str, words: str, share: float | None) -> dict[str, Any]:
    """A running line as Jupyter's display data; with a share of None the bar moves to and fro."""
    text = f"{what}: {words}" if words else what
    value = "" if share is None else f' value="{share:.3f}"'
    bar = f'<progress max="1"{value} style="width:16em;vertical-align:middle"></progress>'
    return {"text/plain": text, "text/html": f"{bar} {html.escape(text)}"}
