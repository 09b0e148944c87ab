"""Forecasts by ONNX Runtime, without Keras or TensorFlow."""

import base64
import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_strategy.errors import ModelError
from lstm_strategy.learning.inference.engines import PARTS, _BlockEngine
from lstm_strategy.learning.inference.threads import Pipeline, State, usable_threads

if TYPE_CHECKING:
    pass


_BLOCKS_WORTH_THREADS = 4


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
