"""The graph of an ONNX model, put together node by node.

Its first input are the rows, its first output the forecasts; the state of every recurrent layer
goes in and comes out beside them, so that one graph serves a whole feed, a batch of windows and one
live step. The model carries itself once more in parts, cut before each recurrent layer, so that
several threads can share a long feed.
"""

import base64
import json
from itertools import count, pairwise
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from lstm_strategy.learning.inference.engines import PARTS

_OPSET = 17  # the first with LayerNormalization; every ONNX Runtime since 2022 reads it
_IR_VERSION = 8


class OnnxGraph:
    """ONNX nodes, constants and states, collected in the order in which they are computed."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}
        self._states: dict[str, int] = {}
        self._cuts: list[int] = []
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
        self._constants[name] = numpy_helper.from_array(values, name)
        return name

    def recurrent(
        self, kind: str, rows: str, weights: list[Any], n_units: int, **attributes: Any
    ) -> list[str]:
        """Add a recurrent operator; returns its output for each step and its last states."""
        n_states = 2 if kind == "LSTM" else 1
        names = [f"state_{len(self._states) + number}" for number in range(n_states)]
        self._states |= dict.fromkeys(names, n_units)
        self._cuts.append(len(self._nodes))
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
        """The whole graph, checked and serialised, with its parts."""
        ports = {"rows": _port("rows", ["batch", "time", n_features])}
        ports["forecasts"] = _port("forecasts", ["batch", "time", n_members])
        for name, n_units in self._states.items():
            ports |= {port: _port(port, ["batch", n_units]) for port in (name, f"new_{name}")}
        inputs = ["rows", *self._states]
        outputs = ["forecasts", *(f"new_{name}" for name in self._states)]
        model = self._model_of(self._nodes, inputs, outputs, ports)
        onnx.checker.check_model(model, full_check=True)
        if len(self._cuts) > 1:
            parts = self._parts(inputs, outputs, ports)
            in_text = [base64.b64encode(part).decode() for part in parts]
            helper.set_model_props(model, {PARTS: json.dumps(in_text)})
        return bytes(model.SerializeToString())

    def _parts(
        self, inputs: list[str], outputs: list[str], ports: dict[str, onnx.ValueInfoProto]
    ) -> list[bytes]:
        """One model a recurrent layer, to be run one after the other."""
        cuts = [0, *self._cuts[1:], len(self._nodes)]
        segments = [self._nodes[start:stop] for start, stop in pairwise(cuts)]
        known = set(inputs)
        parts = []
        for number, nodes in enumerate(segments):
            made = [name for node in nodes for name in node.output if name]
            read_later = {name for later in segments[number + 1 :] for name in _read_by(later)}
            taken = [name for name in _read_by(nodes) if name in known]
            given = [name for name in made if name in read_later or name in outputs]
            parts.append(self._model_of(nodes, taken, given, ports).SerializeToString())
            known.update(made)
        return parts

    def _model_of(
        self,
        nodes: list[onnx.NodeProto],
        inputs: list[str],
        outputs: list[str],
        ports: dict[str, onnx.ValueInfoProto],
    ) -> onnx.ModelProto:
        constants = [self._constants[name] for name in _read_by(nodes) if name in self._constants]
        ports = {name: _port(name, None) for name in (*inputs, *outputs)} | ports
        graph = helper.make_graph(
            nodes, "forecaster", [ports[n] for n in inputs], [ports[n] for n in outputs], constants
        )
        opset = [helper.make_opsetid("", _OPSET)]
        return helper.make_model(
            graph, opset_imports=opset, ir_version=_IR_VERSION, producer_name="lstm-strategy"
        )


def _read_by(nodes: list[onnx.NodeProto]) -> list[str]:
    """Names of tensors, each once, in the order of their first use."""
    return list(dict.fromkeys(name for node in nodes for name in node.input))


def _port(name: str, shape: list[Any] | None) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
