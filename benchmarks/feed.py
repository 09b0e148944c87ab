"""How fast BarsFeed serves bars, next to backtrader's own PandasData.

Run: python benchmarks/feed.py
"""

import time
from collections.abc import Callable
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd

from lstm_strategy.bars.feed import BarsFeed

N_BARS = 20_000
N_REPEATS = 5


def random_bars(n_bars: int = N_BARS) -> pd.DataFrame:
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


def seconds_of_one_run(feed: Callable[[], Any]) -> float:
    """Build the feed and run an empty strategy over it, as a user would."""
    started = time.perf_counter()
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(feed())
    cerebro.addstrategy(bt.Strategy)
    cerebro.run()
    return time.perf_counter() - started


def bars_per_second() -> dict[str, float]:
    """Best of several repeats, interleaved so that a busy machine slows both alike."""
    bars = random_bars()
    feeds = {
        "PandasData": lambda: bt.feeds.PandasData(dataname=bars),
        "BarsFeed": lambda: BarsFeed(bars),
    }
    seconds = dict.fromkeys(feeds, float("inf"))
    for _ in range(N_REPEATS):
        for name, feed in feeds.items():
            seconds[name] = min(seconds[name], seconds_of_one_run(feed))
    return {name: N_BARS / best for name, best in seconds.items()}


def measure() -> dict[str, float]:
    """Return how many times the bars per second of PandasData the feed gives."""
    rates = bars_per_second()
    return {"feed_vs_pandasdata": rates["BarsFeed"] / rates["PandasData"]}


def main() -> None:
    rates = bars_per_second()
    print(f"{N_BARS:,} bars, empty strategy, best of {N_REPEATS} interleaved runs")
    print(f"{'feed':<12}{'bars/s':>12}{'ratio':>8}")
    for name, rate in rates.items():
        print(f"{name:<12}{rate:>12,.0f}{rate / rates['PandasData']:>8.2f}")


if __name__ == "__main__":
    main()
