"""Losses of variance forecasts, worked by hand."""

import numpy as np
import pytest

from lstm_strategy.evaluation.statistics import squared_error
from lstm_strategy.learning.variance import qlike_losses


def test_squared_error_is_in_the_unit_of_the_variance_squared():
    assert squared_error(np.array([4.0, 1.0]), np.array([1.0, 1.5])).tolist() == [9.0, 0.25]


@pytest.mark.parametrize("loss", [qlike_losses, squared_error])
def test_a_noisy_truth_still_makes_the_true_variance_the_best_forecast(loss):
    noisy = np.array([0.2, 0.3, 2.5])  # their mean, and so the variance, is 1
    candidates = np.linspace(0.3, 2.0, 18)  # by tenths, 1 among them
    means = [loss(noisy, np.full(3, forecast)).mean() for forecast in candidates]
    assert candidates[int(np.argmin(means))] == pytest.approx(1.0)
