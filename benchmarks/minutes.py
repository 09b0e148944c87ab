"""A million bars of a minute: time that grows with the bars, and memory that stays bounded.

Each length is forecast in a process of its own, from a saved model, as a user would.
"""

import tempfile
import time

import pandas as pd
from rich.table import Table

from benchmarks.feed import random_bars
from benchmarks.figures import Figure, Measured, console
from benchmarks.fresh import in_fresh_process, peak_bytes
from benchmarks.peer import FEATURES, forecaster
from lstm_strategy import FeatureSet, LSTMForecaster

LENGTHS = (10_000, 100_000, 1_000_000)
MOST_MEMORY = 1.5e9  # bytes
N_REPEATS = 2
KINDS = ("log_return", "natr", "true_range", "relative_volume", "rsi", "roc", "willr")
EIGHT_FEATURES = FeatureSet([spec for spec in FEATURES.specs if spec["kind"] in KINDS])

FIGURES = {
    "million_bars_memory": Figure(f"{MOST_MEMORY / 1e9:g} GB of memory, over what is needed", 1),
    "million_bars_linear": Figure("the time per bar of 10,000 bars, over that of a million", 0.8),
}


def minutes(n_bars: int) -> pd.DataFrame:
    bars = random_bars(n_bars)
    bars.index = pd.date_range("2020-01-01", periods=n_bars, freq="min", name="datetime")
    return bars


def forecast_cost(folder: str, n_bars: int) -> tuple[float, int]:
    """Seconds to forecast so many bars, and the peak memory of this process in bytes."""
    bars = minutes(n_bars)
    model = LSTMForecaster.load(folder)
    model.forecast(bars.iloc[:2_000])  # compiles
    seconds = float("inf")
    for _ in range(N_REPEATS):
        started = time.perf_counter()
        model.forecast(bars)
        seconds = min(seconds, time.perf_counter() - started)
    return seconds, peak_bytes()


def measure() -> dict[str, Measured]:
    """Return how far below the limit the memory is, and how linear the time."""
    table = Table("bars", "seconds", "microseconds a bar", "peak memory, GB")
    a_bar: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        untrained = forecaster(features=EIGHT_FEATURES, epochs=1)
        model = str(untrained.fit(minutes(2_000), progress=False).save(f"{folder}/model"))
        for n_bars in LENGTHS:
            seconds, peak = in_fresh_process("minutes.forecast_cost", model, n_bars)
            a_bar[n_bars] = seconds / n_bars
            cells = f"{seconds:.2f}", f"{seconds / n_bars * 1e6:.2f}", f"{peak / 1e9:.2f}"
            table.add_row(f"{n_bars:,}", *cells)
    console.print(table)
    return {
        "million_bars_memory": MOST_MEMORY / peak,
        "million_bars_linear": a_bar[LENGTHS[0]] / a_bar[LENGTHS[-1]],
    }
