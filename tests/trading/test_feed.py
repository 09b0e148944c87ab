import datetime as dt
import math
import pickle
import runpy
import subprocess
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import backtrader as bt
import numpy as np
import pandas as pd
import pytest
import pytz

from lstm_strategy.errors import BarsError
from lstm_strategy.trading.backtrader_internals import timeframe_of
from lstm_strategy.trading.feed import BarsFeed

NAMES = ("open", "high", "low", "close", "volume", "funding_rate", "mark")


def walk(index: pd.DatetimeIndex) -> pd.DataFrame:
    """Return valid bars with two extra columns, one of them with gaps."""
    generator = np.random.default_rng(7)
    opening = 100 + generator.normal(size=len(index)).cumsum()
    close = opening + generator.normal(size=len(index))
    return pd.DataFrame(
        {
            "open": opening,
            "high": np.maximum(opening, close) + 0.5,
            "low": np.minimum(opening, close) - 0.5,
            "close": close,
            "volume": generator.integers(100, 900, len(index)).astype(float),
            "funding_rate": np.where(np.arange(len(index)) % 8 == 0, 0.0001, np.nan),
            "mark": close + 0.01,
        },
        index=index,
    )


def daily_walk() -> pd.DataFrame:
    return walk(pd.bdate_range("2024-01-01", periods=40, name="datetime"))


def hourly_walk(zone=None) -> pd.DataFrame:
    return walk(pd.date_range("2024-03-08 21:00", periods=80, freq="h", tz=zone, name="datetime"))


class Recorder(bt.Strategy):
    """Writes down what it sees on every bar."""

    params = (("names", ("open", "high", "low", "close", "volume")), ("shift", 0))

    def __init__(self):
        self.seen = []

    def next(self):
        lines = [getattr(self.data.lines, name)[0] for name in self.p.names]
        self.seen.append((self.data.datetime.datetime(0), len(self.data), *lines))


def seen(feed, *, add="adddata", names=("open", "high", "low", "close", "volume"), **modes):
    cerebro = bt.Cerebro(stdstats=False, **modes.pop("cerebro", {}))
    getattr(cerebro, add)(feed, **modes)
    cerebro.addstrategy(Recorder, names=names)
    return cerebro.run()[0].seen


def rows_of(bars: pd.DataFrame, names=NAMES) -> list[tuple]:
    wall = bars.index.tz_localize(None)
    return [
        (date.to_pydatetime(), count, *row)
        for count, (date, row) in enumerate(
            zip(wall, bars[list(names)].itertuples(index=False), strict=True), start=1
        )
    ]


def assert_same_rows(found: list[tuple], expected: list[tuple]) -> None:
    assert [row[:2] for row in found] == [row[:2] for row in expected]
    np.testing.assert_array_equal([row[2:] for row in found], [row[2:] for row in expected])


MODES = {
    "vector": {},
    "preloaded, bar by bar": {"runonce": False},
    "not preloaded": {"preload": False},
    "not preloaded, bar by bar": {"preload": False, "runonce": False},
    "exactbars 1": {"exactbars": 1},
    "exactbars -1": {"exactbars": -1},
    "exactbars -2": {"exactbars": -2},
    "live": {"live": True},
    "lookahead": {"lookahead": 2},
}
every_mode = pytest.mark.parametrize("mode", MODES.values(), ids=MODES.keys())


@every_mode
@pytest.mark.parametrize("bars", [daily_walk(), hourly_walk()], ids=["daily", "hourly"])
def test_every_mode_sees_every_bar_with_its_extra_columns(mode, bars):
    assert_same_rows(seen(BarsFeed(bars), names=NAMES, cerebro=mode), rows_of(bars))


@every_mode
def test_every_mode_sees_what_pandas_data_shows(mode):
    bars = hourly_walk()
    ours = seen(BarsFeed(dataname=bars), cerebro=mode)
    theirs = seen(
        bt.feeds.PandasData(dataname=bars, timeframe=bt.TimeFrame.Minutes, compression=60),
        cerebro=mode,
    )
    assert_same_rows(ours, theirs)


