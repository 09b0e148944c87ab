"""Where columns change when other bars are to come."""

from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy import FeatureSet
from lstm_strategy.errors import LooksAheadError
from lstm_strategy.learning.features.causality.lookahead import (
    check_causal,
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


def test_values_may_be_tiny_or_differ_by_a_billionth_of_their_deviation():
    now = np.array([1.0, 2.0, 3.0]) * 1e-12
    assert first_unequal(now + np.array([0.0, 1e-14, 0.0]), now) == 1
    steps = np.array([0.0, 1.0, 2.0])  # of a deviation of sqrt(2 / 3)
    assert first_unequal(steps + np.array([0.0, 0.8e-9, 0.0]), steps) is None
    assert first_unequal(steps + np.array([0.0, 0.9e-9, 0.0]), steps) == 1
    assert first_unequal(steps + np.array([0.0, 0.09, 0.0]), steps, absolute=0.1) is None
    assert first_unequal(steps, steps[:2]) is None


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


class Peeking(FeatureSet):
    """Features of which one is a bar too early in some of the bars."""

    peeks: ClassVar[slice] = slice(0)

    def _peek(self, bars, columns):
        early = bars["close"].pct_change(-1).to_numpy().copy()
        columns = columns.copy()
        columns.iloc[self.peeks, 0] = early[self.peeks]
        return columns

    def frame(self, bars):
        return self._peek(bars, super().frame(bars))

    def frames(self, panel):
        return {name: self._peek(panel[name], each) for name, each in super().frames(panel).items()}


@pytest.mark.parametrize(("peeks", "last"), [(slice(40, 75), 59), (slice(90, 118), 95)])
@pytest.mark.parametrize("is_panel", [False, True])
def test_a_feature_that_peeks_is_refused_before_and_after_the_middle(
    peeks, last, is_panel, monkeypatch
):
    monkeypatch.setattr(Peeking, "peeks", peeks)
    features = Peeking([{"kind": "roc", "length": 3}])
    bars = {"A": random_walk(120, seed=1)[:50], "B": BARS} if is_panel else BARS
    with pytest.raises(LooksAheadError, match="ROC_3 looks ahead: its value at") as refusal:
        check_causal(features, bars, horizon=1)
    assert f"at {BARS.index[last]} is" in str(refusal.value)
    assert ("B" in str(refusal.value).split(":")[0]) == is_panel
    assert refusal.value.bars_back == 1


def test_a_feature_that_peeks_nowhere_is_let_through():
    features = Peeking([{"kind": "roc", "length": 3}])
    check_causal(features, BARS, horizon=1)
    check_causal(features, {"A": random_walk(120, seed=1)[:50], "B": BARS}, horizon=1)
