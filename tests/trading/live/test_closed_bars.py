"""What `ClosedBars` hands on, fault by fault: bars of one hour, the close of hour 3 is 103."""

import backtrader as bt
import numpy as np
import pandas as pd
import pytest
from made_up import RememberingForecaster

from lstm_strategy import BarsFeed, ClosedBars, LSTMIndicator, TargetStrategy
from lstm_strategy.errors import TradingError

START = pd.Timestamp("2024-05-06", tz="UTC")


def hour(number):
    return START + pd.Timedelta(hours=number)


def bar(number, close=None, **more):
    return {
        "datetime": hour(number),
        "open": 100.0,
        "high": 110.0,
        "low": 90.0,
        "close": 100.0 + number % 7 if close is None else close,
        "volume": 5.0,
        **more,
    }


def history(n_bars, **more):
    rows = pd.DataFrame([bar(number, **more) for number in range(n_bars)])
    return rows.set_index("datetime")


class Recorder(bt.Strategy):
    """Writes down each bar that it sees, and what it is told of the data."""

    def __init__(self):
        self.seen, self.told = [], []

    def notify_data(self, data, status, *args, **kwargs):
        self.told.append((data._getstatusname(status), len(data)))

    def next(self):
        number = round((self.data.num2date(tz=None) - START.tz_localize(None)).total_seconds())
        self.seen.append((number / 3_600, self.data.close[0]))


def run(feed, strategy=Recorder, **settings):
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(feed)
    cerebro.addstrategy(strategy, **settings)
    return cerebro.run()[0]


def hours_seen(stream, **settings):
    """The hours that were handed on, and the faults that were counted."""
    feed = ClosedBars(stream, history=settings.pop("history", history(3)), **settings)
    seen = [number for number, _ in run(feed).seen]
    return seen, {kind: count for kind, count in feed.counts.items() if count}


CLOSED = {"closed": True}
OPEN = {"closed": False}


@pytest.mark.parametrize(
    ("stream", "seen", "counts"),
    [
        pytest.param([bar(3), bar(4)], [3, 4], {}, id="clean"),
        pytest.param([bar(3), bar(3), bar(4)], [3, 4], {"repeated": 1}, id="repeated"),
        pytest.param([bar(2), bar(0), bar(3)], [3], {"repeated": 2}, id="history comes again"),
        pytest.param([bar(3), bar(5)], [3, 5], {"missing": 1}, id="missing"),
        pytest.param(
            [bar(3), bar(5), bar(4), bar(4)],
            [3, 5],
            {"missing": 1, "late": 1, "repeated": 1},
            id="late",
        ),
        pytest.param([bar(3), bar(4), bar(3, 105.0)], [3, 4], {"corrected": 1}, id="corrected"),
        pytest.param(
            [bar(3, 101.0, **OPEN), bar(3, 102.0, **OPEN), bar(3), bar(4)],
            [3, 4],
            {"unfinished": 2},
            id="half candles",
        ),
        pytest.param(
            [bar(3), bar(4, 101.0, **OPEN), bar(5)],
            [3, 5],
            {"unfinished": 1, "missing": 1},
            id="a half candle that never came whole",
        ),
        pytest.param([bar(3), bar(4, **OPEN)], [3], {"unfinished": 1}, id="half at the end"),
        pytest.param([bar(3), bar(3, 95.0, **OPEN)], [3], {"unfinished": 1}, id="half comes late"),
        pytest.param(
            [bar(3), bar(4, high=95.0), bar(4)], [3, 4], {"invalid": 1}, id="high below open"
        ),
        pytest.param([bar(3), bar(4, close=np.nan), bar(4)], [3, 4], {"invalid": 1}, id="NaN"),
        pytest.param([bar(3), bar(90_000), bar(4)], [3, 4], {"misdated": 1}, id="far ahead"),
        pytest.param([bar(3), bar(90_000)], [3], {"misdated": 1}, id="far ahead at the end"),
        pytest.param([bar(3), bar(4, volume=-1.0), bar(5)], [3, 4, 5], {}, id="unknown volume"),
        pytest.param([bar(3), None, None, bar(4)], [3, 4], {}, id="nothing yet"),
    ],
)
def test_each_fault_has_its_rule_and_is_counted(stream, seen, counts):
    assert hours_seen(stream, closed_only=True) == ([0, 1, 2, *seen], counts)


