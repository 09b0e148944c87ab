"""One network that learns a vector of each market, and answers each in its own way."""

import logging
import pickle
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd
import pytest
from made_up import SMALL, SMALL_FEATURES, random_walk

from lstm_strategy import (
    BarsFeed,
    LSTMForecaster,
    LSTMIndicator,
    Volatility,
    WalkForward,
    walk_forward,
)
from lstm_strategy.errors import TrainingError
from lstm_strategy.learning.forecaster import lstm_forecaster

PANEL = {
    "A": random_walk(300, seed=1),
    "B": random_walk(260, seed=2, start="2001-03-01"),
    "C": random_walk(220, seed=3, start="2001-02-01"),
}
SETTINGS = SMALL | {"epochs": 2, "learning_rate": 0.05, "market_embedding": 3}


@pytest.fixture(scope="module")
def model():
    return LSTMForecaster(SMALL_FEATURES, **SETTINGS).fit(PANEL, progress=False)


@pytest.fixture
def unsaid():
    lstm_forecaster._say_unknown.cache_clear()


def assert_same(frames, others, atol=1e-6):
    assert list(frames) == list(others)
    for symbol, frame in frames.items():
        pd.testing.assert_frame_equal(frame, others[symbol], atol=atol, rtol=0)


def test_each_market_has_a_vector_of_each_member(model):
    vectors = {symbol: of.vector for symbol, of in model.card.training.markets.items()}
    assert {symbol: len(of) for symbol, of in vectors.items()} == {"A": 6, "B": 6, "C": 6}
    assert len(set(vectors.values())) == 3
    assert all(np.any(np.reshape(of, (2, 3)), axis=1).all() for of in vectors.values())


def test_the_same_bars_are_forecast_as_each_market_does(model):
    bars = PANEL["A"]
    as_each = [frame["forecast"] for frame in model.forecast({"A": bars, "B": bars}).values()]
    assert not np.allclose(*[of.dropna() for of in as_each], atol=1e-4)


def test_an_unknown_market_has_the_mean_of_the_vectors_and_that_is_said_once(model, unsaid, caplog):
    vectors = [of.vector for of in model.card.training.markets.values()]
    assert model.inputs_of("D").vector == pytest.approx(np.mean(vectors, axis=0))
    assert model.inputs_of(None) == model.inputs_of("D")
    new = random_walk(100, seed=8)
    with caplog.at_level(logging.WARNING):
        frames = [model.forecast({"D": new, "A": PANEL["A"]})["D"] for _ in range(2)]
    said = [line for line in caplog.messages if "learned something of each" in line]
    assert len(said) == 1
    assert "market D wasn't in the training" in said[0]
    with caplog.at_level(logging.WARNING):
        assert_same({"D": model.forecast(new)}, {"D": frames[0]})
    assert any("forecast({'A': bars})" in line for line in caplog.messages)


def test_streams_and_saved_models_know_the_market(model, tmp_path):
    frames = model.forecast(PANEL)
    for engine in ("onnx", "keras"):
        loaded = LSTMForecaster.load(model.save(tmp_path / "model"), engine=engine)
        assert_same(loaded.forecast(PANEL), frames, atol=1e-5)
        assert loaded.settings.market_embedding == 3
    assert_same(pickle.loads(pickle.dumps(model)).forecast(PANEL), frames)
    streams = model.stream({symbol: bars.iloc[:-2] for symbol, bars in PANEL.items()})
    lone = model.stream(PANEL["B"].iloc[:-2], symbol="B")
    for time, bar in PANEL["B"].iloc[-2:].iterrows():
        for stream in (streams["B"], lone):
            row = stream.update({"datetime": time, **bar})
            assert row.forecast == pytest.approx(frames["B"].loc[time, "forecast"], abs=1e-6)
    windowed = model.with_memory("window").forecast(PANEL)
    assert windowed["B"]["forecast"].notna().any()


def test_members_and_the_scale_of_the_signal_know_the_vectors(model):
    signals = model.member_signals(PANEL)
    assert signals["A"].shape == (300, 2)
    again = model.signal_scale(PANEL)
    assert again.width == pytest.approx(model.card.signal.width)
    assert list(model.scaling.index) == model.features.names
    assert model.fingerprint != model.with_memory("window").fingerprint


def test_a_network_of_ones_own_and_a_linear_part_learn_vectors_too():
    from lstm_strategy.learning.network import keras

    def build(n_columns):
        hidden = keras.layers.Dense(3, activation="tanh")
        end = keras.layers.Dense(1, activation="sigmoid")
        return keras.Sequential([keras.Input((None, n_columns)), hidden, end])

    for changes in ({"network": build}, {"target": Volatility(slow=20)}, {"target": "policy"}):
        settings = {**SETTINGS, "epochs": 1, "members": 2, **changes}
        trained = LSTMForecaster(SMALL_FEATURES, **settings).fit(PANEL, progress=False)
        assert len(trained.card.training.markets["A"].vector) == 6
        assert trained.forecast(PANEL)["A"]["forecast"].notna().any()


