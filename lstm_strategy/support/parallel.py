"""Tasks side by side: in processes of this machine or on a Ray cluster, whatever joblib is set to.

All that runs side by side goes through here. Who runs it is joblib's to say: `n_jobs` processes
of this machine by default, `joblib.parallel_config` or `workers` for anything else.
"""

import atexit
import gc
import logging
import os
import pickle
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import cloudpickle
import joblib
import numpy as np
from joblib import parallel as joblib_parallel
from joblib.externals.loky import get_reusable_executor
from joblib.externals.loky.process_executor import TerminatedWorkerError

from lstm_strategy.errors import SettingsError, WorkersDiedError
from lstm_strategy.support.files import temporary_folder
from lstm_strategy.support.wording import refuse_choice, spell

_ENGINES = ("local", "ray")
_SECONDS_BETWEEN_LOOKS = 1.0
_parents_of_workers = set[int]()  # a forked process has none of this one's


class SharedValue(Protocol):
    """A handle on a value that many tasks use and that reaches each machine or process once.

    Arrays in the value are read-only for a worker: all processes of a machine look at the same
    bytes, in Ray's object store or in a file that is mapped into memory.
    """

    @property
    def value(self) -> Any:
        """The value, here or in a worker."""


@runtime_checkable
class Cluster(Protocol):
    """A joblib backend of several machines, which itself knows how to hand them a value."""

    def share_value(self, value: Any) -> SharedValue:
        """A handle that can travel to the machines."""


@contextmanager
def workers(
    engine: str = "local", *, address: str | None = None, n_jobs: int | None = None
) -> Iterator[None]:
    """Let everything inside run its tasks there: folds, trials, compared strategies, your own.

    Args:
        engine: "local" for processes of this machine, "ray" for a Ray cluster.
        address: The cluster: `HOST:PORT` of its head, "auto" for the one that this machine
            belongs to. Without one a cluster of this machine alone is started, and ended.
        n_jobs: The most tasks at once; None for as many as there are cores.

    Raises:
        SettingsError: For another engine, an address without "ray", or if Ray isn't installed.
        WorkersDiedError: If the cluster can't be reached.

    Example:
        >>> with workers("local", n_jobs=2):
        ...     joblib.Parallel()(joblib.delayed(abs)(number) for number in (-1, -2))
        [1, 2]
    """
    if engine not in _ENGINES:
        raise SettingsError(refuse_choice("engine", engine, _ENGINES))
    if engine == "local":
        if address is not None:
            raise SettingsError(f'The address {address} needs the engine "ray".')
        with joblib.parallel_config(backend="loky", n_jobs=n_jobs or -1):
            yield
        return
    try:
        from lstm_strategy.support.ray_backend import RayBackend, connect
    except ImportError:
        raise SettingsError(
            "The engine ray needs Ray: pip install 'lstm-strategy[ray]', on every machine."
        ) from None
    cluster: Cluster = RayBackend()
    with connect(address), joblib.parallel_config(backend=cluster, n_jobs=n_jobs or -1):
        yield


def choose_jobs(n_jobs: int | None, *, otherwise: int) -> int | None:
    """The number of tasks at once: the caller's, what joblib is set to, or a default of ours.

    Args:
        n_jobs: The caller's choice; None if there is none.
        otherwise: The default where joblib isn't set to anything either.

    Returns:
        A number for `run_tasks`; None where joblib's own setting decides.

    Example:
        >>> choose_jobs(4, otherwise=2), choose_jobs(None, otherwise=2)
        (4, 2)
        >>> with workers("local", n_jobs=8):
        ...     choose_jobs(None, otherwise=2) is None
        True
    """
    return n_jobs if n_jobs is not None or _is_configured() else otherwise


def is_serial(n_jobs: int | None) -> bool:
    """Whether the tasks would run one after the other in this very process.

    Args:
        n_jobs: The most tasks at once; None where joblib's own setting decides.

    Example:
        >>> is_serial(1), is_serial(None)
        (True, True)
    """
    if n_jobs == 1 or (n_jobs is None and not _is_configured()):
        return True
    return bool(joblib.effective_n_jobs(n_jobs) == 1) and _active_cluster() is None


