"""The indicator gives the numbers of the batch, whatever way Cerebro runs."""

import itertools
from types import SimpleNamespace

import backtrader as bt
import numpy as np
import pandas as pd
import pytest
from made_up import ConstantForecaster, RememberingForecaster, random_walk

from lstm_strategy import (
    BarsFeed,
    FeatureSet,
    LSTMForecaster,
    LSTMIndicator,
    LSTMStrategyError,
)
from lstm_strategy.learning.serving import open_forecaster, precompute_forecasts

BARS = random_walk(90, seed=4)
COLUMNS = ["signal", "forecast", "uncertainty", "novelty"]
MODES = [
    pytest.param(
        {"runonce": runonce, "preload": preload, "exactbars": exactbars},
        id=f"runonce={runonce:d} preload={preload:d} exactbars={exactbars}",
    )
    for runonce, preload, exactbars in itertools.product(
        [True, False], [True, False], [0, 1, -1, -2]
    )
]


class LineRecorder(bt.Strategy):
    """Keeps the indicator's lines at every call of next, by the number of the bar."""

    params = (("model", None), ("data_number", 0))

    def __init__(self):
        self.watched = self.datas[self.p.data_number]
        self.lstm = LSTMIndicator(self.watched, model=self.p.model)
        self.rows = {}
        self.n_calls = 0

    def next(self):
        self.n_calls += 1
        self.rows[len(self.watched)] = [line[0] for line in self.lstm.lines]


class LiveFeed(bt.feeds.PandasData):
    """A feed whose bars arrive one by one."""

    def islive(self):
        return True


def recorded(cerebro, model, **params):
    cerebro.addstrategy(LineRecorder, model=model, **params)
    (strategy,) = cerebro.run()
    return strategy


def assert_same_numbers(strategy, expected, *, atol=1e-6):
    """The rows of the strategy are the known rows of the batch, and begin where they begin."""
    known = expected.dropna(subset="signal")
    first_bar = expected.index.get_loc(known.index[0]) + 1
    assert list(strategy.rows) == list(range(first_bar, len(expected) + 1))
    np.testing.assert_allclose(list(strategy.rows.values()), known, rtol=0, atol=atol)


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_gives_the_numbers_of_a_model_that_remembers_every_bar(mode):
    model = RememberingForecaster()
    cerebro = bt.Cerebro(stdstats=False, **mode)
    cerebro.adddata(BarsFeed(BARS))
    assert_same_numbers(recorded(cerebro, model), RememberingForecaster().forecast(BARS))


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_gives_the_numbers_of_a_trained_network(mode, trained):
    cerebro = bt.Cerebro(stdstats=False, **mode)
    cerebro.adddata(BarsFeed(BARS))
    # features come from a trailing window where bars aren't preloaded
    assert_same_numbers(recorded(cerebro, trained), trained.forecast(BARS), atol=1e-5)


@pytest.mark.parametrize("feed", [bt.feeds.PandasData, LiveFeed], ids=["pandas", "live"])
def test_any_feed_will_do(feed, trained):
    for model, atol in ((RememberingForecaster(), 1e-6), (trained, 1e-5)):
        cerebro = bt.Cerebro(stdstats=False)
        cerebro.adddata(feed(dataname=BARS))
        assert_same_numbers(recorded(cerebro, model), model.forecast(BARS), atol=atol)


def weekly(bars):
    """Bars of whole weeks, as backtrader makes them: Monday to Sunday."""
    how = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    return bars.resample("W").agg(how)


@pytest.mark.parametrize("exactbars", [0, 1, -1])
@pytest.mark.parametrize("way", ["replaydata", "resampledata"])
def test_replayed_and_resampled_weeks_are_remembered_once_each(way, exactbars):
    cerebro = bt.Cerebro(stdstats=False, exactbars=exactbars)
    add = getattr(cerebro, way)
    add(BarsFeed(BARS), timeframe=bt.TimeFrame.Weeks)
    strategy = recorded(cerebro, RememberingForecaster())
    expected = RememberingForecaster().forecast(weekly(BARS))
    if way == "replaydata":  # a week is looked at on each of its days
        assert strategy.n_calls > 3 * len(strategy.rows)
    assert_same_numbers(strategy, expected)


