"""The one way in which all benchmarks take time."""

import time
from collections.abc import Callable, Mapping

_PAUSE_SECONDS = 0.3  # idle threads of OpenMP and TensorFlow spin on for a while after a call


def best_seconds(calls: Mapping[str, Callable[[], object]], *, repeats: int) -> dict[str, float]:
    """Best of several repeats, interleaved so that a busy machine slows all alike.

    A pause before each call keeps the waiting threads of the one before from taking its CPUs.
    """
    seconds = dict.fromkeys(calls, float("inf"))
    for _ in range(repeats):
        for name, call in calls.items():
            time.sleep(_PAUSE_SECONDS)
            started = time.perf_counter()
            call()
            seconds[name] = min(seconds[name], time.perf_counter() - started)
    return seconds
