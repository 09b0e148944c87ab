"""What moves a forecast, on networks whose answer is known beforehand."""

import numpy as np
import pandas as pd
import pytest
from made_up import SMALL, SMALL_FEATURES, random_walk

from lstm_strategy import LSTMForecaster, LSTMStrategyError, simulate_bars
from lstm_strategy.learning.inspection.gradients import forecast_gradients, memory_saliency
from lstm_strategy.learning.inspection.importance import feature_importance
from lstm_strategy.learning.inspection.states import hidden_states
from lstm_strategy.learning.network import keras

layers = keras.layers
TRAINING, BARS = random_walk(400), random_walk(800)
DELAY_BARS = 3
FEATURES = ["LOGRET_1", "RSI_5", "RELVOL_5"]


def constant(values):
    return keras.initializers.Constant(np.asarray(values, "float32"))


def delay_line(n_features):
    """The first feature of three bars ago, handed on from cell to cell, decides the forecast."""
    into_first_cell = np.zeros((n_features, DELAY_BARS + 1))
    into_first_cell[0, 0] = 1.0
    inputs = keras.Input((None, n_features))
    cells = layers.SimpleRNN(
        DELAY_BARS + 1,
        activation="linear",
        use_bias=False,
        return_sequences=True,
        kernel_initializer=constant(into_first_cell),
        recurrent_initializer=constant(np.eye(DELAY_BARS + 1, k=1)),
        trainable=False,
    )(inputs)
    only_last = np.eye(DELAY_BARS + 1)[:, -1:]
    last = layers.Dense(1, kernel_initializer=constant(only_last), trainable=False)(cells)
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid")(last))


def trained_on(network, **changes):
    settings = {**SMALL, "epochs": 2, "members": 1, **changes}
    forecaster = LSTMForecaster(SMALL_FEATURES, network=network, **settings)
    return forecaster.fit(TRAINING, progress=False)


@pytest.fixture(scope="module")
def delayed():
    return trained_on(delay_line)


@pytest.mark.parametrize("memory", ["carry", "window"])
def test_a_delay_line_is_salient_at_its_delay_in_its_feature_and_nowhere_else(delayed, memory):
    found = memory_saliency(delayed.with_memory(memory), BARS, n_windows=20)["saliency"]
    assert list(found.index.get_level_values("lag").unique()) == list(range(SMALL["lookback"]))
    assert list(found[found > 0].index) == [("LOGRET_1", DELAY_BARS)]


def test_the_gradient_is_the_sigmoids_slope_times_the_weight(delayed):
    at = BARS.index[-1]
    probability = delayed.forecast(BARS)["forecast"].iloc[-1]
    weight = delayed.keras_model.get_layer("member_0").layers[-1].get_weights()[0].item()
    gradients = forecast_gradients(delayed, BARS, at)
    expected = pd.DataFrame(0.0, BARS.index[-SMALL["lookback"] :], FEATURES)
    expected.loc[BARS.index[-1 - DELAY_BARS], "LOGRET_1"] = weight * probability * (1 - probability)
    pd.testing.assert_frame_equal(gradients, expected, rtol=1e-4, check_freq=False)


def test_the_saliency_of_one_window_is_the_size_of_its_gradients(trained):
    gradients = forecast_gradients(trained, BARS, BARS.index[-1], lags=4)
    saliency = memory_saliency(trained, BARS, start=BARS.index[-1], lags=4, n_windows=1)
    for name in FEATURES:
        np.testing.assert_allclose(saliency.loc[name, "saliency"], gradients[name].abs()[::-1])
    assert saliency["standard_error"].isna().all()


