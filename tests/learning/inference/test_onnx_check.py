"""An ONNX model of a stranger holds what this package writes, or nothing runs it."""

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from test_engines import NETWORKS, lstm_of, network_of

from lstm_strategy import LSTMStrategyError
from lstm_strategy.learning.inference.onnx_check import check_onnx
from lstm_strategy.learning.inference.onnx_engine import OnnxEngine
from lstm_strategy.learning.inference.onnx_export import export_onnx


@pytest.mark.parametrize("build", NETWORKS.values(), ids=NETWORKS)
def test_whatever_is_exported_passes(build):
    check_onnx(export_onnx(build()))


def add_loop(model):
    of_kind = helper.make_tensor_value_info
    condition, turn = of_kind("go_on", 9, []), of_kind("turn", 7, [])
    same = helper.make_node("Identity", ["go_on"], ["still"])
    body = helper.make_graph([same], "body", [turn, condition], [of_kind("still", 9, [])])
    model.graph.node.insert(0, helper.make_node("Loop", ["", ""], [], body=body))


def add_joins(model):
    for turn in range(40):
        model.graph.node.append(helper.make_node("Concat", ["rows", "rows"], ["rows"], axis=turn))


def make_squares(model):
    model.graph.node.append(helper.make_node("Transpose", ["value_0"], ["turned"], perm=[1, 0, 2]))
    model.graph.node.append(helper.make_node("Mul", ["value_0", "turned"], ["square"]))


def add_axes(model):
    model.graph.initializer.append(numpy_helper.from_array(np.array([1]), "axis"))
    model.graph.node.append(helper.make_node("Unsqueeze", ["value_0", "axis"], ["longer"]))
    model.graph.node.append(helper.make_node("Mul", ["value_0", "longer"], ["square"]))


def multiply_by_itself(model):
    model.graph.node.append(helper.make_node("MatMul", ["value_0", "value_0"], ["square"]))


def stretch(model):
    tall = np.ones((5000, 1, 1), np.float32)
    model.graph.initializer.append(numpy_helper.from_array(tall, "tall"))
    model.graph.node.append(helper.make_node("Mul", ["value_0", "tall"], ["stretched"]))


def work_without_end(model):
    dense = next(node for node in model.graph.node if node.op_type == "MatMul")
    wide = np.ones((1, 512), np.float32)
    model.graph.initializer.append(numpy_helper.from_array(wide, "wide"))
    for turn in range(2_000):
        model.graph.node.append(helper.make_node("MatMul", [dense.output[0], "wide"], [f"w{turn}"]))


def keep_values_elsewhere(model):
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/dev/zero")


def go_backwards(model):
    lstm = next(node for node in model.graph.node if node.op_type == "LSTM")
    lstm.attribute.append(helper.make_attribute("direction", "reverse"))


def activate_by_a_loop(model):
    lstm = next(node for node in model.graph.node if node.op_type == "LSTM")
    lstm.attribute.append(helper.make_attribute("activations", ["Loop"]))


def add_function(model):
    node, opset = helper.make_node("Relu", ["x"], ["y"]), helper.make_opsetid("", 17)
    model.functions.append(helper.make_function("own", "f", ["x"], ["y"], [node], [opset]))


def add_sparse_constant(model):
    value, place = numpy_helper.from_array(np.ones(1)), numpy_helper.from_array(np.zeros(1, int))
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(value, place, [10**12]))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        pytest.param(add_loop, "operator 'Loop'", id="loop"),
        pytest.param(add_joins, "ever wider", id="joins"),
        pytest.param(make_squares, "Transpose is used as it never is", id="squares"),
        pytest.param(add_axes, "Unsqueeze is used as it never is", id="axes"),
        pytest.param(multiply_by_itself, "MatMul is used as it never is", id="products"),
        pytest.param(stretch, "Mul is used as it never is", id="stretched"),
        pytest.param(work_without_end, "ever wider", id="work"),
        pytest.param(keep_values_elsewhere, "a field 13", id="another file"),
        pytest.param(
            lambda m: m.graph.initializer[0].dims.append(10**9), "values aren't there", id="huge"
        ),
        pytest.param(go_backwards, "attribute 'direction'", id="backwards"),
        pytest.param(activate_by_a_loop, "activation 'Loop'", id="activation"),
        pytest.param(
            lambda m: m.graph.initializer.append(m.graph.initializer[0]),
            "two constants of one name",
            id="constant twice",
        ),
        pytest.param(
            lambda m: m.graph.node[0].output.append("\x1b[2J"),
            r"the name '\\x1b\[2J'",
            id="name that a terminal obeys",
        ),
        pytest.param(add_function, "a field 25", id="function"),
        pytest.param(add_sparse_constant, "a field 15", id="sparse"),
        pytest.param(
            lambda m: setattr(m.graph.node[0], "domain", "com.microsoft"), "a field 7", id="domain"
        ),
    ],
)
def test_whatever_else_a_graph_can_do_is_refused(damage, message):
    model = onnx.load_from_string(export_onnx(network_of(lstm_of(4, 3))))
    damage(model)
    with pytest.raises(LSTMStrategyError, match=message):
        check_onnx(model.SerializeToString())


@pytest.mark.parametrize("width", [0, 10**12, None])
def test_a_state_of_no_width_is_refused(width):
    model = onnx.load_from_string(export_onnx(network_of(lstm_of(4, 3))))
    dimension = model.graph.input[1].type.tensor_type.shape.dim[1]
    dimension.Clear()
    if width is not None:
        dimension.dim_value = width
    with pytest.raises(LSTMStrategyError, match=r"has a state|can't read the network"):
        OnnxEngine(model.SerializeToString())


@pytest.mark.parametrize("name", [b"rows", b"forecasts", b"parts", b"batch"])
def test_a_name_that_is_no_text_is_refused(name):
    content = export_onnx(network_of(lstm_of(4, 3)))
    assert name in content
    with pytest.raises(LSTMStrategyError, match="can't read the network"):
        OnnxEngine(content.replace(name, b"\xff" + name[1:]))


@pytest.mark.parametrize("parts", ["7", "[7]", '["x"]', "{", '["", "", ""]'])
def test_parts_that_can_not_be_read_are_refused(parts):
    model = onnx.load_from_string(export_onnx(network_of(lstm_of(4, 3))))
    model.metadata_props[0].value = parts
    engine = OnnxEngine(model.SerializeToString())
    with pytest.raises(LSTMStrategyError, match=r"has parts|can't read the network"):
        engine.ways()


@pytest.mark.parametrize("end", [b"\x80", b"\xff" * 11], ids=["cut off", "without end"])
def test_a_number_that_does_not_end_is_refused(end):
    with pytest.raises(LSTMStrategyError, match="it is torn"):
        check_onnx(export_onnx(network_of(lstm_of(4, 3))) + end)


def test_a_torn_file_is_refused_wherever_it_ends():
    content = export_onnx(network_of(lstm_of(4, 3)))
    for length in range(0, len(content), 7):
        with pytest.raises(LSTMStrategyError, match="can't read the network"):
            OnnxEngine(content[:length])
