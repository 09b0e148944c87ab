"""What many symbols cost: the time and the bytes of a task, and the driver's share of it all.

`python -m benchmarks.scale` prints the figures of docs/scale.md. The driver's share comes from
the largest step: walk forwards over 5,000 symbols through Ray, by the code that users run, in which
each fold returns a model that was trained before instead of training one.
"""

import argparse
import pickle
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import cloudpickle

from benchmarks.figures import console
from lstm_strategy import (
    BASELINES,
    LSTMForecaster,
    LSTMStrategy,
    WalkForward,
    compare,
    sample_bars,
    walk_forward,
    workers,
)
from lstm_strategy.learning.forecaster import read_folder, write_folder
from lstm_strategy.learning.serving import open_forecaster
from lstm_strategy.support import share

TRAINING_BARS, TEST_BARS = 2_520, 252
N_TIMED_FOLDS = 4
N_SYMBOLS, N_REFITS = 5_000, 20
N_CORES = (1, 16, 256, 1_024)


class Recorded(LSTMForecaster):
    """A forecaster whose training returns at once, with a model that was trained before."""

    content: dict[str, bytes]

    @classmethod
    def from_content(cls, content: dict[str, bytes]) -> "Recorded":
        forecaster = cls()
        forecaster.content = content
        return forecaster

    def unfitted_copy(self, **_: Any) -> "Recorded":
        return Recorded.from_content(self.content)

    def fit(self, *_: Any, **__: Any) -> "Recorded":
        return self

    def save(self, folder: str | Path) -> Path:
        write_folder(Path(folder), self.content)
        return Path(folder)


def time_folds(folder: Path) -> float:
    """Core seconds of a fold of the default forecaster once the network is compiled."""
    bars = sample_bars("sp500").iloc[: TRAINING_BARS + N_TIMED_FOLDS * TEST_BARS]
    ends = [time.process_time()]  # of all threads: Keras uses several
    splits = WalkForward(TRAINING_BARS, TEST_BARS)
    walk_forward(
        bars,
        LSTMForecaster(),
        splits,
        folder=folder,
        progress=lambda *_: ends.append(time.process_time()),
    )
    first, *later = [end - start for start, end in pairwise(ends)]
    console.print(
        f"core seconds: {first:.1f} for the first fold of a process, "
        f"{', '.join(f'{s:.1f}' for s in later)} for the next"
    )
    return median(later)


def comparison_seconds(folder: Path) -> float:
    """Core seconds of a comparison of one symbol with all baselines, in one process."""
    bars, model = sample_bars("sp500"), open_forecaster(folder)
    entries: dict[str, Any] = {"LSTM": (LSTMStrategy, {"model": model}), **BASELINES}
    began = time.process_time()
    compare(entries, bars, n_jobs=1)
    return time.process_time() - began


def driver_seconds_a_task(
    content: dict[str, bytes], n_symbols: int, say: Callable[[str], None]
) -> float:
    """The driver's CPU seconds a task, folds of recorded models through Ray on this machine."""
    bars = sample_bars("sp500")
    test_bars = (len(bars) - TRAINING_BARS) // N_REFITS
    splits = WalkForward(len(bars) - N_REFITS * test_bars, test_bars)
    recorded = Recorded.from_content(content)
    began, cpu = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as temporary, workers("ray", n_jobs=2):
        for symbol in range(n_symbols):
            folder = Path(temporary) / str(symbol)
            walked = walk_forward(bars, recorded, splits, folder=folder, progress=False)
            assert len(walked.refits) == N_REFITS
            shutil.rmtree(folder)
            if symbol in (9, n_symbols // 2, n_symbols - 1):
                n_tasks = (symbol + 1) * N_REFITS
                say(
                    f"{n_tasks:,} tasks: {(time.perf_counter() - began) / n_tasks * 1e3:.1f} ms "
                    f"of wall clock and {(time.process_time() - cpu) / n_tasks * 1e3:.1f} ms of "
                    f"the driver each, at most {peak_megabytes():.0f} MB in the driver"
                )
    return (time.process_time() - cpu) / (n_symbols * N_REFITS)


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--symbols", type=int, default=N_SYMBOLS)
    n_symbols = parser.parse_args().symbols
    with tempfile.TemporaryDirectory() as temporary:
        run = Path(temporary) / "run"
        fold_seconds = time_folds(run)
        content = read_folder(run / "folds" / "002")
        one_comparison = comparison_seconds(run)
    bars = sample_bars("sp500")
    with share(bars, n_jobs=2) as handle:
        task_bytes = len(cloudpickle.dumps((LSTMForecaster(), handle)))
    console.print(
        f"core seconds: a fold {fold_seconds:.2f}, comparing a symbol {one_comparison:.2f}\n"
        f"bytes: bars {len(pickle.dumps(bars)):,} once; a task {task_bytes:,}; "
        f"its model {sum(map(len, content.values())):,}"
    )
    driver_seconds = driver_seconds_a_task(content, n_symbols, console.print)
    n_tasks = N_SYMBOLS * N_REFITS
    core_hours = (n_tasks * fold_seconds + N_SYMBOLS * one_comparison) / 3600
    driver_hours = n_tasks * driver_seconds / 3600
    console.print(
        f"{n_tasks:,} folds: {core_hours:.0f} core hours, driver {driver_hours:.1f} hours"
    )
    for n_cores in N_CORES:
        hours = max(core_hours / n_cores, driver_hours)
        console.print(f"{n_cores:5} cores: {hours:.1f} hours")


if __name__ == "__main__":
    main()
