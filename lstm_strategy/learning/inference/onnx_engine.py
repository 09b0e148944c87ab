"""Forecasts by ONNX Runtime, without Keras or TensorFlow."""

import base64
import json
import os
from functools import cached_property
from typing import Any

import numpy as np

from lstm_strategy.errors import ModelError
from lstm_strategy.learning.inference.engines import BlockEngine, State
from lstm_strategy.learning.inference.threads import PARTS, ThreadedScan, usable_threads

_BLOCKS_WORTH_THREADS = 4


class OnnxEngine(BlockEngine):
    """Runs an ONNX model in ONNX Runtime, a long scan in as many threads as are useful.

    It can be pickled, and used in a process that was forked.

    Args:
        model: A network as `export_onnx` writes it.

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

    _block_bars = 512  # what a block's gates take fits the cache: a tenth faster than in one

    def __init__(self, model: bytes) -> None:
        self._model = model
        self._session = _start_session(model)
        self._inputs = [port.name for port in self._session.get_inputs()]
        self._widths = [int(port.shape[-1]) for port in self._session.get_inputs()[1:]]

    def scan(self, rows: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        """Forecast every row; see `Engine.scan`."""
        is_long = rows.shape[1] >= _BLOCKS_WORTH_THREADS * self._block_bars
        if is_long and self._threaded_scan is not None:
            return self._threaded_scan.scan(self._blocks(rows), state)
        return super().scan(rows, state)

    def _run(self, rows: np.ndarray, state: State) -> list[Any]:
        feeds = dict(zip(self._inputs, (rows, *state), strict=True))
        return list(self._session.run(None, feeds))

    @cached_property
    def _threaded_scan(self) -> ThreadedScan | None:
        """The parts of the model in threads; None where there is one part or one CPU."""
        parts = json.loads(self._session.get_modelmeta().custom_metadata_map.get(PARTS, "[]"))
        n_threads = min(usable_threads(), len(parts))
        if n_threads < 2:
            return None
        sessions = [_start_session(base64.b64decode(part)) for part in parts]
        return ThreadedScan(sessions, self._inputs[1:], n_threads)

    def __reduce__(self) -> tuple[Any, ...]:
        return OnnxEngine, (self._model,)


def _start_session(model: bytes) -> Any:
    # read while it is imported; disable_telemetry_events() comes too late for the first event
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
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
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelError(
            f"ONNX Runtime {onnxruntime.__version__} can't read the network: "
            f'{str(error).splitlines()[0]}. Update onnxruntime, or load it with engine="keras".'
        ) from None