@pytest.mark.parametrize(
    ("stream", "seen", "counts"),
    [
        pytest.param([bar(3), bar(4)], [3], {"unfinished": 1}, id="the last waits for a later one"),
        pytest.param(
            [bar(3, 101.0), bar(3, 102.0), bar(3, 102.0), bar(4)],
            [3],
            {"unfinished": 2, "repeated": 1},
            id="values that change",
        ),
        pytest.param([bar(3), bar(4, **CLOSED)], [3, 4], {}, id="a flag"),
        pytest.param(
            [bar(3), bar(3, 104.0, **OPEN), bar(4)],
            [3],
            {"unfinished": 2},
            id="a half candle after one without a flag",
        ),
        pytest.param(
            [bar(4), bar(3), bar(5)], [3, 4], {"out_of_order": 1, "unfinished": 1}, id="swapped"
        ),
        pytest.param(
            [bar(2, 101.0), bar(3), bar(4)],
            [3],
            {"unfinished": 2},
            id="the last of the history was a half candle",
        ),
    ],
)
def test_a_bar_waits_until_the_source_shows_that_it_is_over(stream, seen, counts):
    assert hours_seen(stream) == ([0, 1, 2, *seen], counts)


def test_the_last_version_of_a_half_candle_counts():
    feed = ClosedBars([bar(2, 101.0), bar(3, 102.0), bar(3, 103.0), bar(4)], history=history(3))
    assert run(feed).seen == [(0, 100.0), (1, 101.0), (2, 101.0), (3, 103.0)]


class Clock:
    """The time of the exchange, which moves on to the given hour with each bar."""

    def __init__(self, *hours):
        self._hours = iter(hours)

    def __call__(self):
        return hour(next(self._hours))


@pytest.mark.parametrize(
    ("stamp", "clock", "seen", "counts"),
    [
        pytest.param("open", (4, 5), [3, 4], {}, id="open, over"),
        pytest.param("open", (4, 4.5), [3], {"unfinished": 1}, id="open, half"),
        pytest.param("close", (3, 4), [3, 4], {}, id="close, over"),
        pytest.param("close", (3, 3.5), [3], {"unfinished": 1}, id="close, half"),
        pytest.param("open", (4, 1), [3], {"misdated": 1}, id="after the clock"),
    ],
)
def test_the_clock_of_the_source_shows_that_a_bar_is_over(stamp, clock, seen, counts):
    stream = [bar(3), bar(4)]
    assert hours_seen(stream, stamp=stamp, clock=Clock(*clock)) == ([0, 1, 2, *seen], counts)


def test_a_bar_that_was_half_by_the_clock_is_dropped_unless_it_comes_again():
    """As a store does that asks for candles and hands over each once, when it has just begun."""
    stream, clock = [bar(3), bar(4, 101.0), bar(5, 102.0), bar(5)], Clock(4, 4.1, 5.1, 6)
    assert hours_seen(stream, clock=clock) == (
        [0, 1, 2, 3, 5],
        {"missing": 1, "unfinished": 2},
    )


def test_a_gap_stops_trading_if_asked():
    feed = ClosedBars([bar(3), bar(6), bar(7)], history=history(3), closed_only=True, on_gap="stop")
    strategy = run(feed)
    assert [number for number, _ in strategy.seen] == [0, 1, 2, 3]
    assert not feed.may_trade
    assert feed.stopped_because == "2 bars are missing before the bar of 2024-05-06 06:00:00+00:00"
    assert hours_seen([bar(3), bar(6), bar(7)], closed_only=True, on_gap="stop", largest_gap=2) == (
        [0, 1, 2, 3, 6, 7],
        {"missing": 2},
    )


