"""Whatever a source does to its bars, they are handed on once, in order and whole, or counted."""

import backtrader as bt
import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import RememberingForecaster, random_walk

from lstm_strategy import BarsFeed, ClosedBars, LSTMIndicator

HISTORY = 4
BARS = random_walk(24, freq="h", start="2024-05-06")
PRICES = ["open", "high", "low", "close", "volume"]


def items(*, closed=None):
    """The bars as a clean source hands them over."""
    flag = {} if closed is None else {"closed": closed}
    return [{"datetime": time, **row, **flag} for time, row in BARS.iterrows()]


def half_of(bar, share, **flag):
    """A bar that still forms."""
    close = bar["open"] + share * (bar["close"] - bar["open"])
    return {**bar, "close": close, "volume": share * bar["volume"], **flag}


fates = st.fixed_dictionaries(
    {
        "n_halves": st.integers(0, 2),
        "is_dropped": st.sampled_from([False, False, False, True]),
        "n_repeats": st.integers(0, 2),
        "is_corrected": st.booleans(),
        "delays": st.lists(st.floats(0.0, 2.5), min_size=6, max_size=6),
    }
)


def disturbed(fates_of_bars, *, flagged):
    """The live bars as a bad source hands them over; only one with flags swaps them."""
    comes = []
    for number, fate in enumerate(fates_of_bars, start=HISTORY):
        bar = items(closed=True if flagged else None)[number]
        delays = iter(fate["delays"] if flagged else [0.0, 0.0, 0.1, 0.1, 0.2, 1.5])
        when = number + next(delays)
        for half in range(fate["n_halves"] if flagged or not fate["is_dropped"] else 0):
            flag = {"closed": False} if flagged else {}
            early = when - 0.2 + next(delays) if flagged else when - 0.2 + half / 10
            comes.append((early, half_of(bar, half / 3, **flag)))
        if fate["is_dropped"]:
            continue
        comes.append((when, bar))
        comes += [(when + next(delays), bar) for _ in range(fate["n_repeats"])]
        if fate["is_corrected"]:
            # without a flag, a correction that comes before the next bar is no correction
            later = when + 1.2 + fate["delays"][-1] if flagged else 1_000.0
            comes.append((later, {**bar, "close": bar["low"]}))
    return [bar for _, bar in sorted(comes, key=lambda each: each[0])]


class Watching(bt.Strategy):
    def __init__(self):
        self.lstm = LSTMIndicator(self.data, model=RememberingForecaster(warm_up=3))


def run(feed):
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(feed)
    cerebro.addstrategy(Watching)
    return cerebro.run()[0]


def hand_on(stream):
    """The bars that were handed on, the forecasts, and the feed."""
    feed = ClosedBars(stream, history=BARS[:HISTORY], spacing="1h")
    strategy = run(feed)
    columns = {name: np.array(getattr(feed.lines, name).array) for name in PRICES}
    times = [pd.Timestamp(bt.num2date(number)).round("s") for number in feed.lines.datetime.array]
    bars = pd.DataFrame(columns, index=pd.DatetimeIndex(times))
    signals = np.array(strategy.lstm.lines.signal.array)
    return bars, signals, feed


def assert_whole_once_in_order(bars, signals, feed, stream):
    assert bars.index.is_monotonic_increasing and bars.index.is_unique
    np.testing.assert_array_equal(bars.to_numpy(), BARS.loc[bars.index, PRICES].to_numpy())
    n_places = round((bars.index[-1] - bars.index[0]) / pd.Timedelta(hours=1)) + 1
    assert feed.counts["missing"] == n_places - len(bars)
    handed_on = (bars.index > BARS.index[HISTORY - 1]).sum()
    one_each = ("repeated", "corrected", "late", "unfinished", "misdated", "invalid")
    assert len(stream) == handed_on + sum(feed.counts[kind] for kind in one_each)
    if len(bars) > 3:
        again = run(BarsFeed(bars)).lstm.lines.signal.array
        np.testing.assert_array_equal(signals, again)


@settings(max_examples=30)
@given(fates=st.lists(fates, min_size=1, max_size=20))
def test_a_source_with_flags_gives_an_exact_and_counted_part_of_its_bars(fates):
    stream = disturbed(fates, flagged=True)
    bars, signals, feed = hand_on(iter(stream))
    assert_whole_once_in_order(bars, signals, feed, stream)
    whole = {bar["datetime"] for bar in stream if bar["closed"]}
    handed_on = set(bars.index[bars.index > BARS.index[HISTORY - 1]])
    assert handed_on <= whole
    # what came whole and wasn't handed on came late
    assert len(whole - handed_on) == feed.counts["late"]


@settings(max_examples=30)
@given(fates=st.lists(fates, min_size=1, max_size=20))
def test_a_source_without_flags_gives_all_bars_that_a_later_one_followed(fates):
    stream = disturbed(fates, flagged=False)
    bars, signals, feed = hand_on(iter(stream))
    assert_whole_once_in_order(bars, signals, feed, stream)
    came = sorted({bar["datetime"] for bar in stream})
    live = bars.index[bars.index > BARS.index[HISTORY - 1]]
    assert list(live) == came[:-1]
