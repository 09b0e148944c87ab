"""The ONNX model of a trained network, kept only where it gives the forecasts of Keras."""

import logging

import numpy as np

from lstm_strategy.errors import lacks_memory
from lstm_strategy.learning.inference.engines import BlockEngine, Engine, run_carried
from lstm_strategy.learning.inference.keras_engine import KerasEngine
from lstm_strategy.learning.inference.onnx_engine import OnnxEngine
from lstm_strategy.learning.network import (
    answers_without_a_loop,
    check_not_forked,
    keras,
    usual_precision,
)

log = logging.getLogger(__name__)

_TOLERANCE = 1e-5
_LARGEST_TOLERANCE = 1e-3  # however far rounding moves a network


def build_engine(network: keras.Model, rows: np.ndarray) -> tuple[BlockEngine, bytes | None]:
    """Build what runs a network that was just trained, and its ONNX model.

    Args:
        network: What `join_members` built.
        rows: The features that it was trained on, shape (n_rows, n_features).

    Returns:
        ONNX Runtime and the ONNX model, if that gives the forecasts of Keras on `rows`; otherwise
        Keras and None, and a line in the log that says why.

    Example:
        >>> from lstm_strategy.learning.network import (
        ...     build_lstm_member, build_scaling, join_members
        ... )
        >>> member = build_lstm_member(3, units=(4,), dropout=0.0, lookback=20, seed=0)
        >>> network = join_members(build_scaling(np.eye(3)), [member])
        >>> engine, model = build_engine(network, np.zeros((60, 3), np.float32))
        >>> type(engine).__name__, model is not None
        ('OnnxEngine', True)
    """
    check_not_forked()
    try:
        # imported here, because where onnx can't be imported Keras does without it
        from lstm_strategy.learning.inference.onnx_export import export_onnx

        model = export_onnx(network)
        if model is None:
            return KerasEngine(network), None
        engine = OnnxEngine(model)
        is_the_same = _agrees_with_keras(engine, network, rows)
    except Exception as error:  # whatever it is, Keras can do without ONNX
        if lacks_memory(error):
            raise
        log.warning("The network has no ONNX model, so forecasts need Keras: %s", error)
        return KerasEngine(network), None
    if not is_the_same:
        log.warning(
            "The network's ONNX model differs from Keras by more than %g and more than rounding "
            "explains, so it isn't kept and forecasts need Keras.",
            _TOLERANCE,
        )
        return KerasEngine(network), None
    return engine, model


def _agrees_with_keras(engine: Engine, network: keras.Model, rows: np.ndarray) -> bool:
    """Whether the engine agrees with the fused kernel, or else with Keras's own loop.

    A network whose state moves far on little can't be computed to 1e-5 by anybody: there the engine
    may differ from the kernel by as much as the kernel does from itself when its rows are rounded
    up or down. Otherwise the loop decides, which takes longer than all else.
    """
    exact = np.asarray(rows, np.float32)
    with usual_precision():
        answers = answers_without_a_loop(network, rows)
        if answers is not None and agrees(engine, answers, rows):
            return True
        if answers is not None:
            rounded = [np.nextafter(exact, np.float32(to)) for to in (-np.inf, np.inf)]
            moved = [np.abs(answers_without_a_loop(network, each) - answers) for each in rounded]
            if agrees(engine, answers, rows, tolerance=np.max(moved, axis=(0, 1))):
                return True
    return agrees(engine, _run_parts(KerasEngine(network), rows), rows)


def agrees(
    engine: Engine,
    expected: np.ndarray,
    rows: np.ndarray,
    *,
    tolerance: np.ndarray | float = _TOLERANCE,
) -> bool:
    """Whether an engine gives the forecasts of Keras on real rows.

    It is asked for the first row, the first 50 and all, and for all in two parts with the state
    handed on in between.

    Args:
        engine: The engine in question.
        expected: What Keras answers to all rows, shape (n_rows, n_answers).
        rows: Features, shape (n_rows, n_features).
        tolerance: How far forecasts of all rows may be apart, one number or one for each answer,
            if that is more than 1e-5; 1e-3 at most.
    """
    allowed = np.clip(tolerance, _TOLERANCE, _LARGEST_TOLERANCE)
    middle = len(rows) // 2
    ways = (
        ((rows[:1],), _TOLERANCE),
        ((rows[:50],), _TOLERANCE),
        ((rows,), allowed),
        ((rows[:middle], rows[middle:]), allowed),
    )
    for parts, limit in ways:
        forecasts = _run_parts(engine, *parts)
        if not (np.abs(forecasts - expected[: len(forecasts)]) <= limit).all():  # nor with NaN
            return False
    return True


def _run_parts(engine: Engine, *parts: np.ndarray) -> np.ndarray:
    forecasts, state = [], engine.initial_state(1)
    for rows in parts:
        part, state = run_carried(engine, rows, state)
        forecasts.append(part)
    return np.concatenate(forecasts)
