"""The ONNX twin of a trained network: the same weights as a graph that ONNX Runtime can run.

It is written straight from the weights. Its first input are the rows, its first output the
forecasts; the state of every recurrent layer goes in and comes out beside them, so that one graph
serves a whole feed, a batch of windows and one live step. Inside, time comes before the batch, as
the recurrent operators of ONNX want it.
"""

import logging
from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from lstm_strategy.learning.network import keras, members_of

log = logging.getLogger(__name__)

layers = keras.layers

_OPSET = 17  # the first with LayerNormalization; every ONNX Runtime since 2022 reads it
_IR_VERSION = 8
_ACTIVATIONS = {
    "elu": "Elu",
    "relu": "Relu",
    "selu": "Selu",
    "sigmoid": "Sigmoid",
    "softplus": "Softplus",
    "softsign": "Softsign",
    "tanh": "Tanh",
}
_RECURRENT_ACTIVATIONS = ("relu", "sigmoid", "softsign", "softplus", "tanh")


class _UnknownToTwinError(Exception):
    """The network has a part for which no ONNX operators are written here."""


def network_twin(network: keras.Model) -> bytes | None:
    """The network as a serialised ONNX model; None, and a line in the log, where it has no twin.

    Takes ``rows`` of shape (batch, time, n_features) and states of shape (batch, units), and gives
    ``forecasts`` of shape (batch, time, n_members) and the states after the last row, in the order
    of ``stepping_network``.
    """
    graph = _Graph()
    try:
        rows = graph.node("Transpose", "rows", perm=[1, 0, 2])
        scaled = _normalization(graph, network.get_layer("normalization"), rows)
        forecasts = [_written(graph, member, scaled) for member in members_of(network)]
    except _UnknownToTwinError as error:
        log.info("The model is saved without an ONNX twin and needs Keras to forecast: %s", error)
        return None
    merged = graph.node("Concat", *forecasts, axis=-1)
    graph.node("Transpose", merged, perm=[1, 0, 2], outputs=("forecasts",))
    return graph.model(n_features=network.input_shape[-1], n_members=len(forecasts))


class _Graph:
    """ONNX nodes, constants and states, collected in the order in which they are computed."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._states: list[tuple[str, int]] = []
        self._names = (f"value_{number}" for number in count())

    def node(self, kind: str, *inputs: str, outputs: Any = None, **attributes: Any) -> str:
        """Add an operator; returns the name of its first output."""
        outputs = outputs or (next(self._names),)
        self._nodes.append(helper.make_node(kind, list(inputs), list(outputs), **attributes))
        return str(outputs[0])

    def constant(self, values: Any, dtype: Any = np.float32) -> str:
        """Add constants; returns their name."""
        values = np.ascontiguousarray(values, dtype=dtype)
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(values, name))
        return name

    def recurrent(
        self, kind: str, rows: str, weights: list[Any], n_units: int, **attributes: Any
    ) -> list[str]:
        """Add a recurrent operator; returns its output for each step and its last states."""
        n_states = 2 if kind == "LSTM" else 1
        names = [f"state_{len(self._states) + number}" for number in range(n_states)]
        self._states += [(name, n_units) for name in names]
        one_direction = self.constant([0], np.int64)
        before = [self.node("Unsqueeze", name, one_direction) for name in names]
        constants = [self.constant(np.asarray(values)[None]) for values in weights]
        found = [next(self._names) for _ in range(1 + n_states)]
        inputs = (rows, *constants, "", *before)
        self.node(kind, *inputs, outputs=found, hidden_size=n_units, **attributes)
        direction = self.constant([1], np.int64)
        steps = self.node("Squeeze", found[0], direction)
        after = [
            self.node("Squeeze", last, one_direction, outputs=(f"new_{name}",))
            for last, name in zip(found[1:], names, strict=True)
        ]
        return [steps, *after]

    def model(self, *, n_features: int, n_members: int) -> bytes:
        """The whole graph, checked and serialised."""
        inputs = [_port("rows", ["batch", "time", n_features])]
        outputs = [_port("forecasts", ["batch", "time", n_members])]
        for name, n_units in self._states:
            inputs.append(_port(name, ["batch", n_units]))
            outputs.append(_port(f"new_{name}", ["batch", n_units]))
        graph = helper.make_graph(self._nodes, "forecaster", inputs, outputs, self._constants)
        opset = [helper.make_opsetid("", _OPSET)]
        model = helper.make_model(
            graph, opset_imports=opset, ir_version=_IR_VERSION, producer_name="lstm-strategy"
        )
        onnx.checker.check_model(model, full_check=True)
        return bytes(model.SerializeToString())


def _port(name: str, shape: list[Any]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _written(graph: _Graph, network: keras.Model, rows: str) -> str:
    """Write a network's layers in the order in which Keras calls them, names for tensors."""

    def layer_writer(layer: Any) -> Callable[..., Any]:
        write = _written if isinstance(layer, keras.Model) else _WRITERS.get(type(layer))
        if write is None:
            raise _UnknownToTwinError(
                f"the layer {layer.name!r} ({type(layer).__name__}) has none."
            )
        return lambda *inputs, **options: _called(write, graph, layer, inputs, options)

    if isinstance(network, keras.Sequential):
        network = keras.Model(network.inputs, network.outputs)
    if not hasattr(network, "_run_through_graph"):
        raise _UnknownToTwinError(f"the network {network.name!r} has a call method of its own.")
    # Keras offers no public way to walk through the graph of a network
    answer = network._run_through_graph(rows, operation_fn=layer_writer)
    outputs: list[str] = keras.tree.flatten(answer)
    if len(outputs) != 1:
        raise _UnknownToTwinError(f"the network {network.name!r} has {len(outputs)} outputs.")
    return outputs[0]


