"""A network of the user's own in place of the LSTM."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lstm_strategy.errors import TrainingError
from lstm_strategy.learning.network.keras_import import keras
from lstm_strategy.learning.network.stepping import _as_list, _stepping_member

NetworkBuilder = Callable[[int], Any]
"""A user's own network: the number of features → an uncompiled keras.Model."""


_CUT_BARS = 12


_CARRIED_TOLERANCE = 1e-4


def build_member(build: NetworkBuilder, n_features: int, *, seed: int, name: str) -> keras.Model:
    """A user's own network as a member, freshly initialised; the same seed gives the same weights.

    Raises:
        TrainingError: if ``build`` doesn't give (batch, time, n_features) → (batch, time, 1).
    """
    keras.utils.set_random_seed(seed)
    network = build(n_features)
    if not isinstance(network, keras.Model):
        raise TrainingError(
            f"network must give a keras.Model, got {type(network).__name__}. Write a function "
            "of the number of features that returns keras.Model(inputs, outputs)."
        )
    shapes = tuple(network.input_shape), tuple(network.output_shape)
    wanted = (None, None, n_features), (None, None, 1)
    if shapes != wanted:
        raise TrainingError(
            f"network must go from {wanted[0]} to {wanted[1]} (batch, time, ...), got "
            f"{shapes[0]} to {shapes[1]}. Begin with keras.Input((None, n_features)), give every "
            "recurrent layer return_sequences=True and end with Dense(1, activation='sigmoid')."
        )
    return keras.Model(network.inputs[0], network.outputs[0], name=name)


def check_can_be_carried(member: keras.Model) -> None:
    """Make sure that a sequence may be cut anywhere, the state handed on.

    Raises:
        TrainingError: if a forecast depends on later bars, or on earlier ones past the state.
    """
    carried = _stepping_member(member)
    shape = (1, _CUT_BARS * 2, member.input_shape[-1])
    random = np.random.default_rng(0).normal(size=shape)
    rows = keras.ops.convert_to_tensor(random, "float32")
    state = [keras.ops.zeros((1, tensor.shape[-1])) for tensor in carried.inputs[1:]]
    parts = []
    for part in (rows[:, :_CUT_BARS], rows[:, _CUT_BARS:]):
        forecast, *state = _as_list(carried([part, *state]))
        parts.append(keras.ops.convert_to_numpy(forecast))
    apart = np.abs(np.concatenate(parts, 1) - keras.ops.convert_to_numpy(member(rows))).max()
    if apart > _CARRIED_TOLERANCE:
        raise TrainingError(
            "network can't be carried from bar to bar: a sequence cut in two gives other "
            f"forecasts, {apart:.2g} apart. Leave out Bidirectional, attention and convolutions "
            "over time; use recurrent layers with return_sequences=True, and layers that see one "
            "bar alone."
        )
