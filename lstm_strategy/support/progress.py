"""A progress bar for training, shown where somebody looks.

In a terminal rich draws it. In a notebook it is one output that is written over, in plain HTML: it
needs no widgets, looks the same in JupyterLab and VS Code, and what stays in the file is one line.
"""

import html
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from lstm_strategy.learning.training import ForecasterSettings

OnEpoch = Callable[[int, int, float], None]
"""Called after each epoch with: seeds done, epochs done of this seed, validation loss."""

OnStep = Callable[[int, int], None]
"""Called after each step with: steps done, steps in all."""

_SECONDS_BETWEEN_UPDATES = 0.2


@contextmanager
def training_progress(
    wanted: bool | OnEpoch | None, settings: ForecasterSettings
) -> Iterator[OnEpoch | None]:
    """What to call after each epoch: a bar's advance, the caller's own function, or nothing."""
    if callable(wanted):
        yield wanted
        return
    if not (_somebody_looks() if wanted is None else wanted):
        yield None
        return
    if _is_notebook():
        with _notebook_bar("training") as show:
            yield lambda seeds, epochs, loss: show(
                (seeds * settings.epochs + epochs) / (settings.members * settings.epochs),
                _epoch_words(settings, seeds, epochs, loss),
            )
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("training", total=settings.members * settings.epochs)

        def on_epoch(seeds_done: int, epochs_done: int, validation_loss: float) -> None:
            bar.update(
                task,
                completed=seeds_done * settings.epochs + epochs_done,
                description="training "
                + _epoch_words(settings, seeds_done, epochs_done, validation_loss),
            )

        yield on_epoch
        bar.update(task, completed=settings.members * settings.epochs)


@contextmanager
def steps_progress(
    wanted: bool | OnStep | None, what: str, n_steps: int
) -> Iterator[OnStep | None]:
    """What to call after each of ``n_steps`` steps: a bar's advance, the caller's own, nothing."""
    if callable(wanted):
        yield wanted
        return
    if not (_somebody_looks() if wanted is None else wanted):
        yield None
        return
    if _is_notebook():
        with _notebook_bar(what) as show:
            yield lambda done, total: show(done / max(total, 1), f"{done} of {total}")
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=n_steps)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def words_progress(
    wanted: bool | Callable[[str], None] | None, what: str
) -> Iterator[Callable[[str], None]]:
    """What to tell in words what is being done: a line that moves, the caller's own, nothing."""
    if callable(wanted):
        yield wanted
        return
    if not (_somebody_looks() if wanted is None else wanted):
        yield lambda words: None
        return
    if _is_notebook():
        with _notebook_bar(what) as show:
            yield lambda words: show(None, words)
        return
    from rich.console import Console

    with Console(stderr=True, markup=False).status(what) as line:
        yield lambda words: line.update(f"{what} · {words}")


def _epoch_words(
    settings: ForecasterSettings, seeds_done: int, epochs_done: int, loss: float
) -> str:
    return (
        f"seed {seeds_done + 1}/{settings.members}, epoch {epochs_done}/{settings.epochs}, "
        f"validation loss {loss:.4f}"
    )


def _somebody_looks() -> bool:
    return _is_notebook() or sys.stderr.isatty()


def _is_notebook() -> bool:
    """Whether this runs in a Jupyter kernel; one that was merely imported doesn't count."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return getattr(shell, "kernel", None) is not None


@contextmanager
def _notebook_bar(what: str) -> Iterator[Callable[[float | None, str], None]]:
    """What to call with the share done (None: unknown) and a few words; one output, written over.

    At the end the last words stay, with the time that it took, and no bar: a notebook that is
    saved or shown on the web holds one finished line. What was stopped says so.
    """
    from IPython.display import display

    began = shown_at = time.monotonic()
    last = ""
    output = display(_mime_bundle(what, "", 0.0), raw=True, display_id=True)

    def show(share: float | None, words: str) -> None:
        nonlocal shown_at, last
        last = words
        # a message for each of a thousand epochs would keep the browser busy
        if time.monotonic() - shown_at > _SECONDS_BETWEEN_UPDATES:
            shown_at = time.monotonic()
            output.update(_mime_bundle(what, words, share), raw=True)

    end = "stopped after"
    try:
        yield show
        end = "took"
    finally:
        seconds = f"{end} {time.monotonic() - began:.0f} s"
        words = f"{last}, {seconds}" if last else seconds
        output.update(_mime_bundle(what, words, share=None, is_running=False), raw=True)


def _mime_bundle(
    what: str, words: str, share: float | None, *, is_running: bool = True
) -> dict[str, Any]:
    """One state of the bar as Jupyter's display data; a share of None moves to and fro."""
    text = f"{what}: {words}" if words else what
    if not is_running:
        return {"text/plain": text}
    value = "" if share is None else f' value="{share:.3f}"'
    bar = f'<progress max="1"{value} style="width:16em;vertical-align:middle"></progress>'
    return {"text/plain": text, "text/html": f"{bar} {html.escape(text)}"}
