"""The ONNX twin of a trained network: the same weights as a graph that ONNX Runtime can run.

It is written straight from the weights, layer by layer. Inside, time comes before the batch, as the
recurrent operators of ONNX want it.
"""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np

from lstm_strategy.learning.inference.onnx_graph import OnnxGraph
from lstm_strategy.learning.network import keras, members_of

log = logging.getLogger(__name__)

layers = keras.layers

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


def export_onnx(network: keras.Model) -> bytes | None:
    """The network as a serialised ONNX model; None, and a line in the log, where it has no twin.

    Takes ``rows`` of shape (batch, time, n_features) and states of shape (batch, units), and gives
    ``forecasts`` of shape (batch, time, n_members) and the states after the last row, in the order
    of ``build_stepping_network``.
    """
    graph = OnnxGraph()
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


def _written(graph: OnnxGraph, network: keras.Model, rows: str) -> str:
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
    write: Callable[..., Any], graph: OnnxGraph, layer: Any, inputs: tuple, options: dict
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


def _normalization(graph: OnnxGraph, layer: Any, rows: str) -> str:
    mean, variance = _weights([layer.mean, layer.variance])
    deviation = np.maximum(np.sqrt(variance), np.float32(keras.backend.epsilon()))
    centred = graph.node("Sub", rows, graph.constant(mean.reshape(-1)))
    return graph.node("Div", centred, graph.constant(deviation.reshape(-1)))


def _lstm(graph: OnnxGraph, layer: Any, rows: str) -> Any:
    kernel, recurrent, bias = _gates(layer, keras_order="ifco", onnx_order="iofc")
    weights = [kernel, recurrent, np.concatenate([bias[0], np.zeros_like(bias[0])])]
    inner, outer = _recurrent_activations(layer)
    found = graph.recurrent("LSTM", rows, weights, layer.units, activations=[inner, outer, outer])
    return found if layer.return_state else found[0]


def _gru(graph: OnnxGraph, layer: Any, rows: str) -> Any:
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


def _simple_rnn(graph: OnnxGraph, layer: Any, rows: str) -> Any:
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


def _activated(graph: OnnxGraph, layer: Any, rows: str) -> str:
    name = keras.activations.serialize(layer.activation)
    if name == "linear":
        return rows
    if name not in _ACTIVATIONS:
        raise _UnknownToTwinError(f"the layer {layer.name!r} has the activation {name!r}.")
    return graph.node(_ACTIVATIONS[name], rows)


def _dense(graph: OnnxGraph, layer: Any, rows: str) -> str:
    kernel, *bias = _weights(layer.weights)
    rows = graph.node("MatMul", rows, graph.constant(kernel))
    for values in bias:
        rows = graph.node("Add", rows, graph.constant(values))
    return _activated(graph, layer, rows)


def _layer_normalization(graph: OnnxGraph, layer: Any, rows: str) -> str:
    if list(np.atleast_1d(layer.axis)) not in ([-1], [2]):
        raise _UnknownToTwinError(f"the layer {layer.name!r} normalises over another axis.")
    if not layer.scale:
        raise _UnknownToTwinError(f"the layer {layer.name!r} has no scale.")
    scale_and_offset = [graph.constant(values) for values in _weights(layer.weights)]
    return graph.node("LayerNormalization", rows, *scale_and_offset, axis=-1, epsilon=layer.epsilon)


def _unchanged(graph: OnnxGraph, layer: Any, rows: str) -> str:
    return rows


def _folded(kind: str) -> Callable[..., str]:
    """A layer that joins a list of inputs two by two."""

    def write(graph: OnnxGraph, layer: Any, inputs: list[str]) -> str:
        joined, *others = inputs
        for other in others:
            joined = graph.node(kind, joined, other)
        return joined

    return write


def _concatenated(graph: OnnxGraph, layer: Any, inputs: list[str]) -> str:
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
