"""Bars and forecasters that tests make up."""

import numpy as np
import pandas as pd

from lstm_strategy.learning.forecaster import Forecast


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


class ConstantForecaster:
    """Asks for the same exposure at every bar."""

    bars_columns = ["open", "high", "low", "close", "volume"]
    training_end = None

    def __init__(self, signal, *, warm_up=0):
        self.signal, self.warm_up = signal, warm_up
        self.n_batch_calls = 0

    def forecast(self, bars):
        self.n_batch_calls += 1
        frame = pd.DataFrame(
            index=bars.index, columns=["signal", "forecast", "uncertainty"], data=np.nan
        )
        frame.iloc[self.warm_up :] = [self.signal, 0.5, 0.0]
        return frame

    def stream(self):
        return _ConstantStream(self)


class _ConstantStream:
    def __init__(self, forecaster):
        self._forecaster, self._n_bars = forecaster, 0

    def update(self, bar):
        answer = self.peek(bar)
        self._n_bars += 1
        return answer

    def peek(self, bar):
        if self._n_bars < self._forecaster.warm_up:
            return Forecast(np.nan, np.nan, np.nan)
        return Forecast(self._forecaster.signal, 0.5, 0.0)


class RememberingForecaster(ConstantForecaster):
    """Has a memory of every bar: any bar that is missed, doubled or swapped changes all later."""

    def __init__(self, *, warm_up=3):
        super().__init__(0.0, warm_up=warm_up)

    def forecast(self, bars):
        self.n_batch_calls += 1
        stream = self.stream()
        rows = [stream.update(bar) for bar in bars.reset_index().to_dict("records")]
        columns = ["signal", "forecast", "uncertainty"]
        return pd.DataFrame(
            [[r.signal, r.forecast, r.uncertainty] for r in rows], bars.index, columns
        )

    def stream(self):
        return _RememberingStream(self)


class _RememberingStream:
    def __init__(self, forecaster):
        self._forecaster, self._state, self._n_bars = forecaster, 0.0, 0

    def update(self, bar):
        answer, self._state = self._step(bar)
        self._n_bars += 1
        return answer

    def peek(self, bar):
        return self._step(bar)[0]

    def _step(self, bar):
        state = 0.9 * self._state + np.sin(1000 * (bar["close"] / bar["open"] - 1)) / 10
        if self._n_bars < self._forecaster.warm_up:
            return Forecast(np.nan, np.nan, np.nan), state
        return Forecast(state, (state + 1) / 2, bar["high"] / bar["low"] - 1), state
