"""Longer bars: prices, extra columns, funding, and what is left out."""

import numpy as np
import pandas as pd
import pytest

from lstm_strategy import simulate_bars
from lstm_strategy.bars import aggregate_bars, mark_at_open
from lstm_strategy.errors import BarsError


def hourly(closes, *, start="2024-01-01", tz="UTC", freq="h", **extras):
    index = pd.date_range(start, periods=len(closes), freq=freq, tz=tz, name="datetime")
    closes = np.array(closes, dtype=float)
    prices = {"open": closes, "high": closes + 1, "low": closes - 0.5, "close": closes}
    return pd.DataFrame({**prices, "volume": 10.0, **extras}, index)


def test_prices_and_extra_columns_follow_their_rules():
    bars = hourly(
        [5, 7, 6, 8],
        mark=[5.1, np.nan, np.nan, 6.1],
        open_interest=[1.0, 2.0, 3.0, 4.0],
        spot_close=[5.0, np.nan, 6.0, 8.5],
        trades=[3.0, 4.0, 5.0, 6.0],
        quote_volume=[1.0, 1.0, 2.0, 2.0],
        mark_high=[6.0, 9.0, 7.0, 8.0],
        mark_low=[4.0, 3.0, 5.0, 2.0],
    )
    longer = aggregate_bars(bars, "2h")
    assert longer.index.tolist() == bars.index[::2].tolist()
    expected = {
        "open": [5, 6],
        "high": [8, 9],
        "low": [4.5, 5.5],
        "close": [7, 8],
        "volume": [20, 20],
        "mark": [np.nan, 6.1],  # that of the last row, known or not
        "open_interest": [2, 4],
        "spot_close": [5, 8.5],  # the last known
        "trades": [7, 11],
        "quote_volume": [2, 4],
        "mark_high": [9, 8],
        "mark_low": [3, 2],
    }
    for name in longer:
        np.testing.assert_array_equal(longer[name], expected[name], err_msg=name)
    assert list(longer) == list(bars)


def test_a_rule_of_ones_own_counts():
    bars = hourly([5, 7, 6, 8], spread=[1.0, 2.0, 5.0, 3.0])
    longer = aggregate_bars(bars, "2h", rules={"spread": "mean"})
    assert longer["spread"].tolist() == [1.5, 4.0]


def test_funding_settles_at_the_open_or_is_paid_within():
    rate = [0.001, 0.002, np.nan, 0.003, np.nan, -0.001]
    bars = hourly([10, 20, 30, 40, 50, 60], mark=[11, np.nan, 31, 41, 51, 61], funding_rate=rate)
    longer = aggregate_bars(bars, "3h")
    assert longer["funding_rate"].tolist() == [0.001, 0.003]
    # 01:00: the mark at 00:00's close is 11; 05:00: that of 04:00 is 51
    np.testing.assert_allclose(longer["funding_payment"], [0.002 * 11, -0.001 * 51], rtol=1e-15)


def test_a_missing_mark_is_the_close_of_its_row():
    rate = [np.nan, 0.001, 0.001, 0.005, 0.001, np.nan]
    marks = [np.nan, 21.0, np.nan, 41.0, np.nan, np.nan]
    bars = hourly([10, 20, 30, 40, 50, 60], mark=marks, funding_rate=rate)
    assert mark_at_open(bars).tolist() == [10, 10, 21, 30, 41, 50]
    longer = aggregate_bars(bars, "3h")
    np.testing.assert_allclose(longer["funding_payment"], [0.031, 0.041], rtol=1e-15)
    assert mark_at_open(longer).tolist() == [10, 30]


def test_in_two_steps_as_in_one():
    rng = np.random.default_rng(1)
    rate = rng.normal(0, 1e-4, 48)
    closes = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, 48)))
    bars = hourly(closes, mark=closes * 1.001, funding_rate=rate)
    bars.iloc[5:9, bars.columns.get_loc("mark")] = np.nan
    at_once = aggregate_bars(bars, "24h")
    in_steps = aggregate_bars(aggregate_bars(aggregate_bars(bars, "2h"), "8h"), "1D")
    pd.testing.assert_frame_equal(at_once, in_steps, rtol=1e-12)


def test_one_unit_held_pays_the_same_through_bars_of_any_length():
    bars = hourly(np.linspace(100, 130, 96), funding_rate=np.nan)
    bars["mark"] = bars["close"] * 1.002
    bars.loc[bars.index[::4], "funding_rate"] = np.linspace(-2e-4, 3e-4, 24)
    paid = {}
    for length in ("1h", "4h", "8h", "24h"):
        longer = aggregate_bars(bars, length)
        at_open = (longer["funding_rate"] * mark_at_open(longer)).fillna(0.0)
        at_open.iloc[0] = 0.0  # bought at the first open, after it settled
        within = longer.get("funding_payment", pd.Series(0.0, longer.index))
        paid[length] = at_open.sum() + within.sum()
        assert ("funding_payment" in longer) == (length in ("8h", "24h"))
    assert paid == pytest.approx(dict.fromkeys(paid, paid["1h"]), abs=1e-12)


