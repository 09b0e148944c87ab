"""How many bars a training needs, counted by hand."""

import numpy as np
import pytest

from lstm_strategy import FeatureSet, LSTMStrategyError
from lstm_strategy.learning.training.enough_bars import (
    check_enough_bars,
    check_enough_rows,
    fewest_rows,
)
from lstm_strategy.learning.training.settings import FeatureUnits, ForecasterSettings

FEATURES = FeatureSet([{"kind": "roc", "length": 7}])  # warms up for seven bars


@pytest.mark.parametrize(
    ("settings", "needed"),
    [
        ({"lookback": 60, "horizon": 5, "validation": 0.2}, 451),  # 90 of 450 are held out
        ({"lookback": 60, "horizon": 5, "validation": 0.75}, 501),  # 125 of 500 are learned from
        ({"lookback": 3, "horizon": 4, "validation": 0.5}, 21),  # 10 of 20
        ({"lookback": 3, "horizon": 1, "validation": 0.3}, 15),  # 4 of 13.3
    ],
)
def test_both_parts_have_rows_enough_for_a_chunk(settings, needed):
    assert fewest_rows(ForecasterSettings(**settings)) == needed


def test_bars_are_refused_with_what_each_is_needed_for():
    settings = ForecasterSettings(lookback=3, horizon=4, validation=0.5)
    check_enough_bars(settings, FEATURES, 21 + 7 + 4)
    with pytest.raises(
        LSTMStrategyError,
        match=r"needs 32 bars with .* \(21 to learn from, 7 to warm up the features, "
        r"4 whose label isn't known yet\), got 31\..*shorten horizon",
    ):
        check_enough_bars(settings, FEATURES, 31)
    check_enough_bars(settings, FEATURES, 40, n_usable=21)
    with pytest.raises(LSTMStrategyError, match=r"needs 41 bars .*, 9 with gaps or left out\)"):
        check_enough_bars(settings, FEATURES, 40, n_usable=20)


def test_a_market_of_a_panel_needs_one_chunk():
    settings = ForecasterSettings(lookback=5)
    check_enough_rows(settings, FEATURES, 30, n_usable=10)
    with pytest.raises(LSTMStrategyError, match=r"30 bars, of which 9 can .* training needs 10 "):
        check_enough_rows(settings, FEATURES, 30, n_usable=9)


def test_features_are_brought_to_the_mean_and_the_deviation_of_a_panel():
    own = np.array([[1.0, 5.0, 1e9], [3.0, 5.0, 1e9 + 1]])
    panel = np.array([[10.0, 7.0, 1.0], [16.0, 9.0, 3.0]])
    units = FeatureUnits.between(own, panel)
    # the second never changes, and the third by less than single precision holds: shifted alone
    assert units.factor == (3.0, 1.0, 1.0)
    assert units.convert(own)[:, :2].tolist() == [[10.0, 8.0], [16.0, 8.0]]
    assert units.offset[2] == pytest.approx(2.0 - (1e9 + 0.5))
