"""Spans of bars: cut, counted and described."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from lstm_strategy.bars.span import bars_until, describe_span, first_bar_number, slice_bars
from lstm_strategy.errors import TradingError

DAYS = pd.DataFrame({"close": range(6)}, pd.date_range("2024-01-30", periods=6))
HOURS = pd.DataFrame({"close": range(6)}, pd.date_range("2024-01-30 21:00", periods=6, freq="h"))


def closes(bars):
    return bars["close"].tolist()


@pytest.mark.parametrize(
    ("start", "end", "kept"),
    [
        pytest.param(None, None, [0, 1, 2, 3, 4, 5], id="no limit"),
        pytest.param("2024-02", None, [2, 3, 4, 5], id="a month"),
        pytest.param("2024-01-31", "2024-02-01", [1, 2], id="days"),
        pytest.param(dt.date(2024, 1, 31), pd.Timestamp("2024-02-01"), [1, 2], id="objects"),
        pytest.param(np.datetime64("2024-02-03"), None, [4, 5], id="numpy"),
    ],
)
def test_both_ends_of_a_span_are_inclusive(start, end, kept):
    assert closes(slice_bars(DAYS, start=start, end=end)) == kept


def test_a_day_stands_for_all_its_hours():
    assert closes(bars_until(HOURS, dt.date(2024, 1, 30))) == [0, 1, 2]
    assert first_bar_number(HOURS, "2024-01-31") == 4
    zoned = HOURS.tz_localize("Asia/Tokyo")
    assert first_bar_number(zoned, pd.Timestamp("2024-01-30 23:00")) == 3
    assert first_bar_number(zoned, pd.Timestamp("2024-01-30 14:00", tz="UTC")) == 3


REFUSALS = {
    "nothing left": (
        lambda: slice_bars(DAYS, start="2025"),
        "none of the 6 bars from 2024-01-30 to 2024-02-04 lies between 2025 and the end",
    ),
    "the wrong way round": (
        lambda: slice_bars(DAYS, start="2024-02-02", end="2024-02-01"),
        'start="2024-02-02" lies after end="2024-02-01". Exchange the two dates',
    ),
    "the wrong way round, as moments": (
        lambda: slice_bars(DAYS, start=pd.Timestamp("2024-02-02"), end=dt.date(2024, 1, 30)),
        'start="2024-02-02 00:00:00" lies after end="2024-01-30". Exchange the two dates',
    ),
    "a span without bars": (
        lambda: slice_bars(DAYS, start="2023-05", end="2023"),
        "none of the 6 bars from 2024-01-30 to 2024-02-04 lies between 2023-05 and 2023",
    ),
    "one bar": (
        lambda: bars_until(DAYS, "2024-01-30"),
        '2 bars up to end="2024-01-30", got 1 of 6',
    ),
    "no later bar": (lambda: first_bar_number(DAYS, "2025"), 'no bar at or after start="2025"'),
    "day or month first": (
        lambda: slice_bars(DAYS, end="03/04/2024"),
        "end must be a date such as .* got '03/04/2024'",
    ),
    "no such day": (
        lambda: slice_bars(DAYS, start="2023-02-30"),
        "start must be a date that exists, got '2023-02-30'. There is no such day: February 2023 "
        "has 28",
    ),
    "text": (lambda: slice_bars(DAYS, end="soon"), "end must be a date such as .* got 'soon'"),
    "a number": (lambda: first_bar_number(DAYS, 2024), "start must be a date .* got 2024"),
    "a zone too much": (
        lambda: bars_until(DAYS, pd.Timestamp("2024-02-01", tz="UTC")),
        "end must have no timezone as the bars have none",
    ),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_date_of_no_use_is_named_with_the_remedy(refusal):
    cut, message = REFUSALS[refusal]
    with pytest.raises(TradingError, match=message):
        cut()


def test_a_span_is_described_with_times_where_bars_have_them():
    assert describe_span(DAYS["close"]) == "6 bars from 2024-01-30 to 2024-02-04"
    assert describe_span(DAYS.iloc[:1]) == "1 bar from 2024-01-30 to 2024-01-30"
    assert describe_span(HOURS) == "6 bars from 2024-01-30 21:00 to 2024-01-31 02:00"
