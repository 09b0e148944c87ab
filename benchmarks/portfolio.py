"""What one network costs in Cerebro with many datas: beside its forecasts as ready columns.

The cache of forecasts is off, or the runs after the first would measure a lookup.
"""

import os
import tempfile
from collections.abc import Mapping
from unittest import mock

import backtrader as bt
import pandas as pd

from benchmarks.figures import Figure, Measured
from benchmarks.peer import forecaster
from benchmarks.timing import best_seconds
from lstm_strategy import (
    BarsFeed,
    LSTMForecaster,
    LSTMStrategy,
    PortfolioStrategy,
    simulate_bars,
)

N_MARKETS = 35
N_BARS = 3_000
N_REPEATS = 3

FIGURES = {
    "portfolio_vs_columns": Figure(
        f"the same portfolio on ready columns, {N_MARKETS} datas of {N_BARS:,} bars", 1 / 1.2
    )
}


class ColumnsStrategy(PortfolioStrategy):
    """What LSTMStrategy does on many datas, with the signals in a column of each feed."""

    def __init__(self) -> None:
        super().__init__()
        self.signals = {name: data.lines.signal for name, data in self.markets.items()}

    def target_exposures(self) -> Mapping[str, float]:
        live = self.live_markets
        share = 1.0 / max(len(live), 1)
        return {name: share * self.signals[name][0] for name in live}


def value_after_run(panel: Mapping[str, pd.DataFrame], strategy: type, **params: object) -> float:
    cerebro = bt.Cerebro()
    for name, bars in panel.items():
        cerebro.adddata(BarsFeed(bars), name=name)
    cerebro.addstrategy(strategy, **params)
    cerebro.run()
    return float(cerebro.broker.getvalue())


def measure() -> dict[str, Measured]:
    """Return how many times as fast as ready columns the model is: 1 if it costs nothing."""
    panel = dict(simulate_bars("remembered_news", N_BARS, seed=1, n_assets=N_MARKETS).bars)
    without_cache = mock.patch.dict(os.environ, {"LSTM_STRATEGY_CACHE": "off"})
    with tempfile.TemporaryDirectory() as folder, without_cache:
        known = {name: bars.iloc[:1_000] for name, bars in list(panel.items())[:3]}
        trained = forecaster(epochs=1).fit(known, progress=False)
        model = str(trained.save(f"{folder}/model"))
        frames = LSTMForecaster.load(model).forecast(panel)
        with_columns = {
            name: bars.assign(signal=frames[name]["signal"]) for name, bars in panel.items()
        }
        calls = {
            "model": lambda: value_after_run(panel, LSTMStrategy, model=model),
            "columns": lambda: value_after_run(with_columns, ColumnsStrategy),
        }
        seconds = best_seconds(calls, repeats=N_REPEATS)
    return {"portfolio_vs_columns": seconds["columns"] / seconds["model"]}