@pytest.mark.slow
def test_a_gradient_is_what_a_small_change_does(trained):
    at, moved = BARS.index[-1], trained.features.frame(BARS)
    gradient = forecast_gradients(trained, BARS, at, lags=5)["RSI_5"].iloc[0]
    forecasts = []
    for change in (-0.01, 0.01):
        rows = moved.copy()
        rows.iloc[-6, 1] += change * trained.scaling.loc["RSI_5", "std"]
        network = trained.keras_model(rows.dropna().to_numpy("float32")[None], training=False)
        forecasts.append(float(keras.ops.convert_to_numpy(network)[0, -1].mean()))
    assert gradient == pytest.approx((forecasts[1] - forecasts[0]) / 0.02, rel=0.02)


def test_features_that_the_network_ignores_have_no_importance_at_all(delayed):
    found = feature_importance(delayed, BARS, n_repeats=2)
    assert (found.loc[["RSI_5", "RELVOL_5"]] == 0).all(axis=None)
    assert found.loc["LOGRET_1", "log_loss_rise"] != 0


def test_the_importance_is_the_rise_of_the_log_loss_of_the_shuffled_feature(delayed):
    # one shuffle of single bars, done again by hand
    found = feature_importance(delayed, BARS, n_repeats=1, block_bars=1, seed=4)
    rows = delayed.features.frame(BARS).dropna()
    shuffled = rows.copy()
    order = np.random.default_rng(4).permutation(len(rows))
    shuffled["LOGRET_1"] = rows["LOGRET_1"].to_numpy()[order]
    returns = BARS["close"].pct_change()
    later = returns.shift(-1).reindex(rows.index)
    usual = returns.rolling(100, min_periods=2).std().reindex(rows.index)
    weights = (later.abs() / usual).clip(upper=3)
    is_judged = (rows.index > TRAINING.index[-1]) & later.notna()

    def log_loss(inputs):
        network = delayed.keras_model(inputs.to_numpy("float32")[None], training=False)
        rises = keras.ops.convert_to_numpy(network)[0, :, 0]
        losses = -np.log(np.where(later > 0, rises, 1 - rises))
        return np.average(losses[is_judged], weights=weights[is_judged])

    expected = log_loss(shuffled) - log_loss(rows)
    assert found.loc["LOGRET_1", "log_loss_rise"] == pytest.approx(expected, rel=1e-3, abs=1e-7)


def test_the_hidden_states_are_those_that_the_next_forecast_goes_on_from(trained):
    states = hidden_states(trained, BARS)
    assert list(states.columns.get_level_values("state").unique()) == [
        f"member {member}, layer 0, {part}" for member in (0, 1) for part in ("hidden", "cell")
    ]
    assert states.isna().all(axis=1).sum() == trained.warm_up
    state = [
        states.iloc[[-2]][name].to_numpy("float32")
        for name in states.columns.get_level_values("state").unique()
    ]
    last_row = trained.features.frame(BARS).to_numpy()[-1]
    forecasts, _ = trained.engine.scan(last_row[None, None], state)
    expected = trained.forecast(BARS)["forecast"].iloc[-1]
    assert forecasts.mean() == pytest.approx(expected, abs=1e-6)


def test_a_delay_line_carries_the_last_values_of_its_feature(delayed):
    states = hidden_states(delayed, BARS)["state 0"]
    returns = delayed.features.frame(BARS)["LOGRET_1"]
    scaled = (returns - delayed.scaling.loc["LOGRET_1", "mean"]) / delayed.scaling["std"].iloc[0]
    for age in range(DELAY_BARS + 1):
        np.testing.assert_allclose(states[age].iloc[-50:], scaled.shift(age).iloc[-50:], atol=1e-5)


def test_a_windowed_network_has_the_state_at_the_end_of_each_window(trained):
    windowed = trained.with_memory("window")
    states = hidden_states(windowed, BARS)
    rows = windowed.features.frame(BARS).to_numpy()[-SMALL["lookback"] :]
    _, state = windowed.engine.scan(rows[None], windowed.engine.initial_state(1))
    np.testing.assert_allclose(states.iloc[-1], np.concatenate(state, 1)[0], atol=1e-6)


