"""Returns at one volatility, and the means of their resamples."""

import math

import numpy as np
import pandas as pd
import pytest
from arch.bootstrap import StationaryBootstrap, optimal_block_length
from random_returns import random_returns

from lstm_strategy.evaluation.statistics.bootstrap import (
    at_equal_volatility,
    block_length,
    resample_means,
    resample_rows,
)


def test_returns_at_equal_volatility_have_their_sharpe_ratio_as_mean():
    returns = pd.DataFrame({"calm": [0.01, 0.03], "wild": [-0.1, 0.3], "cash": [0.0, 0.0]})
    expected = {"calm": [1.0, 3.0], "wild": [-0.5, 1.5], "cash": [0.0, 0.0]}
    for column, values in at_equal_volatility(returns).items():
        assert values.to_list() == pytest.approx(expected[column])


def test_a_constant_return_counts_as_cash():
    returns = pd.DataFrame({"interest": [0.001, 0.001, 0.001]})
    assert at_equal_volatility(returns)["interest"].to_list() == [0.0, 0.0, 0.0]


def test_resampled_means_are_those_of_the_rows_that_arch_draws():
    values = random_returns(n_bars=50).to_numpy()
    bootstrap = StationaryBootstrap(4, values, seed=3)
    expected = [sample.mean(axis=0) for (sample,), _ in bootstrap.bootstrap(20)]
    assert np.allclose(resample_means(values, 4, reps=20, seed=3), expected, atol=1e-15)


@pytest.mark.parametrize("block_bars", [1, 4, 50])
def test_the_rows_are_those_that_arch_draws(block_bars):
    expected = StationaryBootstrap(block_bars, np.arange(60), seed=7).bootstrap(20)
    rows = resample_rows(60, block_bars, reps=20, seed=7)
    for ours, ((theirs,), _) in zip(rows, expected, strict=True):
        assert ours.tolist() == theirs.tolist()


@pytest.mark.parametrize("n_bars", [30, 31, 250, 2500])
@pytest.mark.parametrize("memory", [-0.5, 0.0, 0.3, 0.95])
def test_the_block_length_is_that_of_arch(n_bars, memory):
    values = np.random.default_rng(1).normal(0.0, 0.01, (n_bars, 3))
    for bar in range(1, n_bars):
        values[bar] += memory * values[bar - 1]
    expected = optimal_block_length(values)["stationary"].max()
    assert block_length(pd.DataFrame(values)) == max(1, math.ceil(expected))
