"""A progress bar for training, shown where somebody looks."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lstm_strategy.learning.settings import ForecasterSettings

OnEpoch = Callable[[int, int, float], None]
"""Called after each epoch with: seeds done, epochs done of this seed, validation loss."""

OnStep = Callable[[int, int], None]
"""Called after each step with: steps done, steps in all."""


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
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("training", total=settings.seeds * settings.epochs)

        def on_epoch(seeds_done: int, epochs_done: int, validation_loss: float) -> None:
            bar.update(
                task,
                completed=seeds_done * settings.epochs + epochs_done,
                description=f"training seed {seeds_done + 1}/{settings.seeds}, epoch "
                f"{epochs_done}/{settings.epochs}, validation loss {validation_loss:.4f}",
            )

        yield on_epoch
        bar.update(task, completed=settings.seeds * settings.epochs)


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
    from rich.console import Console

    with Console(stderr=True, markup=False).status(what) as line:
        yield lambda words: line.update(f"{what} · {words}")


def _somebody_looks() -> bool:
    in_notebook = "ipykernel" in sys.modules
    return in_notebook or sys.stderr.isatty()
