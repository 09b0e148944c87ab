"""What the network costs inside Cerebro: a saved model beside its forecasts as a ready column.

The cache of forecasts is off, or the runs after the first would measure a lookup.
"""

import os
import tempfile
from unittest import mock

import backtrader as bt
import pandas as pd

from benchmarks.figures import Figure, Measured
from benchmarks.forecasting import real_bars
from benchmarks.peer import forecaster
from benchmarks.timing import best_seconds
from lstm_strategy import BarsFeed, LSTMForecaster, LSTMStrategy, TargetStrategy

N_BARS = 5_000
N_REPEATS = 15

FIGURES = {
    "cerebro_vs_column": Figure(f"the same strategy on a ready column, {N_BARS:,} bars", 1 / 1.15)
}


class ColumnStrategy(TargetStrategy):
    """What LSTMStrategy does, with the signal in a column of the feed."""

    def target_exposure(self) -> float:
        return float(self.data.signal[0])


def value_after_run(bars: pd.DataFrame, strategy: type, **params: object) -> float:
    cerebro = bt.Cerebro()
    cerebro.adddata(BarsFeed(bars))
    cerebro.addstrategy(strategy, **params)
    cerebro.run()
    return float(cerebro.broker.getvalue())


def measure() -> dict[str, Measured]:
    """Return how many times as fast as the ready column the model is: 1 if it costs nothing."""
    bars = real_bars(N_BARS)
    without_cache = mock.patch.dict(os.environ, {"LSTM_STRATEGY_CACHE": "off"})
    with tempfile.TemporaryDirectory() as folder, without_cache:
        trained = forecaster(epochs=1).fit(bars.iloc[:1_000], progress=False)
        model = str(trained.save(f"{folder}/model"))
        with_column = bars.assign(signal=LSTMForecaster.load(model).forecast(bars)["signal"])
        calls = {
            "model": lambda: value_after_run(bars, LSTMStrategy, model=model),
            "column": lambda: value_after_run(with_column, ColumnStrategy),
        }
        best_seconds(calls, repeats=1)  # compiles
        seconds = best_seconds(calls, repeats=N_REPEATS)
    return {"cerebro_vs_column": seconds["column"] / seconds["model"]}
