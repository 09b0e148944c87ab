"""LSTM layers that train fast on the CPU.

Keras's LSTM runs on a GPU as one fused cuDNN kernel, and on TensorFlow's CPU as a loop of some
twenty operations for each step, whose overhead is most of the time that a small network takes.
TensorFlow has a fused kernel for the CPU too, which nothing in Keras calls.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lstm_strategy.learning.network.keras_import import keras

_NEEDS_OF_THE_KERNEL = {
    **{"activation": "tanh", "recurrent_activation": "sigmoid", "use_bias": True},
    **{"dropout": 0.0, "recurrent_dropout": 0.0},
    **{"go_backwards": False, "stateful": False, "unroll": False},
}


@dataclass(frozen=True)
class FusedLoop:
    """The loop of a ``keras.layers.LSTM`` as one operation; same weights, same numbers.

    For TensorFlow on the CPU only. It is put into a layer rather than into a class derived from
    Keras's, so that a network that is saved in the midst of its training, by a callback of the
    user's own, is one of plain layers that Keras alone can load.
    """

    layer: keras.layers.LSTM

    def __call__(
        self, sequences: Any, initial_state: Sequence[Any], mask: Any, training: bool = False
    ) -> tuple[Any, Any, list[Any]]:
        """Answers as ``RNN.inner_loop``: last output, outputs, states.

        ``sequences`` has shape (batch, time, n_features), the outputs (batch, time, units).
        """
        import tensorflow as tf

        if mask is not None:
            return type(self.layer).inner_loop(self.layer, sequences, initial_state, mask, training)
        cell = self.layer.cell
        by_time = tf.transpose(sequences, [1, 0, 2])
        no_peephole = tf.zeros([self.layer.units], by_time.dtype)
        # BlockLSTM rather than BlockLSTMV2: the gradient registered for V2 is that of V1, and wrong
        done = tf.raw_ops.BlockLSTM(
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
        return done.h[-1], tf.transpose(done.h, [1, 0, 2]), [done.h[-1], done.cs[-1]]


def _in_kernel_order(weights: Any) -> Any:
    """Gates from Keras's order input, forget, cell, output to the kernel's, cell before forget."""
    import tensorflow as tf

    into, forget, cell, out = tf.split(weights, 4, axis=-1)
    return tf.concat([into, cell, forget, out], axis=-1)


def fastest_copy(network: keras.Model) -> keras.Model:
    """The same network to train with here: on TensorFlow's CPU with fused LSTM loops.

    The copy has the weights of ``network`` and shares none of them.
    """
    copy = keras.models.clone_model(network, clone_function=_fastest_layer)
    copy.set_weights(network.get_weights())
    return copy


def _fastest_layer(layer: keras.layers.Layer) -> keras.layers.Layer:
    copy = type(layer).from_config(layer.get_config())
    if fits_the_kernel(layer) and _has_only_a_cpu():
        copy.inner_loop = FusedLoop(copy)
    return copy


def fits_the_kernel(layer: keras.layers.Layer) -> bool:
    """Whether the fused kernel can compute the layer: a plain LSTM with the usual arguments."""
    config = layer.get_config()
    return type(layer) is keras.layers.LSTM and _NEEDS_OF_THE_KERNEL.items() <= config.items()


def _has_only_a_cpu() -> bool:
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return not tf.config.list_physical_devices("GPU")
