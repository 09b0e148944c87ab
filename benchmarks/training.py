"""How fast training is: this package's sequences next to the usual overlapping windows.

Both networks have the same size, train on the same rows and validate after each epoch. The first
epoch compiles and isn't counted.
"""

import time

import numpy as np
import pandas as pd

from benchmarks.feed import random_bars
from benchmarks.peer import SETTINGS, windowed_network, windows_of
from lstm_strategy import LSTMForecaster
from lstm_strategy.learning.network import keras

N_BARS = 8_000
N_REPEATS = 2
EPOCHS = {"sequences": 4, "windows": 2}
WINDOWS_A_STEP = (32, 256)  # Keras's default, and what gives windows about their best speed

PEERS = {
    f"training_vs_windows_{size}": f"Keras on {SETTINGS.lookback}-bar windows, {size} a step"
    for size in WINDOWS_A_STEP
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


def sequence_rate(bars: pd.DataFrame, n_training_rows: int) -> float:
    """Targets a second of ``LSTMForecaster.fit``."""
    timer = EpochTimer()
    settings = SETTINGS.model_dump() | {"epochs": EPOCHS["sequences"]}
    LSTMForecaster(**settings).fit(bars, progress=timer)
    return targets_of_an_epoch(n_training_rows) / timer.best_seconds


def targets_of_an_epoch(n_rows: int) -> int:
    """Steps with a loss: chunks that fit at every offset, full batches, warm-ups left out."""
    length, warm_up = 2 * SETTINGS.lookback, SETTINGS.lookback // 2
    stride = length - warm_up
    n_chunks = (n_rows - length - (stride - 1)) // stride + 1
    return n_chunks // SETTINGS.batch_size * SETTINGS.batch_size * stride


def window_rate(rows: np.ndarray, labels: np.ndarray, *, n_training: int, size: int) -> float:
    """Targets a second of a windowed network, ``size`` windows a training step."""
    windows, timer = windows_of(rows), EpochTimer()
    labels = labels[-len(windows) :]
    windowed_network(rows).fit(
        windows[:n_training],
        labels[:n_training],
        validation_data=(windows[n_training:], labels[n_training:]),
        batch_size=size,
        epochs=EPOCHS["windows"],
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=timer)],
        verbose=0,
    )
    return n_training / timer.best_seconds


def measure() -> dict[str, float]:
    """Return how many times as many targets a second sequences train, per size of peer."""
    bars = random_bars(N_BARS)
    features = LSTMForecaster().features.frame(bars)
    rows = features.dropna().to_numpy("float32")
    labels = (bars["close"].diff() > 0).to_numpy("float32")
    n_training = round(len(rows) * (1 - SETTINGS.validation))
    rates: dict[str | int, float] = dict.fromkeys(("sequences", *WINDOWS_A_STEP), 0.0)
    for _ in range(N_REPEATS):
        rates["sequences"] = max(rates["sequences"], sequence_rate(bars, n_training))
        for size in WINDOWS_A_STEP:
            rate = window_rate(rows, labels, n_training=n_training, size=size)
            rates[size] = max(rates[size], rate)
    return {
        f"training_vs_windows_{size}": rates["sequences"] / rates[size] for size in WINDOWS_A_STEP
    }