def _called(
    write: Callable[..., Any], graph: _Graph, layer: Any, inputs: tuple, options: dict
) -> Any:
    given = [name for name, value in options.items() if name != "training" and value is not None]
    if len(inputs) != 1 or given:
        raise _UnknownToTwinError(
            f"the layer {layer.name!r} is called with more than its input"
            f"{': ' + given[0] if given else ''}."
        )
    return write(graph, layer, inputs[0])


def _weights(variables: Any) -> list[np.ndarray]:
    return [np.asarray(keras.ops.convert_to_numpy(variable)) for variable in variables]


def _normalization(graph: _Graph, layer: Any, rows: str) -> str:
    mean, variance = _weights([layer.mean, layer.variance])
    deviation = np.maximum(np.sqrt(variance), np.float32(keras.backend.epsilon()))
    centred = graph.node("Sub", rows, graph.constant(mean.reshape(-1)))
    return graph.node("Div", centred, graph.constant(deviation.reshape(-1)))


def _lstm(graph: _Graph, layer: Any, rows: str) -> Any:
    kernel, recurrent, bias = _gates(layer, keras_order="ifco", onnx_order="iofc")
    weights = [kernel, recurrent, np.concatenate([bias[0], np.zeros_like(bias[0])])]
    inner, outer = _recurrent_activations(layer)
    found = graph.recurrent("LSTM", rows, weights, layer.units, activations=[inner, outer, outer])
    return found if layer.return_state else found[0]


def _gru(graph: _Graph, layer: Any, rows: str) -> Any:
    kernel, recurrent, bias = _gates(layer, keras_order="zrh", onnx_order="zrh")
    into, back = bias if len(bias) == 2 else (bias[0], np.zeros_like(bias[0]))
    found = graph.recurrent(
        "GRU",
        rows,
        [kernel, recurrent, np.concatenate([into, back])],
        layer.units,
        activations=list(_recurrent_activations(layer)),
        linear_before_reset=int(layer.reset_after),
    )
    return found if layer.return_state else found[0]


def _simple_rnn(graph: _Graph, layer: Any, rows: str) -> Any:
    kernel, recurrent, bias = _gates(layer, keras_order="h", onnx_order="h")
    weights = [kernel, recurrent, np.concatenate([bias[0], np.zeros_like(bias[0])])]
    found = graph.recurrent(
        "RNN", rows, weights, layer.units, activations=[_activation(layer, layer.activation)]
    )
    return found if layer.return_state else found[0]