@every_mode
@pytest.mark.parametrize(
    ("span", "kept"),
    [
        pytest.param({"fromdate": dt.datetime(2024, 1, 15)}, slice(10, None), id="from"),
        pytest.param({"todate": dt.datetime(2024, 1, 15)}, slice(None, 11), id="to"),
        pytest.param(
            {"fromdate": dt.date(2024, 1, 13), "todate": dt.date(2024, 1, 17)},
            slice(10, 13),
            id="dates, the first on a Saturday",
        ),
        pytest.param({"fromdate": dt.datetime(2030, 1, 1)}, slice(0, 0), id="nothing left"),
    ],
)
def test_dates_from_and_to_are_honoured_in_every_mode(mode, span, kept):
    bars = daily_walk()
    assert_same_rows(
        seen(BarsFeed(bars, **span), names=NAMES, cerebro=mode), rows_of(bars.iloc[kept])
    )


@pytest.mark.parametrize("add", ["resampledata", "replaydata"])
@pytest.mark.parametrize("mode", [{}, {"runonce": False}, {"exactbars": 1}], ids=str)
def test_resampled_and_replayed_bars_are_those_of_pandas_data(add, mode):
    bars = hourly_walk()
    to_days = {"timeframe": bt.TimeFrame.Days, "compression": 1}
    pandas_data = bt.feeds.PandasData(dataname=bars, timeframe=bt.TimeFrame.Minutes, compression=60)
    ours = seen(BarsFeed(bars), add=add, cerebro=dict(mode), **to_days)
    theirs = seen(pandas_data, add=add, cerebro=dict(mode), **to_days)
    assert len(ours) >= 4
    assert_same_rows(ours, theirs)


def test_a_slow_copy_beside_the_fast_feed_works():
    bars = hourly_walk()
    cerebro = bt.Cerebro(stdstats=False)
    fast = cerebro.adddata(BarsFeed(bars))
    slow = cerebro.resampledata(fast, timeframe=bt.TimeFrame.Days)
    cerebro.addstrategy(bt.Strategy)
    cerebro.run()
    assert (len(fast), len(slow)) == (80, 5)
    days = bars.groupby(bars.index.date)
    assert list(slow.close.get(size=5)) == list(days["close"].last())
    assert list(slow.high.get(size=5)) == list(days["high"].max())


def test_filters_are_applied():
    class DropMondays:
        def __init__(self, data):
            pass

        def __call__(self, data):
            if data.datetime.date(0).weekday() == 0:
                data.backwards()
                return True
            return False

    bars = daily_walk()
    feed = BarsFeed(bars)
    feed.addfilter(DropMondays)
    kept = bars[bars.index.day_of_week != 0]
    assert_same_rows(seen(feed, names=NAMES), rows_of(kept))


def test_a_second_run_sees_the_same_bars():
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(BarsFeed(daily_walk()))
    cerebro.addstrategy(Recorder)
    first, second = cerebro.run()[0].seen, cerebro.run(preload=False)[0].seen
    assert_same_rows(first, second)


@pytest.mark.parametrize("mode", [{}, {"preload": False}], ids=str)
def test_two_feeds_in_one_run_keep_their_own_columns(mode):
    with_extras, plain = daily_walk(), daily_walk()[["open", "high", "low", "close", "volume"]]
    cerebro = bt.Cerebro(stdstats=False, **mode)
    cerebro.adddata(BarsFeed(with_extras, name="perp"))
    cerebro.adddata(BarsFeed(plain, name="spot"))
    cerebro.addstrategy(bt.Strategy)
    strategy = cerebro.run()[0]
    perp, spot = strategy.getdatabyname("perp"), strategy.getdatabyname("spot")
    assert perp.mark[0] == with_extras["mark"].iloc[-1]
    assert perp.lines.mark[-1] == with_extras["mark"].iloc[-2]
    assert not hasattr(spot, "mark")
    assert isinstance(perp, BarsFeed)
    assert type(BarsFeed(with_extras)) is type(perp)


def test_open_interest_fills_its_line_and_is_nan_when_absent():
    bars = daily_walk().assign(openinterest=np.arange(40.0))
    assert [row[2] for row in seen(BarsFeed(bars), names=["openinterest"])] == list(range(40))
    absent = seen(BarsFeed(daily_walk()), names=["openinterest"])
    assert all(math.isnan(row[2]) for row in absent)


def test_a_subclass_with_its_own_line_is_filled_from_the_column():
    class PerpFeed(BarsFeed):
        lines = ("funding_rate",)

    bars = daily_walk()
    assert_same_rows(seen(PerpFeed(bars), names=NAMES), rows_of(bars))


