"""What computes the forecasts of a trained network: one protocol, whatever runs behind it.

Importing this module imports neither Keras nor ONNX Runtime.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from lstm_strategy.errors import ModelError
from lstm_strategy.learning.inference.threads import State

if TYPE_CHECKING:
    pass

log = logging.getLogger(__name__)

ENGINES = ("auto", "onnx", "keras")

_LONGEST_SCAN_BARS = 16_384  # bounds the memory that one call needs
PARTS = "parts"
"""The property of a twin that holds its parts: a JSON list of ONNX models in Base64."""


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


class _BlockEngine(ABC):
    """An engine that runs long sequences in blocks, the state handed from one to the next."""

    _block_bars = _LONGEST_SCAN_BARS
    _widths: list[int]

    @abstractmethod
    def _run(self, rows: np.ndarray, state: State) -> list[Any]:
        """Forecasts of one block, and the states after it."""

    def initial_state(self, n_sequences: int) -> State:
        """The state before the first row: zeros."""
        return [np.zeros((n_sequences, width), np.float32) for width in self._widths]

    def scan(self, rows: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        """Forecasts for every row, and the state after the last one."""
        forecasts = []
        for block in self._blocks(rows):
            block_forecasts, *state = self._run(block, state)
            forecasts.append(block_forecasts)
        return forecasts[0] if len(forecasts) == 1 else np.concatenate(forecasts, axis=1), state

    def _blocks(self, rows: np.ndarray) -> Iterator[np.ndarray]:
        for start in range(0, rows.shape[1], self._block_bars):
            yield np.ascontiguousarray(rows[:, start : start + self._block_bars], np.float32)


def choose_engine(name: str, *, has_twin: bool) -> str:
    """``name``, with "auto" made "onnx" where there are a twin and ONNX Runtime, else "keras".

    Raises:
        ModelError: for another name.
    """
    if name not in ENGINES:
        raise ModelError(f"engine must be one of {', '.join(ENGINES)}, got {name!r}.")
    if name != "auto":
        return name
    return "onnx" if has_twin and find_spec("onnxruntime") is not None else "keras"


def run_carried(engine: Engine, rows: np.ndarray, state: State) -> tuple[np.ndarray, State]:
    """One pass over all rows, the state moving from bar to bar.

    ``rows`` has shape (n_rows, n_features); returns the forecasts, shape (n_rows, n_members), and
    the state after the last row.
    """
    forecasts, state = engine.scan(rows[None], state)
    return forecasts[0], state


def run_windowed(engine: Engine, rows: np.ndarray, *, lookback: int) -> np.ndarray:
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
