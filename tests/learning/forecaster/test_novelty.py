"""How strange a bar is to a network: the same number everywhere, high when it should be."""

from copy import copy

import numpy as np
import pandas as pd
import pytest
from made_up import SMALL, SMALL_FEATURES, random_walk

from lstm_strategy import LSTMForecaster, LSTMStrategyError, simulate_bars
from lstm_strategy.learning.network import keras

BARS = random_walk(160, seed=3)


def novelty_of(forecaster, bars=BARS):
    return forecaster.forecast(bars)["novelty"]


def streamed(stream, bars):
    rows = [stream.update({"datetime": time, **bar}).novelty for time, bar in bars.iterrows()]
    return pd.Series(rows, bars.index, name="novelty")


@pytest.mark.parametrize("memory", ["carry", "window"])
def test_a_stream_measures_what_the_batch_does(trained, memory):
    forecaster = trained.with_memory(memory)
    expected = novelty_of(forecaster)
    assert expected.notna().tolist() == forecaster.forecast(BARS)["signal"].notna().tolist()
    found = streamed(forecaster.stream(BARS.iloc[:100]), BARS.iloc[100:])
    pd.testing.assert_series_equal(found, expected.iloc[100:], check_freq=False, rtol=1e-6)
    peeked = forecaster.stream(BARS.iloc[:-1]).peek({"datetime": BARS.index[-1], **BARS.iloc[-1]})
    assert peeked.novelty == pytest.approx(expected.iloc[-1], rel=1e-6)


def test_a_resumed_stream_goes_on_with_the_same_number(trained, tmp_path):
    stream = trained.stream(BARS.iloc[:100])
    resumed = trained.resume(stream.checkpoint(tmp_path / "stream.checkpoint"))
    assert streamed(resumed, BARS.iloc[100:110]).equals(streamed(stream, BARS.iloc[100:110]))


@pytest.mark.parametrize(("engine", "rtol"), [("onnx", 0), ("keras", 1e-5)])
def test_a_loaded_model_measures_the_same(trained, model_folder, engine, rtol):
    loaded = LSTMForecaster.load(model_folder, engine=engine)
    pd.testing.assert_series_equal(novelty_of(loaded), novelty_of(trained), rtol=rtol, atol=0)


def test_a_long_feed_in_threads_measures_the_same_as_in_one(trained):
    bars = random_walk(2_300, seed=4)
    whole, engine = novelty_of(trained, bars), trained._trained.engine_with_novelty
    rows = trained.features.frame(bars).dropna().to_numpy()
    answers = [each(rows[None], engine.initial_state(1))[0][0] for each in engine.ways()]
    for of_way in answers:
        alone = of_way[:, -1]
        np.testing.assert_allclose(alone[trained.settled_rows - 1 :], whole.dropna(), rtol=1e-6)


def test_the_numbers_that_tell_usual_from_strange_are_part_of_the_fingerprint(trained):
    other = trained.with_memory("carry")
    assert other.fingerprint == trained.fingerprint
    other._trained = copy(trained._trained)
    other._trained.novelty = None
    assert other.fingerprint != trained.fingerprint


def test_a_model_of_an_earlier_version_loads_and_knows_no_novelty(trained, tmp_path):
    old = trained.with_memory("carry")
    old.card = trained.card.model_copy(update={"format": 3})
    old._trained = type(trained._trained).from_files(
        trained._trained.files,
        stored=trained._trained.stored,
        engine_name="auto",
        keras_version=keras.__version__,
        novelty=None,
    )
    folder = old.save(tmp_path / "old")
    assert not (folder / "novelty.json").exists()
    loaded = LSTMForecaster.load(folder)
    frame, expected = loaded.forecast(BARS), trained.forecast(BARS)
    assert frame["novelty"].isna().all()
    pd.testing.assert_frame_equal(
        frame.drop(columns="novelty"), expected.drop(columns="novelty"), rtol=1e-6
    )
    stream = loaded.stream(BARS.iloc[:-1])
    last = stream.update({"datetime": BARS.index[-1], **BARS.iloc[-1]})
    assert np.isnan(last.novelty)
    assert last.signal == pytest.approx(expected["signal"].iloc[-1], abs=1e-6)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(None, r"isn't the list of usual hidden states that was saved", id="missing"),
        pytest.param(b"{}", r"isn't the list of usual hidden states that was saved", id="other"),
    ],
)
def test_a_folder_without_its_usual_states_is_refused(trained, tmp_path, content, message):
    folder = trained.save(tmp_path / "model")
    path = folder / "novelty.json"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(LSTMStrategyError, match=message):
        LSTMForecaster.load(folder)


def dense_network(n_features):
    inputs = keras.Input((None, n_features))
    outputs = keras.layers.Dense(1, activation="sigmoid")(keras.layers.Dense(3)(inputs))
    return keras.Model(inputs, outputs)


def gru_network(n_features):
    inputs = keras.Input((None, n_features))
    hidden = keras.layers.GRU(4, return_sequences=True)(inputs)
    hidden = keras.layers.SimpleRNN(3, return_sequences=True)(hidden)
    return keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(hidden))


@pytest.mark.parametrize("n_units", [None, 3], ids=["nothing recurrent", "two recurrent layers"])
def test_a_network_of_ones_own_is_measured_by_its_last_recurrent_layer(n_units):
    network = dense_network if n_units is None else gru_network
    settings = {**SMALL, "epochs": 1, "network": network}
    forecaster = LSTMForecaster(SMALL_FEATURES, **settings).fit(random_walk(300), progress=False)
    measured = novelty_of(forecaster)
    if n_units is None:
        assert measured.isna().all()
        return
    assert forecaster._trained.novelty.centers.shape == (2, n_units)
    found = streamed(forecaster.stream(BARS.iloc[:150]), BARS.iloc[150:])
    pd.testing.assert_series_equal(found, measured.iloc[150:], check_freq=False, rtol=1e-5)


def test_bars_are_strange_when_the_market_moves_ten_times_as_much(seed=1):
    calm = simulate_bars("noise", 1_300, seed=seed, vol=0.005).bars
    wild = simulate_bars("noise", 300, seed=seed + 10, vol=0.05).bars
    prices = ["open", "high", "low", "close"]
    wild[prices] *= calm["close"].iloc[-1] / wild["open"].iloc[0]
    bars = pd.concat([calm, wild.set_axis(calm.index[-300:] + pd.Timedelta("3000D"))])
    forecaster = LSTMForecaster(units=(8,), lookback=30, epochs=3, members=3, seed=seed)
    is_strange = novelty_of(forecaster.fit(calm[:1_000], progress=False), bars) > 1
    assert is_strange[1_300:].mean() >= 0.95
    assert is_strange[forecaster.warm_up : 1_300].mean() < 0.05
    assert is_strange[1_000:1_300].mean() < 0.05
