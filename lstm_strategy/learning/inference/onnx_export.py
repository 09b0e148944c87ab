"""The ONNX model of a trained network: the same weights as a graph that ONNX Runtime can run.

It is written straight from the weights, layer by layer. Inside, time comes before the batch, as the
recurrent operators of ONNX want it.
"""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np

from lstm_strategy.learning.inference.onnx_graph import OnnxGraph
from lstm_strategy.learning.network import keras, members_of, scaling_of

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


class _UnknownToOnnxError(Exception):
    """The network has a part for which no ONNX operators are written here."""


def export_onnx(network: keras.Model) -> bytes | None:
    """Write a network as a serialised ONNX model.

    Args:
        network: What `join_members` built.

    Returns:
        A model that takes `rows` of shape (batch, time, n_features) and states of shape
        (batch, units), and gives `forecasts` of shape (batch, time, n_answers) and the states
        after the last row, in the order of `build_stepping_network`, and then, of each member, what
        its last recurrent layer gave at every row, of shape (time, batch, units). None, and a line
        in the log, where a layer has no form in ONNX here.

    Example:
        >>> from lstm_strategy.learning.network import (
        ...     build_lstm_member, build_scaling, join_members
        ... )
        >>> member = build_lstm_member(3, units=(4,), dropout=0.0, lookback=20, seed=0)
        >>> network = join_members(build_scaling(np.eye(3)), [member])
        >>> len(export_onnx(network)) > 1_000
        True
    """
    graph = OnnxGraph()
    try:
        rows = graph.add_node("Transpose", "rows", perm=[1, 0, 2])
        scaled = rows
        for layer in scaling_of(network):
            scaled = _write_normalization(graph, layer, scaled)
        forecasts = []
        for member in members_of(network):
            forecasts.append(_write_network(graph, member, scaled))
            graph.end_member()
    except _UnknownToOnnxError as error:
        log.info("The model is saved without an ONNX model and needs Keras to forecast: %s", error)
        return None
    merged = graph.add_node("Concat", *forecasts, axis=-1)
    graph.add_node("Transpose", merged, perm=[1, 0, 2], outputs=["forecasts"])
    return graph.serialize(n_features=network.input_shape[-1], n_outputs=network.output_shape[-1])


def _write_network(graph: OnnxGraph, network: keras.Model, inputs: str | list[str]) -> str:
    """Write a network's layers in the order in which Keras calls them; names stand for tensors."""
    if isinstance(network, keras.Sequential):
        network = keras.Model(network.inputs, network.outputs)
    if not hasattr(network, "inputs"):
        raise _UnknownToOnnxError(f"the network {network.name!r} has a call method of its own.")
    # Keras walks through the graph: the layers are called once more on symbolic tensors, and for
    # each of these the name of the tensor in ONNX is kept
    names: dict[int, str] = {}
    names.update(zip(map(id, network.inputs), keras.tree.flatten(inputs), strict=True))

    def write_layer(layer: Any, *tensors: Any, **options: Any) -> Any:
        _check_has_one_input(layer, tensors, options)
        named = keras.tree.map_structure(lambda tensor: names[id(tensor)], tensors[0])
        results = layer(*tensors, **options)
        written = keras.tree.flatten(_writer_of(layer)(graph, layer, named))
        names.update(zip(map(id, keras.tree.flatten(results)), written, strict=True))
        return results

    walked = keras.models.clone_model(
        network,
        input_tensors=network.input,
        clone_function=lambda layer: layer,
        call_function=write_layer,
    )
    if len(walked.outputs) != 1:
        raise _UnknownToOnnxError(
            f"the network {network.name!r} has {len(walked.outputs)} outputs."
        )
    return names[id(walked.outputs[0])]


def _writer_of(layer: Any) -> Callable[..., Any]:
    write = _write_network if isinstance(layer, keras.Model) else _WRITERS.get(type(layer))
    if write is None:
        raise _UnknownToOnnxError(f"the layer {layer.name!r} ({type(layer).__name__}) has none.")
    return write


def _check_has_one_input(layer: Any, inputs: tuple[Any, ...], options: dict[str, Any]) -> None:
    given = [name for name, value in options.items() if name != "training" and value is not None]
    if len(inputs) != 1 or given:
        raise _UnknownToOnnxError(
            f"the layer {layer.name!r} is called with more than its input"
            f"{': ' + given[0] if given else ''}."
        )


def _weights(variables: Any) -> list[np.ndarray]:
    return [np.asarray(keras.ops.convert_to_numpy(variable), np.float32) for variable in variables]


def _write_normalization(graph: OnnxGraph, layer: Any, rows: str) -> str:
    mean, variance = _weights([layer.mean, layer.variance])
    deviation = np.maximum(np.sqrt(variance), np.float32(keras.backend.epsilon()))
    centred = graph.add_node("Sub", rows, graph.add_constant(mean.reshape(-1)))
    return graph.add_node("Div", centred, graph.add_constant(deviation.reshape(-1)))


def _write_lstm(graph: OnnxGraph, layer: Any, rows: str) -> list[str]:
    inner, outer = _recurrent_activations(layer)
    return _write_recurrent(
        graph, layer, rows, kind="LSTM", gates="ifco", activations=[inner, outer, outer]
    )


