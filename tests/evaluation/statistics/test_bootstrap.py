"""Returns at one volatility, and the means of their resamples."""

import numpy as np
import pandas as pd
import pytest
from arch.bootstrap import StationaryBootstrap
from random_returns import random_returns

from lstm_strategy.evaluation.statistics.bootstrap import at_equal_volatility, resample_means


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
