"""Whether an ONNX model holds nothing but what this package writes, before anything runs it.

ONNX is a language: a graph can loop for ever, read other files, unfold a few bytes to terabytes, or
let a forecast depend on how many bars there are. So the file is read here as what it is on the
wire, protocol buffers, which needs no library, and whatever `OnnxGraph` doesn't write is refused.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from lstm_strategy.errors import ModelError
from lstm_strategy.learning.inference.onnx_check.room import Node, check_room
from lstm_strategy.support import spell

_OPERATORS = {
    *("Add", "Concat", "Div", "GRU", "LSTM", "LayerNormalization", "MatMul", "Mul", "RNN"),
    *("Squeeze", "Sub", "Transpose", "Unsqueeze"),
    *("Elu", "Relu", "Selu", "Sigmoid", "Softplus", "Softsign", "Tanh"),
}
_RECURRENT = {"GRU", "LSTM", "RNN"}
_ATTRIBUTES = {"activations", "axis", "epsilon", "hidden_size", "linear_before_reset", "perm"}

# fields by the numbers that onnx.proto gives them
_MODEL = {1: "ir_version", 2: "producer_name", 7: "graph", 8: "opset_import", 14: "metadata_props"}
_GRAPH = {1: "node", 2: "name", 5: "initializer", 11: "input", 12: "output"}
_NODE = {1: "input", 2: "output", 4: "op_type", 5: "attribute"}
_ATTRIBUTE = {1: "name", 2: "f", 3: "i", 4: "s", 7: "floats", 8: "ints", 9: "strings", 20: "type"}
_TENSOR = {1: "dims", 2: "data_type", 8: "name", 9: "raw_data"}
_PORT = {1: "name", 2: "type"}
_OF_TENSOR = {1: "tensor"}
_SHAPED = {1: "data_type", 2: "shape"}
_SHAPE = {1: "sides"}
_SIDE = {1: "length", 2: "name"}
_PROPERTY = {1: "name", 2: "value"}
_ITEM_BYTES = {1: 4, 7: 8}  # float and int64
_VARINT, _EIGHT_BYTES, _MANY_BYTES, _FOUR_BYTES = 0, 1, 2, 5

_Message = dict[str, list[Any]]


def check_onnx(model: bytes) -> None:
    """Refuse an ONNX model that holds anything but what `export_onnx` writes.

    Args:
        model: The content of `network.onnx`, or one of its parts.

    Raises:
        ModelError: Naming the first thing that doesn't belong there.

    Example:
        >>> try:
        ...     check_onnx(b"not a model")
        ... except ModelError as error:
        ...     print(str(error).partition(".")[0])
        ONNX Runtime can't read the network: it isn't one that this package writes (it is torn)
    """
    try:
        content = _parse(memoryview(model), _MODEL)
        n_layers = sum(_check_graph(_parse(of, _GRAPH), len(model)) for of in content["graph"])
        for part in content["metadata_props"]:
            for texts in _parse(part, _PROPERTY).values():
                list(map(_read_text, texts))
        lacks_parts = n_layers > 1 and not content["metadata_props"]
        if lacks_parts or not content["opset_import"]:  # what follows the graph
            raise ValueError("it is torn")
    except (ValueError, TypeError, OverflowError) as error:
        raise ModelError(
            "ONNX Runtime can't read the network: it isn't one that this package writes "
            f"({error}). Load it with {spell('engine', 'keras')}, or train it again."
        ) from None


def _check_graph(graph: _Message, size: int) -> int:
    """Check a graph, and return the number of its recurrent layers."""
    shapes = dict(_check_tensor(_parse(tensor, _TENSOR)) for tensor in graph["initializer"])
    if len(shapes) < len(graph["initializer"]):
        raise ValueError("it has two constants of one name")
    nodes = [_check_node(_parse(node, _NODE)) for node in graph["node"]]
    ports, _ = [[_check_port(port) for port in graph[side]] for side in ("input", "output")]
    check_room(
        nodes,
        shapes,
        ports=ports,
        size=size,
    )
    return sum(node.kind in _RECURRENT for node in nodes)


def _check_port(port: memoryview) -> str:
    """Check what goes in or comes out, and return its name."""
    fields = _parse(port, _PORT)
    for kind in fields["type"]:
        for tensor in _parse(kind, _OF_TENSOR)["tensor"]:
            for shape in _parse(tensor, _SHAPED)["shape"]:
                for side in _parse(shape, _SHAPE)["sides"]:
                    for name in _parse(side, _SIDE)["name"]:
                        _read_text(name)
    (name,) = map(_read_text, fields["name"])
    return name


def _check_tensor(tensor: _Message) -> tuple[str, tuple[int, ...]]:
    """Check a constant, and return its name and shape."""
    (data_type,), (data,) = tensor["data_type"] or [0], tensor["raw_data"] or [b""]
    n_items = int(np.prod([float(size) for size in tensor["dims"]]))
    if n_items * _ITEM_BYTES.get(data_type, 0) != len(data):
        raise ValueError("it has a constant whose values aren't there")
    (name,) = map(_read_text, tensor["name"])
    return name, tuple(tensor["dims"])


def _check_node(node: _Message) -> Node:
    """Check one operator by itself."""
    (name,) = map(_read_text, node["op_type"])
    if name not in _OPERATORS:
        raise ValueError(f"it has the operator {name!r}")
    for attribute in node["attribute"]:
        fields = _parse(attribute, _ATTRIBUTE)
        for label in map(_read_text, fields["name"]):
            if label not in _ATTRIBUTES:
                raise ValueError(f"{name} has the attribute {label!r}")
        for function in map(_read_text, fields["strings"]):
            if function not in _OPERATORS:
                raise ValueError(f"{name} has the activation {function!r}")
    inputs, outputs = map(_read_text, node["input"]), map(_read_text, node["output"])
    return Node(name, tuple(inputs), tuple(outputs))


def _read_text(value: Any) -> str:
    text = str(value, "ascii")
    if not text.isprintable():
        raise ValueError(f"it has the name {text!r}")
    return text


def _parse(message: memoryview, names: Mapping[int, str]) -> _Message:
    """The fields of a message by name, each a list; a field without a name here is refused."""
    content: _Message = {name: [] for name in names.values()}
    for number, value in _fields(message):
        if number not in names:
            raise ValueError(f"it has a field {number} where only {', '.join(content)} are known")
        content[names[number]].append(value)
    return content


def _fields(message: memoryview) -> Iterator[tuple[int, Any]]:
    """The fields of a message: their numbers, and integers or bytes."""
    place = 0
    while place < len(message):
        key, place = _read_varint(message, place)
        if key & 7 == _VARINT:
            value, place = _read_varint(message, place)
            yield key >> 3, value
            continue
        if key & 7 == _MANY_BYTES:
            size, place = _read_varint(message, place)
        else:
            size = {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}.get(key & 7, len(message))
        if place + size > len(message):
            raise ValueError("it is torn")
        yield key >> 3, message[place : place + size]
        place += size


def _read_varint(message: memoryview, place: int) -> tuple[int, int]:
    """An integer of seven bits a byte, and the place after it."""
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(message):
            break
        value |= (message[place] & 0x7F) << shift
        place += 1
        if message[place - 1] < 0x80:
            return value, place
    raise ValueError("it is torn")
