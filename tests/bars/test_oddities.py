"""Odd bars are noticed, and usual ones aren't."""

import numpy as np
import pandas as pd
import pytest

from lstm_strategy.bars.oddities import find_oddities
from lstm_strategy.bars.simulate import simulate_bars


def bars_on(index: pd.DatetimeIndex) -> pd.DataFrame:
    prices = np.linspace(10, 20, len(index))
    columns = ("open", "high", "low", "close", "volume")
    return pd.DataFrame(dict.fromkeys(columns, prices), index)


USUAL = {
    "days": pd.bdate_range("2024-01-01", periods=300),
    "months": pd.date_range("2000-01-31", periods=100, freq="ME"),
    "hours of a stock exchange": pd.DatetimeIndex(
        [
            day + pd.Timedelta(hours=h)
            for day in pd.bdate_range("2024-01-01", periods=50)
            for h in (9.5, 10.5, 11.5, 12.5, 13.5, 14.5, 15.5)
        ]
    ),
    "hours through the night when clocks change": pd.date_range(
        "2024-03-09", periods=100, freq="h", tz="America/New_York"
    ),
    "minutes with gaps": pd.date_range("2024-01-01", periods=900, freq="min")[::7].union(
        pd.date_range("2024-01-02", periods=900, freq="min")
    ),
}


@pytest.mark.parametrize("index", USUAL.values(), ids=USUAL.keys())
def test_usual_bars_are_not_odd(index):
    assert find_oddities(bars_on(index)) == ()


def test_simulated_bars_are_not_odd():
    assert find_oddities(simulate_bars("noise", 500, seed=1).bars) == ()


def test_stale_bars_are_counted():
    bars = bars_on(pd.date_range("2024-01-01", periods=100))
    bars.iloc[50:61] = bars.iloc[50].to_numpy()
    assert find_oddities(bars) == (
        "10 of 100 bars (10%) are stale: equal to the bar before, volume included",
    )
    bars["volume"] = range(100)
    assert find_oddities(bars) == ()


def test_bars_that_change_their_length_are_noticed():
    days = pd.date_range("2020-01-01", periods=60)
    hours = pd.date_range("2020-03-01", periods=70, freq="h")
    assert find_oddities(bars_on(days.union(hours))) == (
        "the bars are of mixed length: 1 day in the first half, 1 hour in the second",
    )


def test_a_bar_that_comes_too_soon_is_noticed():
    days = pd.date_range("2020-01-01", periods=60)
    soon = days.insert(60, days[-1] + pd.Timedelta(hours=5))
    assert find_oddities(bars_on(soon)) == (
        "the bars are of mixed length: 1 bar follows the one before sooner than the usual 1 day, "
        "first at 2020-02-29 05:00:00",
    )
