import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy.learning.targets.direction import Direction, forward_return, move_weights

CLOSE = pd.Series([100.0, 110.0, 99.0, 99.0, 108.9])


@pytest.mark.parametrize(
    ("horizon", "expected"),
    [(1, [0.1, -0.1, 0.0, 0.1, np.nan]), (3, [-0.01, -0.01, np.nan, np.nan, np.nan])],
)
def test_forward_return_is_stamped_with_the_bar_it_starts_from(horizon, expected):
    np.testing.assert_allclose(forward_return(CLOSE, horizon=horizon), expected)


def test_an_unchanged_close_counts_as_no_rise():
    labels = Direction().labels(CLOSE.to_frame("close"), horizon=1)
    np.testing.assert_array_equal(labels, [1, 0, 0, 1, np.nan])


def test_a_rise_is_a_fall_in_the_mirror():
    assert Direction().mirror_labels(np.array([1.0, 0.0])).tolist() == [0.0, 1.0]


def test_a_label_weighs_as_much_as_its_move_against_the_usual_moves():
    close = pd.Series([100.0, 101.0, 100.0, 101.0, 103.02, 103.02, 90.0, 91.0])
    returns = close.pct_change()
    usual = [returns.iloc[1:t].std() for t in range(2, 8)]
    weights = move_weights(close, horizon=1)
    assert weights.iloc[:2].tolist() == [1.0, 1.0]  # nothing to compare with yet
    assert weights.iloc[3] == pytest.approx(0.02 / usual[2])
    assert weights.iloc[4] == 0.0
    assert weights.iloc[5] == 3.0  # a fall of 12% among moves of 1% is capped
    assert np.isnan(weights.iloc[7])


def test_a_bar_without_a_move_weighs_nothing_from_the_first_bar_on():
    close = pd.Series([100.0, 100.0, 100.0, 101.0, 101.0])
    assert move_weights(close, horizon=1).tolist()[:2] == [0.0, 0.0]


def test_weights_do_not_know_how_usual_later_moves_are():
    close = random_walk(300)["close"]
    changed = close.copy()
    changed.iloc[200:] *= np.linspace(1, 9, 100)
    before, after = move_weights(close, horizon=1), move_weights(changed, horizon=1)
    pd.testing.assert_series_equal(before.iloc[:199], after.iloc[:199])