def test_replay_shows_a_forming_week_as_if_it_closed_now():
    class Watcher(LineRecorder):
        def next(self):
            bar = [self.data.close[0], self.data.open[0]]
            self.rows.setdefault(len(self.data), []).append((*bar, self.lstm.forecast[0]))

    cerebro = bt.Cerebro(stdstats=False)
    cerebro.replaydata(BarsFeed(BARS), timeframe=bt.TimeFrame.Weeks)
    cerebro.addstrategy(Watcher, model=RememberingForecaster())
    (strategy,) = cerebro.run()
    weeks = weekly(BARS)
    stream = RememberingForecaster().stream()
    for number, (_, week) in enumerate(weeks.iterrows(), start=1):
        for close, open_, forecast in strategy.rows.get(number, []):
            peeked = stream.peek({**week, "close": close, "open": open_})
            assert forecast == pytest.approx(peeked.forecast, abs=1e-9)
        stream.update(dict(week))


def test_a_slow_feed_beside_a_fast_one_takes_one_step_for_each_of_its_bars():
    cerebro = bt.Cerebro(stdstats=False)
    fast = BarsFeed(BARS)
    cerebro.adddata(fast)
    cerebro.resampledata(fast, timeframe=bt.TimeFrame.Weeks)
    strategy = recorded(cerebro, RememberingForecaster(), data_number=1)
    expected = RememberingForecaster().forecast(weekly(BARS))
    assert strategy.n_calls > 3 * len(strategy.rows)
    np.testing.assert_allclose(
        list(strategy.rows.values()),
        expected.iloc[[number - 1 for number in strategy.rows]],
        atol=1e-6,
    )
    assert max(strategy.rows) == len(expected) - 1 or max(strategy.rows) == len(expected)


@pytest.mark.parametrize("mode", [{}, {"runonce": False}, {"preload": False}], ids=str)
def test_several_datas_have_their_own_memory(mode):
    others = random_walk(70, seed=8, start="2001-01-21")
    for number, bars in enumerate([BARS, others]):
        cerebro = bt.Cerebro(stdstats=False, **mode)
        cerebro.adddata(BarsFeed(BARS))
        cerebro.adddata(BarsFeed(others))
        strategy = recorded(cerebro, RememberingForecaster(), data_number=number)
        expected = RememberingForecaster().forecast(bars)
        assert max(strategy.rows) == len(bars)
        for bar_number, row in strategy.rows.items():
            np.testing.assert_allclose(row, expected.iloc[bar_number - 1], atol=1e-6)


def test_vector_mode_asks_the_network_once():
    model = ConstantForecaster(0.5, warm_up=7)
    cerebro = bt.Cerebro()
    cerebro.adddata(BarsFeed(BARS))
    recorded(cerebro, model)
    assert model.n_batch_calls == 1


@pytest.mark.parametrize("runonce", [True, False])
def test_no_line_shows_anything_before_the_warm_up_is_over(runonce):
    class Peeper(bt.Strategy):
        def __init__(self):
            self.lstm = LSTMIndicator(model=ConstantForecaster(0.5, warm_up=7))
            self.seen = []

        def prenext(self):
            self.seen.append(self.lstm.signal[0])

        def next(self):
            self.seen.append(self.lstm.signal[0])

    cerebro = bt.Cerebro(runonce=runonce)
    cerebro.adddata(BarsFeed(BARS))
    cerebro.addstrategy(Peeper)
    (strategy,) = cerebro.run()
    np.testing.assert_array_equal(strategy.seen, [np.nan] * 7 + [0.5] * 83)


def test_add_indicator_counts_in_the_minimum_period():
    class Counter(bt.Strategy):
        n_calls = 0

        def next(self):
            self.n_calls += 1

    cerebro = bt.Cerebro()
    cerebro.adddata(BarsFeed(BARS))
    cerebro.addindicator(LSTMIndicator, model=ConstantForecaster(0.5, warm_up=7))
    cerebro.addstrategy(Counter)
    assert cerebro.run()[0].n_calls == 83


