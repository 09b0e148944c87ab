"""Odd bars are noticed, and usual ones aren't."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from lstm_strategy.bars import simulate_bars
from lstm_strategy.bars.oddities import (
    MarketTraits,
    find_differences,
    find_oddities,
    measure_traits,
)


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


def moving_bars(*closes: float) -> pd.DataFrame:
    index = pd.date_range("2024-01-01", periods=len(closes))
    close = pd.Series(closes, index, dtype=float)
    opened = close.shift().fillna(close)
    prices = pd.concat([opened, close], axis=1)
    return pd.DataFrame(
        {"open": opened, "high": prices.max(axis=1), "low": prices.min(axis=1), "close": close}
    ).assign(volume=range(len(closes)))


def flat_bars(*closes: float) -> pd.DataFrame:
    bars = moving_bars(*closes)
    return bars.assign(**dict.fromkeys(("open", "high", "low"), bars["close"]))


@pytest.mark.parametrize("far", [250.0, 0.45])
def test_a_bar_far_from_both_its_neighbours_is_named(far):
    assert find_oddities(flat_bars(10, 11, far, 12, 11), lambda row: f"line {row + 2}") == (
        "line 4 (2024-01-03) is more than 20 times above or below the bars around it; an error, or "
        "a row of totals?",
    )


def test_prices_on_another_level_are_named_once():
    assert find_oddities(flat_bars(10, 11, 12, 900, 901)) == (
        "the price jumps by a factor of 75 at row 3 (2024-01-04); another market, or a split that "
        "isn't adjusted for?",
    )
    (said,) = find_oddities(flat_bars(10, 11, 900, 901, 10, 11))
    assert "by a factor of 81.8 at row 2 (2024-01-03), and 1 more; another market" in said


@pytest.mark.parametrize(
    "bars",
    [
        pytest.param(flat_bars(3300, 3290, 66, 65), id="a split of 50 for 1"),
        pytest.param(flat_bars(1, 1.1, 25, 26), id="a reverse split of 1 for 25"),
        pytest.param(moving_bars(80, 17, 1.1, 0.0001, 0.0002), id="a coin that crashes"),
        pytest.param(flat_bars(10, 150, 11), id="a bar 14 times above"),
        pytest.param(flat_bars(10), id="one bar"),
    ],
)
def test_splits_and_crashes_are_not_odd(bars):
    assert find_oddities(bars) == ()


def zigzag(move: float, *, step: str = "1D", timezone: str | None = None) -> pd.DataFrame:
    closes = 100 * (1 + move * (np.arange(30) % 2))
    return pd.DataFrame(
        {"close": closes}, pd.date_range("2024-01-01", periods=30, freq=step, tz=timezone)
    )


def test_a_model_knows_the_spacing_the_moves_and_the_timezone_of_its_bars():
    traits = measure_traits(zigzag(0.02, timezone="UTC"))
    assert traits == MarketTraits(timedelta(days=1), pytest.approx(0.02), "UTC")


@pytest.mark.parametrize(
    "bars, differences",
    [
        (zigzag(0.05), ()),
        (zigzag(0.05).iloc[::7], ()),  # too few to tell
        (zigzag(0.02, step="h"), ("bars of 1 hour instead of 1 day",)),
        (zigzag(0.1), ("a typical move of 0.1 of the price instead of 0.02",)),
        (zigzag(0.004), ("a typical move of 0.004 of the price instead of 0.02",)),
        (zigzag(0.0), ()),
        (
            zigzag(0.02, timezone="Europe/Berlin"),
            ("times in Europe/Berlin instead of no timezone",),
        ),
    ],
)
def test_bars_unlike_those_of_the_training_are_described(bars, differences):
    assert find_differences(bars, MarketTraits(timedelta(days=1), 0.02, "")) == differences
