"""How fast training is: this package's sequences next to the usual overlapping windows.

All networks have the same size, train on the same rows and validate after each epoch. The first
epoch compiles and isn't counted. Each rate is measured in a process of its own.
"""

import time

import numpy as np
import pandas as pd

from benchmarks.feed import random_bars
from benchmarks.figures import Figure, Measured, console, reason_without
from benchmarks.fresh import in_fresh_process
from benchmarks.peer import FEATURES, SETTINGS, forecaster, windowed_network, windows_of

N_BARS = 8_000
N_WINDOW_BARS = 3_000  # windows cost the same however many there are
N_REPEATS = 2
EPOCHS = {"sequences": 5, "windows": 2}
WINDOWS_A_STEP = (32, 256)  # Keras's default, and what gives windows about their best speed

FIGURES = {
    **{
        f"training_vs_windows_{size}": Figure(
            f"Keras on {SETTINGS.lookback}-bar windows, {size} a step (targets a second)"
        )
        for size in WINDOWS_A_STEP
    },
    "training_jax_vs_tensorflow": Figure("this package on TensorFlow (targets a second)"),
}


class EpochTimer:
    """Called at the end of each epoch; knows the fastest of those after the first."""

    def __init__(self) -> None:
        self._ends: list[float] = []

    def __call__(self, *_: object) -> None:
        self._ends.append(time.perf_counter())

    @property
    def best_seconds(self) -> float:
        return float(np.diff(self._ends).min())


def sequence_rate() -> float:
    """Targets a second of `LSTMForecaster.fit`."""
    timer = EpochTimer()
    bars = random_bars(N_BARS)
    forecaster(epochs=EPOCHS["sequences"]).fit(bars, progress=timer)
    return targets_of_an_epoch(_n_training(_rows(bars))) / timer.best_seconds


def targets_of_an_epoch(n_rows: int) -> int:
    """Steps with a loss: chunks that fit at every offset, full batches, warm-ups left out."""
    length, warm_up = 2 * SETTINGS.lookback, SETTINGS.lookback // 2
    stride = length - warm_up
    n_chunks = (n_rows - length - (stride - 1)) // stride + 1
    return n_chunks // SETTINGS.batch_size * SETTINGS.batch_size * stride


def window_rate(size: int) -> float:
    """Targets a second of a windowed network, `size` windows a training step."""
    from lstm_strategy.learning.network import keras

    bars = random_bars(N_WINDOW_BARS)
    rows, timer = _rows(bars), EpochTimer()
    windows, n_training = windows_of(rows), _n_training(rows)
    labels = (bars["close"].diff() > 0).to_numpy("float32")[-len(windows) :]
    windowed_network(rows).fit(
        windows[:n_training],
        labels[:n_training],
        validation_data=(windows[n_training:], labels[n_training:]),
        batch_size=size,
        epochs=EPOCHS["windows"],
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=timer)],
        verbose=0,
    )
    return min(n_training, len(windows)) / timer.best_seconds


def _rows(bars: pd.DataFrame) -> np.ndarray:
    return FEATURES.frame(bars).dropna().to_numpy("float32")


def _n_training(rows: np.ndarray) -> int:
    return round(len(rows) * (1 - SETTINGS.validation))


def measure() -> dict[str, Measured]:
    """Return how many times as many targets a second sequences train, per peer."""
    no_jax = reason_without("jax")
    backends = ["tensorflow"] if no_jax else ["tensorflow", "jax"]
    rates: dict[str | int, float] = dict.fromkeys((*backends, *WINDOWS_A_STEP), 0.0)
    for _ in range(N_REPEATS):
        for name in backends:
            rate = in_fresh_process("training.sequence_rate", backend=name)
            rates[name] = max(rates[name], rate)
        for size in WINDOWS_A_STEP:
            rate = in_fresh_process("training.window_rate", size, backend="tensorflow")
            rates[size] = max(rates[size], rate)
    for name in backends:
        console.print(f"training on {name}: {rates[name]:,.0f} targets/s")
    return {
        **{
            f"training_vs_windows_{size}": rates["tensorflow"] / rates[size]
            for size in WINDOWS_A_STEP
        },
        "training_jax_vs_tensorflow": no_jax or rates["jax"] / rates["tensorflow"],
    }
