"""Forecasts by Keras on the CPU, by any backend. Keras is loaded by the first engine."""

from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_strategy.learning.inference.engines import BlockEngine, ReadHidden, State

if TYPE_CHECKING:
    from lstm_strategy.learning.network import keras


class KerasEngine(BlockEngine):
    """Runs a network in Keras, on whatever backend it has, but always on the CPU.

    Args:
        network: What `join_members` built.
        read: What is read of hidden states and follows the forecasts; None for nothing.

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

    def __init__(self, network: "keras.Model", read: ReadHidden | None = None) -> None:
        from lstm_strategy.learning.network import (
            build_stepping_network,
            check_not_forked,
            copy_to_cpu,
            has_gpu,
            keras,
            usual_precision,
        )

        check_not_forked()
        self.network, self._read = network, read
        self._on_cpu = partial(keras.device, "cpu")
        self._in_float32 = usual_precision
        with self._in_float32(), self._on_cpu():
            self._whole = copy_to_cpu(network)
            self._stepping = build_stepping_network(self._whole, gives_hidden=read is not None)
            # lengths differ from call to call, but JAX compiles its loop at each call otherwise;
            # where it sees a GPU it would compile cuDNN's kernel, which the CPU doesn't have
            is_compiled = keras.backend.backend() == "jax" and not has_gpu()
            self._stepping.compile(jit_compile=is_compiled)
        self._widths = [tensor.shape[-1] for tensor in self._stepping.inputs[1:]]

    @cached_property
    def hidden_widths(self) -> list[int]:
        """The units of the last recurrent layer of each member that has one."""
        from lstm_strategy.learning.network import hidden_widths

        with self._in_float32(), self._on_cpu():
            return hidden_widths(self._whole)

    def with_hidden(self, read: ReadHidden) -> "KerasEngine":
        """The engine with more behind the forecasts; see `BlockEngine.with_hidden`."""
        return KerasEngine(self.network, read)

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
        forecasts, *new_state = (np.asarray(part) for part in parts)
        if self._read is not None:
            n_answers = self.network.output_shape[-1]
            edges = n_answers + np.cumsum([0, *self.hidden_widths[:-1]])
            forecasts, *hidden = np.split(forecasts, edges, axis=-1)
            forecasts = np.concatenate([forecasts, self._read(hidden)], axis=-1)
        return [forecasts, *new_state]
