"""How fast forecasts come: the whole feed at once, and one live step.

All networks have the same size. Features are computed beforehand: only the networks are timed.
The markets of a panel are forecast in a process of their own, which never loads TensorFlow.
"""

import sys
import tempfile
from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks.figures import Figure, Measured, reason_without
from benchmarks.fresh import in_fresh_process
from benchmarks.peer import (
    FEATURES,
    SETTINGS,
    forecaster,
    multiply_adds_a_bar,
    torch_forecasts,
    torch_network,
    windowed_network,
    windows_of,
)
from benchmarks.timing import best_seconds
from lstm_strategy import LSTMForecaster, sample_bars
from lstm_strategy.learning.inference import run_carried

N_BARS = 5_000
N_PREDICTED = 30  # bars; predict takes the same time for each of the others
N_STEPS = 100  # too short to be timed one by one
N_MARKETS, N_MARKET_BARS = 35, 3_000  # of a panel
N_REPEATS = 5
BATCH_SIZES = (64, 256, 1_024, 8_192)  # windows a call of torch; the best one counts
MATRIX_SIZE = 1_024

WINDOW = f"{SETTINGS.lookback}-bar window"
FIGURES = {
    "feed_vs_torch": Figure(f"torch.nn.LSTM on the {WINDOW} of each bar", 15),
    "feed_vs_predict": Figure(f"model.predict on the {WINDOW} of each bar", 5_000),
    "feed_vs_sgemm": Figure("as many multiply-adds in one matrix product", 0.25),
    "panel_vs_sgemm": Figure(
        f"the same of {N_MARKETS} markets of {N_MARKET_BARS:,} bars, without TensorFlow", 0.4
    ),
    "step_vs_predict": Figure(f"one model.predict on one {WINDOW}", 50),
    "step_vs_torch": Figure(f"torch.nn.LSTM on one {WINDOW}", 1),
}


def real_bars(n_bars: int) -> pd.DataFrame:
    """Real bars, as many as needed."""
    return sample_bars().iloc[:n_bars]


def save_forecaster(bars: pd.DataFrame, folder: str) -> str:
    """A model as a trading process finds it: the name of its folder."""
    trained = forecaster(epochs=1).fit(bars.iloc[:1_000], progress=False)
    return str(trained.save(f"{folder}/model"))


def time_panel(model: str) -> float:
    """How many times as fast as a matrix product a saved model forecasts the rows of a panel."""
    engine = LSTMForecaster.load(model).engine
    shape = (N_MARKETS, N_MARKET_BARS, len(FEATURES.names))
    markets = list(np.random.default_rng(0).normal(size=shape).astype(np.float32))
    matrix = np.ones((MATRIX_SIZE, MATRIX_SIZE), np.float32)
    calls = {
        "panel": lambda: engine.scan_together(markets),
        "matrix": lambda: matrix @ matrix,
    }
    best_seconds(calls, repeats=1)  # starts threads
    seconds = best_seconds(calls, repeats=N_REPEATS)
    if "tensorflow" in sys.modules:
        raise RuntimeError("a saved model has loaded TensorFlow")
    return sgemm_ratio(N_MARKETS * N_MARKET_BARS, seconds["panel"], seconds["matrix"])


def sgemm_ratio(n_rows: int, seconds: float, matrix_seconds: float) -> float:
    """The multiply-adds a second of a forecast, over those of a matrix product."""
    return n_rows * multiply_adds_a_bar() / seconds / (MATRIX_SIZE**3 / matrix_seconds)


def measure() -> dict[str, Measured]:
    """Return how many times faster the whole feed and one live step are than each peer."""
    bars = real_bars(N_BARS)
    with tempfile.TemporaryDirectory() as folder:
        model = save_forecaster(bars, folder)
        panel_ratio = in_fresh_process("forecasting.time_panel", model)
        engine = LSTMForecaster.load(model).engine  # loaded from the folder, which is deleted
    rows = FEATURES.frame(bars).dropna().to_numpy("float32")
    network, windows = windowed_network(rows), windows_of(rows)
    matrix = np.ones((MATRIX_SIZE, MATRIX_SIZE), np.float32)

    def steps() -> None:
        state = engine.initial_state(1)
        for row in rows[:N_STEPS]:
            _, state = run_carried(engine, row[None], state)

    def predict() -> None:
        for window in windows[:N_PREDICTED]:
            network.predict(window[None], verbose=0)

    calls = {
        "feed": lambda: run_carried(engine, rows, engine.initial_state(1)),
        "steps": steps,
        "predict": predict,
        "matrix": lambda: matrix @ matrix,
        **_torch_calls(windows),
    }
    best_seconds(calls, repeats=1)  # compiles
    seconds = best_seconds(calls, repeats=N_REPEATS)
    return {**_ratios(seconds, len(rows)), "panel_vs_sgemm": panel_ratio}


def _torch_calls(windows: np.ndarray) -> dict[str, Callable[[], object]]:
    if reason_without("torch"):
        return {}
    network = torch_network(windows.shape[-1])
    whole = {
        f"torch {size}": lambda size=size: torch_forecasts(network, windows, batch_size=size)
        for size in BATCH_SIZES
    }

    def steps() -> None:
        for window in windows[:N_STEPS]:
            torch_forecasts(network, window[None], batch_size=1)

    return whole | {"torch step": steps}


def _ratios(seconds: dict[str, float], n_rows: int) -> dict[str, Measured]:
    step, predict = seconds["steps"] / N_STEPS, seconds["predict"] / N_PREDICTED
    ratios: dict[str, Measured] = {
        "feed_vs_predict": predict * n_rows / seconds["feed"],
        "feed_vs_sgemm": sgemm_ratio(n_rows, seconds["feed"], seconds["matrix"]),
        "step_vs_predict": predict / step,
    }
    missing = reason_without("torch")
    if missing:
        return {**ratios, "feed_vs_torch": missing, "step_vs_torch": missing}
    best = min(seconds[f"torch {size}"] for size in BATCH_SIZES)
    ratios["feed_vs_torch"] = best / seconds["feed"]
    ratios["step_vs_torch"] = seconds["torch step"] / seconds["steps"]
    return ratios
