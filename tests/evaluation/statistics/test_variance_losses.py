"""Losses of variance forecasts, worked by hand."""

import math

import numpy as np
import pytest

from lstm_strategy.evaluation.statistics import qlike, squared_error


def test_qlike_is_zero_where_the_forecast_is_right_and_depends_on_the_ratio_alone():
    realized = np.array([4.0, math.e, 1.0, 3e-6])
    forecast = np.array([4.0, 1.0, 2.0, 6e-6])
    expected = [0.0, math.e - 2.0, math.log(2.0) - 0.5, math.log(2.0) - 0.5]
    np.testing.assert_allclose(qlike(realized, forecast), expected, atol=1e-15)


def test_squared_error_is_in_the_unit_of_the_variance_squared():
    assert squared_error(np.array([4.0, 1.0]), np.array([1.0, 1.5])).tolist() == [9.0, 0.25]


@pytest.mark.parametrize("loss", [qlike, squared_error])
def test_a_noisy_truth_still_makes_the_true_variance_the_best_forecast(loss):
    noisy = np.array([0.2, 0.3, 2.5])  # their mean, and so the variance, is 1
    candidates = np.linspace(0.3, 2.0, 18)  # by tenths, 1 among them
    means = [loss(noisy, np.full(3, forecast)).mean() for forecast in candidates]
    assert candidates[int(np.argmin(means))] == pytest.approx(1.0)
