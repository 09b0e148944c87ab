"""Variances of a few bars, worked by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import random_walk

from lstm_strategy import LSTMStrategyError
from lstm_strategy.learning.variance import DEFAULT_ESTIMATOR, ESTIMATORS

LN2 = np.log(2)


def bars_of(*rows):
    """Bars from powers of two: open, high, low and close in units of ln 2."""
    logs = pd.DataFrame(rows, columns=["open", "high", "low", "close"], dtype=float)
    return 2.0**logs


# the second bar opens ln 2 above the close before, reaches 2·ln 2 above its open and 1 below it
TWO_BARS = bars_of((0, 1, -1, 0), (1, 3, 0, 2))

each_estimator = pytest.mark.parametrize("estimator", ESTIMATORS)


@pytest.mark.parametrize(
    ("estimator", "in_squares_of_ln2"),
    [
        ("close_to_close", 2**2),
        ("parkinson", 3**2 / (4 * LN2)),
        ("garman_klass", 3**2 / 2 - (2 * LN2 - 1) * 1**2),
        ("rogers_satchell", 1 * 2 + 2 * 1),  # (H-C)(H-O) + (L-C)(L-O)
        ("rogers_satchell_overnight", 1 * 2 + 2 * 1 + 1**2),
    ],
)
def test_the_variance_of_a_bar_is_the_one_worked_by_hand(estimator, in_squares_of_ln2):
    measured = ESTIMATORS[estimator](TWO_BARS, 1)
    assert measured.iloc[1] == pytest.approx(in_squares_of_ln2 * LN2**2)


def test_yang_and_zhang_blend_nights_moves_and_rogers_and_satchells():
    bars = bars_of((0, 0, 0, 0), (1, 2, 0, 1), (0, 2, 0, 2))
    k = 0.34 / (1.34 + 3 / 1)
    nights = ((1 - 0) ** 2 + (-1 - 0) ** 2) / 1  # 1 and -1 about their mean, over n - 1
    moves = ((0 - 1) ** 2 + (2 - 1) ** 2) / 1  # 0 and 2
    sessions = ((1 * 1 + 1 * 1) + (0 * 2 + 2 * 0)) / 2
    expected = (nights + k * moves + (1 - k) * sessions) * LN2**2
    measured = ESTIMATORS["yang_zhang"](bars, 2)
    np.testing.assert_allclose(measured, [np.nan, np.nan, expected])


def test_yang_and_zhang_need_two_bars():
    with pytest.raises(LSTMStrategyError, match=r"at least 2 bars, got 1.*rogers_satchell_overn"):
        ESTIMATORS["yang_zhang"](TWO_BARS, 1)


@pytest.mark.parametrize("estimator", sorted(ESTIMATORS.keys() - {"yang_zhang"}))
def test_over_more_bars_it_is_their_mean(estimator):
    bars = random_walk(30)
    of_each = ESTIMATORS[estimator](bars, 1)
    np.testing.assert_allclose(
        ESTIMATORS[estimator](bars, 4).iloc[10:],
        [of_each.iloc[t - 3 : t + 1].mean() for t in range(10, 30)],
    )


@each_estimator
def test_a_market_that_stands_still_has_no_variance(estimator):
    moving, still = random_walk(20), bars_of(*[(3, 3, 3, 3)] * 20)
    measured = ESTIMATORS[estimator](pd.concat([moving[still.columns], still]), 5)
    assert measured.iloc[-5:].tolist() == pytest.approx([0.0] * 5, abs=1e-18)
    assert (measured.dropna() >= 0).all()


def test_the_default_on_bars_of_closes_alone_is_the_one_from_close_to_close():
    close = random_walk(30)["close"]
    bars = pd.DataFrame(dict.fromkeys(["open", "high", "low", "close"], close))
    np.testing.assert_allclose(
        ESTIMATORS[DEFAULT_ESTIMATOR](bars, 3), ESTIMATORS["close_to_close"](bars, 3)
    )


@each_estimator
@given(factor=st.floats(1e-6, 1e6), t=st.integers(1, 59))
@settings(max_examples=10)
def test_neither_the_unit_of_price_nor_later_bars_change_it(estimator, factor, t):
    bars = random_walk(60)
    measured = ESTIMATORS[estimator](bars, 5)
    np.testing.assert_allclose(ESTIMATORS[estimator](bars * factor, 5), measured, rtol=1e-6)
    pd.testing.assert_series_equal(
        ESTIMATORS[estimator](bars.iloc[:t], 5), measured.iloc[:t], check_freq=False
    )


@pytest.mark.parametrize("estimator", ["parkinson", "garman_klass", "rogers_satchell"])
def test_many_steps_within_a_session_give_the_variance_that_moved_them(estimator):
    steps = np.random.default_rng(3).normal(0, 0.01 / np.sqrt(1000), (2000, 1000))
    path = np.exp(np.c_[np.zeros(2000), steps.cumsum(axis=1)])
    bars = pd.DataFrame(
        {"open": path[:, 0], "high": path.max(1), "low": path.min(1), "close": path[:, -1]}
    )
    # the highest of a thousand steps is a little below the highest of all moments
    assert ESTIMATORS[estimator](bars, 1).mean() == pytest.approx(1e-4, rel=0.08)
