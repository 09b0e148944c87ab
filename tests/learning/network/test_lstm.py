"""The layers and first weights of the LSTM."""

import numpy as np
import pytest

from lstm_strategy.learning.network.keras_import import keras
from lstm_strategy.learning.network.lstm import build_lstm_member, memory_biases


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
