"""Vectors that a network learns of the markets of a panel, one of each.

In the training a row ends with the number of its market, by which the vector is looked up. A
trained network takes the vector itself behind the features, the same numbers on every row of a
market, so that it consists of the layers that it has without.
"""

from typing import Any

import numpy as np

from lstm_strategy.learning.network.keras_import import keras, layers

_VECTORS = "market_vectors"


def look_up_vectors(core: keras.Model, *, n_markets: int, size: int) -> keras.Model:
    """Let a network learn a vector of each market.

    All vectors begin as zeros, and that of a market without a row to learn from stays zero.

    Args:
        core: A network from (batch, time, n_features + size) to (batch, time, n_outputs).
        n_markets: Markets that rows may be of.
        size: Numbers in a vector.

    Returns:
        A network from (batch, time, n_features + 1) to (batch, time, n_outputs), which shares its
        layers with `core`. The last number of a row is that of its market, from 0.

    Example:
        >>> from lstm_strategy.learning.network import build_lstm_member
        >>> core = build_lstm_member(5, units=(4,), dropout=0.0, lookback=20, seed=0)
        >>> look_up_vectors(core, n_markets=7, size=2).input_shape
        (None, None, 4)
    """
    rows = keras.Input((None, core.input_shape[-1] - size + 1), name=f"{core.name}_rows")
    embedding = layers.Embedding(n_markets, size, embeddings_initializer="zeros", name=_VECTORS)
    joined = layers.Concatenate()([rows[..., :-1], embedding(rows[..., -1])])
    return keras.Model(rows, _run_layers(core, joined), name=core.name)


def learned_vectors(network: keras.Model) -> np.ndarray:
    """The vectors that a network of `look_up_vectors` has learned, shape (n_markets, size).

    A market of which nothing was learned has the mean of the others.

    Example:
        >>> from lstm_strategy.learning.network import build_lstm_member
        >>> core = build_lstm_member(5, units=(4,), dropout=0.0, lookback=20, seed=0)
        >>> network = look_up_vectors(core, n_markets=3, size=2)
        >>> vectors = np.array([[1.0, 3.0], [0.0, 0.0], [3.0, 1.0]])
        >>> network.get_layer("market_vectors").set_weights([vectors])
        >>> learned_vectors(network).tolist()
        [[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]]
    """
    (vectors,) = _weights_of(network.get_layer(_VECTORS))
    is_learned = vectors.any(axis=1)
    if is_learned.any():
        vectors[~is_learned] = vectors[is_learned].mean(axis=0)
    return vectors


def weights_without_vectors(network: keras.Model) -> list[np.ndarray]:
    """The weights of a network of `look_up_vectors` that its core has, in the core's order.

    Example:
        >>> from lstm_strategy.learning.network import build_lstm_member
        >>> core = build_lstm_member(5, units=(4,), dropout=0.0, lookback=20, seed=0)
        >>> network = look_up_vectors(core, n_markets=3, size=2)
        >>> len(weights_without_vectors(network)) == len(core.get_weights())
        True
    """
    kept = [layer for layer in network.layers if layer.name != _VECTORS]
    return [weights for layer in kept for weights in _weights_of(layer)]


def pick_vector(core: keras.Model, *, size: int, position: int, n_members: int) -> keras.Model:
    """Let a member of an ensemble pick its own vector among those of all members.

    Args:
        core: A member from (batch, time, n_features + size) to (batch, time, n_outputs).
        size: Numbers in a vector.
        position: Which member it is, from 0.
        n_members: How many there are.

    Returns:
        A network of the same name from (batch, time, n_features + n_members * size).

    Example:
        >>> from lstm_strategy.learning.network import build_lstm_member
        >>> core = build_lstm_member(5, units=(4,), dropout=0.0, lookback=20, seed=0)
        >>> pick_vector(core, size=2, position=1, n_members=3).input_shape
        (None, None, 9)
    """
    if n_members == 1:
        return core
    n_taken = core.input_shape[-1]
    n_features = n_taken - size
    own = np.zeros((n_features + n_members * size, n_taken), np.float32)
    own[:n_features, :n_features] = np.eye(n_features)
    first = n_features + position * size
    own[first : first + size, n_features:] = np.eye(size)
    rows = keras.Input((None, len(own)), name=f"{core.name}_rows")
    pick = layers.Dense(n_taken, use_bias=False, trainable=False, name=f"{core.name}_vector")
    picked = pick(rows)
    pick.set_weights([own])
    return keras.Model(rows, _run_layers(core, picked), name=core.name)


def _run_layers(core: keras.Model, rows: Any) -> Any:
    """What a network answers to other rows, as one flat graph: a call would nest it."""
    return core._run_through_graph(
        rows, call_fn=lambda layer, *taken, **named: layer(*taken, **named)
    )


def _weights_of(layer: Any) -> list[np.ndarray]:
    return [np.array(keras.ops.convert_to_numpy(weights)) for weights in layer.weights]
