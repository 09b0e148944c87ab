"""Other bars to come, and where they are tried."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import random_walk

from lstm_strategy import LSTMStrategyError, validate_bars
from lstm_strategy.learning.features.causality.alteration import ALTERATIONS, alter_bars, cut_points

BARS = random_walk(120).assign(funding_rate=np.arange(120.0))


@pytest.mark.parametrize("how", ALTERATIONS)
@given(n_known=st.integers(1, 119))
@settings(max_examples=15)
def test_altered_bars_are_valid_known_up_to_the_cut_and_others_after(how, n_known):
    altered = alter_bars(BARS, n_known, how=how)
    validate_bars(altered)
    pd.testing.assert_frame_equal(altered.iloc[:n_known], BARS.iloc[:n_known])
    later, was = altered.iloc[n_known:], BARS.iloc[n_known:]
    columns = ["volume", "funding_rate"] if how == "reordered" else list(BARS.columns)
    assert (later[columns] != was[columns]).any().all()


def test_a_column_that_is_always_positive_stays_so_and_changes_even_where_it_is_constant():
    bars = BARS.assign(rv=np.r_[np.full(60, 2.0), np.full(59, 8.0), np.nan], flat=3.0)
    altered = alter_bars(bars, 60)
    np.testing.assert_allclose(altered["rv"].iloc[60:119], 2 * 2 / 4**1.5)
    np.testing.assert_allclose(altered["flat"].iloc[60:], 6.0)
    assert altered["rv"].isna().tolist() == bars["rv"].isna().tolist()


def test_rates_that_are_always_positive_stay_rates_before_the_first_is_known():
    rates = np.where(np.arange(120) % 8 == 7, 1e-4 * (1 + np.arange(120) % 5), np.nan)
    altered = alter_bars(BARS.assign(funding_rate=rates), 5)["funding_rate"]
    assert altered.max() <= 2 * np.nanmax(rates)
    assert (altered.dropna() > 0).all()
    assert not np.array_equal(altered, rates, equal_nan=True)


def test_a_mirror_turns_every_later_move_around():
    altered = alter_bars(BARS, 50)
    rose = BARS["close"].iloc[50:] > BARS["close"].iloc[49]
    assert ((altered["close"].iloc[50:] < BARS["close"].iloc[49]) == rose).all()


def four_bars(**columns):
    """Bars that open at the last close, and close at 100, 100, 110, 121."""
    close = np.array([100.0, 100.0, 110.0, 121.0])
    open_ = np.array([100.0, 100.0, 100.0, 110.0])
    index = pd.date_range("2024-01-01", periods=4)
    prices = {"open": open_, "high": close, "low": open_, "close": close, "volume": 1.0}
    return pd.DataFrame(prices | columns, index)


@pytest.mark.parametrize(
    ("how", "closes", "opens"),
    [
        ("mirrored", [100 / 1.1**1.5, 100 / 1.21**1.5], [100, 100 / 1.1**1.5]),
        ("rally", [100 * 1.1**0.5 * np.exp(0.01), 110 * np.exp(0.02)], [100 * np.exp(0.01), None]),
        ("crash", [100 * 1.1**0.5 / np.exp(0.01), 110 / np.exp(0.02)], [100 / np.exp(0.01), None]),
        ("reordered", [121, 110], [110, 100]),
    ],
)
def test_other_prices_to_come_are_worked_by_hand(how, closes, opens):
    later = alter_bars(four_bars(), 2, how=how).iloc[2:]
    assert later["close"].tolist() == pytest.approx(closes)
    known = [price for price in opens if price is not None]
    assert later["open"].tolist()[: len(known)] == pytest.approx(known)
    both = later[["open", "close"]]
    assert later["high"].equals(both.max(axis=1))
    assert later["low"].equals(both.min(axis=1))


@pytest.mark.parametrize(("how", "sign"), [("rally", 1), ("crash", -1)])
def test_a_trend_ends_at_a_price_that_nobody_takes_for_a_mistake(how, sign):
    bars = random_walk(400).assign(**dict.fromkeys(("open", "high", "low", "close"), 50.0))
    altered = alter_bars(bars, 100, how=how)["close"].iloc[100:]
    np.testing.assert_allclose(altered.iloc[:3], 50 * np.exp(sign * np.array([0.01, 0.02, 0.03])))
    np.testing.assert_allclose(altered.iloc[199:], 50 * np.exp(sign * 2.0))


def test_moves_that_are_large_already_are_turned_around_and_no_larger():
    closes = [1.0, 1.0, np.exp(3.9), np.exp(8.0)]
    prices = dict.fromkeys(("open", "high", "low", "close"), closes)
    altered = alter_bars(four_bars().assign(**prices), 2)
    assert np.log(altered["close"].iloc[2:]).tolist() == pytest.approx([-3.9 / 2, -4.0])


@pytest.mark.parametrize(
    ("values", "later"),
    [
        ([0.3, -0.2, 0.1, -0.3], [-0.3, 0.05]),  # -0.4 - 0.15 is beyond any; -0.4 + 0.45
        ([np.nan, np.nan, 0.1, -0.2], [-0.15, 0.2]),  # nothing is known: from 0 on; 0.3 is beyond
        ([3.0, 2.0, 4.0, 1.0], [2 * 2 / 2**1.5, 2 * 4]),  # 2 * 2 * 2**1.5 is beyond twice any
        ([np.nan, np.nan, 1.0, 4.0], [2 * 4, 2 * 2.5 / 1.6**1.5]),  # the median is 2.5
    ],
)
def test_other_values_of_a_column_to_come_are_worked_by_hand(values, later):
    altered = alter_bars(four_bars(mine=values), 2)["mine"]
    assert altered.tolist() == pytest.approx([*values[:2], *later], nan_ok=True)


def test_other_volumes_to_come_are_worked_by_hand():
    bars = random_walk(12).assign(volume=np.arange(12.0))
    altered = alter_bars(bars, 2)["volume"]
    steps = [0, 1, 2, 3, 4, 5, 6, 0, 1, 2]
    later = [3 * volume + step for volume, step in zip(range(11, 1, -1), steps, strict=True)]
    assert altered.tolist() == [0, 1, *later]


def test_the_contract_moves_as_its_adjusted_series_does():
    altered = alter_bars(four_bars(price=[90.0, 80.0, 91.0, 103.0]), 2)
    assert altered["price"].tolist() == pytest.approx([90, 80, 80 / 1.1**1.5, 80 / 1.21**1.5])


def test_the_open_of_the_bar_that_has_just_begun_may_stay():
    altered = alter_bars(BARS, 50, keeps_open=True)
    assert altered["open"].iloc[50] == BARS["open"].iloc[50]
    assert altered["close"].iloc[50] != BARS["close"].iloc[50]


def test_the_bars_of_the_caller_stay_as_they_are():
    before = BARS.copy()
    alter_bars(BARS, 60)
    pd.testing.assert_frame_equal(BARS, before)


def test_cuts_lie_after_the_warm_up_before_the_largest_moves_and_at_the_end():
    bars = BARS.copy()
    bars.loc[bars.index[70] :, ["open", "high", "low", "close"]] *= 2
    cuts = cut_points(bars, first=10, n_random=0, edges=[5, 40])
    assert {10, 11, 40, 70, 119} <= set(cuts)
    assert 5 not in cuts
    assert cuts == sorted(set(cuts))


def test_too_few_bars_for_a_cut_are_refused():
    with pytest.raises(LSTMStrategyError, match=r"more than 121 bars.*got 120"):
        cut_points(BARS, first=120)


@pytest.mark.parametrize("how", ALTERATIONS)
def test_a_mark_stays_beside_the_close_on_its_other_side(how):
    bars = random_walk(60)
    bars["mark"] = bars["close"] * 1.01
    altered = alter_bars(bars, 40, how=how)
    assert altered["mark"].iloc[:40].equals(bars["mark"].iloc[:40])
    later = (altered["mark"] / altered["close"]).iloc[40:]
    assert later.to_numpy() == pytest.approx(0.991)
