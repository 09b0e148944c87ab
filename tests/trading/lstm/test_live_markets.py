"""Several markets whose bars are still arriving: one stream takes the bars of a moment together."""

import backtrader as bt
import pandas as pd
import pytest
from made_up import SMALL, SMALL_FEATURES, random_walk

from lstm_strategy import LSTMForecaster, LSTMStrategy, WalkForward, walk_forward
from lstm_strategy.learning.forecaster import Forecast
from lstm_strategy.trading.lstm.live_markets import LiveMarkets

# B begins late and has a hole, C ends early
PANEL = {
    "A": random_walk(100, seed=1),
    "B": random_walk(100, seed=2).iloc[[*range(10, 82), *range(87, 100)]],
    "C": random_walk(90, seed=3),
}
ACROSS = [*SMALL_FEATURES, {"kind": "panel_mean", "of": {"kind": "log_return", "length": 1}}]
QUICK = {**SMALL, "epochs": 1, "members": 1}


def whole_signals(model):
    """The model with all of its signal, which nothing would be left of after one epoch."""
    signal = model.card.signal.model_copy(update={"confidence": 1.0})
    model.card = model.card.model_copy(update={"signal": signal})
    return model


def train(features, **changes):
    return whole_signals(LSTMForecaster(features, **QUICK, **changes).fit(PANEL, progress=False))


def walk():
    forecaster = LSTMForecaster(ACROSS, **QUICK)
    walked = walk_forward(PANEL, forecaster, WalkForward(84, 8), progress=False)
    for refit in walked.refits:
        whole_signals(refit.model)
    return walked


MODELS = {
    "across the markets": lambda: train(ACROSS),
    "in units of each market": lambda: train(SMALL_FEATURES, scaling="market"),
    "walked": walk,
}


class Recording(LSTMStrategy):
    """Notes what it asks for at each date."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def target_exposures(self):
        asked = dict(super().target_exposures())
        self.asked.append(pd.Series(asked, name=self.datas[0].num2date(self.lines.datetime[0])))
        return asked


def asked_of(model, **modes):
    cerebro = bt.Cerebro(stdstats=False, **modes)
    for name, bars in PANEL.items():
        cerebro.adddata(bt.feeds.PandasData(dataname=bars), name=name)
    cerebro.addstrategy(Recording, model=model)
    return pd.DataFrame(cerebro.run()[0].asked)


@pytest.mark.parametrize("build", MODELS.values(), ids=MODELS)
def test_arriving_bars_get_the_signals_of_preloaded_ones(build):
    model = build()
    ready, arriving = asked_of(model), asked_of(model, preload=False)
    assert ready.abs().max().min() > 0.001
    pd.testing.assert_frame_equal(arriving, ready, atol=1e-6)


class FakeFeed:
    """Bars that a test hands over one by one, read as they are."""

    def __init__(self):
        self.datetime = []
        self.lines = self

    def deliver(self, day, close):
        self.datetime.append({"datetime": pd.Timestamp(day), "close": close})

    def read_present(self):
        return self.datetime[-1]


class FakeStream:
    """Forecasts each market's close, and keeps what it took."""

    def __init__(self):
        self.taken = []

    def update(self, bars):
        self.taken.append({name: bar["close"] for name, bar in bars.items()})

    def peek(self, bars):
        return {name: Forecast(0.0, bar["close"], 0.0) for name, bar in bars.items()}


class FakeModel:
    bars_columns = ["close"]

    def __init__(self):
        self.fake = FakeStream()

    def stream(self, panel):
        assert {name: len(bars) for name, bars in panel.items()} == {"A": 0, "B": 0}
        return self.fake


@pytest.fixture
def feeds(monkeypatch):
    monkeypatch.setattr(
        "lstm_strategy.trading.lstm.live_markets.FeedBars", lambda feed, forecaster: feed
    )
    return {"A": FakeFeed(), "B": FakeFeed()}


def deliver(markets, feeds, name, day, close):
    feeds[name].deliver(day, close)
    markets.look()
    return {name: forecast.forecast for name, forecast in markets.forecasts.items()}


def test_bars_of_one_moment_may_come_one_by_one(feeds):
    model = FakeModel()
    markets = LiveMarkets(model, feeds)
    assert deliver(markets, feeds, "A", "2024-01-02", 1.0) == {"A": 1.0}
    assert deliver(markets, feeds, "B", "2024-01-02", 2.0) == {"A": 1.0, "B": 2.0}
    assert model.fake.taken == []
    assert deliver(markets, feeds, "A", "2024-01-03", 3.0) == {"A": 3.0, "B": 2.0}
    assert model.fake.taken == [{"A": 1.0, "B": 2.0}]


def test_a_bar_that_comes_late_is_skipped_and_counted(feeds, caplog):
    model = FakeModel()
    markets = LiveMarkets(model, feeds)
    deliver(markets, feeds, "A", "2024-01-02", 1.0)
    deliver(markets, feeds, "A", "2024-01-03", 3.0)
    assert deliver(markets, feeds, "B", "2024-01-02", 2.0) == {"A": 3.0}
    deliver(markets, feeds, "A", "2024-01-04", 4.0)
    assert model.fake.taken == [{"A": 1.0}, {"A": 3.0}]
    assert markets.n_skipped_bars == 1
    assert "The bar of 2024-01-02 00:00:00 (UTC) of market B came late." in caplog.text


def test_a_bar_that_is_dated_far_ahead_stops_no_later_one(feeds, caplog):
    model = FakeModel()
    markets = LiveMarkets(model, feeds)
    deliver(markets, feeds, "A", "2024-01-02", 1.0)
    deliver(markets, feeds, "B", "2034-01-03", 9.0)
    deliver(markets, feeds, "A", "2024-01-03", 3.0)
    deliver(markets, feeds, "B", "2024-01-03", 2.0)
    deliver(markets, feeds, "A", "2024-01-04", 4.0)
    assert model.fake.taken == [{"A": 1.0}, {"A": 3.0, "B": 2.0}]
    assert "dated far ahead: of 2024-01-03 00:00:00 came after" in caplog.text