def test_an_incomplete_last_bar_is_left_out_and_named(caplog):
    longer = aggregate_bars(hourly(range(1, 8)), "3h")
    assert longer["close"].tolist() == [3, 6]
    assert "left out the bar of 3h at 2024-01-01 06:00:00+00:00, which isn't" in caplog.text


def test_an_incomplete_first_bar_is_left_out_too(caplog):
    longer = aggregate_bars(hourly(range(1, 9), start="2024-01-01 02:00"), "3h")
    assert longer.index.hour.tolist() == [3, 6]
    assert longer["open"].tolist() == [2, 5]
    assert "at 2024-01-01 00:00:00+00:00" in caplog.text


def test_a_session_is_a_whole_day_and_half_of_one_is_not():
    days = [hourly([1, 2, 3], start=f"2024-01-0{day} 10:00") for day in (2, 3, 4)]
    bars = pd.concat(days)
    assert len(aggregate_bars(bars, "1D")) == 3
    assert len(aggregate_bars(bars.iloc[:-1], "1D")) == 2
    assert len(aggregate_bars(bars.iloc[1:], "1D")) == 2


def test_weeks_begin_on_monday():
    bars = hourly(np.arange(1.0, 29), start="2024-01-01", freq="D", tz=None)  # a Monday
    longer = aggregate_bars(bars, "1W")
    assert longer.index.day_name().tolist() == ["Monday"] * 4
    assert longer["close"].tolist() == [7, 14, 21, 28]


def test_days_are_those_of_the_clock_when_summer_time_begins_and_ends():
    for start, hours in (("2024-03-30", 71), ("2024-10-26", 73)):
        bars = hourly(np.arange(1.0, hours + 1), start=start, tz="Europe/Berlin")
        longer = aggregate_bars(bars, "1D")
        assert longer.index.hour.tolist() == [0, 0, 0]
        assert longer["volume"].tolist() == [240, (hours - 48) * 10, 240]
        same = aggregate_bars(bars, "1h")
        assert same.index.equals(bars.index)


def test_a_hole_of_the_bars_makes_no_bar():
    bars = hourly(range(1, 25)).drop(hourly(range(1, 25)).index[5:13])
    longer = aggregate_bars(bars, "4h")
    assert longer.index.hour.tolist() == [0, 4, 12, 16, 20]
    assert longer["open"].tolist() == [1, 5, 14, 17, 21]


def test_bars_of_a_market_without_funding_get_no_column_of_it():
    assert list(aggregate_bars(hourly(range(1, 9)), "4h")) == list(hourly([1]))


def test_the_bars_given_stay_as_they_are():
    bars = hourly(range(1, 9), funding_rate=0.001)
    before = bars.copy()
    aggregate_bars(bars, "4h")
    pd.testing.assert_frame_equal(bars, before)


@pytest.mark.parametrize(
    ("length", "message"),
    [
        ("5h", "must be a part of a day or whole days, got '5h'"),
        ("90min", "come every 1h, and bars of 90min can't be made of them. Choose a multiple of"),
        ("30min", "come every 1h, and bars of 30min"),
        ("a day", "must be a fixed time such as '4h' or '1D', got 'a day'"),
        ("-1h", "must be a fixed time"),
        ("1D", "no bar of 1D is complete: the bars reach from 2024-01-01 00:00:00"),
    ],
)
def test_lengths_that_cannot_be_made_are_refused(length, message):
    with pytest.raises(BarsError, match=message):
        aggregate_bars(hourly(range(1, 9)), length)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"sprad": "mean"}, "Did you mean spread"),
        ({"close": "mean"}, "Extra columns only"),
        ({"spread": "median"}, "must be one of first, last"),
    ],
)
def test_unknown_rules_are_refused(rules, message):
    with pytest.raises(BarsError, match=message):
        aggregate_bars(hourly(range(1, 9), spread=1.0), "4h", rules=rules)


def test_simulated_days_become_weeks():
    bars = simulate_bars("noise", 500).bars
    weeks = aggregate_bars(bars, "1W")
    resampled = bars.resample("W-SUN").agg({"open": "first", "close": "last"})
    assert weeks["open"].tolist() == resampled["open"].iloc[1 : len(weeks) + 1].tolist()