ZONES = {
    "ZoneInfo": ZoneInfo("America/New_York"),
    "pytz": pytz.timezone("America/New_York"),
    "UTC": "UTC",
    "pytz UTC": pytz.UTC,
    "fixed offset": dt.timezone(dt.timedelta(hours=5, minutes=30)),
}


@pytest.mark.parametrize("zone", ZONES.values(), ids=ZONES.keys())
@pytest.mark.parametrize("mode", [{}, {"preload": False}], ids=str)
def test_aware_bars_show_their_own_wall_clock(zone, mode):
    # The 80 hours contain the change to summer time of 10 March 2024.
    bars = hourly_walk(zone)
    assert_same_rows(seen(BarsFeed(bars), names=NAMES, cerebro=mode), rows_of(bars))


def test_the_hour_that_comes_twice_is_shown_twice():
    index = pd.date_range("2024-11-03 04:00", periods=4, freq="h", tz="UTC")
    found = seen(BarsFeed(walk(index.tz_convert("America/New_York"))))
    assert [row[0].hour for row in found] == [0, 1, 1, 2]


@pytest.mark.parametrize("zone", ZONES.values(), ids=ZONES.keys())
def test_any_zone_can_be_asked_for_on_any_bar(zone):
    bars = hourly_walk(zone)
    feed = BarsFeed(bars)
    seen(feed)
    tokyo = ZoneInfo("Asia/Tokyo")
    last = bars.index[-1].to_pydatetime()
    assert feed.datetime.datetime(0, tz=tokyo) == last.astimezone(tokyo).replace(tzinfo=None)
    assert feed.datetime.datetime(0, tz=tokyo, naive=False) == last
    assert feed.datetime.datetime(0, naive=False) == last
    assert feed.datetime.datetime(0, tz=pytz.timezone("Asia/Tokyo"), naive=False) == last
    assert feed.datetime[0] == bt.date2num(last)


@pytest.mark.parametrize("tz", ["Asia/Tokyo", ZoneInfo("Asia/Tokyo")], ids=["name", "ZoneInfo"])
def test_another_zone_can_be_shown_throughout(tz):
    bars = hourly_walk("UTC")
    assert_same_rows(
        seen(BarsFeed(bars, tz=tz), names=NAMES), rows_of(bars.tz_convert("Asia/Tokyo"))
    )


@pytest.mark.parametrize("mode", [{}, {"preload": False}], ids=str)
@pytest.mark.parametrize("zone", ZONES.values(), ids=ZONES.keys())
def test_dates_from_and_to_are_in_the_zone_shown(zone, mode):
    bars = hourly_walk(zone)
    span = {
        "fromdate": dt.datetime(2024, 3, 9, 12),
        "todate": dt.datetime(2024, 3, 10, 4, tzinfo=dt.UTC),
    }
    start = pd.Timestamp(span["fromdate"]).tz_localize(bars.index.tz)
    kept = bars[(bars.index >= start) & (bars.index <= pd.Timestamp(span["todate"]))]
    assert_same_rows(seen(BarsFeed(bars, **span), names=NAMES, cerebro=mode), rows_of(kept))


@pytest.mark.parametrize("mode", [{}, {"preload": False}], ids=str)
def test_naive_bars_may_be_declared_to_be_of_a_zone(mode):
    new_york = ZoneInfo("America/New_York")
    bars = walk(pd.date_range("2024-01-02 09:30", periods=7, freq="h"))
    feed = BarsFeed(bars, tzinput=new_york, tz=new_york)
    assert_same_rows(seen(feed, names=NAMES, cerebro=mode), rows_of(bars))
    assert feed.datetime[0] == bt.date2num(dt.datetime(2024, 1, 2, 20, 30))


@pytest.mark.parametrize("mode", [{}, {"preload": False}, {"exactbars": 1}], ids=str)
def test_a_session_is_resampled_to_one_bar_a_day(mode):
    hours = pd.date_range("2024-03-07", "2024-03-13", freq="h", tz="America/New_York")
    bars = walk(hours[(hours.hour >= 9) & (hours.hour <= 16) & (hours.day_of_week < 5)])
    found = seen(
        BarsFeed(bars),
        add="resampledata",
        cerebro=mode,
        timeframe=bt.TimeFrame.Days,
        names=["close"],
    )
    assert [row[2] for row in found] == list(bars["close"].groupby(bars.index.date).last())


