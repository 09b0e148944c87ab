"""What many symbols cost: the time and the bytes of a task, and the driver's share of it all.

`python -m benchmarks.scale` prints the figures of docs/scale.md. The driver's share comes from
the largest step: walk forwards over 5,000 symbols through Ray, by the code that users run, in which
each fold returns a model that was trained before instead of training one.

`python -m benchmarks.scale --pooled` measures instead what one network of many simulated markets
costs beside one network for each of them: of the latter some are trained, and the rest cost as
much.
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
from benchmarks.fresh import in_fresh_process, peak_bytes
from lstm_strategy import (
    BASELINES,
    LSTMForecaster,
    LSTMStrategy,
    WalkForward,
    compare,
    sample_bars,
    simulate_bars,
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
N_POOLED, POOLED_BARS = 500, 1_000
N_ALONE = 10


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


def train_markets(n_pooled: int, n_bars: int, n_alone: int) -> dict[str, float]:
    """What one member of the default forecaster costs on all markets, and on some of them alone.

    Returns:
        Core seconds, epochs and peak memory of one pooled network; core seconds and epochs of
        the median market alone, once the network is compiled; core seconds of all forecasts.
    """
    panel = dict(simulate_bars("remembered_news", n_bars, seed=1, n_assets=n_pooled).bars)
    symbols = list(panel)[: n_alone + 1]  # the first one compiles the network
    alone = [_train(panel[symbol])[1:] for symbol in symbols][1:]
    before = peak_bytes()
    model, seconds, epochs = _train(panel)
    began = time.process_time()
    model.forecast(panel)
    return {
        "alone_seconds": median(seconds for seconds, _ in alone),
        "alone_epochs": median(epochs for _, epochs in alone),
        "seconds": seconds,
        "epochs": epochs,
        "forecast_seconds": time.process_time() - began,
        "gigabytes": peak_bytes() / 1e9,
        "gigabytes_before": before / 1e9,
    }


def _train(bars: Any) -> tuple[LSTMForecaster, float, int]:
    """A trained forecaster, its core seconds and its epochs."""
    epochs: list[int] = []
    began = time.process_time()  # of all threads: Keras uses several
    model = LSTMForecaster(members=1).fit(bars, progress=lambda *_: epochs.append(1))
    return model, time.process_time() - began, len(epochs)


def print_pooled() -> None:
    found = in_fresh_process("scale.train_markets", N_POOLED, POOLED_BARS, N_ALONE)
    together = N_POOLED * found["alone_seconds"]
    console.print(
        f"{N_POOLED} markets of {POOLED_BARS:,} bars, one member, core seconds:\n"
        f"one network a market {together:.0f} ({found['alone_seconds']:.2f} each, "
        f"{found['alone_epochs']:.0f} epochs)\n"
        f"one pooled network {found['seconds']:.0f} ({found['epochs']:.0f} epochs, "
        f"{found['seconds'] / together:.2f} times as much), "
        f"{found['seconds'] / (N_POOLED * POOLED_BARS * found['epochs']) * 1e6:.1f} µs a bar and "
        f"epoch\nforecasts of all markets {found['forecast_seconds']:.1f}; memory "
        f"{found['gigabytes_before']:.2f} GB before the pooled training and at most "
        f"{found['gigabytes']:.2f} GB in it"
    )


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--symbols", type=int, default=N_SYMBOLS)
    parser.add_argument("--pooled", action="store_true")
    arguments = parser.parse_args()
    if arguments.pooled:
        print_pooled()
        return
    n_symbols = arguments.symbols
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