@pytest.mark.parametrize(
    ("signal", "expected"), [(0.5, 1), (-0.5, -1), (0.0, 0)], ids=["long", "short", "flat"]
)
def test_as_a_signal_its_first_line_is_the_exposure_asked_for(signal, expected):
    cerebro = bt.Cerebro()
    cerebro.adddata(BarsFeed(BARS))
    model = ConstantForecaster(signal)
    cerebro.add_signal(bt.SIGNAL_LONGSHORT, LSTMIndicator, model=model)
    (strategy,) = cerebro.run()
    assert strategy.position.size == expected


def test_lines_combine_with_other_indicators(model_folder):
    signal = LSTMForecaster.load(model_folder).forecast(BARS)["signal"].dropna()
    middle = signal.median()

    class Combined(bt.Strategy):
        def __init__(self):
            self.lstm = LSTMIndicator(self.data, model=str(model_folder))
            self.go_long = bt.And(self.lstm.signal > middle, bt.ind.SMA(period=3) > 0)
            self.seen = []

        def next(self):
            self.seen.append(self.go_long[0])

    cerebro = bt.Cerebro()
    cerebro.adddata(bt.feeds.PandasData(dataname=BARS))
    cerebro.addstrategy(Combined)
    (strategy,) = cerebro.run()
    np.testing.assert_array_equal(strategy.seen, signal > middle)
    assert sum(strategy.seen) == len(signal) // 2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(
            lambda data: LSTMIndicator(ConstantForecaster(1)),  # type: ignore[call-arg]
            "the model by its name",
            id="positional",
        ),
        pytest.param(
            lambda data: LSTMIndicator(data.close, model=ConstantForecaster(1)),
            "needs a data feed with open",
            id="one line",
        ),
        pytest.param(
            lambda data: LSTMIndicator(data, model=None), "must be a forecaster", id="no model"
        ),
        pytest.param(
            lambda data: LSTMIndicator(data, model="nowhere"), "No model at nowhere", id="no folder"
        ),
        pytest.param(
            lambda data: LSTMIndicator(data, model=ConstantForecaster(1, warm_up=200)),
            "needs 201 bars before its first signal, and the data has 90",
            id="too few bars",
        ),
    ],
)
@pytest.mark.parametrize("runonce", [True, False])
def test_mistakes_end_in_one_clear_error(make, message, runonce):
    class Mistaken(bt.Strategy):
        def __init__(self):
            self.lstm = make(self.data)

    cerebro = bt.Cerebro(runonce=runonce)
    cerebro.adddata(BarsFeed(BARS))
    cerebro.addstrategy(Mistaken)
    with pytest.raises(LSTMStrategyError, match=message):
        cerebro.run()


def test_a_line_that_the_model_reads_and_the_data_lacks_is_named():
    model = ConstantForecaster(1)
    model.bars_columns = [*model.bars_columns, "funding_rate"]
    cerebro = bt.Cerebro()
    cerebro.adddata(bt.feeds.PandasData(dataname=BARS))
    cerebro.addstrategy(LineRecorder, model=model)
    with pytest.raises(LSTMStrategyError, match=r"'funding_rate'.*BarsFeed"):
        cerebro.run()


@pytest.mark.parametrize("mode", [{}, {"preload": False}], ids=str)
def test_extra_columns_reach_the_model(mode):
    class FundingForecaster(RememberingForecaster):
        bars_columns = [*ConstantForecaster.bars_columns, "funding_rate"]

        def forecast(self, bars):
            self.seen = bars["funding_rate"].tolist()
            return super().forecast(bars)

    bars = BARS.assign(funding_rate=np.arange(90.0))
    model = FundingForecaster()
    cerebro = bt.Cerebro(**mode)
    cerebro.adddata(BarsFeed(bars))
    assert_same_numbers(recorded(cerebro, model), FundingForecaster().forecast(bars))
    if not mode:
        assert model.seen == bars["funding_rate"].tolist()


