"""A trained network with its state as inputs and outputs."""

from collections.abc import Callable
from functools import partial
from typing import Any

from lstm_strategy.learning.network.keras_import import keras, layers


def members_of(network: keras.Model) -> list[keras.Model]:
    """The members inside a network made by ``join_members``, in order."""
    return [layer for layer in network.layers if isinstance(layer, keras.Model)]


def build_stepping_network(network: keras.Model) -> keras.Model:
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
