"""The models of volatility on series whose answer is known."""

import numpy as np
import pandas as pd
import pytest
from arch import arch_model

from lstm_strategy import LSTMStrategyError, simulate_bars
from lstm_strategy.learning.reference.volatility.ewma import EwmaModel, fit_ewma
from lstm_strategy.learning.reference.volatility.garch import GarchModel, fit_garch
from lstm_strategy.learning.reference.volatility.har import (
    LogHarModel,
    build_inputs,
    fit_log_har,
)
from lstm_strategy.learning.reference.volatility.rows import VarianceRows
from lstm_strategy.learning.variance import qlike_losses

RNG = np.random.default_rng(4)


def rows_of(variance, returns=None):
    variance = pd.Series(variance, dtype=float)
    returns = variance * 0 if returns is None else pd.Series(returns, dtype=float)
    return VarianceRows(variance, returns)


def learned_from(rows, horizon=1, *, first=22):
    return (np.arange(len(rows.variance)) >= first) & rows.coming_variance(horizon).notna()


def test_what_comes_is_the_mean_of_the_next_bars():
    assert rows_of([9, 1, 3, 5]).coming_variance(2).tolist()[:2] == [2, 4]
    assert rows_of([9, 1, 3, 5]).coming_variance(2).isna().tolist() == [False, False, True, True]


def test_an_ewma_weighs_each_bar_by_its_age():
    forecast = EwmaModel(0.5).forecast(rows_of([4.0, 2.0, 6.0]))
    np.testing.assert_allclose(forecast, [4, (4 + 2 * 2) / 3, (4 + 2 * 2 + 4 * 6) / 7])
    # 0.94^261 is a ten-millionth
    assert EwmaModel(0.94).memory == 261


@pytest.mark.parametrize(("n_bars_alike", "decay"), [(1000, 0.99), (4, 0.7)])
def test_the_fitted_decay_is_long_where_variance_stays_and_short_where_it_jumps(
    n_bars_alike, decay
):
    levels = np.repeat(np.exp(RNG.normal(0, 1, 1000 // n_bars_alike)), n_bars_alike)
    rows = rows_of(levels * RNG.chisquare(20, 1000) / 20)
    assert fit_ewma(rows, learned_from(rows), 1).decay == pytest.approx(decay, abs=0.15)


def test_log_har_finds_the_coefficients_that_made_the_series():
    true = np.array([-0.1, 0.4, 0.3, 0.2])
    log_variance = [0.0] * 30
    for noise in RNG.normal(0, 0.3, 4000):
        means = [np.log(np.exp(log_variance[-n:]).mean()) for n in (1, 5, 22)]
        log_variance.append(true @ [1, *means] + noise)
    rows = rows_of(np.exp(log_variance))
    model = fit_log_har(rows, learned_from(rows, first=100), 1, has_leverage=False)
    np.testing.assert_allclose(model.coefficients, true, atol=0.08)
    assert model.smearing == pytest.approx(np.exp(0.3**2 / 2), rel=0.01)


def test_log_har_is_right_on_average_though_means_of_logs_are_not_logs_of_means():
    rows = rows_of(np.exp(RNG.normal(0, 1, 3000)))
    model = fit_log_har(rows, learned_from(rows), 1, has_leverage=False)
    assert model.smearing == pytest.approx(np.exp(0.5), rel=0.1)
    assert model.forecast(rows)[100:].mean() == pytest.approx(np.exp(0.5), rel=0.1)


def test_losses_over_a_day_a_week_and_a_month_are_in_units_of_volatility():
    variance, returns = np.full(30, 4.0), np.zeros(30)
    returns[28], returns[29] = 3.0, -1.0
    inputs = build_inputs(rows_of(variance, returns), has_leverage=True)
    np.testing.assert_allclose(inputs[29], [1, *[np.log(4)] * 3, -0.5, 0, 0], atol=1e-12)
    returns[27] = -100.0
    inputs = build_inputs(rows_of(variance, returns), has_leverage=True)
    np.testing.assert_allclose(inputs[29, 4:], [-0.5, -5, -5])


def test_leverage_is_learned_where_losses_are_followed_by_variance():
    returns = RNG.normal(0, 1, 2000)
    after_loss = np.r_[False, returns[:-1] < -1]
    rows = rows_of(np.where(after_loss, 4.0, 1.0), returns)
    losses = {}
    for has_leverage in (False, True):
        model = fit_log_har(rows, learned_from(rows), 1, has_leverage=has_leverage)
        forecast = model.forecast(rows).to_numpy()[100:-1]
        losses[has_leverage] = qlike_losses(rows.variance.to_numpy()[101:], forecast).mean()
    assert losses[True] < 0.7 * losses[False]


def test_a_variance_of_zero_counts_as_a_hundredth_of_the_usual_one():
    rows = rows_of([*[1.0] * 99, 0.0])
    inputs = build_inputs(rows, has_leverage=False)
    assert inputs[-1, 1] == pytest.approx(np.log(0.0099))
    assert np.isfinite(LogHarModel(np.ones(4), 1.0, False).forecast(rows)[22:]).all()


def test_garch_is_filtered_as_its_equation_says():
    model = GarchModel(
        mean=0.1, omega=0.2, alpha=0.1, gamma=0.3, beta=0.5, start=2.0, horizon=3, scale=2.0
    )
    returns = [np.nan, 1.1, -0.9]
    first = 0.2 + 0.1 * 1.0 + 0.5 * 2.0  # the shock is 1.1 - 0.1
    second = 0.2 + (0.1 + 0.3) * 1.0 + 0.5 * first
    persistence = 0.1 + 0.3 / 2 + 0.5
    expected = []
    for variance in (first, second):
        ahead = [variance]
        for _ in range(2):
            ahead.append(0.2 + persistence * ahead[-1])
        expected.append(2.0 * np.mean(ahead))
    np.testing.assert_allclose(model.forecast(rows_of([0, 1, 1], returns)), [np.nan, *expected])


@pytest.fixture(scope="module")
def market():
    """A market of known variance, measured from close to close."""
    market = simulate_bars("garch", 3000, seed=5)
    returns = np.log(market.bars["close"]).diff()
    return VarianceRows(returns**2, returns), market.variance


@pytest.mark.parametrize("kind", ["garch", "gjr_garch_t"])
def test_a_fitted_garch_is_near_the_true_variance(market, kind):
    rows, truth = market
    model = fit_garch(rows, learned_from(rows), 1, kind=kind)
    losses = qlike_losses(truth[500:].to_numpy(), model.forecast(rows)[500:].to_numpy())
    assert losses.mean() < 0.01
    assert model.scale == pytest.approx(1, abs=0.1)


def test_the_filter_is_that_of_arch_once_its_first_bars_are_forgotten(market):
    rows, _ = market
    model = fit_garch(rows, learned_from(rows), 1, kind="gjr_garch_t")
    percent = 100 * rows.returns.dropna()
    specification = arch_model(percent, mean="Constant", p=1, o=1, q=1, rescale=False)
    parameters = [100 * model.mean, 1e4 * model.omega, model.alpha, model.gamma, model.beta]
    volatility = specification.fix(parameters).conditional_volatility / 100
    ours = model.forecast(rows) / model.scale
    n_bars = model.memory
    np.testing.assert_allclose(ours[n_bars:-1], volatility.to_numpy()[n_bars:] ** 2, rtol=1e-6)


def test_returns_that_never_vary_are_refused():
    with pytest.raises(LSTMStrategyError, match="the close never moves"):
        fit_garch(rows_of(np.ones(200)), np.arange(200) > 22, 1, kind="garch")
