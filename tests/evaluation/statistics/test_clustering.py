"""Means over markets and days with errors clustered by day."""

import math

import numpy as np
import pytest

from lstm_strategy.evaluation.statistics import clustered_mean


def test_two_markets_that_move_together_are_one_observation():
    one = np.array([1.0, 0.0, 1.0, 0.0, 0.0, 1.0])
    alone, twice = clustered_mean(one), clustered_mean(np.column_stack([one, one]))
    assert twice.mean == alone.mean == 0.5
    # six values of 0 and 1, three each: a deviation of √0.3, over √6
    assert alone.error == pytest.approx(math.sqrt(0.3 / 6))
    assert twice.error == pytest.approx(alone.error)
    assert (twice.n_values, twice.n_days) == (12, 6)


def test_markets_that_move_against_each_other_cancel_out():
    one = np.array([1.0, 0.0, 1.0, 0.0])
    assert clustered_mean(np.column_stack([one, 1 - one])).error == 0.0
    assert math.isnan(clustered_mean(np.column_stack([one, 1 - one])).t)


@pytest.mark.parametrize("horizon", [1, 4])
def test_the_error_is_that_of_the_obvious_loop(horizon):
    rng = np.random.default_rng(1)
    table = rng.normal(size=(40, 3))
    table[rng.random(table.shape) < 0.2] = np.nan
    table[7] = np.nan  # a day without any value doesn't count
    known = [row[~np.isnan(row)] for row in table]
    days = [row for row in known if len(row)]
    values = np.concatenate(days)
    sums = [sum(row - values.mean()) for row in days]
    bandwidth = 0 if horizon == 1 else 8  # 1.3 √39
    total = 0.0
    for one, sum_one in enumerate(sums):
        for other, sum_other in enumerate(sums):
            total += max(0.0, 1 - abs(one - other) / (bandwidth + 1)) * sum_one * sum_other
    error = math.sqrt(total * len(days) / (len(days) - 1)) / len(values)
    estimate = clustered_mean(table, horizon=horizon)
    assert estimate.mean == pytest.approx(values.mean())
    assert estimate.error == pytest.approx(error)
    assert (estimate.n_days, estimate.bandwidth_days) == (39, bandwidth)


def test_there_is_no_error_on_one_day_and_no_mean_without_a_value():
    one = clustered_mean(np.array([[1.0, 2.0]]))
    assert (one.mean, math.isnan(one.error)) == (1.5, True)
    none = clustered_mean(np.array([[np.nan, np.nan]]))
    assert math.isnan(none.mean)
    assert none.n_values == 0
