"""The model sees the times of the user's own bars, whatever the feed, the zone and the mode."""

import backtrader as bt
import numpy as np
import pandas as pd
import pytest
from made_up import ConstantForecaster, random_walk

from lstm_strategy import BarsFeed, LSTMIndicator
from lstm_strategy.learning.forecaster import Forecast


class Timekeeper(ConstantForecaster):
    """Asks for the hour of the bar over 24, and notes the times that it is given."""

    def __init__(self):
        super().__init__(0.0)
        self.seen = []

    def step(self, state, bar):
        time = pd.Timestamp(bar["datetime"])
        self.seen.append(time)
        return state, Forecast(time.hour / 24, 0.5, 0.0)


class LiveFeed(BarsFeed):
    def islive(self):
        return True


class Recorded(bt.Strategy):
    params = (("model", None),)

    def __init__(self):
        self.lstm, self.signals = LSTMIndicator(self.data, model=self.p.model), []

    def next(self):
        self.signals.append(self.lstm.signal[0])


def run(feed, **mode):
    model = Timekeeper()
    cerebro = bt.Cerebro(stdstats=False, **mode)
    cerebro.adddata(feed)
    cerebro.addstrategy(Recorded, model=model)
    return model, cerebro.run()[0].signals


MODES = {
    "vector": (BarsFeed, {}),
    "bar by bar": (BarsFeed, {"runonce": False}),
    "not preloaded": (BarsFeed, {"preload": False}),
    "live": (LiveFeed, {}),
}
INDEXES = {
    "the night when clocks go back": pd.date_range(
        "2024-11-02 20:00", periods=30, freq="h", tz="America/New_York"
    ),
    "the night when clocks go forward": pd.date_range(
        "2024-03-09 20:00", periods=30, freq="h", tz="America/New_York"
    ),
    "a tenth of a millisecond apart": pd.date_range("2024-01-02", periods=30, freq="100us"),
    "a microsecond before the hour": pd.date_range(
        "2024-01-02 00:59:59.999999", periods=30, freq="h", tz="UTC"
    ),
    "no zone": pd.date_range("2024-01-02", periods=30, freq="37min13s"),
}


@pytest.mark.parametrize(("feed", "mode"), MODES.values(), ids=MODES.keys())
@pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES.keys())
def test_the_model_sees_the_times_of_the_bars(index, feed, mode):
    bars = random_walk(30).set_axis(index)
    model, signals = run(feed(bars), **mode)
    assert list(dict.fromkeys(model.seen)) == list(index)
    assert signals == pytest.approx(index.hour / 24)


@pytest.mark.parametrize("mode", [{}, {"preload": False}], ids=["vector", "not preloaded"])
def test_a_frame_in_a_feed_of_backtrader_keeps_its_zone(mode):
    bars = random_walk(30).set_axis(INDEXES["the night when clocks go back"])
    model, _ = run(bt.feeds.PandasData(dataname=bars), **mode)
    assert list(dict.fromkeys(model.seen)) == list(bars.index)


@pytest.mark.parametrize("mode", [{}, {"preload": False}], ids=["vector", "not preloaded"])
def test_bars_declared_to_be_of_a_zone_have_that_zone(mode):
    bars = random_walk(30).set_axis(pd.date_range("2024-01-02", periods=30, freq="h"))
    feed = BarsFeed(bars, tzinput="America/New_York", tz="America/New_York")
    model, _ = run(feed, **mode)
    expected = bars.index.tz_localize("America/New_York")
    assert list(dict.fromkeys(model.seen)) == list(expected)


def test_resampled_bars_have_the_zone_of_their_bars():
    bars = random_walk(96).set_axis(
        pd.date_range("2024-01-02 01:00", periods=96, freq="h", tz="America/New_York")
    )
    model = Timekeeper()
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.resampledata(BarsFeed(bars), timeframe=bt.TimeFrame.Minutes, compression=240)
    cerebro.addstrategy(Recorded, model=model)
    cerebro.run()
    assert {str(time.tz) for time in model.seen} == {"America/New_York"}
    assert np.unique([time.hour % 4 for time in model.seen]).tolist() == [0]


ONE_TIME = pd.date_range("2024-01-02", periods=30, freq="1us")  # backtrader resolves ten of them


@pytest.mark.parametrize(("feed", "mode"), MODES.values(), ids=MODES.keys())
def test_bars_that_share_one_time_of_backtrader_keep_their_own(feed, mode, caplog):
    index = ONE_TIME.append(ONE_TIME[-1:] + pd.Timedelta(hours=1))
    model, signals = run(feed(random_walk(31).set_axis(index)), **mode)
    assert list(dict.fromkeys(model.seen)) == list(index)
    assert len(signals) == 31
    assert not caplog.records
