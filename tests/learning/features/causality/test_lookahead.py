"""Where columns change when other bars are to come."""

import numpy as np
import pandas as pd
from made_up import random_walk

from lstm_strategy.learning.features.causality.lookahead import (
    column_differences,
    first_differences,
    first_unequal,
)

BARS = random_walk(120)


def test_the_first_unequal_place_is_found_beyond_rounding():
    now = np.array([1.0, 2.0, np.nan, 4.0])
    assert first_unequal(now + 1e-15, now) is None
    assert first_unequal(np.array([1.0, 2.0, 3.0, 4.0]), now) == 2
    assert first_unequal(np.array([1.0, 2.1, 3.0, 4.0]), now) == 1


def test_a_difference_names_bar_and_both_values():
    index = pd.date_range("2024-01-01", periods=3)
    known = pd.DataFrame({"a": [1.0, 2, 3], "b": [1.0, 1, 1]}, index)
    later = pd.DataFrame({"a": [1.0, 2, 9], "b": [1.0, 1, 1]}, index)
    (difference,) = first_differences(known, later, 3)
    assert (difference.column, difference.bar, difference.time) == ("a", 2, index[2])
    assert (difference.known, difference.with_later, difference.bars_back) == (3.0, 9.0, 1)


def test_a_causal_column_has_no_difference_and_a_centred_one_begins_two_bars_back():
    def compute(bars):
        means = {f"{c}": bars["close"].rolling(5, center=c).mean() for c in (False, True)}
        return pd.DataFrame(means)

    found = column_differences(compute, BARS, [60])
    assert list(found) == ["True"]
    assert found["True"].bars_back == 2