def test_notes_say_what_became_of_a_bar():
    feed = ClosedBars([bar(3), bar(5), bar(3, 105.0)], history=history(3), closed_only=True)
    run(feed)
    assert [(note.kind, note.time) for note in feed.notes] == [
        ("missing", hour(5)),
        ("corrected", hour(3)),
    ]
    assert [note.text for note in feed.take_notes()] == [
        "1 bar is missing between 2024-05-06 03:00:00+00:00 and 2024-05-06 05:00:00+00:00.",
        "The bar of 2024-05-06 03:00:00+00:00 was corrected after it had closed: close 103 → 105.",
    ]
    assert feed.notes == []


def test_extra_columns_are_lines():
    live = bar(3, funding_rate=0.0002, **CLOSED)
    feed = ClosedBars([live, bar(4, **CLOSED)], history=history(3, funding_rate=0.0001))
    data = run(feed).data
    np.testing.assert_array_equal(data.funding_rate.get(size=3), [0.0001, 0.0002, np.nan])


def test_live_is_told_with_the_first_bar_that_came_live():
    strategy = run(ClosedBars([bar(3), bar(4)], history=history(3), closed_only=True))
    assert strategy.told == [("DELAYED", 0), ("LIVE", 4), ("DISCONNECTED", 5)]


