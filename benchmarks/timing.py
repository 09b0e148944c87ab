"""The one way in which all benchmarks take time."""

import time
from collections.abc import Callable, Mapping


def best_seconds(calls: Mapping[str, Callable[[], object]], *, repeats: int) -> dict[str, float]:
    """Best of several repeats, interleaved so that a busy machine slows all alike."""
    seconds = dict.fromkeys(calls, float("inf"))
    for _ in range(repeats):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            seconds[name] = min(seconds[name], time.perf_counter() - started)
    return seconds
