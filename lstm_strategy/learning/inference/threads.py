"""Scans in several threads: ONNX Runtime lets go of Python while it runs a network.

Many sequences are shared out among the threads. Of a single long one each thread runs a part of the
network, one block of rows after another: while one runs the second layer on a block, another runs
the first layer on the next block. The numbers are those of one thread, to the last bit.
"""

import os
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np

from lstm_strategy.learning.inference.engines import ReadHidden, State, join_hidden

PARTS = "parts"
"""The property of an ONNX model that holds its parts: a JSON list of ONNX models in Base64."""

HIDDEN = "hidden_"
"""How the outputs of an ONNX model begin that hold what a recurrent layer gives at every row."""

_Tensors = dict[str, np.ndarray]
_Item = TypeVar("_Item")
_Found = TypeVar("_Found")

_BLOCKS_AHEAD = 4  # bounds the memory that a fast thread may fill before a slow one


class ThreadedScan:
    """Runs the parts of a network in several threads.

    A part takes what earlier parts gave, by name, and gives the new state of each state it takes.

    Args:
        sessions: ONNX Runtime sessions, one a part, in the order in which they are run.
        state_names: Names of the states, in the order of the network.
        n_threads: Threads that share the parts.
        hidden: Names of the hidden states of which something is read.
        read: What follows the forecasts in the answers.
    """

    def __init__(
        self,
        sessions: Sequence[Any],
        state_names: Sequence[str],
        n_threads: int,
        hidden: Sequence[str] = (),
        read: ReadHidden = join_hidden,
    ) -> None:
        self._shares = np.array_split(np.array(sessions, dtype=object), n_threads)
        self._state_names = list(state_names)
        self._hidden, self._read = list(hidden), read

    def scan(self, blocks: Iterable[np.ndarray], state: State) -> tuple[np.ndarray, State]:
        """Forecast the rows of all blocks, and return the state after the last one too."""
        states = dict(zip(self._state_names, state, strict=True))
        tensors: Iterator[_Tensors] = ({"rows": rows} for rows in blocks)
        for share in self._shares[:-1]:
            tensors = _run_ahead(_run_parts(share, tensors, states))
        last = _run_parts(self._shares[-1], tensors, states)
        answers = [
            append_hidden(of["forecasts"], [of[name] for name in self._hidden], self._read)
            for of in last
        ]
        return np.concatenate(answers, axis=1), [states[name] for name in self._state_names]


def append_hidden(
    forecasts: np.ndarray, hidden: Sequence[np.ndarray], read: ReadHidden
) -> np.ndarray:
    """Put what is read of hidden states behind the forecasts.

    Args:
        forecasts: Shape (n_sequences, n_rows, n_answers).
        hidden: Each of shape (n_rows, n_sequences, n_units), as ONNX has them.
        read: What to read of them.

    Example:
        >>> states = [np.ones((3, 2, 4))]
        >>> append_hidden(np.zeros((2, 3, 1)), states, lambda parts: parts[0]).shape
        (2, 3, 5)
    """
    if not hidden:
        return forecasts
    return np.concatenate([forecasts, read(hidden).swapaxes(0, 1)], axis=-1)


def usable_threads() -> int:
    """How many threads there is room for: one a CPU, or as many as `OMP_NUM_THREADS` allows.

    Joblib and Ray set that variable in worker processes to their share of the CPUs.
    """
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    allowed = os.environ.get("OMP_NUM_THREADS", "")
    return min(cpus, int(allowed)) if allowed.isdigit() and int(allowed) > 0 else cpus


def share_out(
    work: Callable[[Sequence[_Item]], Sequence[_Found]], items: Sequence[_Item], *, n_threads: int
) -> list[_Found]:
    """Let each thread work on an equal share of the items, and return what it finds of each.

    Args:
        work: What finds something of each item of a share, which is in the order of the items.
        items: The items; the first thread gets the first of them, the next one the second.
        n_threads: The most threads.

    Example:
        >>> share_out(lambda share: [len(share) * item for item in share], [1, 2, 3], n_threads=2)
        [2, 2, 6]
    """
    n_threads = min(n_threads, len(items))
    if n_threads < 2:
        return list(work(items))
    # started for each scan and gone after it: a pool would be missing in a forked process
    with ThreadPoolExecutor(n_threads) as pool:
        shares = list(pool.map(work, [items[first::n_threads] for first in range(n_threads)]))
    return [shares[place % n_threads][place // n_threads] for place in range(len(items))]


def _run_parts(
    sessions: Iterable[Any], blocks: Iterator[_Tensors], states: _Tensors
) -> Iterator[_Tensors]:
    for session in sessions:
        blocks = _run_part(session, blocks, states)
    return blocks


def _run_part(session: Any, blocks: Iterator[_Tensors], states: _Tensors) -> Iterator[_Tensors]:
    inputs = [port.name for port in session.get_inputs()]
    outputs = [port.name for port in session.get_outputs()]
    own = [name for name in inputs if name in states]
    for tensors in blocks:
        feeds = {name: states[name] if name in states else tensors[name] for name in inputs}
        answers = dict(zip(outputs, session.run(outputs, feeds), strict=True))
        for name in own:
            states[name] = answers.pop(f"new_{name}")
        yield tensors | answers


def _run_ahead(items: Iterator[_Tensors]) -> Iterator[_Tensors]:
    """Give the same items, computed in a thread of their own a few ahead of their use."""
    ready: queue.Queue[Any] = queue.Queue(_BLOCKS_AHEAD)
    is_abandoned = threading.Event()

    def compute() -> None:
        last: Any = None
        try:
            for item in items:
                ready.put(item)
                if is_abandoned.is_set():
                    return
        except BaseException as error:  # raised where the items are used
            last = error
        ready.put(last)

    # started for each scan and gone after it: a pool would be missing in a forked process
    threading.Thread(target=compute, daemon=True).start()
    try:
        while isinstance(item := ready.get(), dict):
            yield item
        if item is not None:
            raise item
    finally:
        is_abandoned.set()
        while not ready.empty():  # lets a waiting thread go on, and see that it may stop
            ready.get_nowait()
