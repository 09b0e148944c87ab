"""What computes the forecasts of a trained network: one protocol, whatever runs behind it."""

from typing import Protocol

import numpy as np

from lstm_strategy.learning.network import keras, stepping_network

State = list[np.ndarray]

_LONGEST_SCAN_BARS = 16_384  # bounds the memory that one call needs


class Engine(Protocol):
    """Runs a network over rows of features, handing its state in and out."""

    def initial_state(self, n_sequences: int) -> State:
        """The state before the first row: zeros."""
        ...

    def scan(self, rows: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        """Forecasts for every row, and the state after the last one.

        ``rows`` has shape (n_sequences, n_rows, n_features), the forecasts
        (n_sequences, n_rows, n_members).
        """
        ...


class KerasEngine:
    """Runs the network in Keras, on whatever backend it has."""

    def __init__(self, network: keras.Model) -> None:
        self._network = stepping_network(network)
        self._network.compile(jit_compile=False)  # lengths differ from call to call
        self._widths = [tensor.shape[-1] for tensor in self._network.inputs[1:]]

    def initial_state(self, n_sequences: int) -> State:
        """The state before the first row: zeros."""
        return [np.zeros((n_sequences, width), np.float32) for width in self._widths]

    def scan(self, rows: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        """Forecasts for every row, and the state after the last one."""
        forecasts = []
        for start in range(0, rows.shape[1], _LONGEST_SCAN_BARS):
            block = np.ascontiguousarray(rows[:, start : start + _LONGEST_SCAN_BARS], np.float32)
            block_forecasts, *state = self._network.predict_on_batch([block, *state])
            forecasts.append(np.asarray(block_forecasts))
        return np.concatenate(forecasts, axis=1), [np.asarray(part) for part in state]


def carried_forecasts(engine: Engine, rows: np.ndarray, state: State) -> tuple[np.ndarray, State]:
    """One pass over all rows, the state moving from bar to bar.

    ``rows`` has shape (n_rows, n_features); returns the forecasts, shape (n_rows, n_members), and
    the state after the last row.
    """
    forecasts, state = engine.scan(rows[None], state)
    return forecasts[0], state


def windowed_forecasts(engine: Engine, rows: np.ndarray, *, lookback: int) -> np.ndarray:
    """A fresh start ``lookback`` rows before each forecast: the classic fixed window.

    Returns shape (n_rows, n_members); NaN in the first ``lookback - 1`` rows.
    """
    windows = np.lib.stride_tricks.sliding_window_view(rows, lookback, axis=0).swapaxes(1, 2)
    windows_a_call = max(1, _LONGEST_SCAN_BARS // lookback)
    last_steps = [
        engine.scan(batch, engine.initial_state(len(batch)))[0][:, -1]
        for start in range(0, len(windows), windows_a_call)
        for batch in [windows[start : start + windows_a_call]]
    ]
    forecasts = np.concatenate(last_steps)
    before_first = np.full((lookback - 1, forecasts.shape[1]), np.nan, forecasts.dtype)
    return np.concatenate([before_first, forecasts])
