"""How much room and time the operators of an ONNX model may take for each row.

Two tensors that are added are stretched to a common shape, so that rows and the same rows turned
around make a square of them, and a small constant makes one row a million. What is checked here is
that there is always one row for each row: rows are turned only where they come in and go out, a
state gets and loses its axis only at a recurrent layer, and constants have the shapes of weights.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

RECURRENT = {"GRU", "LSTM", "RNN"}
_STRETCHING = {"Add", "Div", "LayerNormalization", "Mul", "Sub"}
_WIDTH_OF_ROWS = 64  # the columns that come in are the caller's, not the file's
_SPARE_WIDTH = 65_536
_WIDTHS_A_BYTE = 2  # of all results together; what this package writes needs a fifth


class Node(NamedTuple):
    """An operator.

    Attributes:
        kind: Its name in ONNX.
        inputs: The names of the tensors that go in.
        outputs: Those of the tensors that come out.
    """

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def check_room(
    nodes: Sequence[Node],
    constants: Mapping[str, tuple[int, ...]],
    *,
    ports: Iterable[str],
    size: int,
) -> None:
    """Refuse operators that would make more of a row than their file explains.

    Args:
        nodes: The operators.
        constants: The shape of each constant.
        ports: The tensors that go into the graph.
        size: How many bytes the model has.

    Raises:
        ValueError: Naming the first operator that would.
    """
    readers: dict[str, list[Node]] = {}
    for node in nodes:
        for name in node.inputs:
            readers.setdefault(name, []).append(node)
    makers = {name: node for node in nodes for name in node.outputs if name}
    widths = dict.fromkeys(ports, _WIDTH_OF_ROWS)
    left = _SPARE_WIDTH + _WIDTHS_A_BYTE * size
    for node in nodes:
        width = _width_of(node, widths, constants)
        n_products = sum(_count(constants[name]) for name in node.inputs if name in constants)
        left -= width * max(len(node.outputs), 1) + n_products
        if left < 0:
            raise ValueError("it joins its rows to ever wider ones")
        widths.update(dict.fromkeys(node.outputs, width))
    for node in nodes:
        _check_shape(node, constants, makers, readers)


def _check_shape(
    node: Node,
    constants: Mapping[str, tuple[int, ...]],
    makers: Mapping[str, Node],
    readers: Mapping[str, list[Node]],
) -> None:
    """Refuse an operator that makes anything but one row of a row."""
    first, *others = node.inputs
    after = [reader for name in node.outputs for reader in readers.get(name, [])]
    before = makers[first].kind if first in makers else ""
    is_off = False
    match node.kind:
        case "Transpose":
            is_off = bool(after) and first != "rows"
        case "Unsqueeze":
            is_off = bool(before) or any(reader.kind not in RECURRENT for reader in after)
        case "Squeeze":
            is_off = before not in RECURRENT
        case "MatMul":
            is_off = len(others) != 1 or len(constants.get(others[0], ())) != 2
        case kind if kind in RECURRENT:
            is_off = any(reader.kind != "Squeeze" for reader in after)
    for name in node.inputs:
        is_turned = name in makers and makers[name].kind == "Unsqueeze"
        is_off |= name == "rows" and node.kind != "Transpose"
        is_off |= is_turned and node.kind not in RECURRENT
        if node.kind in _STRETCHING and name in constants:
            is_off |= len(constants[name]) > 1
    if is_off:
        raise ValueError(f"{node.kind} is used as it never is here")


def _width_of(
    node: Node, widths: Mapping[str, int], constants: Mapping[str, tuple[int, ...]]
) -> int:
    """How many numbers of one row the result may have at most."""
    given = [
        _count(constants[name]) if name in constants else widths.get(name, 1)
        for name in node.inputs
    ]
    if node.kind == "Concat":
        return sum(given)
    if node.kind == "MatMul" or node.kind in RECURRENT:  # as many as the weights have columns
        shapes = [constants[name] for name in node.inputs if name in constants]
        return max((size for shape in shapes for size in shape), default=1)
    return max(given, default=1)


def _count(shape: tuple[int, ...]) -> int:
    n_items = 1
    for size in shape:
        n_items *= size
    return n_items
