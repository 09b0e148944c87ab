"""Forecasts by Keras on the CPU, by any backend. Keras is loaded by the first engine."""

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_strategy.learning.inference.engines import BlockEngine, State

if TYPE_CHECKING:
    from lstm_strategy.learning.network import keras


class KerasEngine(BlockEngine):
    """Runs a network in Keras, on whatever backend it has, but always on the CPU.

    Args:
        network: What `join_members` built.

    Attributes:
        network: The same.

    Example:
        >>> from lstm_strategy.learning.network import (
        ...     build_lstm_member, build_scaling, join_members
        ... )
        >>> member = build_lstm_member(3, units=(4,), dropout=0.0, lookback=20, seed=0)
        >>> engine = KerasEngine(join_members(build_scaling(np.eye(3)), [member]))
        >>> forecasts, state = engine.scan(np.zeros((1, 5, 3)), engine.initial_state(1))
        >>> forecasts.shape, [part.shape for part in state]
        ((1, 5, 1), [(1, 4), (1, 4)])
    """

    name = "Keras"
    tolerance = 1e-4

    def __init__(self, network: "keras.Model") -> None:
        from lstm_strategy.learning.network import (
            build_stepping_network,
            check_not_forked,
            copy_to_cpu,
            has_gpu,
            keras,
            usual_precision,
        )

        check_not_forked()
        self.network = network
        self._on_cpu = partial(keras.device, "cpu")
        self._in_float32 = usual_precision
        with self._in_float32(), self._on_cpu():
            self._whole = copy_to_cpu(network)
            self._stepping = build_stepping_network(self._whole)
            # lengths differ from call to call, but JAX compiles its loop at each call otherwise;
            # where it sees a GPU it would compile cuDNN's kernel, which the CPU doesn't have
            is_compiled = keras.backend.backend() == "jax" and not has_gpu()
            self._stepping.compile(jit_compile=is_compiled)
        self._widths = [tensor.shape[-1] for tensor in self._stepping.inputs[1:]]

    def run_whole(self, rows: np.ndarray) -> np.ndarray:
        """What the network itself answers, not the steps that are built from its layers.

        Args:
            rows: Features, shape (n_rows, n_features).

        Returns:
            Shape (n_rows, n_answers), from an empty state.
        """
        from lstm_strategy.learning.network import keras

        with self._in_float32(), self._on_cpu():
            return np.asarray(keras.ops.convert_to_numpy(self._whole(rows[None]))[0])

    def _run(self, rows: np.ndarray, state: State) -> list[Any]:
        with self._in_float32(), self._on_cpu():
            answers = self._stepping.predict_on_batch([rows, *state])
        # a network without any recurrent layer has no state, and Keras then gives no list
        parts = answers if isinstance(answers, list | tuple) else [answers]
        return [np.asarray(part) for part in parts]
