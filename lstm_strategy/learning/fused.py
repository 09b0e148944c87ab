"""An LSTM layer that trains fast on the CPU.

Keras's LSTM runs on a GPU as one fused cuDNN kernel, and on TensorFlow's CPU as a loop of some
twenty operations for each step, whose overhead is most of the time that a small network takes.
TensorFlow has a fused kernel for the CPU too, which nothing in Keras calls.
"""

from typing import Any

from lstm_strategy.learning.network import keras


class FusedLSTM(keras.layers.LSTM):
    """``keras.layers.LSTM`` with the whole sequence as one operation; same weights, same numbers.

    For TensorFlow on the CPU only, from zero states only, and always with sequences and states
    as results. It is for training: the weights are then copied into a plain LSTM, so that no
    saved model depends on this class.
    """

    def call(
        self,
        sequences: Any,
        initial_state: None = None,
        mask: None = None,
        training: bool = False,
    ) -> tuple[Any, Any, Any]:
        """(batch, time, n_features) → (batch, time, units), and the last hidden and cell state."""
        import tensorflow as tf

        cell = self.cell
        by_time = tf.transpose(sequences, [1, 0, 2])
        state = tf.zeros([tf.shape(by_time)[1], self.units], by_time.dtype)
        no_peephole = tf.zeros([self.units], by_time.dtype)
        # BlockLSTM rather than BlockLSTMV2: the gradient registered for V2 is that of V1, and wrong
        done = tf.raw_ops.BlockLSTM(
            seq_len_max=tf.cast(tf.shape(by_time)[0], tf.int64),
            x=by_time,
            cs_prev=state,
            h_prev=state,
            w=_in_kernel_order(tf.concat([cell.kernel, cell.recurrent_kernel], 0)),
            wci=no_peephole,
            wcf=no_peephole,
            wco=no_peephole,
            b=_in_kernel_order(tf.convert_to_tensor(cell.bias)),
            forget_bias=0.0,
            cell_clip=-1.0,
        )
        return tf.transpose(done.h, [1, 0, 2]), done.h[-1], done.cs[-1]


def _in_kernel_order(weights: Any) -> Any:
    """Gates from Keras's order input, forget, cell, output to the kernel's, cell before forget."""
    import tensorflow as tf

    into, forget, cell, out = tf.split(weights, 4, axis=-1)
    return tf.concat([into, cell, forget, out], axis=-1)


def fastest_lstm() -> type[keras.layers.LSTM]:
    """The layer to train with here: fused on TensorFlow's CPU, else Keras's own."""
    if keras.backend.backend() != "tensorflow":
        return keras.layers.LSTM
    import tensorflow as tf

    return keras.layers.LSTM if tf.config.list_physical_devices("GPU") else FusedLSTM
