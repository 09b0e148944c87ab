"""What computes the forecasts of a trained network: one protocol, whatever runs behind it.

Importing this module imports neither Keras nor ONNX Runtime.
"""

import base64
import json
import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from lstm_strategy.errors import ModelError
from lstm_strategy.learning.pipeline import Pipeline, State, usable_threads

if TYPE_CHECKING:
    from lstm_strategy.learning.network import keras

log = logging.getLogger(__name__)

ENGINES = ("auto", "onnx", "keras")

_LONGEST_SCAN_BARS = 16_384  # bounds the memory that one call needs
_BLOCKS_WORTH_THREADS = 4
_AGREEMENT = 1e-5
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


class KerasEngine(_BlockEngine):
    """Runs the network in Keras, on whatever backend it has."""

    def __init__(self, network: "keras.Model") -> None:
        from lstm_strategy.learning.network import stepping_network

        self._network = stepping_network(network)
        self._network.compile(jit_compile=False)  # lengths differ from call to call
        self._widths = [tensor.shape[-1] for tensor in self._network.inputs[1:]]

    def _run(self, rows: np.ndarray, state: State) -> list[Any]:
        answers = self._network.predict_on_batch([rows, *state])
        # a network without any recurrent layer has no state, and Keras then gives no list
        parts = answers if isinstance(answers, list | tuple) else [answers]
        return [np.asarray(part) for part in parts]


class OnnxEngine(_BlockEngine):
    """Runs the network's ONNX twin in ONNX Runtime, a long scan in as many threads as are useful.

    It can be pickled, and used in a process that was forked.

    Raises:
        ModelError: if ONNX Runtime isn't installed or can't read the twin.
    """

    _block_bars = 512  # what a block's gates take fits the cache: a tenth faster than in one

    def __init__(self, twin: bytes) -> None:
        self._twin = twin
        self._session = _session(twin)
        self._inputs = [port.name for port in self._session.get_inputs()]
        self._widths = [int(port.shape[-1]) for port in self._session.get_inputs()[1:]]

    def scan(self, rows: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        """Forecasts for every row, and the state after the last one."""
        is_long = rows.shape[1] >= _BLOCKS_WORTH_THREADS * self._block_bars
        if is_long and self._pipeline is not None:
            return self._pipeline.scan(self._blocks(rows), state)
        return super().scan(rows, state)

    def _run(self, rows: np.ndarray, state: State) -> list[Any]:
        feeds = dict(zip(self._inputs, (rows, *state), strict=True))
        return list(self._session.run(None, feeds))

    @cached_property
    def _pipeline(self) -> Pipeline | None:
        """The parts of the twin in threads; None where there is one part or one CPU."""
        parts = json.loads(self._session.get_modelmeta().custom_metadata_map.get(PARTS, "[]"))
        n_threads = min(usable_threads(), len(parts))
        if n_threads < 2:
            return None
        sessions = [_session(base64.b64decode(part)) for part in parts]
        return Pipeline(sessions, self._inputs[1:], n_threads)

    def __reduce__(self) -> tuple[Any, ...]:
        return OnnxEngine, (self._twin,)


def chosen_engine(name: str, *, has_twin: bool) -> str:
    """``name``, with "auto" made "onnx" where there are a twin and ONNX Runtime, else "keras".

    Raises:
        ModelError: for another name.
    """
    if name not in ENGINES:
        raise ModelError(f"engine must be one of {', '.join(ENGINES)}, got {name!r}.")
    if name != "auto":
        return name
    return "onnx" if has_twin and find_spec("onnxruntime") is not None else "keras"


def trained_engine(network: "keras.Model", rows: np.ndarray) -> tuple[Engine, bytes | None]:
    """What runs a network that was just trained, and its ONNX twin.

    The twin is kept only if it gives the forecasts of Keras on the training rows, shape
    (n_rows, n_features); otherwise it is None and Keras runs the network.
    """
    original = KerasEngine(network)
    try:
        from lstm_strategy.learning.twin import network_twin

        twin = network_twin(network)
        if twin is None:
            return original, None
        engine = OnnxEngine(twin)
        is_the_same = agrees(engine, original, rows)
    except Exception as error:  # whatever it is, Keras can do without the twin
        log.warning("The network has no ONNX twin, so forecasts need Keras: %s", error)
        return original, None
    if not is_the_same:
        log.warning(
            "The network's ONNX twin differs from Keras by more than %g, so it isn't kept and "
            "forecasts need Keras.",
            _AGREEMENT,
        )
        return original, None
    return engine, twin


def _session(twin: bytes) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise ModelError(
            f"The ONNX engine needs onnxruntime, which can't be imported: {error}. Run: pip "
            'install onnxruntime, or load the model with engine="keras".'
        ) from None
    options = onnxruntime.SessionOptions()
    # One step of a recurrent network is done before a second thread has woken up; and a process
    # that was forked lacks the threads of its parent.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(twin, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelError(
            f"ONNX Runtime {onnxruntime.__version__} can't read the network: "
            f'{str(error).splitlines()[0]}. Update onnxruntime, or load it with engine="keras".'
        ) from None


def agrees(twin: Engine, original: Engine, rows: np.ndarray) -> bool:
    """Whether a twin gives the forecasts of the original on real rows, to 1e-5.

    The twin is asked for the first row, the first 50 and all, and for all in two parts with the
    state handed on in between. ``rows`` has shape (n_rows, n_features).
    """
    expected = _carried_in_parts(original, rows)
    middle = len(rows) // 2
    for parts in ((rows[:1],), (rows[:50],), (rows,), (rows[:middle], rows[middle:])):
        found = _carried_in_parts(twin, *parts)
        if not np.allclose(found, expected[: len(found)], rtol=0, atol=_AGREEMENT):
            return False
    return True


def _carried_in_parts(engine: Engine, *parts: np.ndarray) -> np.ndarray:
    forecasts, state = [], engine.initial_state(1)
    for rows in parts:
        found, state = carried_forecasts(engine, rows, state)
        forecasts.append(found)
    return np.concatenate(forecasts)


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
