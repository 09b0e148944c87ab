"""What is installed here, how fast it is, and how long a walk forward would take."""

import platform
import time
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd

from lstm_strategy.bars import simulate_bars
from lstm_strategy.learning.forecaster import LSTMForecaster
from lstm_strategy.learning.network import KernelChoice, cudnn_choice, fused_cpu_choice
from lstm_strategy.learning.walk_forward import WalkForward
from lstm_strategy.support import library_versions

LIBRARIES = (
    *("lstm-strategy", "keras", "tensorflow", "tensorflow-cpu", "jax", "torch"),
    *("onnxruntime", "numpy", "pandas", "pandas-ta-classic", "pandas-ta", "backtrader"),
)
_MOST_MEASURED_BARS = 3_000  # more would take longer and measure the same
_MEASURED_EPOCHS = 4  # the first one compiles


@dataclass(frozen=True)
class Environment:
    """What is installed, and which kernels compute an LSTM here.

    Attributes:
        python: The version of Python.
        versions: The version of each library that is installed.
        backend: The backend of Keras.
        devices: What the backend can compute on, as it names them.
        n_cpus: The number of CPUs.
        cudnn: Whether cuDNN's fused kernel is used.
        fused_cpu: Whether TensorFlow's fused CPU kernel is used.
        has_onnxruntime: Whether ONNX Runtime is installed.
    """

    python: str
    versions: dict[str, str]
    backend: str
    devices: tuple[str, ...]
    n_cpus: int
    cudnn: KernelChoice
    fused_cpu: KernelChoice
    has_onnxruntime: bool


@dataclass(frozen=True)
class Speed:
    """How fast one network of an ensemble was, when it was measured.

    Attributes:
        targets_per_second: The bars learned from, each counted once an epoch. The validation after
            each epoch is included in the time.
        forecast_bars_per_second: The bars forecast, features included.
        startup_seconds: What a process pays once before it trains at full speed.
        n_bars: The bars that were measured with.
    """

    targets_per_second: float
    forecast_bars_per_second: float
    startup_seconds: float
    n_bars: int


@dataclass(frozen=True)
class Estimate:
    """How long a walk forward takes.

    Attributes:
        n_folds: The number of folds.
        n_jobs: The processes that train them.
        shortest_seconds: The time it takes if every training stops as early as it can.
        longest_seconds: The time it takes if every training goes through all its epochs.
    """

    n_folds: int
    n_jobs: int
    shortest_seconds: float
    longest_seconds: float


def inspect_environment(n_cpus: int) -> Environment:
    """What is installed here; this imports the backend of Keras."""
    from lstm_strategy.learning.network import (
        build_lstm_member,
        fits_the_kernel,
        has_gpu,
        keras,
        list_devices,
    )

    backend = keras.backend.backend()
    member = build_lstm_member(1, units=(1,), dropout=0.0, lookback=2, seed=0)
    layer = next(layer for layer in member.layers if isinstance(layer, keras.layers.LSTM))
    return Environment(
        python=platform.python_version(),
        versions=library_versions(LIBRARIES),
        backend=backend,
        devices=list_devices(),
        n_cpus=n_cpus,
        cudnn=cudnn_choice(
            backend,
            has_gpu=has_gpu(),
            layer={**layer.get_config(), "use_cudnn": layer.use_cudnn},
        ),
        fused_cpu=fused_cpu_choice(backend, has_gpu=has_gpu(), fits=fits_the_kernel(layer)),
        has_onnxruntime=find_spec("onnxruntime") is not None,
    )


def measure_speed(forecaster: LSTMForecaster, bars: pd.DataFrame) -> Speed:
    """Train one network of an ensemble for a few epochs, forecast, and take the time of both.

    Args:
        forecaster: The ensemble; it isn't changed.
        bars: The bars to train on, of which the last few thousand are used.

    Raises:
        TrainingError: If there are too few bars to train on.
    """
    from lstm_strategy.learning.training import build_training_set

    bars = bars.iloc[-_MOST_MEASURED_BARS:]
    brief = forecaster.unfitted_copy(members=1, epochs=_MEASURED_EPOCHS, patience=_MEASURED_EPOCHS)
    epoch_ends: list[float] = []
    started = time.perf_counter()
    brief.fit(bars, progress=lambda *_: epoch_ends.append(time.perf_counter()))
    fitted = time.perf_counter()
    seconds_an_epoch = float(np.min(np.diff(epoch_ends)))
    brief.forecast(bars)  # compiles
    began = time.perf_counter()
    brief.forecast(bars)
    forecast_seconds = time.perf_counter() - began
    rows, _ = build_training_set(bars, brief.features, brief.settings)
    n_learned = sum(part.stop - part.start for part in rows.learned_by(0))
    return Speed(
        targets_per_second=n_learned / seconds_an_epoch,
        forecast_bars_per_second=len(bars) / forecast_seconds,
        startup_seconds=max(0.0, fitted - started - len(epoch_ends) * seconds_an_epoch),
        n_bars=len(bars),
    )


def estimate_walk_forward(
    speed: Speed,
    forecaster: LSTMForecaster,
    splits: WalkForward,
    bars: pd.DataFrame,
    *,
    n_jobs: int,
) -> Estimate:
    """How long `walk_forward(bars, forecaster, splits, n_jobs=n_jobs)` would take.

    The speeds of several processes are taken to add up, as they do where each has a CPU.

    Args:
        speed: What `measure_speed` found.
        forecaster: The ensemble that each fold trains.
        splits: The folds.
        bars: The bars.
        n_jobs: The processes; no more of them are counted than there are folds.

    Raises:
        TrainingError: If there are too few bars for one fold.
    """
    folds = splits.folds(bars)
    n_jobs = min(n_jobs, len(folds))
    settings = forecaster.settings
    learned = sum(len(fold.train_indices) for fold in folds) * (1 - settings.validation)
    seconds_an_epoch = settings.members * learned / speed.targets_per_second
    context = sum(
        len(fold.train_indices) + len(fold.test_indices) + forecaster.context_bars for fold in folds
    )
    besides = speed.startup_seconds + context / speed.forecast_bars_per_second / n_jobs
    fewest_epochs = min(settings.patience + 1, settings.epochs)
    return Estimate(
        n_folds=len(folds),
        n_jobs=n_jobs,
        shortest_seconds=besides + seconds_an_epoch * fewest_epochs / n_jobs,
        longest_seconds=besides + seconds_an_epoch * settings.epochs / n_jobs,
    )


def simulate_daily_bars(n_bars: int) -> pd.DataFrame:
    """Daily bars of a random walk, for those who have no bars of their own at hand."""
    return simulate_bars("noise", n_bars).bars


def to_plain_values(*findings: Environment | Speed | Estimate) -> dict[str, Any]:
    """The findings as plain values for JSON, by the name of their class in lower case."""
    return {type(finding).__name__.lower(): asdict(finding) for finding in findings}
