"""Bars and forecasters that tests make up."""

import numpy as np
import pandas as pd

from lstm_strategy.learning.forecaster import (
    COMPLETE_COLUMNS,
    UNKNOWN_FORECAST,
    Forecast,
    Forecaster,
)

SMALL_FEATURES = [
    {"kind": "log_return", "length": 1},
    {"kind": "rsi", "length": 5},
    {"kind": "relative_volume", "length": 5},
]
SMALL = {"units": (6,), "lookback": 10, "epochs": 3, "members": 2, "seed": 5, "learning_rate": 0.02}


def random_walk(n_bars, *, seed=0, freq="D", start="2001-01-01"):
    """Bars of a random walk with volume: always the same for the same arguments."""
    rng = np.random.default_rng(seed)
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.01, n_bars)))
    open_ = np.r_[50.0, close[:-1]] * np.exp(rng.normal(0, 0.002, n_bars))
    return pd.DataFrame(
        {
            "open": open_,
            "high": np.maximum(open_, close) * 1.003,
            "low": np.minimum(open_, close) * 0.997,
            "close": close,
            "volume": np.exp(rng.normal(8, 0.3, n_bars)),
        },
        index=pd.date_range(start, periods=n_bars, freq=freq, name="datetime"),
    )


class ConstantForecaster(Forecaster):
    """Asks for the same exposure at every bar."""

    warm_up = 0
    bars_columns = ["open", "high", "low", "close", "volume"]
    training_end = None

    def __init__(self, signal, *, warm_up=0):
        self.signal, self.warm_up = signal, warm_up
        self.n_batch_calls = 0

    def forecast(self, bars):
        self.n_batch_calls += 1
        stream = self.stream()
        rows = [vars(stream.update(bar)) for bar in bars.reset_index().to_dict("records")]
        return pd.DataFrame(rows, bars.index, COMPLETE_COLUMNS)

    def stream(self, history=None):
        return _Stream(self.warm_up, self.step)

    def step(self, state, bar):
        """The state after a bar and the forecast at its close."""
        return state, Forecast(self.signal, 0.5, 0.0)


class RememberingForecaster(ConstantForecaster):
    """Has a memory of every bar: any bar that is missed, doubled or swapped changes all later."""

    def __init__(self, *, warm_up=3):
        super().__init__(0.0, warm_up=warm_up)

    def step(self, state, bar):
        state = 0.9 * state + np.sin(1000 * (bar["close"] / bar["open"] - 1)) / 10
        return state, Forecast(state, (state + 1) / 2, bar["high"] / bar["low"] - 1, 1 + state**2)


class _Stream:
    def __init__(self, warm_up, step):
        self._warm_up, self._step = warm_up, step
        self._state, self._n_bars = 0.0, 0

    def update(self, bar):
        forecast = self.peek(bar)
        self._state, _ = self._step(self._state, bar)
        self._n_bars += 1
        return forecast

    def peek(self, bar):
        _, forecast = self._step(self._state, bar)
        return UNKNOWN_FORECAST if self._n_bars < self._warm_up else forecast
