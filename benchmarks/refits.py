"""What the first fold of a walk forward pays and later ones don't: compilation."""

import time
from itertools import pairwise
from statistics import median

from benchmarks.feed import random_bars
from benchmarks.figures import Figure, Measured
from benchmarks.fresh import in_fresh_process
from benchmarks.peer import forecaster
from lstm_strategy import WalkForward, walk_forward

N_FOLDS = 5
N_PROCESSES = 3
TRAINING_BARS, TEST_BARS = 1_500, 200
EPOCHS = 3

FIGURES = {
    "second_fold_vs_first": Figure("the first fold, in a new process", 1),
    "second_fold_vs_later": Figure("the folds after the second: 1 if it compiles nothing", 0.8),
}


def fold_seconds() -> list[float]:
    """How long each fold took, all of the same size, in a process that has trained nothing yet."""
    from lstm_strategy.learning.training import fit_network  # noqa: F401  (imports aren't timed)

    bars = random_bars(TRAINING_BARS + N_FOLDS * TEST_BARS)
    ends = [time.perf_counter()]
    walk_forward(
        bars,
        forecaster(epochs=EPOCHS),
        WalkForward(TRAINING_BARS, TEST_BARS),
        progress=lambda *_: ends.append(time.perf_counter()),
    )
    return [end - start for start, end in pairwise(ends)]


def measure() -> dict[str, Measured]:
    """Return how the second fold compares with the first and with the later ones.

    The best of several processes: a busy machine makes a fold slow now and then, a compilation
    would do so in each of them.
    """
    runs = [in_fresh_process("refits.fold_seconds") for _ in range(N_PROCESSES)]
    return {
        "second_fold_vs_first": max(first / second for first, second, *_ in runs),
        "second_fold_vs_later": max(median(later) / second for _, second, *later in runs),
    }
