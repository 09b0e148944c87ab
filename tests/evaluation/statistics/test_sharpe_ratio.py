"""The interval of a Sharpe ratio, and what luck leaves of it."""

import math

import numpy as np
import pandas as pd
import pytest
from arch.bootstrap import StationaryBootstrap
from random_returns import random_returns
from scipy import stats

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.metrics import sharpe
from lstm_strategy.evaluation.statistics.bootstrap import block_length
from lstm_strategy.evaluation.statistics.sharpe_ratio import (
    _sharpe_and_error,
    deflated_sharpe,
    luckiest_sharpe,
    probabilistic_sharpe,
    sharpe_confidence,
    sharpe_interval,
)

REPS = 200


@pytest.mark.parametrize("seed", range(3))
def test_the_standard_error_is_that_of_mertens(seed):
    values = np.random.default_rng(seed).gamma(2.0, 0.01, 300) - 0.015
    ratio = values.mean() / values.std()
    variance = 1 - stats.skew(values) * ratio
    variance += (stats.kurtosis(values, fisher=False) - 1) / 4 * ratio**2
    _, error = _sharpe_and_error(values)
    assert error == pytest.approx(math.sqrt(variance / 300))


def test_the_sharpe_interval_is_the_studentised_one_worked_in_a_loop():
    returns = random_returns(1)["a"].ewm(alpha=0.7).mean()
    block_bars = block_length(returns.to_frame())
    assert block_bars > 1
    estimate, error = _sharpe_and_error(returns.to_numpy())
    distances = []
    for (sample,), _ in StationaryBootstrap(block_bars, returns.to_numpy(), seed=4).bootstrap(REPS):
        drawn, drawn_error = _sharpe_and_error(sample)
        distances.append((drawn - estimate) / drawn_error)
    low, high = np.percentile(distances, [5, 95])
    interval = sharpe_interval(returns, 252.0, level=0.9, reps=REPS, seed=4)
    year = math.sqrt(252.0)
    assert interval.low == pytest.approx((estimate - high * error) * year)
    assert interval.high == pytest.approx((estimate - low * error) * year)
    assert interval.level == 0.9


def test_the_interval_is_around_the_sharpe_ratio_of_the_metrics():
    returns = random_returns(11, sharpes=(0.1,))["a"]
    equity = pd.concat([pd.Series([1.0]), (1.0 + returns).cumprod()])
    interval = sharpe_interval(returns, 252.0, reps=REPS)
    assert interval.estimate == pytest.approx(sharpe(equity, 252.0))
    assert interval.low < interval.estimate < interval.high


def test_a_flat_series_has_no_sharpe_interval():
    interval = sharpe_interval(pd.Series(np.zeros(100)), 252.0, reps=REPS)
    assert all(math.isnan(value) for value in (interval.estimate, interval.low, interval.high))


def test_a_series_with_few_trades_still_has_an_interval():
    returns = pd.Series(np.zeros(200))
    returns[[50, 120]] = [0.02, -0.01]
    interval = sharpe_interval(returns, 252.0, reps=REPS)
    assert interval.low < 0 < interval.high


def test_the_probabilistic_sharpe_ratio_of_six_bars_matches_the_hand_worked_one():
    # Mean 0.01 and deviations ±0.01, ±0.01, ±0.02: variance (4·1 + 2·4) / 6 = 2 (ddof 1: 2.4),
    # no skewness, fourth moment (4·1 + 2·16) / 6 = 6, so a kurtosis of 6 / 2² = 1.5.
    returns = pd.Series([0.02, 0.0, 0.02, 0.0, 0.03, -0.01])
    ratio = 1.0 / math.sqrt(2.4)
    z = ratio * math.sqrt(5.0) / math.sqrt(1.0 + 0.5 / 4.0 * ratio**2)
    assert probabilistic_sharpe(returns) == pytest.approx(stats.norm.cdf(z))
    assert probabilistic_sharpe(returns, ratio) == pytest.approx(0.5)


def test_the_deflated_sharpe_ratio_matches_the_example_of_its_authors():
    # Bailey & López de Prado 2014, p. 102: five years of days, 100 trials, annual Sharpe 2.5
    luck = luckiest_sharpe(100, math.sqrt(0.5 / 250))
    confidence = sharpe_confidence(
        2.5 / math.sqrt(250), luck, n_bars=1250, skewness=-3.0, kurtosis=10.0
    )
    assert (round(luck, 4), round(confidence, 4)) == (0.1132, 0.9004)


def test_the_luckiest_sharpe_ratio_is_close_to_the_mean_of_the_largest_of_many_normals():
    largest = np.random.default_rng(0).normal(0.0, 2.0, (20_000, 50)).max(axis=1)
    assert luckiest_sharpe(50, 2.0) == pytest.approx(largest.mean(), rel=0.02)


def test_more_trials_deflate_more_and_one_trial_deflates_nothing():
    returns = random_returns(14, sharpes=(0.1,))["a"]
    confidences = [deflated_sharpe(returns, trials) for trials in (1, 2, 10, 1000)]
    assert confidences[0] == probabilistic_sharpe(returns)
    assert confidences == sorted(confidences, reverse=True)
    known = deflated_sharpe(returns, 10, trial_sharpe_std=1.0 / math.sqrt(399))
    assert confidences[2] == known


def test_a_flat_or_tiny_series_has_no_probabilistic_sharpe_ratio():
    assert math.isnan(probabilistic_sharpe(pd.Series([0.01, 0.01, 0.01])))
    assert math.isnan(probabilistic_sharpe(pd.Series([0.01, 0.02])))


def test_trials_that_were_made_are_at_least_one():
    with pytest.raises(TradingError, match="at least 1, got 0"):
        luckiest_sharpe(0, 1.0)


@pytest.mark.slow
@pytest.mark.parametrize("sharpe_per_bar", [0.0, 0.1])
def test_the_sharpe_interval_covers_the_truth_as_often_as_it_says(sharpe_per_bar):
    truth = sharpe_per_bar * math.sqrt(252.0)
    n_covered = 0
    for seed in range(400):
        returns = random_returns(seed, n_bars=500, sharpes=(sharpe_per_bar,))["a"]
        interval = sharpe_interval(returns, 252.0, reps=REPS, seed=seed)
        n_covered += interval.low <= truth <= interval.high
    assert 0.91 <= n_covered / 400 <= 0.98
