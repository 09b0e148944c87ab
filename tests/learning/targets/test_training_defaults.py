"""Steps that follow the size of the network."""

import pytest

from lstm_strategy import LSTMForecaster
from lstm_strategy.learning.targets import TrainingDefaults


@pytest.mark.parametrize(
    ("units", "n_features", "inputs_and_layers"),
    [
        ((24,), 5, 29),
        ((8,), 3, 29),  # small networks keep the usual steps
        ((64,), 16, 80),
        ((64, 64), 16, 128 * 2),  # the second layer is the widest: 64 inputs, 64 cells
        ((64, 16), 16, 80 * 2),
    ],
)
def test_steps_shrink_with_width_depth_and_number_of_features(units, n_features, inputs_and_layers):
    fitted = TrainingDefaults().fit_to(units=units, n_features=n_features)
    share = (29 / inputs_and_layers) ** 0.5
    assert fitted.learning_rate == pytest.approx(0.06 * share)
    assert fitted.weight_decay == pytest.approx(0.05 * share)
    assert fitted.dropout == 0.5


def test_a_forecaster_takes_the_steps_of_its_size_unless_the_user_says():
    features = [{"kind": "rsi", "length": 5}]
    wide = LSTMForecaster(features, units=(64, 64)).settings
    assert wide.learning_rate == pytest.approx(0.06 * (29 / 256) ** 0.5)
    assert (
        LSTMForecaster(features, units=(64, 64), learning_rate=0.01).settings.learning_rate == 0.01
    )


def test_a_copy_of_another_size_takes_the_steps_of_that_size():
    copy = LSTMForecaster().unfitted_copy(units=(64, 64))
    assert copy.settings.learning_rate < LSTMForecaster().settings.learning_rate == 0.06