def _write_gru(graph: OnnxGraph, layer: Any, rows: str) -> list[str]:
    return _write_recurrent(
        graph,
        layer,
        rows,
        kind="GRU",
        gates="zrh",
        activations=_recurrent_activations(layer),
        linear_before_reset=int(layer.reset_after),
    )


def _write_simple_rnn(graph: OnnxGraph, layer: Any, rows: str) -> list[str]:
    activations = [_activation(layer, layer.activation)]
    return _write_recurrent(graph, layer, rows, kind="RNN", gates="h", activations=activations)


_ONNX_GATES = {"LSTM": "iofc", "GRU": "zrh", "RNN": "h"}


def _write_recurrent(
    graph: OnnxGraph, layer: Any, rows: str, *, kind: str, gates: str, **attributes: Any
) -> list[str]:
    """Write a recurrent layer whose gates Keras keeps in the order `gates`."""
    if layer.go_backwards or layer.stateful:
        raise _UnknownToOnnxError(f"the layer {layer.name!r} goes backwards or is stateful.")
    order = [gates.index(gate) for gate in _ONNX_GATES[kind]]

    def in_onnx_order(weights: np.ndarray) -> np.ndarray:
        parts = np.split(weights, len(gates), axis=-1)
        return np.concatenate([parts[gate] for gate in order], axis=-1)

    kernel, recurrent, *biases = _weights(layer.cell.weights)
    # ONNX adds a bias to the inputs and one to the state; Keras has both, one or none
    both_biases = np.zeros((2, kernel.shape[1]), np.float32)
    for bias in biases:
        both_biases[: bias.size // kernel.shape[1]] = bias
    weights = [in_onnx_order(kernel).T, in_onnx_order(recurrent).T]
    weights.append(in_onnx_order(both_biases).reshape(-1))
    outputs = graph.add_recurrent(kind, rows, weights, layer.units, **attributes)
    return outputs if layer.return_state else outputs[:1]


def _recurrent_activations(layer: Any) -> list[str]:
    return [_activation(layer, layer.recurrent_activation), _activation(layer, layer.activation)]


def _activation(layer: Any, function: Any) -> str:
    name = keras.activations.serialize(function)
    if name not in _RECURRENT_ACTIVATIONS:
        raise _UnknownToOnnxError(f"the layer {layer.name!r} has the activation {name!r}.")
    return _ACTIVATIONS[name]


def _write_activation(graph: OnnxGraph, layer: Any, rows: str) -> str:
    name = keras.activations.serialize(layer.activation)
    if name == "linear":
        return rows
    if name not in _ACTIVATIONS:
        raise _UnknownToOnnxError(f"the layer {layer.name!r} has the activation {name!r}.")
    return graph.add_node(_ACTIVATIONS[name], rows)


def _write_dense(graph: OnnxGraph, layer: Any, rows: str) -> str:
    kernel, *bias = _weights(layer.weights)
    rows = graph.add_node("MatMul", rows, graph.add_constant(kernel))
    for values in bias:
        rows = graph.add_node("Add", rows, graph.add_constant(values))
    return _write_activation(graph, layer, rows)


def _write_layer_normalization(graph: OnnxGraph, layer: Any, rows: str) -> str:
    if list(np.atleast_1d(layer.axis)) not in ([-1], [2]):
        raise _UnknownToOnnxError(f"the layer {layer.name!r} normalises over another axis.")
    if not layer.scale:
        raise _UnknownToOnnxError(f"the layer {layer.name!r} has no scale.")
    scale_and_offset = [graph.add_constant(values) for values in _weights(layer.weights)]
    return graph.add_node(
        "LayerNormalization", rows, *scale_and_offset, axis=-1, epsilon=layer.epsilon
    )


def _write_nothing(graph: OnnxGraph, layer: Any, rows: str) -> str:
    return rows


def _writer_in_pairs(kind: str) -> Callable[..., str]:
    """The writer of a layer that joins a list of inputs two by two."""

    def write(graph: OnnxGraph, layer: Any, inputs: list[str]) -> str:
        joined, *others = inputs
        for other in others:
            joined = graph.add_node(kind, joined, other)
        return joined

    return write


def _write_concatenation(graph: OnnxGraph, layer: Any, inputs: list[str]) -> str:
    if layer.axis not in (-1, 2):
        raise _UnknownToOnnxError(f"the layer {layer.name!r} joins along another axis.")
    return graph.add_node("Concat", *inputs, axis=-1)


_WRITERS: dict[type, Callable[..., Any]] = {
    layers.LSTM: _write_lstm,
    layers.GRU: _write_gru,
    layers.SimpleRNN: _write_simple_rnn,
    layers.Dense: _write_dense,
    layers.Activation: _write_activation,
    layers.LayerNormalization: _write_layer_normalization,
    layers.Add: _writer_in_pairs("Add"),
    layers.Multiply: _writer_in_pairs("Mul"),
    layers.Subtract: _writer_in_pairs("Sub"),
    layers.Concatenate: _write_concatenation,
    # these do nothing outside training
    layers.Dropout: _write_nothing,
    layers.SpatialDropout1D: _write_nothing,
    layers.GaussianNoise: _write_nothing,
    layers.ActivityRegularization: _write_nothing,
}
