"""LSTM layers that train fast on the CPU.

Keras's LSTM runs on a GPU as one fused cuDNN kernel, and on TensorFlow's CPU as a loop of some
twenty operations a step, whose overhead is most of the time that a small network takes.
TensorFlow has a fused kernel for the CPU too, which nothing in Keras calls.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from lstm_strategy.learning.network.devices import has_gpu
from lstm_strategy.learning.network.keras_import import keras
from lstm_strategy.learning.network.lstm import scale_rows, scaling_of
from lstm_strategy.learning.network.stepping import members_of

_KERNEL_NEEDS = {
    "activation": "tanh",
    "recurrent_activation": "sigmoid",
    "use_bias": True,
    "dropout": 0.0,
    "recurrent_dropout": 0.0,
    "go_backwards": False,
    "stateful": False,
    "unroll": False,
}


@dataclass(frozen=True)
class FusedLoop:
    """The loop of a `keras.layers.LSTM` as one operation; same weights, same numbers.

    For TensorFlow on the CPU only. It is put into a layer rather than into a class derived from
    Keras's, so that a network that a user's callback saves in the midst of its training consists
    of plain layers that Keras alone can load.

    Attributes:
        layer: The LSTM layer whose weights the loop uses.
    """

    layer: keras.layers.LSTM

    def __call__(
        self, sequences: Any, initial_state: Sequence[Any], mask: Any, training: bool = False
    ) -> tuple[Any, Any, list[Any]]:
        """Return the last output, all outputs and the last states, as `LSTM.inner_loop` does.

        Args:
            sequences: Inputs, shape (batch, time, n_features).
            initial_state: Hidden and cell state, each of shape (batch, units).
            mask: Which steps to skip; the kernel has no such argument, so that Keras's own loop
                runs where there is one.
            training: As in Keras; without meaning for a layer without dropout.
        """
        import tensorflow as tf

        if mask is not None:
            inner_loop = type(self.layer).inner_loop
            last, outputs, states = inner_loop(self.layer, sequences, initial_state, mask, training)
            return last, outputs, states
        cell = self.layer.cell
        by_time = tf.transpose(sequences, [1, 0, 2])
        no_peephole = tf.zeros([self.layer.units], by_time.dtype)
        # BlockLSTM rather than BlockLSTMV2: the gradient registered for V2 is that of V1, and wrong
        block = tf.raw_ops.BlockLSTM(
            seq_len_max=tf.cast(tf.shape(by_time)[0], tf.int64),
            x=by_time,
            h_prev=initial_state[0],
            cs_prev=initial_state[1],
            w=_in_kernel_order(tf.concat([cell.kernel, cell.recurrent_kernel], 0)),
            wci=no_peephole,
            wcf=no_peephole,
            wco=no_peephole,
            b=_in_kernel_order(tf.convert_to_tensor(cell.bias)),
            forget_bias=0.0,
            cell_clip=-1.0,
        )
        return block.h[-1], tf.transpose(block.h, [1, 0, 2]), [block.h[-1], block.cs[-1]]


def _in_kernel_order(weights: Any) -> Any:
    """Gates from Keras's order input, forget, cell, output to the kernel's, cell before forget."""
    import tensorflow as tf

    into, forget, cell, out = tf.split(weights, 4, axis=-1)
    return tf.concat([into, cell, forget, out], axis=-1)


def fastest_copy(network: keras.Model) -> keras.Model:
    """A copy of a network that trains as fast as it can here: with fused loops on TensorFlow's CPU.

    Args:
        network: A built Keras network; it stays as it is.

    Returns:
        A network with the same weights, which shares none of them with `network`.

    Example:
        >>> from lstm_strategy.learning.network import build_lstm_member
        >>> member = build_lstm_member(2, units=(3,), dropout=0.0, lookback=5, seed=0)
        >>> copy = fastest_copy(member)
        >>> copy.count_params() == member.count_params()
        True
    """
    copy = keras.models.clone_model(network, clone_function=_fastest_layer)
    copy.set_weights(network.get_weights())
    return copy


def _fastest_layer(layer: keras.layers.Layer) -> keras.layers.Layer:
    copy = type(layer).from_config(layer.get_config())
    if keras.backend.backend() == "tensorflow" and fits_the_kernel(layer) and not has_gpu():
        copy.inner_loop = FusedLoop(copy)
    return copy


def fits_the_kernel(layer: keras.layers.Layer) -> bool:
    """Whether TensorFlow's fused CPU kernel can compute a layer: a plain LSTM.

    Args:
        layer: Any Keras layer.

    Returns:
        True for a `keras.layers.LSTM` with Keras's default activations, a bias and no dropout.

    Example:
        >>> from lstm_strategy.learning.network import keras
        >>> fits_the_kernel(keras.layers.LSTM(3)), fits_the_kernel(keras.layers.LSTM(3, "relu"))
        (True, False)
    """
    config = layer.get_config()
    return type(layer) is keras.layers.LSTM and _KERNEL_NEEDS.items() <= config.items()


def answers_without_a_loop(network: keras.Model, rows: np.ndarray) -> np.ndarray | None:
    """What a network answers to consecutive rows from a fresh state, by the fused kernel.

    Nothing is compiled, which is what takes the time where a network is asked once.

    Args:
        network: What `join_members` built.
        rows: Features, shape (n_rows, n_features).

    Returns:
        Shape (n_rows, n_answers); None where the kernel can't compute all that loops over time.

    Example:
        >>> from lstm_strategy.learning.network import (
        ...     build_lstm_member, build_scaling, join_members
        ... )
        >>> member = build_lstm_member(3, units=(4,), dropout=0.0, lookback=20, seed=0)
        >>> network = join_members(build_scaling(np.eye(3)), [member])
        >>> answers_without_a_loop(network, np.zeros((7, 3), np.float32)).shape
        (7, 1)
    """
    members = members_of(network)
    looping = [layer for member in members for layer in member.layers if not _looks_at_one(layer)]
    is_tensorflow = keras.backend.backend() == "tensorflow"
    if has_gpu() or not is_tensorflow or not all(map(fits_the_kernel, looping)):
        return None
    scaled = scale_rows(scaling_of(network), rows[None])
    with _fused_loops(looping):
        parts = [member(scaled, training=False) for member in members]
    return np.concatenate([np.asarray(part[0]) for part in parts], axis=-1)


@contextmanager
def _fused_loops(lstms: Sequence[keras.layers.LSTM]) -> Iterator[None]:
    """Let LSTM layers run as one operation inside the block; a copy of them would take longer."""
    for layer in lstms:
        layer.inner_loop = FusedLoop(layer)
    try:
        yield
    finally:
        for layer in lstms:
            del layer.inner_loop  # so that it runs the loop of its class again


def _looks_at_one(layer: keras.layers.Layer) -> bool:
    """Whether a layer looks at one bar alone and can be called as it is."""
    kinds = keras.layers
    return isinstance(
        layer, kinds.InputLayer | kinds.Dense | kinds.Dropout | kinds.Add | kinds.Activation
    )
