"""How fast BarsFeed serves bars, next to backtrader's own PandasData."""

from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd

from benchmarks.figures import Figure, Measured
from benchmarks.timing import best_seconds
from lstm_strategy.trading import BarsFeed

N_BARS = 20_000
N_REPEATS = 5

FIGURES = {
    "feed_vs_pandasdata": Figure(f"bt.feeds.PandasData, {N_BARS:,} bars through an empty strategy")
}


def random_bars(n_bars: int) -> pd.DataFrame:
    """Hourly bars of a random walk, valid and the same on every run."""
    generator = np.random.default_rng(7)
    close = 100 * np.exp(np.cumsum(generator.normal(0, 0.005, n_bars)))
    opening = np.append(100.0, close[:-1])
    return pd.DataFrame(
        {
            "open": opening,
            "high": np.maximum(opening, close) * 1.001,
            "low": np.minimum(opening, close) * 0.999,
            "close": close,
            "volume": generator.integers(1_000, 9_000, n_bars).astype(float),
        },
        index=pd.date_range("2020-01-01", periods=n_bars, freq="h", name="datetime"),
    )


def run_empty_strategy(feed: Any) -> None:
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(feed)
    cerebro.addstrategy(bt.Strategy)
    cerebro.run()


def measure() -> dict[str, Measured]:
    """Return how many times the bars per second of PandasData the feed gives.

    Building the feed counts, as it does for its user.
    """
    bars = random_bars(N_BARS)
    calls = {
        "PandasData": lambda: run_empty_strategy(bt.feeds.PandasData(dataname=bars)),
        "BarsFeed": lambda: run_empty_strategy(BarsFeed(bars)),
    }
    seconds = best_seconds(calls, repeats=N_REPEATS)
    return {"feed_vs_pandasdata": seconds["PandasData"] / seconds["BarsFeed"]}
