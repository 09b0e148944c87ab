"""Tasks side by side: in processes of this machine or on a Ray cluster, whatever joblib is set to.

All that runs side by side goes through here. Who runs it is joblib's to say: ``n_jobs`` processes
of this machine by default, ``joblib.parallel_config`` or ``workers`` for anything else.
"""

import logging
import mmap
import pickle
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cloudpickle
import joblib
from joblib import parallel as joblib_parallel
from joblib.externals.loky.process_executor import TerminatedWorkerError

from lstm_strategy.errors import SettingsError, WorkersDiedError

ENGINES = ("local", "ray")
_KEPT_VALUES = 2  # bars of the run before are of no use to the next one
_values: dict[str, Any] = {}


@contextmanager
def workers(
    engine: str = "local", *, address: str | None = None, n_jobs: int | None = None
) -> Iterator[None]:
    """Let everything inside run its tasks there: folds, trials, compared strategies, your own.

    Args:
        engine: "local" for processes of this machine, "ray" for a Ray cluster.
        address: of the cluster: ``HOST:PORT`` of its head, "auto" for the one that this machine
            belongs to. Without one a cluster of this machine alone is started, and ended.
        n_jobs: most tasks at once; None for as many as there are cores.

    Raises:
        SettingsError: for another engine, an address without "ray", or if Ray isn't installed.
        WorkersDiedError: if the cluster can't be reached.

    >>> with workers("local", n_jobs=2):
    ...     joblib.Parallel()(joblib.delayed(abs)(number) for number in (-1, -2))
    [1, 2]
    """
    if engine not in ENGINES:
        raise SettingsError(f"engine must be one of {', '.join(ENGINES)}, got {engine!r}.")
    if engine == "local":
        if address is not None:
            raise SettingsError(f'The address {address} needs the engine "ray".')
        with joblib.parallel_config(backend="loky", n_jobs=n_jobs or -1):
            yield
        return
    try:
        from lstm_strategy.support.ray_backend import RayBackend, connected
    except ImportError:
        raise SettingsError(
            "The engine ray needs Ray: pip install 'lstm-strategy[ray]', on every machine."
        ) from None
    with connected(address), joblib.parallel_config(backend=RayBackend(), n_jobs=n_jobs or -1):
        yield


def choose_jobs(n_jobs: int | None, *, otherwise: int) -> int | None:
    """`n_jobs` if given; None where joblib was told what to do; `otherwise` where nobody said."""
    return n_jobs if n_jobs is not None or _is_configured() else otherwise


def is_serial(n_jobs: int | None) -> bool:
    """Whether the tasks would run one after the other in this very process."""
    if n_jobs == 1 or (n_jobs is None and not _is_configured()):
        return True
    return bool(joblib.effective_n_jobs(n_jobs) == 1) and not _is_ray()


def run_tasks(tasks: Iterable[Any], *, n_jobs: int | None, in_order: bool = True) -> Iterator[Any]:
    """The results of ``joblib.delayed`` tasks as they come, or in the order of the tasks.

    A task may run twice, if the process that ran it died.

    Raises:
        WorkersDiedError: if a process died and the task can't be started again.
    """
    asked = joblib_parallel.get_active_backend()[1] if n_jobs is None else n_jobs
    run: Any = joblib.Parallel(
        n_jobs=1 if is_serial(n_jobs) else n_jobs,
        return_as="generator" if in_order else "generator_unordered",
        # a cluster runs all that it is given, where cores are free
        pre_dispatch="n_jobs" if _is_ray() and asked > 0 else "2 * n_jobs",
        max_nbytes=None,  # what is large is `Shared`; the rest must be writable
    )
    try:
        yield from run(tasks)
    except TerminatedWorkerError as error:
        raise WorkersDiedError(
            "A worker process died, often for want of memory. Use fewer processes."
        ) from error


@dataclass(frozen=True)
class Shared:
    """A handle on a value that reaches each machine or process once, however many tasks use it.

    Arrays in the value are read-only for a worker: all processes of a machine look at the same
    bytes, in Ray's object store or a file that is mapped into memory.
    """

    token: str
    fetch: Callable[[], Any] | None = None
    held: list[Any] = field(default_factory=list)

    @property
    def value(self) -> Any:
        """The value, here or in a worker."""
        if self.fetch is None:
            return self.held[0]
        if self.token not in _values:
            while len(_values) >= _KEPT_VALUES:
                _values.pop(next(iter(_values)))
            _values[self.token] = self.fetch()
        return _values[self.token]


@contextmanager
def shared(value: Any, *, n_jobs: int | None) -> Iterator[Shared]:
    """A handle on a value for tasks that ``run_tasks`` will run with this `n_jobs`."""
    token = uuid.uuid4().hex
    kind = type(joblib_parallel.get_active_backend()[0]).__name__
    if is_serial(n_jobs):
        yield Shared(token, held=[value])
    elif _is_ray():
        from lstm_strategy.support.ray_backend import InObjectStore

        yield Shared(token, InObjectStore.of(value))
    elif kind in ("LokyBackend", "MultiprocessingBackend"):
        with tempfile.TemporaryDirectory(prefix="shared-", ignore_cleanup_errors=True) as folder:
            yield Shared(token, _InFile.of(value, Path(folder) / "value"))
    else:  # threads, or machines that joblib alone knows how to reach: it travels with each task
        yield Shared(token, held=[value])


@dataclass(frozen=True)
class _InFile:
    """A pickled value whose arrays lie behind it, to be mapped and not read."""

    path: Path
    sizes: tuple[int, ...]

    @classmethod
    def of(cls, value: Any, path: Path) -> "_InFile":
        buffers: list[pickle.PickleBuffer] = []
        pickled = cloudpickle.dumps(value, protocol=5, buffer_callback=buffers.append)
        parts = [memoryview(pickled), *(buffer.raw() for buffer in buffers)]
        with path.open("wb") as file:
            for part in parts:
                file.write(part)
                file.write(bytes(-part.nbytes % 8))  # arrays of numbers begin where numbers may
        return cls(path, tuple(part.nbytes for part in parts))

    def __call__(self) -> Any:
        with self.path.open("rb") as file:
            whole = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        parts, begin = [], 0
        for size in self.sizes:
            parts.append(whole[begin : begin + size])
            begin += size + -size % 8
        return pickle.loads(parts[0], buffers=parts[1:])


def silence_tensorflow() -> None:
    """Say nothing of each new network: a worker doesn't know how quiet its caller is."""
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def _is_configured() -> bool:
    return _is_ray() or joblib_parallel.get_active_backend()[1] not in (None, 1)


def _is_ray() -> bool:
    backend = type(joblib_parallel.get_active_backend()[0])
    return backend.__module__ == "lstm_strategy.support.ray_backend"
