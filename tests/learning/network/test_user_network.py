"""A network of the user's own in place of the LSTM."""

import numpy as np
import pandas as pd
import pytest
from made_up import SMALL, SMALL_FEATURES, random_walk

from lstm_strategy import LSTMForecaster, LSTMStrategyError
from lstm_strategy.learning.network import register, registered_in_script
from lstm_strategy.learning.network.keras_import import keras

layers = keras.layers
BARS = random_walk(400)


def network_of(*hidden, end=None):
    def build(n_features):
        inputs = rows = keras.Input((None, n_features))
        for layer in hidden:
            rows = type(layer).from_config(layer.get_config())(rows)
        return keras.Model(inputs, (end or layers.Dense(1, activation="sigmoid"))(rows))

    return build


def residual(n_features):
    inputs = keras.Input((None, n_features))
    rows = layers.Dense(4, activation="tanh")(inputs)
    for _ in range(2):
        rows = layers.Add()([rows, layers.LSTM(4, return_sequences=True)(rows)])
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid")(rows))


def sequential(n_features):
    return keras.Sequential(
        [
            keras.Input((None, n_features)),
            layers.GRU(3, return_sequences=True),
            layers.Dropout(0.2),
            layers.SimpleRNN(3, return_sequences=True),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


def trained_with(network, **changes):
    settings = {**SMALL, "epochs": 2, **changes}
    forecaster = LSTMForecaster(SMALL_FEATURES, network=network, **settings)
    return forecaster.fit(BARS, progress=False)


@pytest.fixture(scope="module")
def trained_residual():
    return trained_with(residual, epochs=3)


@pytest.fixture(scope="module")
def trained_sequential():
    return trained_with(sequential)


@pytest.mark.parametrize(
    "name", ["trained_residual", pytest.param("trained_sequential", marks=pytest.mark.slow)]
)
def test_it_is_saved_loaded_and_streamed_as_the_lstm_is(request, name, tmp_path):
    forecaster = request.getfixturevalue(name)
    bars = random_walk(80, seed=3)
    frame = forecaster.forecast(bars)
    assert frame["forecast"].notna().sum() == 80 - forecaster.warm_up
    loaded = LSTMForecaster.load(forecaster.save(tmp_path / "model"))
    pd.testing.assert_frame_equal(loaded.forecast(bars), frame, rtol=0, atol=1e-6)
    stream = loaded.stream()
    rows = [vars(stream.update(bar)) for bar in bars.reset_index().to_dict("records")]
    pd.testing.assert_frame_equal(pd.DataFrame(rows, bars.index), frame, rtol=0, atol=1e-5)


@pytest.mark.slow
def test_its_seeds_make_different_members_and_the_same_seed_the_same(tmp_path):
    # no signal is left of what was learned on a random walk; the forecasts are
    first, again = (trained_with(sequential).forecast(BARS).dropna() for _ in range(2))
    np.testing.assert_allclose(first, again, atol=1e-5)
    assert first["uncertainty"].max() > 1e-4


def test_its_layers_may_have_names():
    def named(n_features):
        inputs = keras.Input((None, n_features), name="bars")
        rows = layers.LSTM(3, return_sequences=True, name="memory")(inputs)
        return keras.Model(inputs, layers.Dense(1, activation="sigmoid", name="rise")(rows))

    forecaster = trained_with(named, members=2, epochs=1)
    assert (forecaster.forecast(BARS)["uncertainty"].dropna() > 0).all()


def test_training_changes_its_weights(trained_residual):
    losses = trained_residual.history.query("member == 0")["loss"]
    assert losses.iloc[-1] < losses.iloc[0]


@pytest.mark.parametrize(
    ("network", "message"),
    [
        pytest.param(
            network_of(layers.Bidirectional(layers.LSTM(3, return_sequences=True))),
            "can't be carried from bar to bar: .* apart. Leave out Bidirectional",
            id="bidirectional",
        ),
        pytest.param(
            network_of(layers.LSTM(3, return_sequences=True), layers.Conv1D(2, 3, padding="same")),
            "can't be carried from bar to bar",
            id="convolution over later bars",
        ),
        pytest.param(
            network_of(layers.LSTM(3)),
            r"must go from \(None, None, 3\) to \(None, None, 1\) .* got .* to \(None, 1\)",
            id="last step only",
        ),
        pytest.param(lambda n_features: "lstm", "must give a keras.Model, got str", id="no model"),
    ],
)
def test_what_cant_be_carried_is_refused_with_the_remedy(network, message):
    with pytest.raises(LSTMStrategyError, match=message):
        trained_with(network)


def test_a_loaded_model_asks_for_the_network_before_it_is_trained_anew(trained_residual, tmp_path):
    forecaster = trained_residual
    assert forecaster.unfitted_copy().network is residual
    loaded = LSTMForecaster.load(forecaster.save(tmp_path / "model"))
    assert loaded.card.network.endswith("test_user_network.residual")
    with pytest.raises(LSTMStrategyError, match=r"residual, whose .* Pass it again: network="):
        loaded.unfitted_copy()
    assert loaded.unfitted_copy(network=residual).network is residual


class Gate(layers.Layer):  # type: ignore[name-defined]
    """Multiplies by a number of its own."""

    def __init__(self, factor=1.0, **settings):
        super().__init__(**settings)
        self.factor = factor

    def call(self, rows):
        return self.factor * rows

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


@keras.saving.register_keras_serializable(package="tests")
class RegisteredGate(Gate):
    pass


@keras.saving.register_keras_serializable(package="tests")
class ForgetfulGate(Gate):
    def get_config(self):
        return layers.Layer.get_config(self)


def double(rows):
    return 2 * rows


class Subclassed(keras.Model):
    def call(self, rows):
        return rows[..., :1]


def network_with(make):
    def build(n_features):
        inputs = keras.Input((None, n_features))
        rows = make()(layers.SimpleRNN(2, return_sequences=True)(inputs))
        return keras.Model(inputs, layers.Dense(1, activation="sigmoid")(rows))

    return build


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (network_with(Gate), "Gate isn't registered with Keras. Put @keras.saving.register_keras"),
        (network_with(lambda: layers.Activation(double)), "double isn't registered with Keras"),
        (network_with(lambda: layers.Lambda(lambda rows: 2 * rows)), "it holds a lambda"),
        (
            network_with(lambda: layers.Dense(2, activation=lambda rows: 2 * rows)),
            "it holds a lambda",
        ),
        (network_with(lambda: ForgetfulGate(2.0)), "get_config of a layer leaves out an argument"),
        (lambda n_features: Subclassed(), "which has a call method of its own"),
    ],
    ids=["layer", "function", "Lambda", "lambda", "get_config", "subclass"],
)
def test_what_could_not_be_loaded_again_is_refused_before_the_training(network, message):
    n_epochs = []
    forecaster = LSTMForecaster(SMALL_FEATURES, network=network, **SMALL)
    with pytest.raises(LSTMStrategyError, match=message):
        forecaster.fit(BARS, progress=lambda *done: n_epochs.append(done))
    assert n_epochs == []


def test_a_registered_layer_is_saved_loaded_and_pickled(tmp_path, monkeypatch):
    monkeypatch.setattr(RegisteredGate, "__module__", "__main__")
    forecaster = trained_with(network_with(lambda: RegisteredGate(2.0)), epochs=1, members=1)
    expected = forecaster.forecast(BARS)
    loaded = LSTMForecaster.load(forecaster.save(tmp_path / "model"))
    pd.testing.assert_frame_equal(loaded.forecast(BARS), expected)
    # another process knows nothing of what a script has registered
    state = forecaster.__getstate__()
    name = "tests>RegisteredGate"
    assert state["_registered"] == {name: RegisteredGate}
    keras.saving.get_custom_objects().pop(name)
    try:
        with pytest.raises(LSTMStrategyError, match=f"{name}', which isn't registered"):
            LSTMForecaster.load(tmp_path / "model")
        other = LSTMForecaster.__new__(LSTMForecaster)
        other.__setstate__(state)
        assert registered_in_script() == {name: RegisteredGate}
        pd.testing.assert_frame_equal(other.forecast(BARS), expected)
    finally:
        register({name: RegisteredGate})
