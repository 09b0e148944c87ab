"""The Keras LSTM: scaling, layers and state in one network.

The layers keep the arguments that cuDNN's fused kernel needs: tanh and sigmoid activations, no
recurrent dropout, no unrolling, no mask.
"""

from collections.abc import Sequence

import numpy as np

from lstm_strategy.learning.network.keras_import import keras, layers


def build_normalization(build_training_set: np.ndarray) -> layers.Layer:
    """A layer that scales every feature to mean 0 and variance 1 on the training rows.

    ``build_training_set`` has shape (n_rows, n_features). A feature that never changes is only
    centred. The constants are stored inside the network, so there is no scaler to save or leak.
    """
    mean = build_training_set.mean(axis=0, dtype=np.float64)
    variance = build_training_set.var(axis=0, dtype=np.float64)
    variance[variance < 1e-12 * (1 + mean**2)] = 1.0
    return layers.Normalization(mean=mean, variance=variance, name="normalization")


def scaling_constants(network: keras.Model) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each feature in a network's scaling, shape (n_features,)."""
    layer = network.get_layer("normalization")
    mean, variance = (
        np.asarray(keras.ops.convert_to_numpy(part), np.float64).reshape(-1)
        for part in (layer.mean, layer.variance)
    )
    return mean, np.sqrt(variance)


def build_lstm_member(
    n_features: int,
    *,
    units: Sequence[int],
    dropout: float,
    lookback: int,
    seed: int,
    name: str = "member",
) -> keras.Model:
    """One freshly initialised network: (batch, time, n_features) scaled → (batch, time, 1).

    The output at each step is the forecast, 0…1, known at the close of that step's bar. Cells
    begin with memories of 1 to ``lookback`` bars. The same seed gives the same weights.
    """
    seeds = iter(_seeds(seed, 4 * len(units) + 1))
    inputs = signal = keras.Input((None, n_features), name=f"{name}_rows")
    for depth, n_units in enumerate(units):
        lstm = layers.LSTM(
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


def _seeds(seed: int, n_seeds: int) -> list[int]:
    seeds = np.random.SeedSequence(seed).generate_state(n_seeds)
    # torch keeps the state of its random numbers as signed
    largest = 2**31 - 1 if keras.backend.backend() == "torch" else 2**32 - 1
    return (seeds & largest).tolist()


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


def join_members(normalization: layers.Layer, members: Sequence[keras.Model]) -> keras.Model:
    """Members behind one shared scaling: (batch, time, n_features) → (batch, time, n_members)."""
    inputs = keras.Input((None, members[0].input_shape[-1]), name="rows")
    scaled = normalization(inputs)
    outputs = [member(scaled) for member in members]
    merged = layers.Concatenate(name="forecasts")(outputs) if len(outputs) > 1 else outputs[0]
    return keras.Model(inputs, merged, name="forecaster")
