"""The Keras LSTM: scaling, layers and state in one network.

The layers keep the arguments that cuDNN's fused kernel needs: tanh and sigmoid activations, no
recurrent dropout, no unrolling, no mask.
"""

import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lstm_strategy.errors import TrainingError

NetworkBuilder = Callable[[int], Any]
"""A user's own network: the number of features → an uncompiled keras.Model."""

_CUT_BARS = 12
_CARRIED_TOLERANCE = 1e-4


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

    if keras.backend.backend() == "tensorflow":
        keras.distribution.list_devices()  # a search for GPUs that isn't quiet either


def _is_worth_telling(record: logging.LogRecord) -> bool:
    """False for TensorFlow's warning at every fifth network that it traces it anew: it must."""
    return "triggered tf.function retracing" not in str(record.msg)


logging.getLogger("tensorflow").addFilter(_is_worth_telling)


def normalization_layer(training_rows: np.ndarray) -> layers.Layer:
    """A layer that scales every feature to mean 0 and variance 1 on the training rows.

    ``training_rows`` has shape (n_rows, n_features). A feature that never changes is only
    centred. The constants are stored inside the network, so there is no scaler to save or leak.
    """
    mean = training_rows.mean(axis=0, dtype=np.float64)
    variance = training_rows.var(axis=0, dtype=np.float64)
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


def lstm_member(
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


def built_member(build: NetworkBuilder, n_features: int, *, seed: int, name: str) -> keras.Model:
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
    (batch, time, n_features), forecasts of shape (batch, time, n_members), and states of shape
    (batch, units), two for each LSTM layer of each member (hidden and cell), one for each GRU.
    """
    inputs = keras.Input(network.input_shape[1:], name="rows")
    scaled = network.get_layer("normalization")(inputs)
    forecasts, states_in, states_out = [], [], []
    for member in members_of(network):
        step = _stepping_member(member)
        states = [keras.Input(tensor.shape[1:]) for tensor in step.inputs[1:]]
        forecast, *new_states = _as_list(step([scaled, *states]))
        forecasts.append(forecast)
        states_in += states
        states_out += new_states
    merged = layers.Concatenate()(forecasts) if len(forecasts) > 1 else forecasts[0]
    return keras.Model([inputs, *states_in], [merged, *states_out], name="stepping_forecaster")


def _stepping_member(member: keras.Model) -> keras.Model:
    """One member with its state: a network of its own, so that members may share layer names."""
    inputs = keras.Input(member.input_shape[1:])
    stepping = _Stepping(member, inputs)
    outputs = [stepping.forecast, *stepping.states_out]
    return keras.Model([inputs, *stepping.states_in], outputs, name=member.name)


def _as_list(answers: Any) -> list[Any]:
    # a network with one output gives it alone
    return list(answers) if isinstance(answers, list | tuple) else [answers]


class _Stepping:
    """One member, called on ``rows`` with its state going in and coming out."""

    def __init__(self, member: keras.Model, rows: Any) -> None:
        self.states_in: list[Any] = []
        self.states_out: list[Any] = []
        # Keras offers no public way to call a network with other layers than its own
        self.forecast = member._run_through_graph(rows, operation_fn=self._stepped)

    def _stepped(self, layer: Any) -> Callable[..., Any]:
        return partial(self._called, layer) if isinstance(layer, layers.RNN) else layer

    def _called(self, layer: layers.RNN, rows: Any, **_: Any) -> Any:
        stateful = type(layer).from_config(layer.get_config() | {"return_state": True})
        stateful.build(rows.shape)
        stateful.set_weights(layer.get_weights())
        widths = layer.state_size if isinstance(layer.state_size, list) else [layer.state_size]
        state = [keras.Input((width,)) for width in widths]
        output, *new_state = stateful(rows, initial_state=state)
        self.states_in += state
        self.states_out += new_state
        return (output, *new_state) if layer.return_state else output
