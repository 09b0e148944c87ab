"""The graph of an ONNX model, put together node by node.

Its first input is the rows and its first output the forecasts. The state of every recurrent layer
goes in and comes out beside them, so that one graph serves a whole feed, a batch of windows and one
live step. What the last recurrent layer of each member gives at every row comes out too, for those
who ask for it. The model holds itself a second time in parts, cut before each recurrent layer, so
that several threads can share a long feed.
"""

import base64
import json
from collections.abc import Sequence
from itertools import count, pairwise
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from lstm_strategy.learning.inference.threads import HIDDEN, PARTS

_OPSET = 17  # the first with LayerNormalization; every ONNX Runtime since 2022 reads it
_IR_VERSION = 8


class OnnxGraph:
    """ONNX nodes, constants and states, collected in the order in which they are computed."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}
        self._states: dict[str, int] = {}
        self._cuts: list[int] = []
        self._hidden: dict[str, int] = {}
        self._newest_layer: dict[str, int] = {}
        self._names = (f"value_{number}" for number in count())

    def add_node(
        self, kind: str, *inputs: str, outputs: Sequence[str] = (), **attributes: Any
    ) -> str:
        """Add an operator, and return the name of its first output."""
        outputs = outputs or [next(self._names)]
        self._nodes.append(helper.make_node(kind, inputs, outputs, **attributes))
        return outputs[0]

    def add_constant(self, values: np.ndarray) -> str:
        """Add constants, and return their name."""
        name = f"constant_{len(self._constants)}"
        self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(values), name)
        return name

    def add_recurrent(
        self, kind: str, rows: str, weights: Sequence[np.ndarray], n_units: int, **attributes: Any
    ) -> list[str]:
        """Add a recurrent operator; returns the names of its outputs and of its last states."""
        n_states = 2 if kind == "LSTM" else 1
        names = [f"state_{len(self._states) + number}" for number in range(n_states)]
        self._states |= dict.fromkeys(names, n_units)
        self._cuts.append(len(self._nodes))
        # ONNX has an axis for the direction: first in weights and states, second in the outputs
        first_axis = self.add_constant(np.array([0]))
        states = [self.add_node("Unsqueeze", name, first_axis) for name in names]
        constants = [self.add_constant(values[None]) for values in weights]
        outputs = [next(self._names) for _ in range(1 + n_states)]
        inputs = (rows, *constants, "", *states)
        self.add_node(kind, *inputs, outputs=outputs, hidden_size=n_units, **attributes)
        second_axis = self.add_constant(np.array([1]))
        name = f"{HIDDEN}{len(self._cuts) - 1}"
        steps = self.add_node("Squeeze", outputs[0], second_axis, outputs=[name])
        self._newest_layer = {name: n_units}
        new_states = [
            self.add_node("Squeeze", last, first_axis, outputs=[f"new_{name}"])
            for last, name in zip(outputs[1:], names, strict=True)
        ]
        return [steps, *new_states]

    def end_member(self) -> None:
        """Let the last recurrent layer since the member before be one whose values come out."""
        self._hidden |= self._newest_layer
        self._newest_layer = {}

    def serialize(self, *, n_features: int, n_outputs: int) -> bytes:
        """Check the whole graph, and return it as bytes together with its parts."""
        ports = {
            "rows": _build_port("rows", ["batch", "time", n_features]),
            "forecasts": _build_port("forecasts", ["batch", "time", n_outputs]),
        }
        for name, n_units in self._states.items():
            for port in (name, f"new_{name}"):
                ports[port] = _build_port(port, ["batch", n_units])
        for name, n_units in self._hidden.items():
            ports[name] = _build_port(name, ["time", "batch", n_units])
        inputs = ["rows", *self._states]
        outputs = ["forecasts", *(f"new_{name}" for name in self._states), *self._hidden]
        model = self._build_model(self._nodes, inputs, outputs, ports)
        onnx.checker.check_model(model, full_check=True)
        if len(self._cuts) > 1:
            parts = self._build_parts(inputs, outputs, ports)
            in_text = [base64.b64encode(part).decode() for part in parts]
            helper.set_model_props(model, {PARTS: json.dumps(in_text)})
        return bytes(model.SerializeToString())

    def _build_parts(
        self, inputs: list[str], outputs: list[str], ports: dict[str, onnx.ValueInfoProto]
    ) -> list[bytes]:
        """Build one model for each recurrent layer, to be run one after the other."""
        cuts = [0, *self._cuts[1:], len(self._nodes)]
        segments = [self._nodes[start:stop] for start, stop in pairwise(cuts)]
        available = set(inputs)
        parts = []
        for number, nodes in enumerate(segments):
            computed = [name for node in nodes for name in node.output if name]
            read_later = {name for later in segments[number + 1 :] for name in _inputs_of(later)}
            taken = [name for name in _inputs_of(nodes) if name in available]
            given = [name for name in computed if name in read_later or name in outputs]
            parts.append(self._build_model(nodes, taken, given, ports).SerializeToString())
            available.update(computed)
        return parts

    def _build_model(
        self,
        nodes: list[onnx.NodeProto],
        inputs: list[str],
        outputs: list[str],
        ports: dict[str, onnx.ValueInfoProto],
    ) -> onnx.ModelProto:
        constants = [self._constants[name] for name in _inputs_of(nodes) if name in self._constants]
        ports = {name: _build_port(name, None) for name in (*inputs, *outputs)} | ports
        graph = helper.make_graph(
            nodes, "forecaster", [ports[n] for n in inputs], [ports[n] for n in outputs], constants
        )
        opset = [helper.make_opsetid("", _OPSET)]
        return helper.make_model(
            graph, opset_imports=opset, ir_version=_IR_VERSION, producer_name="lstm-strategy"
        )


def _inputs_of(nodes: list[onnx.NodeProto]) -> list[str]:
    """Names of tensors, each once, in the order of their first use."""
    return list(dict.fromkeys(name for node in nodes for name in node.input))


def _build_port(name: str, shape: list[Any] | None) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