class AlwaysIn(TargetStrategy):
    """Writes down the bars at which it was asked."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def target_exposure(self):
        self.asked.append(len(self.data))
        return 0.5


def test_there_is_no_order_before_the_data_is_live():
    strategy = run(ClosedBars([bar(3), bar(4)], history=history(3), closed_only=True), AlwaysIn)
    assert strategy.asked == [4, 5]


class StoreFeed(bt.feed.DataBase):
    """A feed as stores have them: it says what it does, has nothing yet at times, and repeats."""

    params = (("bars", ()), ("timeframe", bt.TimeFrame.Minutes), ("compression", 60))
    tradecontract = "ES-202406"

    def start(self):
        super().start()
        self._left = list(self.p.bars)
        self.put_notification(self.DELAYED)

    def islive(self):
        return True

    def haslivedata(self):
        return bool(self._left)

    def _load(self):
        if not self._left:
            return False
        item = self._left.pop(0)
        if item is None or isinstance(item, str):
            if item:
                self.put_notification(getattr(self, item))
            return None
        self.lines.datetime[0] = bt.date2num(item["datetime"].tz_convert("UTC").tz_localize(None))
        for name in ("open", "high", "low", "close", "volume"):
            getattr(self.lines, name)[0] = item[name]
        return True


def test_the_feed_of_a_store_is_wrapped():
    bars = [bar(1), bar(2), bar(3), "LIVE", bar(4), bar(4), None, "CONNBROKEN", bar(3), "LIVE"]
    inner = StoreFeed(dataname="ES", name="ES", bars=[*bars, bar(5)])
    feed = ClosedBars(inner, history=history(3), closed_only=True)
    strategy = run(feed)
    assert [number for number, _ in strategy.seen] == [0, 1, 2, 3, 4, 5]
    assert {kind: count for kind, count in feed.counts.items() if count} == {"repeated": 4}
    assert [status for status, _ in strategy.told] == [
        "DELAYED",
        "LIVE",
        "CONNBROKEN",
        "LIVE",
        "DISCONNECTED",
    ]
    assert strategy.told[1] == ("LIVE", 5)  # hour 3 was the store's own history


def test_the_broker_of_a_store_finds_what_it_looks_for():
    inner = StoreFeed(dataname="ES", name="ES", bars=[bar(0)])
    feed = ClosedBars(inner)
    assert (feed.tradecontract, feed._dataname, feed.p.dataname) == ("ES-202406", "ES", "ES")
    assert (feed.source, feed._name, feed._timeframe, feed._compression) == (
        inner,
        "ES",
        bt.TimeFrame.Minutes,
        60,
    )


class Watching(bt.Strategy):
    """Keeps the lines of an indicator."""

    params = (("model", None),)

    def __init__(self):
        self.lstm = LSTMIndicator(self.data, model=self.p.model)


def test_the_model_gives_the_same_numbers_as_on_the_bars_that_were_handed_on():
    closes = [100 + 3 * np.sin(number) for number in range(30)]
    stream = [bar(number, closes[number]) for number in range(10, 30)]
    stream[5:5] = [stream[4], stream[2], bar(15, 99.0, **OPEN)]
    del stream[12]
    past = pd.DataFrame([bar(number, closes[number]) for number in range(10)]).set_index("datetime")
    live = run(ClosedBars(stream, history=past, closed_only=True), Watching, model=Remembering())
    seen = pd.DataFrame(
        {name: live.data.lines[i].array for i, name in enumerate(live.data.getlinealiases())}
    )
    index = pd.DatetimeIndex([hour(n) for n in range(30) if n != 19], name="datetime")
    handed_on = seen[["open", "high", "low", "close", "volume"]].set_axis(index)
    again = run(BarsFeed(handed_on), Watching, model=Remembering())
    for name in ("signal", "forecast", "uncertainty"):
        ours, theirs = (getattr(each.lstm.lines, name).array for each in (live, again))
        np.testing.assert_array_equal(ours, theirs)


def Remembering():  # noqa: N802 (a class to those who call it)
    return RememberingForecaster(warm_up=3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(
            {"dataname": iter([])},
            "ClosedBars has to know how often bars come, and has no history to see it in. "
            'Give spacing="1h", or a history.',
            id="no spacing",
        ),
        pytest.param(
            {"dataname": 5, "spacing": "1h"},
            "ClosedBars takes a feed of a backtrader store, an iterator of bars or a BarSource, "
            "got int. Pass one of them.",
            id="no source",
        ),
        pytest.param(
            {"dataname": history(3)},
            "ClosedBars takes bars that come live, got a DataFrame. Pass bars that are known "
            "already as history=..., or feed them with BarsFeed.",
            id="a frame",
        ),
        pytest.param(
            {"dataname": iter([]), "history": history(3), "on_gap": "halt"},
            "on_gap must be 'report' or 'stop', got 'halt'. Choose one.",
            id="on_gap",
        ),
        pytest.param(
            {"dataname": iter([]), "spacing": "0min"},
            "spacing must be above 0, got 0 days 00:00:00. Give that of the bars.",
            id="no spacing",
        ),
        pytest.param(
            {"dataname": iter([]), "history": 500},
            "history must be bars, got 500: only a BarSource can be asked for a number of them. "
            "Load them and pass the frame.",
            id="a number of an iterator's bars",
        ),
    ],
)
def test_what_cannot_be_used_is_refused(arguments, message):
    with pytest.raises(TradingError) as error:
        ClosedBars(**arguments)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("item", "message"),
    [
        pytest.param({"time": 5}, "'datetime' isn't in {'time': 5}", id="other names"),
        pytest.param(bar(3) | {"datetime": 1_714_953_600_000}, "must be a date", id="a number"),
        pytest.param(
            bar(3) | {"datetime": pd.Timestamp("2024-05-06 03:00")},
            "has no timezone, and the bars of the history have one",
            id="no zone",
        ),
    ],
)
def test_a_bar_that_is_no_bar_ends_the_run_with_a_clear_sentence(item, message):
    with pytest.raises(TradingError, match=message):
        run(ClosedBars([item], history=history(3)))


class Source:
    """A source that hands over closed bars, and fails at the end if asked."""

    spacing = pd.Timedelta(hours=1)

    def __init__(self, bars, error=None):
        self._bars, self._error = bars, error
        self.is_closed = False

    def history(self, *, n_bars):
        return history(8).iloc[-n_bars:]

    def live(self, after=None):
        yield from (each for each in self._bars if each["datetime"] > after)
        if self._error is not None:
            raise self._error

    def close(self):
        self.is_closed = True


def test_a_bar_source_gives_its_history_and_then_its_live_bars():
    source = Source([bar(number) for number in range(6, 11)])
    feed = ClosedBars(source, history=4)
    assert [number for number, _ in run(feed).seen] == [4, 5, 6, 7, 8, 9, 10]
    assert source.is_closed


def test_an_error_of_a_source_ends_the_run():
    with pytest.raises(TradingError, match="the exchange is gone"):
        run(ClosedBars(Source([bar(8)], TradingError("the exchange is gone")), history=4))
