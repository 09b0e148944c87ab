"""What margin, funding and liquidation cost a Cerebro run: a perpetual beside the same as spot."""

import numpy as np
import pandas as pd

from benchmarks.figures import Figure, Measured
from benchmarks.timing import best_seconds
from lstm_strategy import BrokerSettings, Perpetual, Spot, TargetStrategy, simulate_bars
from lstm_strategy.trading.cerebro import run_cerebro
from lstm_strategy.trading.instruments import Instrument

N_BARS = 10_000
N_REPEATS = 9

FIGURES = {
    "perpetual_vs_spot": Figure(f"the same run of a Spot, {N_BARS:,} hourly bars", 1 / 1.05),
}


class AlwaysHolds(TargetStrategy):
    """Holds a position on every bar, and turns it around every two days."""

    def __init__(self) -> None:
        super().__init__()
        self.n_bars = 0

    def target_exposure(self) -> float:
        self.n_bars += 1
        return 0.9 if self.n_bars // 48 % 2 else -0.9


def funded_bars(n_bars: int) -> pd.DataFrame:
    """Hourly bars with a settlement every eight hours and a mark price."""
    bars = simulate_bars("noise", n_bars, seed=3).bars
    bars.index = pd.date_range("2020-01-01", periods=n_bars, freq="h", name="datetime")
    rates = np.random.default_rng(3).normal(0, 1e-4, n_bars)
    settles = np.arange(n_bars) % 8 == 0
    return bars.assign(funding_rate=np.where(settles, rates, np.nan), mark=bars["close"] * 1.0001)


def run(bars: pd.DataFrame, instrument: Instrument) -> float:
    """The equity at the end."""
    broker = BrokerSettings(instrument=instrument)
    return float(run_cerebro(AlwaysHolds, bars, broker=broker).equity.iloc[-1])


def measure() -> dict[str, Measured]:
    """Return how many times as fast as a Spot the perpetual is: 1 if it costs nothing."""
    bars = funded_bars(N_BARS)
    calls = {
        "perpetual": lambda: run(bars, Perpetual(leverage=2)),
        "spot": lambda: run(bars, Spot(commission_rate=0.0005)),
    }
    seconds = best_seconds(calls, repeats=N_REPEATS)
    return {"perpetual_vs_spot": seconds["spot"] / seconds["perpetual"]}
