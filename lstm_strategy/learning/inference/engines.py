"""What computes the forecasts of a trained network: one protocol, whatever runs behind it.

Importing this module imports neither Keras nor ONNX Runtime.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from typing import Any, ClassVar, Protocol, Self

import numpy as np

from lstm_strategy.errors import ModelError
from lstm_strategy.support import refuse_choice

ENGINES = ("auto", "onnx", "keras")

State = list[np.ndarray]
"""The states of all recurrent layers, each of shape (n_sequences, n_units)."""

ReadHidden = Callable[[Sequence[np.ndarray]], np.ndarray]
"""A function of what the last recurrent layer of each member gives, each of shape (..., n_units).

It gives numbers of shape (..., n_numbers).
"""

Scan = Callable[[np.ndarray, State], tuple[np.ndarray, State]]
"""A function of rows and a state that does what `Engine.scan` does."""

_LONGEST_SCAN_BARS = 16_384  # bounds the memory that one call needs


class Engine(Protocol):
    """Runs a network over rows of features, handing its state in and out.

    Example:
        >>> class Echo:  # an engine without a state, whose forecast is the first feature
        ...     def initial_state(self, n_sequences):
        ...         return []
        ...     def scan(self, rows, state):
        ...         return rows[:, :, :1], state
        >>> Echo().scan(np.ones((1, 3, 2)), [])[0].shape
        (1, 3, 1)
    """

    def initial_state(self, n_sequences: int) -> State:
        """The state before the first row: zeros."""
        ...

    def scan(self, rows: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        """Forecast every row.

        Args:
            rows: Features, shape (n_sequences, n_rows, n_features).
            state: The state before the first row.

        Returns:
            The forecasts, shape (n_sequences, n_rows, n_answers), and the state after the last
            row.
        """
        ...


class BlockEngine(ABC):
    """An engine that runs long sequences in blocks, the state handed from one to the next.

    Attributes:
        name: What runs the network, for messages.
        tolerance: How far apart two machines may compute a forecast.
    """

    name: ClassVar[str]
    tolerance: ClassVar[float]
    _block_bars = _LONGEST_SCAN_BARS
    _widths: list[int]

    @abstractmethod
    def _run(self, rows: np.ndarray, state: State) -> list[Any]:
        """Answers of one block, and the states after it."""

    @property
    @abstractmethod
    def hidden_widths(self) -> list[int]:
        """The units of the last recurrent layer of each member that has one."""

    @abstractmethod
    def with_hidden(self, read: ReadHidden) -> Self:
        """The engine with what is read of the values of these layers behind its forecasts.

        Args:
            read: What to read of them; `join_hidden` for all.
        """

    def initial_state(self, n_sequences: int) -> State:
        """The state before the first row: zeros."""
        return [np.zeros((n_sequences, width), np.float32) for width in self._widths]

    def scan(self, rows: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        """Forecast every row; see `Engine.scan`."""
        forecasts = []
        for block in self._blocks(rows):
            block_forecasts, *state = self._run(block, state)
            forecasts.append(block_forecasts)
        return forecasts[0] if len(forecasts) == 1 else np.concatenate(forecasts, axis=1), state

    def scan_together(self, sequences: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Forecast every row of several sequences, each of them from the initial state.

        Args:
            sequences: Features, each of shape (n_rows, n_features), of one row at least.

        Returns:
            The forecasts of each, shape (n_rows, n_answers): those that `scan` gives for it alone.
        """
        return [self.scan(rows[None], self.initial_state(1))[0][0] for rows in sequences]

    def ways(self) -> list[Scan]:
        """Every way in which the engine computes a scan; all give the same numbers."""
        return [self.scan]

    def _blocks(self, rows: np.ndarray) -> Iterator[np.ndarray]:
        for start in range(0, rows.shape[1], self._block_bars):
            yield np.ascontiguousarray(rows[:, start : start + self._block_bars], np.float32)


def join_hidden(hidden: Sequence[np.ndarray]) -> np.ndarray:
    """Put the hidden states of the members side by side.

    Args:
        hidden: Each of shape (..., n_units).

    Example:
        >>> join_hidden([np.zeros((3, 2, 4)), np.ones((3, 2, 4))]).shape
        (3, 2, 8)
    """
    return np.concatenate(hidden, axis=-1)


def choose_engine(name: str, *, has_onnx: bool) -> str:
    """Choose what runs a saved model: "onnx" or "keras".

    Args:
        name: "onnx" or "keras" for that engine; "auto" for ONNX Runtime where it is installed and
            the model can be run by it, else for Keras.
        has_onnx: Whether the network is saved as an ONNX model too.

    Raises:
        ModelError: For another name.

    Example:
        >>> choose_engine("auto", has_onnx=True), choose_engine("auto", has_onnx=False)
        ('onnx', 'keras')
    """
    if name not in ENGINES:
        raise ModelError(refuse_choice("engine", name, ENGINES))
    if name != "auto":
        return name
    return "onnx" if has_onnx and find_spec("onnxruntime") is not None else "keras"


def run_carried(engine: Engine, rows: np.ndarray, state: State) -> tuple[np.ndarray, State]:
    """Forecast all rows in one pass, the state moving from bar to bar.

    Args:
        engine: What runs the network.
        rows: Features, shape (n_rows, n_features).
        state: The state before the first row.

    Returns:
        The forecasts, shape (n_rows, n_answers), each known at the close of its row, and the
        state after the last row.

    Example:
        >>> class Summing:
        ...     def initial_state(self, n_sequences):
        ...         return [np.zeros((n_sequences, 1))]
        ...     def scan(self, rows, state):
        ...         totals = state[0][:, None] + rows.cumsum(axis=1)
        ...         return totals, [totals[:, -1]]
        >>> engine = Summing()
        >>> first, state = run_carried(engine, np.ones((2, 1)), engine.initial_state(1))
        >>> run_carried(engine, np.ones((2, 1)), state)[0][:, 0].tolist()
        [3.0, 4.0]
    """
    forecasts, state = engine.scan(rows[None], state)
    return forecasts[0], state


def run_windowed(engine: Engine, rows: np.ndarray, *, lookback: int) -> np.ndarray:
    """Forecast each row from a fresh start `lookback` rows before it: the classic fixed window.

    Args:
        engine: What runs the network.
        rows: Features, shape (n_rows, n_features).
        lookback: Rows of a window, the one that is forecast included.

    Returns:
        Shape (n_rows, n_answers), each known at the close of its row; NaN in the first
        `lookback - 1` rows.

    Example:
        >>> class Summing:
        ...     def initial_state(self, n_sequences):
        ...         return []
        ...     def scan(self, rows, state):
        ...         return rows.cumsum(axis=1), state
        >>> run_windowed(Summing(), np.ones((4, 1)), lookback=3)[:, 0].tolist()
        [nan, nan, 3.0, 3.0]
    """
    windows = np.lib.stride_tricks.sliding_window_view(rows, lookback, axis=0).swapaxes(1, 2)
    windows_a_call = max(1, _LONGEST_SCAN_BARS // lookback)
    last_steps = []
    for start in range(0, len(windows), windows_a_call):
        batch = windows[start : start + windows_a_call]
        forecasts, _ = engine.scan(batch, engine.initial_state(len(batch)))
        last_steps.append(forecasts[:, -1])
    forecasts = np.concatenate(last_steps)
    before_first = np.full((lookback - 1, forecasts.shape[1]), np.nan, forecasts.dtype)
    return np.concatenate([before_first, forecasts])
