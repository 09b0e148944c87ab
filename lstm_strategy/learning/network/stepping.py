"""A trained network with its state as inputs and outputs."""

from typing import Any

from lstm_strategy.learning.network.keras_import import keras, layers
from lstm_strategy.learning.network.lstm import scale_rows, scaling_of


def members_of(network: keras.Model) -> list[keras.Model]:
    """The members inside a network that `join_members` built, in order.

    Example:
        >>> import numpy as np
        >>> from lstm_strategy.learning.network import (
        ...     build_lstm_member, build_scaling, join_members
        ... )
        >>> member = build_lstm_member(3, units=(4,), dropout=0.0, lookback=20, seed=0)
        >>> [m.name for m in members_of(join_members(build_scaling(np.eye(3)), [member]))]
        ['member']
    """
    return [layer for layer in network.layers if isinstance(layer, keras.Model)]


def build_stepping_network(network: keras.Model, *, gives_hidden: bool = False) -> keras.Model:
    """Build a network of the same weights whose state is an explicit input and output.

    Args:
        network: What `join_members` built.
        gives_hidden: Whether what the last recurrent layer of each member gives at every row
            follows the forecasts, member by member.

    Returns:
        A network that takes `[rows, *states]` and returns `[forecasts, *states]`: rows of shape
        (batch, time, n_features), forecasts of shape (batch, time, n_answers), and states of
        shape (batch, units), two for each LSTM layer of each member (hidden and cell) and one for
        each GRU or simple RNN. Without any recurrent layer it returns the forecasts alone.

    Example:
        >>> import numpy as np
        >>> from lstm_strategy.learning.network import (
        ...     build_lstm_member, build_scaling, join_members
        ... )
        >>> member = build_lstm_member(3, units=(4,), dropout=0.0, lookback=20, seed=0)
        >>> network = join_members(build_scaling(np.eye(3)), [member])
        >>> [tensor.shape for tensor in build_stepping_network(network).inputs]
        [(None, None, 3), (None, 4), (None, 4)]
    """
    inputs = keras.Input(network.input_shape[1:], name="rows")
    scaled = scale_rows(scaling_of(network), inputs)
    forecasts, hidden, states_in, states_out = [], [], [], []
    for member in members_of(network):
        step = build_stepping_member(member, gives_hidden=gives_hidden)
        states = [keras.Input(tensor.shape[1:]) for tensor in step.inputs[1:]]
        forecast, *new_states = as_list(step([scaled, *states]))
        forecasts.append(forecast)
        if gives_hidden and states:
            hidden.append(new_states.pop())
        states_in += states
        states_out += new_states
    answers = forecasts + hidden
    merged = layers.Concatenate()(answers) if len(answers) > 1 else answers[0]
    return keras.Model([inputs, *states_in], [merged, *states_out], name="stepping_forecaster")


def hidden_widths(network: keras.Model) -> list[int]:
    """The units of the last recurrent layer of each member that has one.

    Args:
        network: What `join_members` built.

    Example:
        >>> import numpy as np
        >>> from lstm_strategy.learning.network import (
        ...     build_lstm_member, build_scaling, join_members
        ... )
        >>> member = build_lstm_member(3, units=(8, 4), dropout=0.0, lookback=20, seed=0)
        >>> hidden_widths(join_members(build_scaling(np.eye(3)), [member]))
        [4]
    """
    steps = [build_stepping_member(of, gives_hidden=True) for of in members_of(network)]
    return [step.outputs[-1].shape[-1] for step in steps if len(step.inputs) > 1]


def build_stepping_member(member: keras.Model, *, gives_hidden: bool = False) -> keras.Model:
    """Build one member with its state: a network of its own, so that members may share names.

    With `gives_hidden` what its last recurrent layer gives at every row comes last.
    """
    inputs = keras.Input(member.input_shape[1:])
    states_in: list[Any] = []
    states_out: list[Any] = []
    hidden: list[Any] = []

    def step_through(layer: Any, *tensors: Any, **options: Any) -> Any:
        if not isinstance(layer, layers.RNN):
            return layer(*tensors, **options)
        stateful = type(layer).from_config(layer.get_config() | {"return_state": True})
        stateful.build(tensors[0].shape)
        stateful.set_weights(layer.get_weights())
        widths = layer.state_size if isinstance(layer.state_size, list) else [layer.state_size]
        states = [keras.Input((width,)) for width in widths]
        output, *new_states = stateful(tensors[0], initial_state=states)
        states_in.extend(states)
        states_out.extend(new_states)
        hidden[:] = [output]
        return (output, *new_states) if layer.return_state else output

    # keras.models.clone_model has such a call_function too, but refuses a network with new inputs
    forecast = member._run_through_graph(inputs, call_fn=step_through)
    outputs = [forecast, *states_out, *(hidden if gives_hidden else [])]
    return keras.Model([inputs, *states_in], outputs, name=member.name)


def as_list(answers: Any) -> list[Any]:
    """The outputs of a network as a list; Keras gives a single output alone."""
    return list(answers) if isinstance(answers, list | tuple) else [answers]
