"""Many damaged files for one reader."""

import logging
import random
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tools.fuzz.guard import Guard
from tools.fuzz.mutations import MODULES
from tools.fuzz.readers import READERS, Reader

_EVERY, _FIRST = 100, 10


@dataclass
class Outcome:
    """What came of the inputs of a reader so far.

    Attributes:
        reader: Its name.
        seed: What decided how files were damaged, or "guided" where coverage did.
        n_inputs: How many were tried.
        n_read: How many gave a result.
        n_refused: How many gave an error of this package.
        slowest_s: The most CPU seconds that one took.
        findings: How many did something else, by what they did.
    """

    reader: str
    seed: int | str
    n_inputs: int = 0
    n_read: int = 0
    n_refused: int = 0
    slowest_s: float = 0.0
    findings: dict[str, int] = field(default_factory=dict)


def try_inputs(
    name: str,
    n_inputs: int,
    *,
    seed: int,
    keep: Path | None = None,
    on_progress: Callable[[Outcome], object] = lambda outcome: None,
    limits_memory: bool = True,
) -> Outcome:
    """Let a reader read damaged files, and return what came of it.

    Args:
        name: The reader.
        n_inputs: How many files.
        seed: Decides how they are damaged.
        keep: Where files are kept that the reader can't cope with, one of each kind.
        on_progress: Is told now and then what came of those so far.
        limits_memory: Whether this process may have no more than 2 GiB from here on.
    """
    chance, outcome = random.Random(f"{name} {seed}"), Outcome(name, seed)
    with open_trial(outcome, keep=keep, limits_memory=limits_memory) as try_one:
        for _ in range(n_inputs):
            try_one(chance)
            if outcome.n_inputs % _EVERY == 0:
                on_progress(outcome)
    return outcome


@contextmanager
def open_trial(
    outcome: Outcome, *, keep: Path | None, limits_memory: bool
) -> Iterator[Callable[[random.Random], None]]:
    """Watch this process, and give what tries one damaged file.

    Args:
        outcome: What came of the files so far.
        keep: Where files are kept that the reader can't cope with, one of each kind.
        limits_memory: Whether this process may have no more than 2 GiB from here on.

    Yields:
        A function of what decides how the file is damaged.
    """
    reader = READERS[outcome.reader]
    silenced = logging.root.manager.disable
    logging.disable()
    try:
        # a file that ends the process lies in there afterwards
        with tempfile.TemporaryDirectory(dir=keep) as temporary, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sandbox = Path(temporary).resolve()
            known = _warm_up(reader, sandbox)
            with Guard(sandbox, limits_memory=limits_memory, known=known) as guard:

                def try_one(chance: random.Random) -> None:
                    folder, number = sandbox / "input", outcome.n_inputs
                    folder.mkdir()
                    reader.write(folder, chance)
                    answer = guard.watch(partial(reader.read, folder))
                    _count(outcome, answer, guard)
                    if keep is not None and outcome.findings.get(answer) == 1:
                        shutil.copytree(folder, keep / f"{outcome.reader}-{outcome.seed}-{number}")
                    shutil.rmtree(folder)

                yield try_one
    finally:
        logging.disable(silenced)


def _warm_up(reader: Reader, sandbox: Path) -> set[str]:
    """Import and train what the first files need, and return the packages that they look for."""
    with Guard(sandbox, limits_memory=False) as guard:
        for number in range(_FIRST):
            folder = sandbox / f"first {number}"
            folder.mkdir()
            reader.write(folder, random.Random(number))
            guard.watch(partial(reader.read, folder))
            shutil.rmtree(folder)
    return guard.imported - set(MODULES)


def _count(outcome: Outcome, answer: str, guard: Guard) -> None:
    outcome.n_inputs += 1
    outcome.n_read += answer == guard.READ
    outcome.n_refused += answer == guard.REFUSED
    if answer not in (guard.READ, guard.REFUSED):
        outcome.findings[answer] = outcome.findings.get(answer, 0) + 1
    outcome.slowest_s = round(max(outcome.slowest_s, guard.last_s), 2)