def run_tasks(tasks: Iterable[Any], *, n_jobs: int | None, in_order: bool = True) -> Iterator[Any]:
    """Run `joblib.delayed` tasks and give their results.

    A task may run twice, if the process that ran it died. Processes of this machine end within
    seconds of this one, however it ends.

    Args:
        tasks: The tasks; they are made as they are needed.
        n_jobs: The most tasks at once; None where joblib's own setting decides.
        in_order: Whether the results come in the order of the tasks, or as they are done.

    Yields:
        The results.

    Raises:
        WorkersDiedError: If a process died and the task can't be started again.

    Example:
        >>> list(run_tasks([joblib.delayed(abs)(-1), joblib.delayed(abs)(-2)], n_jobs=1))
        [1, 2]
    """
    limit = joblib_parallel.get_active_backend()[1] if n_jobs is None else n_jobs
    run: Any = joblib.Parallel(
        n_jobs=1 if is_serial(n_jobs) else n_jobs,
        return_as="generator" if in_order else "generator_unordered",
        # a cluster runs all that it is given, where cores are free
        pre_dispatch="n_jobs" if _active_cluster() and limit > 0 else "2 * n_jobs",
        max_nbytes=None,  # what is large is shared; arrays of the task itself stay writable
    )
    if isinstance(joblib_parallel.get_active_backend()[0], joblib_parallel.LokyBackend):
        tasks = (joblib.delayed(_run_watched)(os.getpid(), *task) for task in tasks)
        _parents_of_workers.add(os.getpid())
    try:
        yield from run(tasks)
    except TerminatedWorkerError as error:
        raise WorkersDiedError(
            "A worker process died, often for lack of memory. Use fewer processes "
            f"({spell('n_jobs')})."
        ) from error


def end_workers() -> None:
    """End the worker processes of this one at once, whatever they are doing.

    Without it Python waits for their tasks before it ends itself.

    Example:
        >>> end_workers()
    """
    if os.getpid() in _parents_of_workers:
        get_reusable_executor(reuse=True).shutdown(kill_workers=True)


def _run_watched(parent: int, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    if os.getpid() != parent:  # with one process at once, tasks run in the parent itself
        _end_with(parent)
    return function(*args, **kwargs)


@lru_cache(maxsize=1)  # once in a process
def _end_with(parent: int) -> None:
    """End this process once its parent has ended, which can't tell if it was killed.

    It also ends sooner when it is asked to: Python would look through all that TensorFlow has made.
    """
    atexit.register(gc.freeze)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        os._exit(1)  # whatever it is doing: nobody waits for it

    threading.Thread(target=watch, daemon=True, name="end with parent").start()


@contextmanager
def share(value: Any, *, n_jobs: int | None) -> Iterator[SharedValue]:
    """Give a handle on a value for tasks that `run_tasks` runs with this `n_jobs`.

    Args:
        value: What many tasks need: bars, a panel, a forecaster.
        n_jobs: The most tasks at once; None where joblib's own setting decides.

    Yields:
        The handle, for as long as the block lasts. `handle.value` is the value.

    Example:
        >>> def add(handle, number):
        ...     return sum(handle.value) + number
        >>> with share([1, 2, 3], n_jobs=1) as handle:
        ...     list(run_tasks((joblib.delayed(add)(handle, n) for n in (0, 10)), n_jobs=1))
        [6, 16]
    """
    backend = joblib_parallel.get_active_backend()[0]
    if is_serial(n_jobs):
        yield _Held(value)
    elif isinstance(backend, Cluster):
        yield backend.share_value(value)
    elif isinstance(backend, joblib_parallel.LokyBackend | joblib_parallel.MultiprocessingBackend):
        with temporary_folder("shared") as folder:
            yield _InFile.write(folder / "value", value)
    else:  # threads, or machines that joblib alone knows how to reach: it travels with each task
        yield _Held(value)


@dataclass(frozen=True)
class _Held:
    """A value of this process."""

    value: Any


@dataclass(frozen=True)
class _InFile:
    """A value in a file of this machine whose arrays are mapped and not read.

    Joblib's `max_nbytes` would map arrays as well, but it pickles the value again for each task: a
    task on a panel of 500 assets and 5,000 bars then takes 0.5 s to arrive, and so 0.05 s.
    """

    path: Path

    @classmethod
    def write(cls, path: Path, value: Any) -> "_InFile":
        buffers: list[pickle.PickleBuffer] = []
        pickled = cloudpickle.dumps(value, protocol=5, buffer_callback=buffers.append)
        joblib.dump((pickled, [np.frombuffer(b.raw(), np.uint8) for b in buffers]), path)
        return cls(path)

    @property
    def value(self) -> Any:
        return _read_value(self.path)


@lru_cache(maxsize=2)  # once in a process; values of the run before are of no use to the next one
def _read_value(path: Path) -> Any:
    pickled, arrays = joblib.load(path, mmap_mode="r")
    return pickle.loads(pickled, buffers=arrays)


def silence_tensorflow() -> None:
    """Let TensorFlow log errors only: a worker doesn't know how quiet its caller is.

    Example:
        >>> silence_tensorflow()
        >>> logging.getLogger("tensorflow").level == logging.ERROR
        True
    """
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def _is_configured() -> bool:
    backend, n_jobs = joblib_parallel.get_active_backend()
    return isinstance(backend, Cluster) or n_jobs not in (None, 1)


def _active_cluster() -> Cluster | None:
    backend = joblib_parallel.get_active_backend()[0]
    return backend if isinstance(backend, Cluster) else None
