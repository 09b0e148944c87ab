import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy import LSTMStrategyError
from lstm_strategy.learning.variance import (
    LOWEST_RATIO,
    ewm_volatility,
    measure_variance,
    qlike_losses,
    rogers_satchell_overnight,
    variance_ratio,
)

BARS = random_walk(8)


def test_the_default_measure_is_a_whole_days_variance():
    pd.testing.assert_series_equal(measure_variance(BARS), rogers_satchell_overnight(BARS))


def test_a_column_is_averaged_and_held_where_it_is_nan():
    bars = BARS.iloc[:4].assign(rv=[np.nan, 2.0, np.nan, 5.0])
    np.testing.assert_array_equal(
        measure_variance(bars, 2, column="rv"), [np.nan, np.nan, 2.0, 3.5]
    )


@pytest.mark.parametrize("value", [0.0, -1.0, np.inf], ids=str)
def test_a_column_that_is_no_variance_is_refused_by_name_and_place(value):
    bars = BARS.assign(rv=[1.0, 1, 1, value, 1, value, 1, 1])
    wanted = rf"rv must be a variance.*got {value:g} at 2001-01-04 \(2 bars in all\)"
    with pytest.raises(LSTMStrategyError, match=wanted):
        measure_variance(bars, column="rv")


@pytest.mark.parametrize(
    ("measure", "message"),
    [
        pytest.param({"column": "rv"}, "no column 'rv' in the bars", id="no such column"),
        pytest.param({"estimator": "parkinsons"}, "Did you mean parkinson", id="unknown"),
        pytest.param({"estimator": "parkinson", "column": "rv"}, "both say", id="both"),
        pytest.param({"estimator": "yang_zhang"}, "at least 2 bars", id="too few bars"),
    ],
)
def test_a_measure_that_there_is_not_is_refused(measure, message):
    with pytest.raises(LSTMStrategyError, match=message):
        measure_variance(BARS, 1, **measure)


def test_a_ratio_has_a_floor_and_is_one_where_nothing_moves():
    ratio = variance_ratio(
        pd.Series([3.0, 0.0, 1e-9, 0.0, np.nan]), pd.Series([2.0, 2.0, 2.0, 0.0, 0.0])
    )
    np.testing.assert_array_equal(ratio, [1.5, LOWEST_RATIO, LOWEST_RATIO, 1.0, np.nan])


def test_exponential_weights_are_those_of_the_obvious_loop():
    returns = np.diff(np.log(BARS["close"]))
    weights = (1 - 2 / 4) ** np.arange(len(returns))[::-1]  # a span of 3 bars
    weights /= weights.sum()
    mean = weights @ returns
    biased = weights @ (returns - mean) ** 2
    expected = np.sqrt(biased / (1 - weights @ weights))
    assert ewm_volatility(BARS["close"], span=3).iloc[-1] == pytest.approx(expected)


def test_exponential_volatility_is_nan_in_its_span_and_zero_where_nothing_moves():
    volatility = ewm_volatility(pd.Series([7.0] * 5), span=3)
    np.testing.assert_array_equal(volatility, [np.nan, np.nan, np.nan, 0.0, 0.0])


def test_the_qlike_loss_is_zero_for_what_came_and_steeper_for_what_is_too_low():
    losses = qlike_losses(np.array([1.0, 1.0, 1.0]), np.array([1.0, 0.5, 2.0]))
    np.testing.assert_allclose(losses, [0.0, 2 - np.log(2) - 1, 0.5 + np.log(2) - 1])


def test_noise_in_what_is_measured_leaves_the_best_forecast_where_it_is():
    noisy = np.array([0.5, 1.5]) * 3.0  # 3 on average
    means = [qlike_losses(noisy, np.full(2, forecast)).mean() for forecast in (2.7, 3.0, 3.3)]
    assert np.argmin(means) == 1