@pytest.mark.parametrize("way", ["resampledata", "replaydata"])
@pytest.mark.parametrize("mode", [{}, {"runonce": False, "preload": False}], ids=str)
def test_a_column_that_backtrader_does_not_carry_on_is_an_error(way, mode):
    model = ConstantForecaster(1)
    model.bars_columns = [*model.bars_columns, "funding_rate"]
    cerebro = bt.Cerebro(**mode)
    feed = BarsFeed(BARS.assign(funding_rate=0.1))
    getattr(cerebro, way)(feed, timeframe=bt.TimeFrame.Weeks)
    cerebro.addstrategy(LineRecorder, model=model)
    with pytest.raises(LSTMStrategyError, match=r"'funding_rate', which is unknown on every bar"):
        cerebro.run()


def test_a_column_without_any_value_is_an_error():
    model = ConstantForecaster(1)
    model.bars_columns = [*model.bars_columns, "funding_rate"]
    cerebro = bt.Cerebro()
    cerebro.adddata(BarsFeed(BARS.assign(funding_rate=np.nan)))
    cerebro.addstrategy(LineRecorder, model=model)
    with pytest.raises(LSTMStrategyError, match=r"'funding_rate', which is unknown on every bar"):
        cerebro.run()


@pytest.mark.parametrize("n_again", [1, 3], ids=["the last bar", "the last three bars"])
def test_bars_that_a_live_feed_delivers_again_are_skipped_and_counted(n_again, caplog):
    cerebro = bt.Cerebro(stdstats=False)
    bars = pd.concat([BARS[:60], BARS[60 - n_again :]])
    cerebro.adddata(LiveFeed(dataname=bars))
    strategy = recorded(cerebro, RememberingForecaster())
    assert strategy.lstm.n_skipped_bars == n_again
    (record,) = caplog.records
    assert f"{BARS.index[60 - n_again]} came again, or late" in record.getMessage()
    rows = np.array(list(strategy.rows.values()))
    expected = RememberingForecaster().forecast(BARS).dropna().to_numpy()
    again = slice(len(rows) - 30 - n_again, len(rows) - 30)
    np.testing.assert_allclose(rows[again], np.tile(expected[-31], (n_again, 1)), atol=1e-6)
    np.testing.assert_allclose(np.delete(rows, again, axis=0), expected, atol=1e-6)


def test_a_bar_dated_far_ahead_is_skipped_itself_and_named(caplog):
    dates = BARS.index.to_series()
    dates.iloc[60] = pd.Timestamp("2031-05-05")
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(LiveFeed(dataname=BARS.set_axis(pd.DatetimeIndex(dates))))
    strategy = recorded(cerebro, RememberingForecaster())
    assert strategy.lstm.n_skipped_bars == 1
    (record,) = caplog.records
    assert record.getMessage().startswith(
        f"The bar of 2031-05-05 00:00:00 is dated far after the one before it, of {BARS.index[59]}"
    )
    expected = RememberingForecaster().forecast(BARS.drop(BARS.index[60])).to_numpy()
    rows = np.array(list(strategy.rows.values()))
    np.testing.assert_allclose(rows[-29:], expected[-29:], atol=1e-6)


def test_bars_that_come_before_one_a_little_ahead_are_skipped_and_it_is_named(caplog):
    dates = BARS.index.to_series()
    dates.iloc[60] += pd.Timedelta(days=5)
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(LiveFeed(dataname=BARS.set_axis(pd.DatetimeIndex(dates))))
    strategy = recorded(cerebro, RememberingForecaster())
    assert strategy.lstm.n_skipped_bars == 5
    (record,) = caplog.records
    assert f"{BARS.index[61]} came again, or late: after that of {dates.iloc[60]}" in (
        record.getMessage()
    )