@pytest.mark.parametrize(
    ("freq", "expected"),
    [
        ("B", (bt.TimeFrame.Days, 1)),
        ("D", (bt.TimeFrame.Days, 1)),
        ("3D", (bt.TimeFrame.Days, 3)),
        ("W-FRI", (bt.TimeFrame.Weeks, 1)),
        ("ME", (bt.TimeFrame.Months, 1)),
        ("QE", (bt.TimeFrame.Months, 3)),
        ("YE", (bt.TimeFrame.Years, 1)),
        ("h", (bt.TimeFrame.Minutes, 60)),
        ("4h", (bt.TimeFrame.Minutes, 240)),
        ("min", (bt.TimeFrame.Minutes, 1)),
        ("15s", (bt.TimeFrame.Seconds, 15)),
        ("250ms", (bt.TimeFrame.MicroSeconds, 250_000)),
    ],
)
def test_timeframe_and_compression_come_from_the_bars(freq, expected):
    feed = BarsFeed(walk(pd.date_range("2024-01-01", periods=12, freq=freq)))
    assert timeframe_of(feed) == expected[0]
    assert (feed.p.timeframe, feed.p.compression) == expected


def test_a_given_timeframe_is_kept():
    feed = BarsFeed(daily_walk(), timeframe=bt.TimeFrame.Weeks)
    assert (timeframe_of(feed), feed.p.compression) == (bt.TimeFrame.Weeks, 1)
    assert timeframe_of(BarsFeed(daily_walk().iloc[:1])) == bt.TimeFrame.Days


def test_bad_bars_are_refused():
    bars = daily_walk()
    bars.iloc[3, 3] = np.nan
    with pytest.raises(BarsError, match=r"close is NaN at 2024-01-04 \(1 such row\)"):
        BarsFeed(bars)
    with pytest.raises(BarsError, match="must be a pandas DataFrame, got NoneType"):
        BarsFeed(None)


@pytest.mark.parametrize("name", ["size", "lines", "next", "_hidden", "two words", "class "])
def test_an_extra_column_that_cannot_be_a_line_is_left_out_and_said(name, caplog):
    feed = BarsFeed(daily_walk().rename(columns={"mark": name}))
    assert len(feed.getlinealiases()) == len(BarsFeed(daily_walk()).getlinealiases()) - 1
    assert f"column '{name}' has a name that can't be a line of a feed" in caplog.text


def test_the_callers_frame_is_left_as_it_was():
    bars = daily_walk()
    seen(BarsFeed(bars))
    pd.testing.assert_frame_equal(bars, daily_walk())


@pytest.mark.parametrize("settings", [{}, {"preload": False}, {"optdatas": False}], ids=str)
def test_optstrategy_in_two_processes_sees_every_bar(settings):
    cerebro = bt.Cerebro(stdstats=False, maxcpus=2, optreturn=False, **settings)
    cerebro.adddata(BarsFeed(hourly_walk("America/New_York")))
    cerebro.optstrategy(Recorder, shift=[0, 1], names=[NAMES])
    for (strategy,) in cerebro.run():
        assert_same_rows(strategy.seen, rows_of(hourly_walk("America/New_York")))


def test_a_pickled_feed_is_whole_in_a_fresh_process(tmp_path):
    # Workers that are spawned know nothing of the classes made for extra columns.
    feed = BarsFeed(hourly_walk("America/New_York"))
    (tmp_path / "feed.pickle").write_bytes(pickle.dumps(feed))
    script = (
        "import pickle, sys, backtrader as bt\n"
        "feed = pickle.load(open(sys.argv[1], 'rb'))\n"
        "cerebro = bt.Cerebro(stdstats=False)\n"
        "cerebro.adddata(feed)\n"
        "cerebro.addstrategy(bt.Strategy)\n"
        "cerebro.run()\n"
        "print(len(feed), feed.mark[0], feed.datetime.datetime(0))\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "feed.pickle")],
        capture_output=True,
        text=True,
        check=True,
    )
    seen(feed)
    assert answer.stdout.strip() == f"80 {feed.mark[0]} {feed.datetime.datetime(0)}"


def test_the_benchmark_compares_the_two_feeds_on_the_same_bars():
    path = Path(__file__).parents[2] / "benchmarks" / "feed.py"
    benchmark = runpy.run_path(str(path))
    bars = benchmark["random_bars"](50)
    ours = seen(BarsFeed(bars))
    theirs = seen(bt.feeds.PandasData(dataname=bars))
    assert_same_rows(ours, theirs)
