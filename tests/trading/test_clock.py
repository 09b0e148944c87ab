"""Dates become the day numbers of backtrader, and dates again."""

import backtrader as bt
import numpy as np
import pandas as pd
import pytest

from lstm_strategy.trading.clock import dates_from_day_numbers, day_numbers


def some_dates(n_dates: int, step_us: int) -> pd.DatetimeIndex:
    microseconds = np.random.default_rng(7).integers(-(2**50), 2**51, n_dates)
    return pd.DatetimeIndex(np.sort(microseconds // step_us * step_us).view("datetime64[us]"))


@pytest.mark.parametrize(
    "index",
    [
        pytest.param(some_dates(2_000, 1), id="microseconds"),
        pytest.param(some_dates(2_000, 86_400_000_000), id="days"),
        pytest.param(
            pd.date_range("2024-03-08", periods=80, freq="h", tz="America/New_York"),
            id="aware hours",
        ),
        pytest.param(some_dates(200, 1_000_000).as_unit("ns"), id="nanosecond unit"),
        pytest.param(some_dates(200, 1_000_000).as_unit("s"), id="second unit"),
    ],
)
def test_day_numbers_are_exactly_those_of_backtrader(index):
    expected = [bt.date2num(date.to_pydatetime()) for date in index]
    np.testing.assert_array_equal(day_numbers(index), expected)


def test_seconds_survive_the_way_into_backtrader_and_back():
    index = some_dates(2_000, 1_000_000)
    assert [bt.num2date(number) for number in day_numbers(index)] == list(index.to_pydatetime())


def test_milliseconds_come_back_from_day_numbers():
    index = some_dates(2_000, 1_000)
    assert dates_from_day_numbers(day_numbers(index)).equals(index)
