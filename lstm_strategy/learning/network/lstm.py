"""The Keras LSTM: scaling, layers and state in one network.

The layers keep the arguments that cuDNN's fused kernel needs: tanh and sigmoid activations, no
recurrent dropout, no unrolling, no mask.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from lstm_strategy.learning.network.keras_import import keras, layers
from lstm_strategy.learning.targets import Head

_PROBABILITY = Head(activation="sigmoid")
_SCALING, _SMALL_UNITS = "normalization", "small_units"
_FLOAT32_RESOLUTION = float(np.finfo(np.float32).eps)


def build_scaling(rows: np.ndarray) -> list[layers.Layer]:
    """Build the layers that scale every feature to mean 0 and variance 1 on the training rows.

    The constants are stored inside the network, so that there is no scaler to save or to leak.

    Args:
        rows: Features of the training bars, shape (n_rows, n_features), in any unit. A feature
            that never changes is only centred.

    Returns:
        One layer. A second one follows where a feature varies by less than Keras' smallest number
        (its epsilon, 1e-7), below which the first one doesn't scale.

    Example:
        >>> import numpy as np
        >>> scale, = build_scaling(np.array([[1.0, 5.0], [3.0, 5.0]]))
        >>> np.asarray(scale(np.array([[3.0, 6.0]], "float32"))).tolist()
        [[1.0, 1.0]]
    """
    mean = rows.mean(axis=0, dtype=np.float64)
    variance = rows.var(axis=0, dtype=np.float64)
    variance[variance <= (_FLOAT32_RESOLUTION * mean) ** 2] = 1.0
    smallest = keras.config.epsilon() ** 2
    first = np.maximum(variance, smallest)
    scaling = [layers.Normalization(mean=mean, variance=first, name=_SCALING)]
    if (variance < smallest).any():
        zeros = np.zeros_like(mean)
        scaling.append(
            layers.Normalization(mean=zeros, variance=variance / first, name=_SMALL_UNITS)
        )
    return scaling


def scale_rows(scaling: Sequence[layers.Layer], rows: Any) -> Any:
    """Scale features with what `build_scaling` built.

    Args:
        scaling: The layers.
        rows: A tensor of features, the last axis over the features.

    Example:
        >>> import numpy as np
        >>> scaling = build_scaling(np.array([[1.0], [3.0]]))
        >>> np.asarray(scale_rows(scaling, np.array([[5.0]], "float32"))).tolist()
        [[3.0]]
    """
    for layer in scaling:
        rows = layer(rows)
    return rows


def widen_scaling(scaling: Sequence[layers.Layer], n_columns: int) -> list[layers.Layer]:
    """The same scaling for rows that go on after the features; what follows stays as it is.

    Args:
        scaling: What `build_scaling` builds.
        n_columns: Columns behind the features.

    Example:
        >>> import numpy as np
        >>> wider = widen_scaling(build_scaling(np.array([[1.0], [3.0]])), 1)
        >>> np.asarray(scale_rows(wider, np.array([[5.0, 5.0]], "float32"))).tolist()
        [[3.0, 5.0]]
    """
    if not n_columns:
        return list(scaling)
    return [
        layers.Normalization(
            mean=np.pad(layer.input_mean, (0, n_columns)),
            variance=np.pad(layer.input_variance, (0, n_columns), constant_values=1.0),
            name=layer.name,
        )
        for layer in scaling
    ]


def scaling_of(network: keras.Model) -> list[layers.Layer]:
    """The layers in a network of `join_members` that scale its rows, in order.

    Example:
        >>> import numpy as np
        >>> member = build_lstm_member(1, units=(2,), dropout=0.0, lookback=5, seed=0)
        >>> network = join_members(build_scaling(np.array([[1.0], [3.0]])), [member])
        >>> [layer.name for layer in scaling_of(network)]
        ['normalization']
    """
    small_units = [layer for layer in network.layers if layer.name == _SMALL_UNITS]
    return [network.get_layer(_SCALING), *small_units]


def scaling_constants(network: keras.Model) -> tuple[np.ndarray, np.ndarray]:
    """The mean and the standard deviation by which a network scales each feature.

    Args:
        network: What `join_members` builds.

    Returns:
        Two arrays of shape (n_features,), in the units of the features.

    Example:
        >>> import numpy as np
        >>> scaling = build_scaling(np.array([[1.0], [3.0]]))
        >>> member = build_lstm_member(1, units=(2,), dropout=0.0, lookback=5, seed=0)
        >>> mean, deviation = scaling_constants(join_members(scaling, [member]))
        >>> float(mean[0]), float(deviation[0])
        (2.0, 1.0)
    """
    constants = [
        [
            np.asarray(keras.ops.convert_to_numpy(part), np.float64).reshape(-1)
            for part in (layer.mean, layer.variance)
        ]
        for layer in scaling_of(network)
    ]
    return constants[0][0], np.prod([np.sqrt(variance) for _, variance in constants], axis=0)


def build_lstm_member(
    n_features: int,
    *,
    units: Sequence[int],
    dropout: float,
    lookback: int,
    seed: int,
    head: Head = _PROBABILITY,
    name: str = "member",
) -> keras.Model:
    """Build one freshly initialised LSTM network; the same seed gives the same weights.

    Args:
        n_features: Columns of the scaled rows that it takes.
        units: Width of each LSTM layer.
        dropout: Share of the outputs of each LSTM layer that training drops.
        lookback: Bars that the cells remember at first: each begins with a memory of its own
            length, from 1 to `lookback` bars.
        seed: Of all weights and of the dropout.
        head: The last layer, as the target asks for it.
        name: Of the network, and the beginning of its layers' names.

    Returns:
        A network from (batch, time, n_features) to (batch, time, n_outputs). The output at each
        step, such as a probability, is known at the close of that step's bar.

    Example:
        >>> member = build_lstm_member(3, units=(8, 4), dropout=0.2, lookback=30, seed=7)
        >>> member.output_shape
        (None, None, 1)
    """
    seeds = _layer_seeds(seed, 4 * len(units) + 1)
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
    outputs = layers.Dense(
        head.n_outputs,
        activation="linear" if head.has_linear_part else head.activation,
        kernel_initializer=(
            keras.initializers.Zeros()
            if head.starts_flat
            else keras.initializers.GlorotUniform(seed=next(seeds))
        ),
        bias_initializer=keras.initializers.Constant(head.initial_bias),
        name=f"{name}_head",
    )(signal)
    if head.has_linear_part:
        linear = layers.Dense(
            head.n_outputs,
            use_bias=False,
            kernel_initializer="zeros",
            trainable=False,
            name=f"{name}_linear",
        )
        outputs = layers.Add(name=f"{name}_sum")([outputs, linear(inputs)])
        if head.activation != "linear":
            outputs = layers.Activation(head.activation, name=f"{name}_activation")(outputs)
    return keras.Model(inputs, outputs, name=name)


def _layer_seeds(seed: int, n_seeds: int) -> Iterator[int]:
    # torch keeps the state of its random numbers as signed
    largest = 2**31 - 1 if keras.backend.backend() == "torch" else 2**32 - 1
    for layer_seed in np.random.SeedSequence(seed).generate_state(n_seeds):
        yield int(layer_seed) & largest


def memory_biases(n_units: int, *, lookback: int, seed: int) -> np.ndarray:
    """Biases that give each cell a memory of its own length, between 1 and `lookback` bars.

    A cell whose forget gate has the bias log(T - 1) forgets at the pace of 1/T a bar; its input
    gate gets the opposite bias. Keras's default of 1 forgets within four bars, and gradients
    rarely find their way back from there.

    Returns:
        Shape (4 * n_units,), gates in Keras's order input, forget, cell, output.

    Source: Tallec and Ollivier (2018), "Can recurrent neural networks warp time?", equation 16.
    """
    uniform = np.random.default_rng(seed).uniform(1, max(lookback - 1, 2), n_units)
    forget = np.log(uniform)
    zeros = np.zeros(n_units)
    return np.concatenate([-forget, forget, zeros, zeros]).astype(np.float32)


def join_members(scaling: Sequence[layers.Layer], members: Sequence[keras.Model]) -> keras.Model:
    """Put the members of an ensemble behind one shared scaling.

    Args:
        scaling: What `build_scaling` builds.
        members: Networks from (batch, time, n_features) to (batch, time, n_outputs).

    Returns:
        A network from (batch, time, n_features) to (batch, time, n_members * n_outputs), the
        outputs of a member side by side.

    Example:
        >>> import numpy as np
        >>> scaling = build_scaling(np.eye(3))
        >>> size = {"units": (4,), "dropout": 0.0, "lookback": 20}
        >>> members = [build_lstm_member(3, **size, seed=n, name=f"member_{n}") for n in range(2)]
        >>> join_members(scaling, members).output_shape
        (None, None, 2)
    """
    inputs = keras.Input((None, members[0].input_shape[-1]), name="rows")
    scaled = scale_rows(scaling, inputs)
    outputs = [member(scaled) for member in members]
    merged = layers.Concatenate(name="forecasts")(outputs) if len(outputs) > 1 else outputs[0]
    return keras.Model(inputs, merged, name="forecaster")
