import numpy as np
import pandas as pd
import pytest

from lstm_strategy import LSTMStrategyError
from lstm_strategy.learning.targets import (
    break_even_probability,
    direction,
    forward_return,
    target_labels,
)

CLOSE = pd.Series([100.0, 110.0, 99.0, 99.0, 108.9])


@pytest.mark.parametrize(
    ("horizon", "expected"),
    [(1, [0.1, -0.1, 0.0, 0.1, np.nan]), (3, [-0.01, -0.01, np.nan, np.nan, np.nan])],
)
def test_forward_return_is_stamped_with_the_bar_it_starts_from(horizon, expected):
    np.testing.assert_allclose(forward_return(CLOSE, horizon=horizon), expected)


def test_direction_counts_an_unchanged_close_as_no_rise():
    np.testing.assert_array_equal(direction(CLOSE, horizon=1), [1, 0, 0, 1, np.nan])


def test_an_unknown_target_is_answered_with_the_known_ones():
    with pytest.raises(LSTMStrategyError, match=r"one of direction, got 'price'"):
        target_labels(CLOSE.to_frame("close"), target="price", horizon=1)


@pytest.mark.parametrize(
    ("returns", "expected"),
    [
        pytest.param([0.01, 0.01, -0.03], 0.75, id="rare large falls need frequent rises"),
        pytest.param([0.02, -0.02], 0.5, id="even"),
        pytest.param([0.02, 0.01], 0.5, id="no falls"),
    ],
)
def test_break_even_probability(returns, expected):
    assert break_even_probability(np.array(returns)) == pytest.approx(expected)
