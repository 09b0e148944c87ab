"""What is installed here, how fast it is, and how long a walk forward would take."""

import platform
import time
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_strategy.learning.network import KernelChoice, cudnn_choice, fused_cpu_choice
from lstm_strategy.support import library_versions

if TYPE_CHECKING:
    import pandas as pd

    from lstm_strategy.learning.forecaster import LSTMForecaster
    from lstm_strategy.learning.walk_forward import WalkForward

LIBRARIES = (
    *("lstm-strategy", "keras", "tensorflow", "tensorflow-cpu", "jax", "torch"),
    *("onnxruntime", "numpy", "pandas", "pandas-ta-classic", "pandas-ta", "backtrader"),
)
_MEASURED_BARS = 3_000  # at most: more would measure the same for longer
_MEASURED_EPOCHS = 4  # the first one compiles


@dataclass(frozen=True)
class Environment:
    """What is installed, and which kernels compute an LSTM here.

    ``versions`` has the installed libraries only; ``devices`` are named as the backend names them.
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
    """What was measured with the network that was described, one member of it.

    ``targets_per_second`` counts every bar that is learned from once an epoch, validation
    included; ``startup_seconds`` is what a process pays once before it trains at full speed.
    """

    targets_per_second: float
    forecast_bars_per_second: float
    startup_seconds: float
    n_bars: int


@dataclass(frozen=True)
class Estimate:
    """How long a walk forward takes, from the earliest stop of each training to all its epochs."""

    n_folds: int
    n_jobs: int
    shortest_seconds: float
    longest_seconds: float


def inspect_environment(n_cpus: int) -> Environment:
    """Look at what is installed here; imports the backend of Keras."""
    from lstm_strategy.learning.network import build_lstm_member, fits_the_kernel, keras

    backend = keras.backend.backend()
    devices = backend_devices(backend)
    has_gpu = any("gpu" in device.lower() or "cuda" in device.lower() for device in devices)
    member = build_lstm_member(1, units=(1,), dropout=0.0, lookback=2, seed=0)
    layer = next(layer for layer in member.layers if isinstance(layer, keras.layers.LSTM))
    return Environment(
        python=platform.python_version(),
        versions=library_versions(LIBRARIES),
        backend=backend,
        devices=devices,
        n_cpus=n_cpus,
        cudnn=cudnn_choice(
            backend,
            has_gpu=has_gpu,
            layer={**layer.get_config(), "use_cudnn": layer.use_cudnn},
        ),
        fused_cpu=fused_cpu_choice(backend, has_gpu=has_gpu, fits=fits_the_kernel(layer)),
        has_onnxruntime=find_spec("onnxruntime") is not None,
    )


def backend_devices(backend: str) -> tuple[str, ...]:
    """The devices that a backend of Keras can compute on, as it names them."""
    if backend == "tensorflow":
        import tensorflow as tf

        return tuple(device.name for device in tf.config.list_logical_devices())
    if backend == "jax":
        jax: Any = import_module("jax")
        return tuple(f"{device.platform}:{device.id}" for device in jax.devices())
    if backend == "torch":
        torch: Any = import_module("torch")
        return "cpu", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))
    return ("cpu",)


def measure_speed(forecaster: "LSTMForecaster", bars: "pd.DataFrame") -> Speed:
    """Train one member of ``forecaster`` for a few epochs on ``bars``, and forecast them.

    Raises:
        TrainingError: if there are too few bars to train on.
    """
    from lstm_strategy.learning.training import build_training_set

    bars = bars.iloc[-_MEASURED_BARS:]
    brief = forecaster.unfitted_copy(members=1, epochs=_MEASURED_EPOCHS, patience=_MEASURED_EPOCHS)
    ends: list[float] = []
    started = time.perf_counter()
    brief.fit(bars, progress=lambda *_: ends.append(time.perf_counter()))
    fitted = time.perf_counter()
    a_later_epoch = float(np.min(np.diff(ends)))
    brief.forecast(bars)  # compiles
    began = time.perf_counter()
    brief.forecast(bars)
    forecast_seconds = time.perf_counter() - began
    rows, _ = build_training_set(bars, brief.features, brief.settings)
    n_learned = sum(part.stop - part.start for part in rows.learned_by(0))
    return Speed(
        targets_per_second=n_learned / a_later_epoch,
        forecast_bars_per_second=len(bars) / forecast_seconds,
        startup_seconds=max(0.0, fitted - started - len(ends) * a_later_epoch),
        n_bars=len(bars),
    )


def estimate_walk_forward(
    speed: Speed,
    forecaster: "LSTMForecaster",
    splits: "WalkForward",
    bars: "pd.DataFrame",
    *,
    n_jobs: int,
) -> Estimate:
    """How long ``walk_forward(bars, forecaster, splits, n_jobs=n_jobs)`` would take.

    The speeds of several processes are taken to add up, as they do where each has a CPU.

    Raises:
        TrainingError: if there are too few bars for one fold.
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


def daily_bars(n_bars: int) -> "pd.DataFrame":
    """So many daily bars of a random walk, for those who have no bars of their own at hand."""
    from lstm_strategy.bars import simulate_bars

    return simulate_bars("noise", n_bars).bars


def as_json(*found: Any) -> dict[str, Any]:
    """What was found as plain values, by the name of what it is."""
    return {type(part).__name__.lower(): asdict(part) for part in found}
