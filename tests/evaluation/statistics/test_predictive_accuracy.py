"""Diebold-Mariano and Mincer-Zarnowitz, against hand-worked values, loops and peers."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.regression.linear_model import OLS

from lstm_strategy.errors import ForecastError
from lstm_strategy.evaluation.statistics import (
    choose_bandwidth,
    diebold_mariano,
    mincer_zarnowitz,
)
from lstm_strategy.evaluation.statistics.predictive_accuracy import long_run_variance


def persistent_noise(rng, n_bars, *, phi=0.5):
    noise = np.zeros(n_bars)
    for bar, shock in enumerate(rng.normal(size=n_bars)):
        noise[bar] = phi * noise[bar - 1] + shock
    return noise


def test_the_long_run_variance_of_four_values_worked_by_hand():
    # around the mean: -2 0 0 2; squares 8, one bar apart 0, two 0, three -4
    values = np.array([1.0, 3.0, 3.0, 5.0])
    assert long_run_variance(values, 0) == pytest.approx(8 / 4)
    assert long_run_variance(values, 1) == pytest.approx(8 / 4)
    assert long_run_variance(values, 3) == pytest.approx((8 + 2 * 0.25 * -4) / 4)


@pytest.mark.parametrize(
    "n_bars, horizon, bandwidth", [(100, 1, 13), (2900, 1, 70), (100, 22, 21), (2900, 22, 70)]
)
def test_the_bandwidth_grows_with_the_root_of_the_bars_and_covers_the_horizon(
    n_bars, horizon, bandwidth
):
    assert choose_bandwidth(n_bars, horizon=horizon) == bandwidth


def test_without_memory_diebold_mariano_is_the_t_test_of_the_differences():
    rng = np.random.default_rng(3)
    one, other = rng.chisquare(1, 80), rng.chisquare(1, 80) + 0.2
    test = diebold_mariano(one, other, bandwidth_bars=0)
    peer = stats.ttest_1samp(one - other, 0.0)
    assert test.statistic == pytest.approx(peer.statistic)
    assert test.p_value == pytest.approx(peer.pvalue)
    assert test.degrees_of_freedom == 79


@pytest.mark.parametrize("horizon, bandwidth", [(1, 12), (5, 4), (5, 20)])
def test_diebold_mariano_is_the_regression_on_a_constant_with_the_correction(horizon, bandwidth):
    rng = np.random.default_rng(4)
    one, other = (persistent_noise(rng, 200) for _ in range(2))
    test = diebold_mariano(one, other, horizon=horizon, bandwidth_bars=bandwidth)
    peer = OLS(one - other, np.ones(200)).fit(cov_type="HAC", cov_kwds={"maxlags": bandwidth})
    correction = math.sqrt((201 - 2 * horizon + horizon * (horizon - 1) / 200) / 200)
    assert test.statistic == pytest.approx(peer.tvalues[0] * correction)
    assert test.degrees_of_freedom == 300 / (bandwidth + 1)
    expected = 2 * stats.t.sf(abs(test.statistic), test.degrees_of_freedom)
    assert test.p_value == pytest.approx(expected)
    swapped = diebold_mariano(other, one, horizon=horizon, bandwidth_bars=bandwidth)
    assert (swapped.statistic, swapped.p_value) == (-test.statistic, test.p_value)


@pytest.mark.parametrize("horizon", [1, 5])
def test_equally_good_forecasts_are_told_apart_in_about_one_of_twenty_cases(horizon):
    rng = np.random.default_rng(5)
    overlap = np.ones(horizon) / horizon
    p_values = []
    for _ in range(400):
        one, other = (np.convolve(rng.chisquare(1, 250), overlap, "valid") for _ in range(2))
        p_values.append(diebold_mariano(one, other, horizon=horizon).p_value)
    assert 0.025 < np.mean(np.array(p_values) < 0.05) < 0.085


def test_a_better_forecast_is_found():
    rng = np.random.default_rng(6)
    common = rng.chisquare(1, 500)
    test = diebold_mariano(common, common + 0.1 + rng.normal(0, 0.5, 500))
    assert test.difference == pytest.approx(-0.1, abs=0.05)
    assert test.statistic < -3
    assert test.p_value < 0.01


@pytest.mark.parametrize("rounding", [0.0, 1e-6], ids=["the same", "rounded"])
def test_the_same_forecast_twice_is_never_better(rounding):
    losses = np.random.default_rng(7).chisquare(1, 100)
    test = diebold_mariano(losses + rounding, losses)
    assert (test.statistic, test.p_value) == (0.0, 1.0)


def test_a_difference_that_never_changes_is_certain():
    losses = np.arange(40.0)
    test = diebold_mariano(losses + 2.0, losses)
    assert (test.difference, test.statistic, test.p_value) == (2.0, math.inf, 0.0)


def test_the_line_of_mincer_and_zarnowitz_worked_by_hand():
    # forecasts 1 and 3 in turn; what came is 2 ± 1 after a 1, 3 ± 1 after a 3: a line of 1.5 + x/2
    forecast = np.tile([1.0, 3.0, 1.0, 3.0], 10)
    realized = np.tile([1.0, 2.0, 3.0, 4.0], 10)
    line = mincer_zarnowitz(realized, forecast)
    assert (line.intercept, line.slope) == (pytest.approx(1.5), pytest.approx(0.5))
    assert line.r_squared == pytest.approx(0.25 / 1.25)
    assert (line.bandwidth_bars, line.n_bars) == (8, 40)


def test_the_joint_test_agrees_with_a_sandwich_written_out():
    rng = np.random.default_rng(8)
    forecast = np.exp(persistent_noise(rng, 120))
    realized = 0.1 + 0.8 * forecast + 0.3 * persistent_noise(rng, 120)
    line = mincer_zarnowitz(realized, forecast, bandwidth_bars=3)
    design = np.column_stack([np.ones(120), forecast])
    coefficients = np.linalg.lstsq(design, realized, rcond=None)[0]
    scores = design * (realized - design @ coefficients)[:, None]
    meat = scores.T @ scores
    for lag in (1, 2, 3):
        cross = scores[lag:].T @ scores[:-lag]
        meat += (1 - lag / 4) * (cross + cross.T)
    bread = np.linalg.inv(design.T @ design)
    covariance = bread @ meat @ bread * 120 / 118
    miss = coefficients - [0.0, 1.0]
    wald = miss @ np.linalg.solve(covariance, miss)
    assert line.p_value == pytest.approx(stats.f.sf(wald / 2, 2, 118), rel=1e-6)
    assert (line.intercept, line.slope) == (
        pytest.approx(coefficients[0]),
        pytest.approx(coefficients[1]),
    )


def test_no_unit_changes_the_slope_and_its_test():
    rng = np.random.default_rng(9)
    forecast = rng.chisquare(5, 100)
    realized = forecast * rng.chisquare(5, 100) / 5
    big, small = (mincer_zarnowitz(k * realized, k * forecast) for k in (1.0, 1e-8))
    assert small.slope == pytest.approx(big.slope)
    assert small.p_value == pytest.approx(big.p_value)
    assert small.intercept == pytest.approx(1e-8 * big.intercept)


@pytest.mark.parametrize("constant", ["forecast", "truth"])
def test_what_never_changes_has_no_line(constant):
    rising, flat = np.arange(1.0, 41.0), np.full(40, 2.0)
    line = mincer_zarnowitz(*((rising, flat) if constant == "forecast" else (flat, rising)))
    assert np.isnan([line.intercept, line.slope, line.r_squared, line.p_value]).all()


def test_too_few_bars_and_impossible_bandwidths_are_refused():
    few, enough = np.ones(29), np.arange(40.0)
    with pytest.raises(ForecastError, match="at least 30 bars, got 29"):
        diebold_mariano(few, 2 * few)
    with pytest.raises(ForecastError, match="at least 45 bars, got 40"):
        diebold_mariano(enough, 2 * enough, horizon=22)
    with pytest.raises(ForecastError, match="bandwidth_bars must be at least horizon - 1 = 4"):
        diebold_mariano(enough, 2 * enough, horizon=5, bandwidth_bars=3)
    with pytest.raises(ForecastError, match="losses must be finite"):
        diebold_mariano(np.r_[enough, np.nan], np.r_[enough, 1.0])
