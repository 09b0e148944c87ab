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
@settings(max_examples=15, deadline=None)
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
