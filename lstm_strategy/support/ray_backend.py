"""Joblib's tasks as tasks of a Ray cluster: Ray places them and restarts what a dead node ran.

Ray's own joblib backend hands tasks in turn to actors, one a core. An actor of a dead node never
comes back where its core is missing, and its tasks wait for ever: so tasks of Ray are used instead.
"""

import os
import pickle
import queue
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

# Ray reads these when it is imported
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # workers may use what they have
# dead nodes and workers would fill pages of the standard output; their tasks run again elsewhere
os.environ.setdefault(
    "RAY_DEDUP_LOGS_SKIP_REGEX",
    "Raylet is terminated|marked dead|died or was killed|will be retried",
)

import ray
import ray.exceptions
from joblib.parallel import ParallelBackendBase, SequentialBackend

from lstm_strategy.errors import WorkersDiedError

_MOST_RETRIES = 5  # of a task whose worker or node died: one that kills its worker must end
_SECONDS_TO_ANSWER = 5.0
_TRAVELLING_VARIABLES = ("KERAS_BACKEND", "LSTM_STRATEGY_CACHE", "TF_CPP_MIN_LOG_LEVEL")


@contextmanager
def connect(address: str | None) -> Iterator[None]:
    """Connect to a cluster, or start one of this machine alone, and leave it at the end.

    Where this process is connected already, that cluster is used and left as it is.

    Raises:
        WorkersDiedError: if there is no cluster at the address.
    """
    if ray.is_initialized():
        yield
        return
    _check_answers(address)
    variables = {name: os.environ[name] for name in _TRAVELLING_VARIABLES if name in os.environ}
    try:
        ray.init(
            address=address or "local",
            log_to_driver=False,
            logging_level="ERROR",
            runtime_env={"env_vars": variables},
            **({} if address else {"include_dashboard": False}),
        )
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        raise _unreachable(address, str(error).splitlines()[0]) from error
    try:
        yield
    finally:
        ray.shutdown()


class RayBackend(ParallelBackendBase):  # type: ignore[misc]  # joblib has no types
    """A joblib backend that submits each batch as a task of Ray, on one core."""

    supports_retrieve_callback = True
    supports_inner_max_num_threads = False

    def __init__(self, nesting_level: int | None = None, **settings: Any) -> None:
        super().__init__(nesting_level=nesting_level, **settings)
        self._pending: dict[Any, Any] = {}  # futures to what Ray calls them
        self._done: queue.SimpleQueue[tuple[Any, Callable[[Any], None]] | None] | None = None

    def effective_n_jobs(self, n_jobs: int | None) -> int:
        """As asked; -1 for the cores of the cluster."""
        if n_jobs is not None and n_jobs > 0:
            return n_jobs
        return max(1, int(ray.cluster_resources().get("CPU", 1)))

    def start_call(self) -> None:
        """Begin to hand back what is done, in a thread: Ray's own must not be kept waiting."""
        done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._done = done

        def hand_back() -> None:
            while (entry := done.get()) is not None:
                future, callback = entry
                self._pending.pop(future, None)
                callback(future)

        threading.Thread(target=hand_back, daemon=True, name="ray results").start()

    def stop_call(self) -> None:
        """End the thread."""
        if self._done is not None:
            self._done.put(None)

    def submit(self, func: Callable[[], Any], callback: Callable[[Any], None]) -> Any:
        """Hand a batch to Ray."""
        assert self._done is not None
        done = self._done
        try:
            ref = _run.remote(func)
        except Exception as error:  # it can't travel; raised here it would be lost with a thread
            future: Future[Any] = Future()
            future.set_exception(pickle.PicklingError(str(error).splitlines()[0]))
        else:
            future = ref.future()
            self._pending[future] = ref
        future.add_done_callback(lambda future: done.put((future, callback)))
        return future

    def retrieve_result_callback(self, future: Any) -> Any:
        """What the batch returned; raises what it raised."""
        try:
            return future.result()
        except ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, ray.exceptions.RaySystemError):
                raise WorkersDiedError(
                    f"A worker can't read its task: {str(error.cause).splitlines()[0]}. Install "
                    "the same packages, your own modules too, on every machine."
                ) from None
            raise error.cause from None
        except ray.exceptions.RayError as error:
            raise WorkersDiedError(
                f"A task ended with its worker or machine {_MOST_RETRIES + 1} times, often for "
                f"want of memory: {str(error).splitlines()[0]}"
            ) from error

    def abort_everything(self, ensure_ready: bool = True) -> None:
        """Take back what isn't done."""
        for ref in list(self._pending.values()):
            with suppress(Exception):
                ray.cancel(ref, force=True)
        self._pending.clear()

    def share_value(self, value: Any) -> "_InObjectStore":
        """Put a value where each machine of the cluster can get it."""
        return _InObjectStore(ray.put(value))

    def get_nested_backend(self) -> tuple[Any, int | None]:
        """What a task runs itself, it runs one after the other: the cluster is busy with tasks."""
        return SequentialBackend(nesting_level=(self.nesting_level or 0) + 1), None


@dataclass(frozen=True)
class _InObjectStore:
    """A value that Ray copies to each machine that asks for it, once."""

    ref: Any

    @property
    def value(self) -> Any:
        return _get_value(self.ref)


@lru_cache(maxsize=2)  # once in a process; values of the run before are of no use to the next one
def _get_value(ref: Any) -> Any:
    return ray.get(ref)


@ray.remote(num_cpus=1, max_retries=_MOST_RETRIES, scheduling_strategy="SPREAD")  # type: ignore[untyped-decorator]
def _run(func: Callable[[], Any]) -> Any:
    return func()


def _check_answers(address: str | None) -> None:
    """Ray itself would try for minutes."""
    place = (address or "").removeprefix("ray://")
    host, colon, port = place.rpartition(":")
    if not address or address in ("auto", "local"):
        return
    if not colon or not port.isdigit():
        raise _unreachable(address, "it isn't HOST:PORT.")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _SECONDS_TO_ANSWER).close()
    except (OSError, OverflowError) as error:
        raise _unreachable(address, f"{error}.") from None


def _unreachable(address: str | None, reason: str) -> WorkersDiedError:
    return WorkersDiedError(
        f"No Ray cluster can be reached at {address or 'this machine'}: {reason} Start one with "
        "`ray start --head`, and give the address that it prints."
    )
