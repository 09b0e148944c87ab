"""The set of forecasts that may be the best."""

import numpy as np
import pandas as pd
import pytest
from arch.bootstrap import StationaryBootstrap

from lstm_strategy.errors import ForecastError
from lstm_strategy.evaluation.statistics import confidence_set_p_values
from lstm_strategy.evaluation.statistics.bootstrap import block_length


def noisy_losses(seed=0, *, n_bars=300, means=(1.0, 1.0, 1.0)):
    rng = np.random.default_rng(seed)
    common = rng.chisquare(1, n_bars)
    columns = [common + rng.normal(mean, 1.0, n_bars) for mean in means]
    return pd.DataFrame(dict(zip("abc", columns, strict=False)))


def test_of_two_forecasts_the_p_value_is_that_of_their_difference():
    losses = noisy_losses(6, means=(1.0, 1.02))
    p_values = confidence_set_p_values(losses, reps=200, seed=4)
    lead = (losses["a"] - losses["b"]).to_numpy()
    block_bars = block_length(losses.sub(losses.mean(axis=1), axis=0))
    bootstrap = StationaryBootstrap(block_bars, np.arange(len(lead)), seed=4)
    resampled = [lead[rows].mean() - lead.mean() for (rows,), _ in bootstrap.bootstrap(200)]
    expected = np.mean(np.abs(resampled) > abs(lead.mean()))
    assert p_values.to_dict() == {"a": 1.0, "b": pytest.approx(expected, abs=0.011)}
    assert 0.05 < expected < 0.95


def test_what_is_clearly_worse_is_left_out_and_the_order_kept():
    p_values = confidence_set_p_values(noisy_losses(4, means=(2.0, 1.0, 1.0)), reps=200)
    assert list(p_values.index) == ["a", "b", "c"]
    assert p_values["a"] < 0.01
    assert p_values[["b", "c"]].min() > 0.1


def test_the_best_forecast_is_in_the_set_about_nine_times_in_ten():
    found = [
        confidence_set_p_values(noisy_losses(seed, n_bars=100), reps=100)["a"] > 0.1
        for seed in range(100)
    ]
    assert 0.85 <= np.mean(found) <= 1.0


def test_twins_share_their_p_value_and_alone_there_is_no_rival():
    losses = noisy_losses(3, means=(2.0, 1.0))
    twins = losses.assign(again=losses["a"], rounded=losses["b"] + 1e-7)
    p_values = confidence_set_p_values(twins, reps=100)
    assert p_values["again"] == p_values["a"] < 0.01
    assert p_values["rounded"] == p_values["b"] == 1.0
    assert confidence_set_p_values(losses[["a"]]).to_dict() == {"a": 1.0}
    assert (confidence_set_p_values(losses[["a", "a"]].set_axis(["x", "y"], axis=1)) == 1).all()


def test_too_few_bars_and_losses_that_are_not_finite_are_refused():
    with pytest.raises(ForecastError, match="at least 30 bars, got 29"):
        confidence_set_p_values(noisy_losses(n_bars=29))
    with pytest.raises(ForecastError, match="must be finite"):
        confidence_set_p_values(noisy_losses().replace({"a": {noisy_losses()["a"][3]: np.inf}}))
