"""The ONNX twin of a trained network, kept only where it gives the forecasts of Keras."""

import logging
from typing import TYPE_CHECKING

import numpy as np

from lstm_strategy.learning.inference.engines import Engine, run_carried
from lstm_strategy.learning.inference.keras_engine import KerasEngine
from lstm_strategy.learning.inference.onnx_engine import OnnxEngine

if TYPE_CHECKING:
    from lstm_strategy.learning.network import keras


log = logging.getLogger(__name__)

_AGREEMENT = 1e-5


def build_engine(network: "keras.Model", rows: np.ndarray) -> tuple[Engine, bytes | None]:
    """What runs a network that was just trained, and its ONNX twin.

    The twin is kept only if it gives the forecasts of Keras on the training rows, shape
    (n_rows, n_features); otherwise it is None and Keras runs the network.
    """
    original = KerasEngine(network)
    try:
        from lstm_strategy.learning.inference.onnx_export import export_onnx

        twin = export_onnx(network)
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
        found, state = run_carried(engine, rows, state)
        forecasts.append(found)
    return np.concatenate(forecasts)