def _gates(
    layer: Any, *, keras_order: str, onnx_order: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Kernel, recurrent kernel and biases, a gate's rows together, in the order of ONNX."""
    if layer.go_backwards or layer.stateful:
        raise _UnknownToTwinError(f"the layer {layer.name!r} goes backwards or is stateful.")
    kernel, recurrent, *biases = _weights(layer.cell.weights)
    bias = biases[0].reshape(-1, kernel.shape[1]) if biases else np.zeros((1, kernel.shape[1]))
    moved = [keras_order.index(gate) for gate in onnx_order]

    def in_onnx_order(weights: np.ndarray) -> np.ndarray:
        parts = np.split(weights, len(keras_order), axis=-1)
        return np.concatenate([parts[gate] for gate in moved], axis=-1)

    return in_onnx_order(kernel).T, in_onnx_order(recurrent).T, in_onnx_order(bias)


def _recurrent_activations(layer: Any) -> tuple[str, str]:
    return _activation(layer, layer.recurrent_activation), _activation(layer, layer.activation)


def _activation(layer: Any, function: Any) -> str:
    name = keras.activations.serialize(function)
    if name not in _RECURRENT_ACTIVATIONS:
        raise _UnknownToTwinError(f"the layer {layer.name!r} has the activation {name!r}.")
    return _ACTIVATIONS[name]


def _activated(graph: _Graph, layer: Any, rows: str) -> str:
    name = keras.activations.serialize(layer.activation)
    if name == "linear":
        return rows
    if name not in _ACTIVATIONS:
        raise _UnknownToTwinError(f"the layer {layer.name!r} has the activation {name!r}.")
    return graph.node(_ACTIVATIONS[name], rows)


def _dense(graph: _Graph, layer: Any, rows: str) -> str:
    kernel, *bias = _weights(layer.weights)
    rows = graph.node("MatMul", rows, graph.constant(kernel))
    for values in bias:
        rows = graph.node("Add", rows, graph.constant(values))
    return _activated(graph, layer, rows)


def _layer_normalization(graph: _Graph, layer: Any, rows: str) -> str:
    if list(np.atleast_1d(layer.axis)) not in ([-1], [2]):
        raise _UnknownToTwinError(f"the layer {layer.name!r} normalises over another axis.")
    if not layer.scale:
        raise _UnknownToTwinError(f"the layer {layer.name!r} has no scale.")
    scale_and_offset = [graph.constant(values) for values in _weights(layer.weights)]
    return graph.node("LayerNormalization", rows, *scale_and_offset, axis=-1, epsilon=layer.epsilon)


def _unchanged(graph: _Graph, layer: Any, rows: str) -> str:
    return rows


def _folded(kind: str) -> Callable[..., str]:
    """A layer that joins a list of inputs two by two."""

    def write(graph: _Graph, layer: Any, inputs: list[str]) -> str:
        joined, *others = inputs
        for other in others:
            joined = graph.node(kind, joined, other)
        return joined

    return write


def _concatenated(graph: _Graph, layer: Any, inputs: list[str]) -> str:
    if layer.axis not in (-1, 2):
        raise _UnknownToTwinError(f"the layer {layer.name!r} joins along another axis.")
    return graph.node("Concat", *inputs, axis=-1)


_WRITERS: dict[type, Callable[..., Any]] = {
    layers.LSTM: _lstm,
    layers.GRU: _gru,
    layers.SimpleRNN: _simple_rnn,
    layers.Dense: _dense,
    layers.Activation: _activated,
    layers.LayerNormalization: _layer_normalization,
    layers.Add: _folded("Add"),
    layers.Multiply: _folded("Mul"),
    layers.Subtract: _folded("Sub"),
    layers.Concatenate: _concatenated,
    # nothing outside training
    layers.Dropout: _unchanged,
    layers.SpatialDropout1D: _unchanged,
    layers.GaussianNoise: _unchanged,
    layers.ActivityRegularization: _unchanged,
}
