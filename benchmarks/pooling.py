"""How fast and in how much memory one network learns from many markets.

`python -m benchmarks.pooling` writes 500 markets of 2,500 bars as Parquet files to a temporary
folder, trains a network of 16 features on them, and prints the time and the memory it takes.
"""

import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.feed import random_bars
from benchmarks.figures import Figure, Measured, console
from benchmarks.fresh import in_fresh_process, peak_bytes
from benchmarks.training import EpochTimer
from lstm_strategy import LSTMForecaster, load_panel

N_BARS = 8_000
N_MARKETS, N_MARKET_BARS = 10, 2_500
N_REPEATS = 2
EPOCHS = 12
SETTINGS = {"units": (24,), "lookback": 60, "batch_size": 32, "members": 1, "epochs": EPOCHS}

MANY_MARKETS, MANY_BARS = 500, 2_500
FEATURES = [
    *({"kind": "log_return", "length": length} for length in (1, 5, 21, 63)),
    *({"kind": "rsi", "length": length} for length in (5, 14, 28)),
    *({"kind": "roc", "length": length} for length in (2, 10, 42)),
    *({"kind": "relative_volume", "length": length} for length in (5, 20, 60)),
    *({"kind": "ewm_volatility", "span": span} for span in (10, 30, 60)),
]

FIGURES = {
    "pooled_training_vs_one_market": Figure(
        f"the same network on one market of as many bars as {N_MARKETS} have (targets a second)",
        aim=1.0,
    ),
}


def epoch_seconds() -> dict[str, float]:
    """The seconds of an epoch on many markets, and on one market of as many bars.

    Both take as many steps of as many targets.
    """
    one, market = random_bars(N_MARKETS * N_MARKET_BARS), random_bars(N_MARKET_BARS)
    panel = {f"M{number}": _shift(market, number) for number in range(N_MARKETS)}
    forecaster = LSTMForecaster(FEATURES, mirror=False, patience=2 * EPOCHS, **SETTINGS)
    seconds = {"one": float("inf"), "pooled": float("inf")}
    for _ in range(N_REPEATS):
        for name, bars in {"one": one, "pooled": panel}.items():
            timer = EpochTimer()
            forecaster.unfitted_copy().fit(bars, progress=timer)
            seconds[name] = min(seconds[name], timer.best_seconds)
    return seconds


def _shift(bars: pd.DataFrame, number: int) -> pd.DataFrame:
    """Another market: the same bars from another one on."""
    rolled = bars.iloc[np.roll(np.arange(len(bars)), -97 * number)]
    return rolled.set_axis(bars.index)


def write_markets(folder: Path) -> None:
    bars = random_bars(MANY_BARS)
    for number in range(MANY_MARKETS):
        _shift(bars, number).to_parquet(folder / f"M{number:03d}.parquet")


def train_on_folder(folder: str, batch_size: int, epochs: int) -> dict[str, float]:
    """Seconds and peak memory of a training on all files of a folder, one member."""
    began = time.perf_counter()
    panel = load_panel(folder)
    timer = EpochTimer()
    settings = {**SETTINGS, "batch_size": batch_size, "epochs": epochs}
    forecaster = LSTMForecaster(FEATURES, **settings).fit(panel, progress=timer)
    trained = time.perf_counter()
    forecaster.forecast(panel)
    return {
        "training": trained - began,
        "epoch": timer.best_seconds,
        "forecast": time.perf_counter() - trained,
        "gigabytes": peak_bytes() / 1e9,
    }


def measure() -> dict[str, Measured]:
    """Return how many times as many targets a second a panel trains as one market does."""
    seconds = in_fresh_process("pooling.epoch_seconds")
    console.print(
        f"an epoch of one market: {seconds['one'] * 1e3:.0f} ms, of {N_MARKETS} markets with as "
        f"many bars: {seconds['pooled'] * 1e3:.0f} ms"
    )
    return {"pooled_training_vs_one_market": seconds["one"] / seconds["pooled"]}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_markets(Path(folder))
        measured = in_fresh_process("pooling.train_on_folder", folder, 64, 3)
    console.print(
        f"{MANY_MARKETS} markets of {MANY_BARS:,} bars and {len(FEATURES)} features, one member, "
        f"3 epochs: {measured['training']:.0f} s, of which {measured['epoch']:.1f} s an epoch; "
        f"forecast in {measured['forecast']:.1f} s; at most {measured['gigabytes']:.2f} GB"
    )


if __name__ == "__main__":
    main()
