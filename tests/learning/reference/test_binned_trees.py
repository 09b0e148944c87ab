"""Boosted trees whose columns are cut into bins here."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from lstm_strategy.learning.reference.binned_trees import BinnedTrees, bin_edges


def test_edges_part_equal_weights():
    values = np.array([5.0, 1.0, 4.0, 2.0, 3.0])
    np.testing.assert_array_equal(
        bin_edges(values, np.array([1.0, 3.0, 1.0, 1.0, 2.0]), n_bins=2),
        [2.5],  # 1 and 2 weigh 4 of 8
    )


def test_a_quantile_within_a_value_is_that_value():
    weights = np.array([1.0, 1.0, 5.0, 1.0, 1.0])
    np.testing.assert_array_equal(bin_edges(np.arange(5.0), weights, n_bins=2), [2.0])


def test_few_values_are_parted_in_the_middle():
    values = np.array([0.0, 1.0, 1.0, 0.0, 4.0])
    np.testing.assert_array_equal(bin_edges(values, np.ones(5), n_bins=3), [0.5, 2.5])


def test_a_value_without_weight_has_no_bin():
    values = np.array([0.0, 1.0, 9.0])
    np.testing.assert_array_equal(bin_edges(values, np.array([1.0, 1.0, 0.0]), n_bins=3), [0.5])


def test_one_value_has_no_edge():
    assert not len(bin_edges(np.ones(4), np.ones(4), n_bins=3))


@pytest.mark.parametrize("n_values", [8, 40, 1000])
def test_forecasts_are_those_of_the_trees_on_the_columns_themselves(n_values):
    draw = np.random.default_rng(n_values)
    rows = draw.integers(n_values, size=(600, 4)) / n_values - draw.integers(2, size=(600, 4))
    labels = (rows.sum(axis=1) + draw.normal(size=600) > 0).astype(float)
    weights = draw.gamma(1.0, size=600)
    settings = {"max_iter": 20, "max_bins": 16, "max_features": 0.5, "random_state": 3}
    plain = HistGradientBoostingClassifier(**settings).fit(rows, labels, sample_weight=weights)
    binned = BinnedTrees(HistGradientBoostingClassifier(**settings))
    binned.fit(rows, labels, sample_weight=weights)
    np.testing.assert_array_equal(binned.predict_proba(rows), plain.predict_proba(rows))
