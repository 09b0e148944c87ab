"""Forecasts by ONNX Runtime, without Keras or TensorFlow."""

import base64
import os
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from lstm_strategy.errors import ModelError, lacks_memory
from lstm_strategy.learning.inference.engines import (
    BlockEngine,
    ReadHidden,
    Scan,
    State,
    join_hidden,
)
from lstm_strategy.learning.inference.onnx_check import check_onnx
from lstm_strategy.learning.inference.threads import (
    HIDDEN,
    PARTS,
    ThreadedScan,
    append_hidden,
    share_out,
    usable_threads,
)
from lstm_strategy.support import parse_json, spell

_BLOCKS_WORTH_THREADS = 4
_FEWEST_BLOCK_BARS = 64  # of many sequences at once: fewer cost more in calls than they spare
_MOST_UNITS = 65_536


class OnnxEngine(BlockEngine):
    """Runs an ONNX model in ONNX Runtime, a long scan in as many threads as are useful.

    It can be pickled, and used in a process that was forked.

    Args:
        model: A network as `export_onnx` writes it.
        read: What is read of hidden states and follows the forecasts; None for nothing.

    Raises:
        ModelError: If ONNX Runtime isn't installed or can't read the model.

    Example:
        >>> from lstm_strategy.learning.inference import export_onnx
        >>> from lstm_strategy.learning.network import (
        ...     build_lstm_member, build_scaling, join_members
        ... )
        >>> member = build_lstm_member(3, units=(4,), dropout=0.0, lookback=20, seed=0)
        >>> network = join_members(build_scaling(np.eye(3)), [member])
        >>> engine = OnnxEngine(export_onnx(network))
        >>> forecasts, state = engine.scan(np.zeros((1, 5, 3)), engine.initial_state(1))
        >>> forecasts.shape, [part.shape for part in state]
        ((1, 5, 1), [(1, 4), (1, 4)])
    """

    name = "ONNX"
    tolerance = 2e-5
    _block_bars = 512  # what a block's gates take fits the cache: a tenth faster than in one

    def __init__(self, model: bytes, read: ReadHidden | None = None) -> None:
        self._model, self._read = model, read
        self._session = _start_session(model)
        self._inputs = [port.name for port in self._session.get_inputs()]
        self._widths = [_read_width(port) for port in self._session.get_inputs()[1:]]
        self._hidden = [port.name for port in self._hidden_ports] if read else []
        states = (f"new_{name}" for name in self._inputs[1:])
        self._outputs = ["forecasts", *states, *self._hidden]

    @property
    def _hidden_ports(self) -> list[Any]:
        return [port for port in self._session.get_outputs() if port.name.startswith(HIDDEN)]

    @property
    def hidden_widths(self) -> list[int]:
        """The units of the last recurrent layer of each member; none where they don't come out."""
        return [_read_width(port) for port in self._hidden_ports]

    def with_hidden(self, read: ReadHidden) -> "OnnxEngine":
        """The engine with more behind the forecasts; see `BlockEngine.with_hidden`."""
        return OnnxEngine(self._model, read)

    def scan(self, rows: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        """Forecast every row; see `Engine.scan`."""
        is_long = rows.shape[1] >= _BLOCKS_WORTH_THREADS * self._block_bars
        if is_long and self._threaded_scan is not None:
            return self._threaded_scan.scan(self._blocks(rows), state)
        return super().scan(rows, state)

    def scan_together(self, sequences: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Forecast several sequences, a step of many at once; see `BlockEngine.scan_together`."""
        if len(sequences) < 2:
            return super().scan_together(sequences)
        longest_first = sorted(range(len(sequences)), key=lambda place: -len(sequences[place]))
        ordered = [sequences[place] for place in longest_first]
        found = share_out(self._scan_abreast, ordered, n_threads=usable_threads())
        by_place = dict(zip(longest_first, found, strict=True))
        return [by_place[place] for place in range(len(sequences))]

    def _scan_abreast(self, sequences: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Forecast sequences, the longest first, in blocks of those that go on."""
        lengths = np.array([len(rows) for rows in sequences])
        answers: list[list[np.ndarray]] = [[] for _ in sequences]
        state = self.initial_state(len(sequences))
        width = max(_FEWEST_BLOCK_BARS, self._block_bars // len(sequences))
        for start in range(0, lengths[0], width):
            going = sequences[: int((lengths > start).sum())]
            n_rows = min(width, lengths[0] - start)
            block = np.zeros((len(going), n_rows, sequences[0].shape[1]), np.float32)
            for place, rows in enumerate(going):
                part = rows[start : start + width]
                block[place, : len(part)] = part  # one that ends here goes on with zeros, unread
            forecasts, *state = self._run(block, [part[: len(going)] for part in state])
            for place, length in enumerate(lengths[: len(going)]):
                answers[place].append(forecasts[place, : length - start])
        return [np.concatenate(parts) for parts in answers]

    def ways(self) -> list[Scan]:
        """Every way in which the engine computes a scan; all give the same numbers."""
        return [super().scan, self._scan_in_parts] if self._parts else [super().scan]

    def _run(self, rows: np.ndarray, state: State) -> list[Any]:
        feeds = dict(zip(self._inputs, (rows, *state), strict=True))
        forecasts, *others = self._session.run(self._outputs, feeds)
        n_states = len(self._widths)
        if self._read is not None:
            forecasts = append_hidden(forecasts, others[n_states:], self._read)
        return [forecasts, *others[:n_states]]

    def _scan_in_parts(self, rows: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        return self._share_parts(1).scan(self._blocks(rows), state)

    @cached_property
    def _parts(self) -> list[Any]:
        """A session for each recurrent layer, or none."""
        properties = self._session.get_modelmeta().custom_metadata_map
        try:
            parts = parse_json(properties.get(PARTS, "[]").encode())
            models = [base64.b64decode(part) for part in parts]
        except (ValueError, TypeError) as error:
            raise _torn_parts(f"that can't be read ({error})") from None
        if len(models) > len(self._widths):
            raise _torn_parts("more than recurrent layers")
        return [_start_session(model) for model in models]

    @cached_property
    def _threaded_scan(self) -> ThreadedScan | None:
        """The parts of the model in threads; None where there is one part or one CPU."""
        n_threads = min(usable_threads(), len(self._parts))
        if n_threads < 2:
            return None
        return self._share_parts(n_threads)

    def _share_parts(self, n_threads: int) -> ThreadedScan:
        read = self._read or join_hidden
        return ThreadedScan(self._parts, self._inputs[1:], n_threads, self._hidden, read)

    def __reduce__(self) -> tuple[Any, ...]:
        return OnnxEngine, (self._model, self._read)


def _torn_parts(what: str) -> ModelError:
    return ModelError(
        f"The ONNX model has parts {what}. Load it with {spell('engine', 'keras')}, or train it "
        "again."
    )


def _read_width(port: Any) -> int:
    """The units of a recurrent layer, from the port of its state."""
    width = port.shape[-1] if port.shape else None
    if not isinstance(width, int) or not 0 < width <= _MOST_UNITS:
        raise ModelError(
            f"The ONNX model has a state {port.name} of the shape {port.shape}. Load the model "
            f"with {spell('engine', 'keras')}, or train it again."
        )
    return width


def _start_session(model: bytes) -> Any:
    check_onnx(model)
    # read while it is imported; disable_telemetry_events() comes too late for the first event
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        import onnxruntime
    except ImportError as error:
        if lacks_memory(error):
            raise
        raise ModelError(
            f"The ONNX engine needs onnxruntime, which can't be imported: {error}. Run: pip "
            f"install onnxruntime, or load the model with {spell('engine', 'keras')}."
        ) from None
    options = onnxruntime.SessionOptions()
    # One step of a recurrent network is done before a second thread has woken up; and a process
    # that was forked lacks the threads of its parent.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what it says is raised too
    try:
        return onnxruntime.InferenceSession(
            model, options, providers=["CPUExecutionProvider"], enable_fallback=False
        )
    except Exception as error:
        if lacks_memory(error):
            raise
        raise ModelError(
            f"ONNX Runtime {onnxruntime.__version__} can't read the network: "
            f"{str(error).splitlines()[0]}. Update onnxruntime, or load it with "
            f"{spell('engine', 'keras')}."
        ) from None
