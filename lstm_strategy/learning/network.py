"""The Keras LSTM: scaling, layers and state in one network.

The layers keep the arguments that cuDNN's fused kernel needs: tanh and sigmoid activations, no
recurrent dropout, no unrolling, no mask.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np


@contextmanager
def _without_start_up_notes() -> Iterator[None]:
    """Silence what TensorFlow's C++ side says while it loads, even before its own log level."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stderr.flush()
    kept = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


with _without_start_up_notes():
    import keras
    from keras import layers


def normalization_layer(training_rows: np.ndarray) -> layers.Layer:
    """A layer that scales every feature to mean 0 and variance 1 on the training rows.

    ``training_rows`` has shape (n_rows, n_features). A feature that never changes is only
    centred. The constants are stored inside the network, so there is no scaler to save or leak.
    """
    mean = training_rows.mean(axis=0, dtype=np.float64)
    variance = training_rows.var(axis=0, dtype=np.float64)
    variance[variance < 1e-12 * (1 + mean**2)] = 1.0
    return layers.Normalization(mean=mean, variance=variance, name="normalization")


def lstm_member(
    n_features: int,
    *,
    units: Sequence[int],
    dropout: float,
    lookback: int,
    seed: int,
    name: str = "member",
    layer: type[layers.LSTM] = layers.LSTM,
) -> keras.Model:
    """One freshly initialised network: (batch, time, n_features) scaled → (batch, time, 1).

    The output at each step is the forecast, 0…1, known at the close of that step's bar. Cells
    begin with memories of 1 to ``lookback`` bars. The same seed gives the same weights.
    """
    seeds = iter(np.random.SeedSequence(seed).generate_state(4 * len(units) + 1).tolist())
    inputs = signal = keras.Input((None, n_features), name=f"{name}_rows")
    for depth, n_units in enumerate(units):
        lstm = layer(
            n_units,
            return_sequences=True,
            return_state=True,
            kernel_initializer=keras.initializers.GlorotUniform(seed=next(seeds)),
            recurrent_initializer=keras.initializers.Orthogonal(seed=next(seeds)),
            name=f"{name}_lstm_{depth}",
        )
        signal, _, _ = lstm(signal)
        lstm.cell.bias.assign(memory_biases(n_units, lookback=lookback, seed=next(seeds)))
        signal = layers.Dropout(dropout, seed=next(seeds), name=f"{name}_dropout_{depth}")(signal)
    probability = layers.Dense(
        1,
        activation="sigmoid",
        kernel_initializer=keras.initializers.GlorotUniform(seed=next(seeds)),
        name=f"{name}_probability",
    )(signal)
    return keras.Model(inputs, probability, name=name)


def memory_biases(n_units: int, *, lookback: int, seed: int) -> np.ndarray:
    """Biases that give each cell a memory of its own length, between 1 and ``lookback`` bars.

    A cell whose forget gate has the bias log(T - 1) forgets at the pace of 1/T a bar; its input
    gate gets the opposite bias. Keras's default of 1 forgets within four bars, and gradients
    rarely find their way back from there. Returns shape (4 * n_units,), gates in Keras's order
    input, forget, cell, output.

    Source: Tallec and Ollivier (2018), "Can recurrent neural networks warp time?", equation 16.
    """
    uniform = np.random.default_rng(seed).uniform(1, max(lookback - 1, 2), n_units)
    forget = np.log(uniform)
    zeros = np.zeros(n_units)
    return np.concatenate([-forget, forget, zeros, zeros]).astype(np.float32)


def scaled_network(normalization: layers.Layer, members: Sequence[keras.Model]) -> keras.Model:
    """Members behind one shared scaling: (batch, time, n_features) → (batch, time, n_members)."""
    inputs = keras.Input((None, members[0].input_shape[-1]), name="rows")
    scaled = normalization(inputs)
    outputs = [member(scaled) for member in members]
    merged = layers.Concatenate(name="forecasts")(outputs) if len(outputs) > 1 else outputs[0]
    return keras.Model(inputs, merged, name="forecaster")


def members_of(network: keras.Model) -> list[keras.Model]:
    """The members inside a network made by ``scaled_network``, in order."""
    return [layer for layer in network.layers if isinstance(layer, keras.Model)]


def stepping_network(network: keras.Model) -> keras.Model:
    """The same weights with the state as explicit inputs and outputs.

    Takes ``[rows, *states]`` and returns ``[forecasts, *states]``: rows of shape
    (batch, time, n_features), forecasts of shape (batch, time, n_members), and two states of
    shape (batch, units), hidden and cell, for each LSTM layer of each member.
    """
    inputs = keras.Input(network.input_shape[1:], name="rows")
    scaled = network.get_layer("normalization")(inputs)
    states_in, states_out, forecasts = [], [], []
    for member in members_of(network):
        signal = scaled
        for layer in member.layers:
            if isinstance(layer, layers.LSTM):
                state = [keras.Input((layer.units,)) for _ in ("hidden", "cell")]
                signal, *new_state = layer(signal, initial_state=state)
                states_in += state
                states_out += new_state
            elif not isinstance(layer, layers.InputLayer):
                signal = layer(signal)
        forecasts.append(signal)
    merged = layers.Concatenate()(forecasts) if len(forecasts) > 1 else forecasts[0]
    return keras.Model([inputs, *states_in], [merged, *states_out], name="stepping_forecaster")