BAD_CALLS = {
    "untrained": (lambda trained: hidden_states(LSTMForecaster(), BARS), "trained LSTMForecaster"),
    "no bar after": (
        lambda trained: feature_importance(trained, TRAINING),
        "no bar to inspect after",
    ),
    "too few": (
        lambda trained: feature_importance(trained, BARS, start=BARS.index[-100]),
        "at least 250 bars",
    ),
    "no repeats": (
        lambda trained: feature_importance(trained, BARS, n_repeats=0),
        "at least 1, got 0",
    ),
    "lags": (lambda trained: memory_saliency(trained, BARS, lags=5_000), "lags must be from 0"),
    "lags of a window": (
        lambda trained: memory_saliency(trained.with_memory("window"), BARS, lags=10),
        "from 0 to 9 with memory='window'",
    ),
    "windows": (lambda trained: memory_saliency(trained, BARS, n_windows=0), "n_windows"),
    "no such bar": (
        lambda trained: forecast_gradients(trained, BARS, "2001-09-01 12:00"),
        "at must be a bar",
    ),
    "early": (lambda trained: forecast_gradients(trained, BARS, BARS.index[5]), "at must be a bar"),
}


@pytest.mark.parametrize("call, message", BAD_CALLS.values(), ids=BAD_CALLS)
def test_what_cannot_be_inspected_is_one_clear_error(trained, call, message):
    with pytest.raises(LSTMStrategyError, match=message):
        call(trained)


def test_a_network_without_a_memory_carries_nothing():
    def one_bar(n_features):
        inputs = keras.Input((None, n_features))
        return keras.Model(inputs, layers.Dense(1, activation="sigmoid")(inputs))

    forecaster = trained_on(one_bar)
    with pytest.raises(LSTMStrategyError, match="nothing is carried"):
        hidden_states(forecaster, BARS)
    saliency = memory_saliency(forecaster, BARS, lags=3, n_windows=5)["saliency"]
    assert (saliency.xs(0, level="lag") > 0).all()
    assert (saliency.drop(0, level="lag") == 0).all()


@pytest.mark.slow
def test_the_latest_news_is_remembered_what_was_before_is_forgotten_and_noise_has_no_importance():
    market = simulate_bars("remembered_news", 12_000, seed=5)
    noise = np.random.default_rng(1).normal(size=len(market.bars))
    bars = market.bars.assign(moon=noise)
    features = [
        {"kind": "log_return", "length": 1},
        {"kind": "relative_volume", "length": 20},
        {"kind": "column", "column": "moon", "mirrored": "same"},
    ]
    forecaster = LSTMForecaster(features, members=2, seed=7).fit(bars[:9_000], progress=False)
    found = feature_importance(forecaster, bars)
    times_the_error = found["log_loss_rise"] / found["standard_error"]
    assert (times_the_error[["LOGRET_1", "RELVOL_20"]] > 4).all()
    assert abs(times_the_error["moon"]) < 3

    # what came before the latest news decides nothing any more, so the network may forget it
    is_news = (bars["volume"] > 4 * bars["volume"].rolling(20).median()).to_numpy()
    ends = [
        end
        for end in range(10_000, 11_900)
        if is_news[end - 6] and is_news[end - 14 : end].sum() == 1
    ]
    sizes = [
        forecast_gradients(forecaster, bars, bars.index[end], lags=14)["RELVOL_20"].abs().to_numpy()
        for end in ends[:20]
    ]
    news, before = np.mean(sizes, axis=0)[8], np.mean(sizes, axis=0)[:8].mean()
    assert news > 2 * before


def test_importance_begins_at_a_date_in_the_zone_of_the_bars_with_either_memory(trained):
    bars = BARS.tz_localize("America/New_York")
    for memory in ("carry", "window"):
        model = trained.with_memory(memory)
        plain, zoned = (
            feature_importance(model, each, start="2002-06-01", n_repeats=1)
            for each in (BARS, bars)
        )
        pd.testing.assert_frame_equal(zoned, plain)