def test_a_market_that_is_held_out_whole_has_the_mean_of_the_others():
    late = {**PANEL, "D": random_walk(60, seed=5, start="2001-09-20")}
    dates = pd.DatetimeIndex(sorted(set().union(*(bars.index for bars in late.values()))))
    model = LSTMForecaster(SMALL_FEATURES, **SETTINGS | {"lookback": 10, "members": 1})
    model.fit(late, validation=np.asarray(dates >= "2001-09-15"), progress=False)
    vectors = {symbol: of.vector for symbol, of in model.card.training.markets.items()}
    assert vectors["D"] == pytest.approx(np.mean([vectors[s] for s in "ABC"], axis=0), abs=1e-6)


@pytest.mark.parametrize("way", [{}, {"preload": False, "runonce": False}], ids=["once", "live"])
@pytest.mark.parametrize(("name", "as_of"), [("B", "B"), ("", "D")], ids=["named", "unnamed"])
def test_an_indicator_takes_the_name_of_its_data_for_that_of_the_market(model, way, name, as_of):
    bars = PANEL["B"].iloc[:80]
    values = []

    class Watch(bt.Strategy):
        def __init__(self):
            self.lstm = LSTMIndicator(self.data, model=model)

        def next(self):
            values.append(self.lstm.forecast[0])

    cerebro = bt.Cerebro(**way)
    cerebro.adddata(BarsFeed(bars), name=name or None)
    cerebro.addstrategy(Watch)
    cerebro.run()
    expected = model.forecast({as_of: bars})[as_of]["forecast"]
    assert values == pytest.approx(expected.iloc[-len(values) :].tolist(), abs=1e-6)


def test_walk_forwards_give_each_market_its_vector():
    settings = {**SETTINGS, "epochs": 1, "members": 1}
    walked = walk_forward(
        PANEL, LSTMForecaster(SMALL_FEATURES, **settings), WalkForward("200 bars", "60 bars")
    )
    frames = walked.forecast(PANEL)
    models: list[Any] = [refit.model for refit in walked.refits[:2]]
    first, second = models
    start = walked.refits[1].test_start
    known = {symbol: bars.loc[: start - pd.Timedelta(days=1)] for symbol, bars in PANEL.items()}
    assert first.inputs_of("B") != second.inputs_of("B")
    for symbol, frame in first.forecast(known).items():
        tested = frames[symbol].loc[walked.refits[0].test_start : known[symbol].index[-1]]
        assert tested["forecast"].notna().any()
        pd.testing.assert_frame_equal(tested, frame.loc[tested.index], atol=1e-3)
    stream = walked.stream(PANEL["B"].iloc[:-1], symbol="B")
    last = stream.update({"datetime": PANEL["B"].index[-1], **PANEL["B"].iloc[-1]})
    assert last.forecast == pytest.approx(frames["B"]["forecast"].iloc[-1], abs=1e-6)


def reacting(sign, seed):
    """Bars of a market whose next move follows a hint, or goes against it."""
    rng = np.random.default_rng(seed)
    hint = np.sign(rng.normal(size=900))
    moves = 0.01 * (0.4 * sign * np.r_[0, hint[:-1]] + 0.9165 * rng.normal(size=900))
    close = 100 * np.exp(np.cumsum(moves))
    bars = random_walk(900, seed=seed).assign(open=close, high=close, low=close, close=close)
    return bars.assign(hint=hint)


@pytest.mark.slow
def test_a_network_with_an_embedding_finds_a_rule_whose_sign_is_that_of_the_market():
    panel = {f"M{n}": reacting(1 if n % 2 else -1, seed=n) for n in range(6)}
    known = {symbol: bars.iloc[:600] for symbol, bars in panel.items()}
    features = [{"kind": "column", "column": "hint", "mirrored": "negated"}]
    shares = []
    for size in (2, 0):
        model = LSTMForecaster(
            features, units=(8,), lookback=10, epochs=20, members=1, market_embedding=size
        ).fit(known, progress=False)
        hits = []
        for symbol, frame in model.forecast(panel).items():
            ahead = panel[symbol]["close"].diff().shift(-1)
            rises = frame["forecast"] > 0.5
            hits.append((rises == (ahead > 0)).iloc[600:-1].mean())
        shares.append(np.mean(hits))
    # the move has the hint's sign, or the opposite one, where 0.4 + 0.9165 z > 0: in 66.9% of cases
    assert shares[0] == pytest.approx(0.669, abs=0.03)
    assert shares[1] == pytest.approx(0.5, abs=0.03)


def test_one_market_has_no_others_to_tell_it_from():
    model = LSTMForecaster(SMALL_FEATURES, **SETTINGS)
    with pytest.raises(TrainingError, match="market_embedding learns a vector of each market"):
        model.fit(PANEL["A"])
    with pytest.raises(TrainingError, match="market_embedding"):
        LSTMForecaster(market_embedding=-1)
