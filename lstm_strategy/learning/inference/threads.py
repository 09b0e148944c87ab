"""A long scan in several threads: each runs a part of the network, one block of rows after another.

While one thread runs the second layer on a block, another runs the first layer on the next block.
ONNX Runtime lets go of Python meanwhile. The numbers are those of one thread, to the last bit.
"""

import os
import queue
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

State = list[np.ndarray]
Tensors = dict[str, np.ndarray]

_BLOCKS_AHEAD = 4  # bounds the memory that a fast thread may fill before a slow one


class Pipeline:
    """ONNX Runtime sessions, one a part of the network, in the order in which they are run.

    A part takes what earlier parts gave, by name, and gives the new state of each state it takes.
    """

    def __init__(self, sessions: Sequence[Any], state_names: Sequence[str], n_threads: int) -> None:
        self._shares = np.array_split(np.array(sessions, dtype=object), n_threads)
        self._state_names = list(state_names)

    def scan(self, blocks: Iterable[np.ndarray], state: State) -> tuple[np.ndarray, State]:
        """Forecasts for the rows of all blocks, and the state after the last one."""
        states = dict(zip(self._state_names, state, strict=True))
        tensors: Iterator[Tensors] = ({"rows": rows} for rows in blocks)
        for share in self._shares[:-1]:
            tensors = _ahead(_through(share, tensors, states))
        last = _through(self._shares[-1], tensors, states)
        forecasts = np.concatenate([found["forecasts"] for found in last], axis=1)
        return forecasts, [states[name] for name in self._state_names]


def usable_threads() -> int:
    """How many threads there is room for: as many as CPUs, or as ``OMP_NUM_THREADS`` allows.

    Worker processes of joblib and Ray set it to their share.
    """
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    allowed = os.environ.get("OMP_NUM_THREADS", "")
    return min(cpus, int(allowed)) if allowed.isdigit() and int(allowed) > 0 else cpus


def _through(
    sessions: Iterable[Any], blocks: Iterator[Tensors], states: Tensors
) -> Iterator[Tensors]:
    for session in sessions:
        blocks = _through_part(session, blocks, states)
    return blocks


def _through_part(session: Any, blocks: Iterator[Tensors], states: Tensors) -> Iterator[Tensors]:
    inputs = [port.name for port in session.get_inputs()]
    outputs = [port.name for port in session.get_outputs()]
    own = [name for name in inputs if name in states]
    for tensors in blocks:
        feeds = {name: states[name] if name in states else tensors[name] for name in inputs}
        found = dict(zip(outputs, session.run(outputs, feeds), strict=True))
        for name in own:
            states[name] = found.pop(f"new_{name}")
        yield tensors | found


def _ahead(items: Iterator[Tensors]) -> Iterator[Tensors]:
    """The same items, made in a thread of their own, a few ahead of their use."""
    made: queue.Queue[Any] = queue.Queue(_BLOCKS_AHEAD)
    is_abandoned = threading.Event()

    def make() -> None:
        last: Any = None
        try:
            for item in items:
                made.put(item)
                if is_abandoned.is_set():
                    return
        except BaseException as error:  # raised where the items are used
            last = error
        made.put(last)

    # started for each scan and gone after it: a pool would be missing in a forked process
    threading.Thread(target=make, daemon=True).start()
    try:
        while isinstance(item := made.get(), dict):
            yield item
        if item is not None:
            raise item
    finally:
        is_abandoned.set()
        while not made.empty():  # lets a waiting thread go on, and see that it may stop
            made.get_nowait()
