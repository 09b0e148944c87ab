"""A network of the user's own in place of the LSTM."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lstm_strategy.errors import TrainingError, lacks_memory
from lstm_strategy.learning.network.keras_import import keras
from lstm_strategy.learning.network.loading import LAMBDA, find_unregistered, read_network
from lstm_strategy.learning.network.stepping import as_list, build_stepping_member
from lstm_strategy.learning.targets import Head
from lstm_strategy.support import temporary_folder

NetworkBuilder = Callable[[int], Any]
"""A function of the number of features that builds an uncompiled `keras.Model`."""

_CUT_BARS = 12
_CARRIED_TOLERANCE = 1e-4
_LOADED_TOLERANCE = 1e-6


def build_member(
    build: NetworkBuilder, n_features: int, *, head: Head, seed: int, name: str
) -> keras.Model:
    """Build a freshly initialised member from a user's own network; the seed decides its weights.

    Args:
        build: The user's function.
        n_features: Columns of the scaled rows that the network takes.
        head: The last layer, as the target asks for it.
        seed: Sets Keras's global random state before `build` is called.
        name: Of the member.

    Raises:
        TrainingError: If `build` doesn't give a network from (batch, time, n_features) to
            (batch, time, n_outputs).

    Example:
        >>> from lstm_strategy.learning.network import keras
        >>> from lstm_strategy.learning.targets import Head
        >>> def build(n_features):
        ...     gru = keras.layers.GRU(4, return_sequences=True)
        ...     end = keras.layers.Dense(1, activation="sigmoid")
        ...     return keras.Sequential([keras.Input((None, n_features)), gru, end])
        >>> build_member(build, 3, head=Head(), seed=0, name="member").input_shape
        (None, None, 3)
    """
    keras.utils.set_random_seed(seed)
    network = build(n_features)
    if not isinstance(network, keras.Model):
        raise TrainingError(
            f"network must give a keras.Model, got {type(network).__name__}. Write a function "
            "of the number of features that returns keras.Model(inputs, outputs)."
        )
    if not isinstance(network, keras.Sequential) and not hasattr(network, "operations"):
        raise TrainingError(
            f"network must give a keras.Model(inputs, outputs), got {type(network).__name__}, "
            "which has a call method of its own. Put what it does into layers."
        )
    shapes = tuple(network.input_shape), tuple(network.output_shape)
    needed = (None, None, n_features), (None, None, head.n_outputs)
    if shapes != needed:
        raise TrainingError(
            f"network must go from {needed[0]} to {needed[1]} (batch, time, ...), got "
            f"{shapes[0]} to {shapes[1]}. Begin with keras.Input((None, n_features)), give every "
            "recurrent layer return_sequences=True and end with "
            f"Dense({head.n_outputs}, activation={head.activation!r})."
        )
    return keras.Model(network.inputs[0], network.outputs[0], name=name)


def check_can_be_carried(member: keras.Model) -> None:
    """Make sure that a sequence may be cut anywhere if the state is handed on.

    Args:
        member: A network from (batch, time, n_features) to (batch, time, 1).

    Raises:
        TrainingError: If a forecast depends on later bars, or on earlier ones past the state.

    Example:
        >>> from lstm_strategy.learning.network import build_lstm_member
        >>> check_can_be_carried(build_lstm_member(3, units=(4,), dropout=0, lookback=9, seed=0))
    """
    stepping = build_stepping_member(member)
    shape = (1, _CUT_BARS * 2, member.input_shape[-1])
    random = np.random.default_rng(0).normal(size=shape)
    rows = keras.ops.convert_to_tensor(random, "float32")
    state = [keras.ops.zeros((1, tensor.shape[-1])) for tensor in stepping.inputs[1:]]
    parts = []
    for part in (rows[:, :_CUT_BARS], rows[:, _CUT_BARS:]):
        forecast, *state = as_list(stepping([part, *state]))
        parts.append(keras.ops.convert_to_numpy(forecast))
    apart = np.abs(np.concatenate(parts, 1) - keras.ops.convert_to_numpy(member(rows))).max()
    if apart > _CARRIED_TOLERANCE:
        raise TrainingError(
            "network can't be carried from bar to bar: a sequence cut in two gives other "
            f"forecasts, {apart:.2g} apart. Leave out Bidirectional, attention and convolutions "
            "over time; use recurrent layers with return_sequences=True, and layers that see one "
            "bar alone."
        )


def check_can_be_loaded(member: keras.Model) -> None:
    """Make sure that a network gives the same forecasts once it was saved and loaded.

    Args:
        member: A network from (batch, time, n_features) to (batch, time, 1).

    Raises:
        TrainingError: If it holds what isn't registered with Keras, or a lambda, or if a layer
            comes back with other arguments.

    Example:
        >>> from lstm_strategy.learning.network import build_lstm_member
        >>> check_can_be_loaded(build_lstm_member(3, units=(4,), dropout=0, lookback=9, seed=0))
    """
    try:
        with warnings.catch_warnings(), temporary_folder("network") as folder:
            warnings.simplefilter("ignore")  # Keras warns of what is refused below
            path = folder / "network.keras"
            member.save(path)
            loaded = read_network(path.read_bytes(), saved_with=keras.__version__)
    except Exception as error:
        if lacks_memory(error):
            raise
        raise TrainingError(
            f"network couldn't be loaded again once it is saved: {_describe_failure(member, error)}"
        ) from error
    rows = np.random.default_rng(0).normal(size=(1, _CUT_BARS, member.input_shape[-1]))
    before, after = (
        keras.ops.convert_to_numpy(network(keras.ops.convert_to_tensor(rows, "float32")))
        for network in (member, loaded)
    )
    if not np.allclose(before, after, rtol=0, atol=_LOADED_TOLERANCE):
        raise TrainingError(
            "network gives other forecasts once it was saved and loaded, "
            f"{np.abs(before - after).max():.2g} apart: the get_config of a layer leaves out an "
            "argument of its __init__. Return all of them there."
        )


def _describe_failure(member: keras.Model, error: Exception) -> str:
    """What keeps a network from being loaded, with the remedy."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            unknown = find_unregistered(keras.saving.serialize_keras_object(member))
    except Exception:  # a get_config that raises
        unknown = None
    if unknown is None:
        return f"{str(error).splitlines()[0]} See get_config of its layers."
    if unknown == LAMBDA:
        return (
            "it holds a lambda, whose code isn't saved. Write a layer class or a function of its "
            "own instead, with @keras.saving.register_keras_serializable(package='mine') above it."
        )
    return (
        f"{unknown} isn't registered with Keras. Put "
        "@keras.saving.register_keras_serializable(package='mine') above it, and import it "
        "wherever the model is loaded."
    )


def registered_in_script() -> dict[str, Any]:
    """The layers and functions that the running script has registered with Keras, by name.

    Another process knows those of modules as soon as it imports them, and never those of a script
    or notebook.

    Example:
        >>> registered_in_script()
        {}
    """
    objects = keras.saving.get_custom_objects().items()
    return {name: each for name, each in objects if each.__module__ == "__main__"}


def register(objects: Mapping[str, Any]) -> None:
    """Register with Keras what `registered_in_script` gave in another process.

    Args:
        objects: Layers and functions by the name under which they were registered.

    Example:
        >>> register({})
    """
    for name, each in objects.items():
        if keras.saving.get_registered_object(name) is None:
            package, _, own_name = name.rpartition(">")
            keras.saving.register_keras_serializable(package or "Custom", own_name)(each)