@pytest.mark.parametrize("feed", [bt.feeds.PandasData, LiveFeed], ids=["preloaded", "live"])
@pytest.mark.parametrize("volume", [np.nan, -1.0])
def test_a_volume_that_nobody_reads_may_be_unknown(feed, volume):
    class PriceForecaster(RememberingForecaster):
        reads_volume = False

    bars = BARS.copy()
    bars.loc[bars.index[40:50], "volume"] = volume
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(feed(dataname=bars))
    strategy = recorded(cerebro, PriceForecaster())
    known = bars.assign(volume=bars["volume"].clip(lower=0).fillna(0))
    assert_same_numbers(strategy, RememberingForecaster().forecast(known))


@pytest.mark.parametrize(
    ("specs", "named"),
    [
        (None, "a feature"),
        ([{"kind": "obv"}, {"kind": "rsi"}, {"kind": "relative_volume", "length": 20}], "both"),
    ],
    ids=["no card", "two readers"],
)
def test_a_feed_without_volume_is_refused_with_the_features_that_read_it(specs, named):
    features = None if specs is None else FeatureSet(specs)

    class VolumeForecaster(RememberingForecaster):
        reads_volume = True
        card = None if features is None else SimpleNamespace(features=features.to_dict())

    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(bt.feeds.PandasData(dataname=BARS.drop(columns="volume"), volume=None))
    with pytest.raises(LSTMStrategyError) as refused:
        recorded(cerebro, VolumeForecaster())
    readers = "obv(), relative_volume(length=20)" if named == "both" else named
    assert str(refused.value) == (
        f"The feed has no volume, which {readers} of the model reads. Feed bars with a volume, or "
        'train with features that read none, such as the preset "prices".'
    )


def test_the_features_say_whether_the_volume_is_read():
    assert not LSTMForecaster([{"kind": "log_return", "length": 1}]).reads_volume
    assert LSTMForecaster([{"kind": "relative_volume", "length": 20}]).reads_volume


def test_backtraders_strategy_for_signals_is_said_to_trade_one_unit(caplog):
    cerebro = bt.Cerebro()
    cerebro.adddata(BarsFeed(BARS))
    cerebro.add_signal(bt.SIGNAL_LONGSHORT, LSTMIndicator, model=ConstantForecaster(0.5))
    cerebro.run()
    (record,) = caplog.records
    assert record.getMessage().startswith("SignalStrategy trades one unit per order")


def test_intraday_times_reach_the_model_exactly():
    class Timekeeper(ConstantForecaster):
        def forecast(self, bars):
            self.times = bars.index
            return super().forecast(bars)

    model = Timekeeper(0.5)
    bars = random_walk(90, freq="37min13s")
    cerebro = bt.Cerebro()
    cerebro.adddata(BarsFeed(bars))
    recorded(cerebro, model)
    assert (model.times == bars.index).all()


def test_the_plot_label_does_not_spell_out_the_model():
    cerebro = bt.Cerebro()
    cerebro.adddata(BarsFeed(BARS))
    strategy = recorded(cerebro, ConstantForecaster(0.5))
    assert strategy.lstm.plotlabel() == "LSTM"


def test_a_saved_model_is_loaded_once_until_it_changes(trained, tmp_path):
    folder = trained.save(tmp_path / "model")
    first = open_forecaster(folder)
    assert open_forecaster(str(folder)) is first
    trained.save(folder)
    assert open_forecaster(folder) is not first


def test_ready_forecasts_stand_in_for_the_model(trained):
    ready = precompute_forecasts(trained, BARS)
    pd.testing.assert_frame_equal(ready.forecast(BARS.iloc[20:]), trained.forecast(BARS).iloc[20:])
    aware = BARS.tz_localize("UTC").tz_convert("America/New_York")
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(BarsFeed(aware))
    strategy = recorded(cerebro, precompute_forecasts(trained, aware))
    assert_same_numbers(strategy, trained.forecast(aware))
    with pytest.raises(LSTMStrategyError, match="No forecast was made for 2001-04-01"):
        ready.forecast(random_walk(100))
    with pytest.raises(LSTMStrategyError, match="can't follow a live feed"):
        ready.stream()
