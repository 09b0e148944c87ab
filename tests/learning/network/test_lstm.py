"""The layers and first weights of the LSTM."""

import numpy as np
import pytest

from lstm_strategy.learning.network.keras_import import keras
from lstm_strategy.learning.network.lstm import (
    build_lstm_member,
    build_scaling,
    join_members,
    memory_biases,
    scale_rows,
    scaling_constants,
)
from lstm_strategy.learning.targets import Head


@pytest.mark.parametrize("units", [(4,), (4, 3), (4, 3, 2)], ids=str)
def test_layers_keep_what_the_fused_kernel_needs(units):
    member = build_lstm_member(3, units=units, dropout=0.1, lookback=30, seed=0)
    lstms = [layer for layer in member.layers if isinstance(layer, keras.layers.LSTM)]
    assert [layer.units for layer in lstms] == list(units)
    for layer in lstms:
        config = layer.get_config()
        assert (config["activation"], config["recurrent_activation"]) == ("tanh", "sigmoid")
        assert config["recurrent_dropout"] == 0
        assert config["use_bias"]
        assert not config["unroll"]


def test_cells_begin_with_memories_of_one_to_lookback_bars():
    biases = memory_biases(500, lookback=60, seed=0)
    into, forget, *rest = np.split(biases, 4)
    pace = 1 - 1 / (1 + np.exp(-forget))  # what a forget gate at rest loses a bar
    assert 1 / 60 < pace.min() < 1 / 55
    assert 0.4 < pace.max() <= 0.5
    np.testing.assert_array_equal(into, -forget)
    np.testing.assert_array_equal(rest, 0)


@pytest.mark.parametrize("unit", [1e-12, 1e-9, 1e-7, 1e-5, 1.0, 1e7, 1e15], ids=str)
def test_a_column_is_scaled_alike_in_any_unit(unit):
    rows = np.array([[3.0, 1.0], [5.0, 3.0]]) * [unit, 1.0]
    scaling = build_scaling(rows)
    scaled = np.asarray(scale_rows(scaling, rows.astype(np.float32)))
    np.testing.assert_allclose(scaled, [[-1, -1], [1, 1]], rtol=1e-5)
    member = build_lstm_member(2, units=(2,), dropout=0.0, lookback=5, seed=0)
    mean, deviation = scaling_constants(join_members(scaling, [member]))
    np.testing.assert_allclose(mean, [4 * unit, 2.0], rtol=1e-6)
    np.testing.assert_allclose(deviation, [unit, 1.0], rtol=1e-6)


def test_a_column_that_never_changes_is_only_centred():
    rows = np.full((5, 2), [0.1, 0.0])  # 0.1 is no sum of powers of two, so its mean is rounded
    scaled = scale_rows(build_scaling(rows), np.array([[1.1, 2.0]], np.float32))
    np.testing.assert_allclose(np.asarray(scaled), [[1.0, 2.0]], rtol=1e-6)


def test_a_linear_part_is_added_to_what_the_lstm_says_before_the_activation():
    head = Head(activation="sigmoid", initial_bias=0.5, starts_flat=True, has_linear_part=True)
    member = build_lstm_member(2, units=(3,), dropout=0.0, lookback=5, seed=0, head=head)
    rows = np.array([[[1.0, 2.0], [0.0, -1.0]]], "float32")
    flat = 1 / (1 + np.exp(-0.5))
    np.testing.assert_allclose(np.asarray(member(rows))[0, :, 0], [flat, flat], rtol=1e-6)
    member.get_layer("member_linear").kernel.assign([[1.0], [-2.0]])
    sums = 0.5 + np.array([1 - 4, 2.0])
    np.testing.assert_allclose(
        np.asarray(member(rows))[0, :, 0], 1 / (1 + np.exp(-sums)), rtol=1e-5
    )
