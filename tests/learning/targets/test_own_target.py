"""A target of the user's own in place of the direction."""

import numpy as np
import pandas as pd
import pytest
from made_up import SMALL, SMALL_FEATURES, random_walk

from lstm_strategy import LSTMForecaster, LSTMStrategyError, WalkForward, tune, walk_forward
from lstm_strategy.learning.inspection import feature_importance
from lstm_strategy.learning.targets.own import OwnTarget

BARS = random_walk(400)
QUICK = {**SMALL, "epochs": 2, "members": 1}


def wide_bar(bars, horizon):
    """Will the bar ``horizon`` bars later reach further from low to high than this one?"""
    reach = bars["high"] / bars["low"]
    later = reach.shift(-horizon)
    return (later > reach).astype(float).where(later.notna())


def test_the_labels_are_those_that_the_function_gives():
    bars = pd.DataFrame(
        {"high": [2.0, 3.0, 2.0, 5.0], "low": 1.0}, pd.date_range("2024-01-01", periods=4)
    )
    assert OwnTarget(wide_bar).labels(bars, 1).tolist()[:3] == [1.0, 0.0, 1.0]
    assert OwnTarget(wide_bar).weights(bars, 1).tolist() == [1.0] * 4


def test_training_learns_from_the_functions_labels():
    is_up = LSTMForecaster(SMALL_FEATURES, target=wide_bar, **QUICK).fit(BARS, progress=False)
    is_down = LSTMForecaster(
        SMALL_FEATURES, target=lambda bars, horizon: 1 - wide_bar(bars, horizon), **QUICK
    ).fit(BARS, progress=False)
    np.testing.assert_allclose(is_up.history["loss"].iloc[0], np.log(2), atol=0.2)
    scores = is_up.validation_scores["auc"], is_down.validation_scores["auc"]
    assert all(0 <= score <= 1 for score in scores)
    assert not np.allclose(is_up.forecast(BARS)["forecast"].dropna(), 0.5)
    assert is_up.settings.target == OwnTarget(wide_bar)


def test_a_saved_model_knows_the_name_of_its_target_and_forecasts_without_it(tmp_path):
    forecaster = LSTMForecaster(SMALL_FEATURES, target=wide_bar, **QUICK).fit(BARS, progress=False)
    loaded = LSTMForecaster.load(forecaster.save(tmp_path / "model"))
    assert loaded.settings.target.name == "own:test_own_target.wide_bar"
    pd.testing.assert_frame_equal(loaded.forecast(BARS), forecaster.forecast(BARS), atol=1e-6)
    with pytest.raises(LSTMStrategyError, match=r"test_own_target.wide_bar isn't part of a saved"):
        loaded.unfitted_copy().fit(BARS)
    with pytest.raises(LSTMStrategyError, match="Pass it again"):
        feature_importance(loaded, random_walk(900))
    again = loaded.unfitted_copy(target=wide_bar).fit(BARS, progress=False)
    pd.testing.assert_frame_equal(again.forecast(BARS), forecaster.forecast(BARS), atol=1e-6)


@pytest.mark.slow
def test_it_walks_forward_and_is_tuned(tmp_path):
    forecaster = LSTMForecaster(SMALL_FEATURES, target=wide_bar, **QUICK)
    splits = WalkForward(200, 100)
    walked = walk_forward(BARS, forecaster, splits, folder=tmp_path / "walk", progress=False)
    assert walked.forecast(BARS)["forecast"].iloc[200:].notna().all()
    tuned = tune(
        BARS, {"units": [4, 6]}, 2, forecaster=forecaster, objective="auc", splits=splits,
        progress=False,
    )  # fmt: skip
    assert tuned.forecaster.settings.target == OwnTarget(wide_bar)


def two_bars_ahead(bars, horizon):
    return (bars["close"].shift(-horizon - 1) > bars["close"]).astype(float)


BAD_TARGETS = {
    "looks further": (two_bars_ahead, r"no bar more than 1 bars \(the horizon\) ahead"),
    "array": (lambda bars, horizon: np.zeros(len(bars)), "pandas Series on the index"),
    "shorter": (lambda bars, horizon: bars["close"].iloc[1:] * 0, "pandas Series on the index"),
    "not binary": (lambda bars, horizon: bars["close"] * 0 + 0.5, "0, 1 or NaN, got 0.5 at 2001"),
    "constant": (lambda bars, horizon: bars["close"] * 0, r"Every label is 0\. There is nothing"),
    "unknown": ("price", "one of direction, .*, got 'price'"),
    "number": (3, "one of direction, .*, got 3"),
}


@pytest.mark.parametrize("target, message", BAD_TARGETS.values(), ids=BAD_TARGETS)
def test_a_target_that_cannot_be_learned_honestly_is_refused(target, message):
    with pytest.raises(LSTMStrategyError, match=message):
        LSTMForecaster(SMALL_FEATURES, target=target, **QUICK).fit(BARS, progress=False)


@pytest.mark.parametrize("seed", range(20))
def test_one_bar_too_far_is_found_although_every_second_label_is_right_by_chance(seed):
    def one_bar_too_far(bars, horizon):
        return (bars["close"].shift(-horizon - 1) > bars["close"]).astype(float)

    with pytest.raises(LSTMStrategyError, match="no bar more than 3 bars"):
        OwnTarget(one_bar_too_far).labels(random_walk(300, seed=seed), 3)


def test_the_function_cannot_change_the_callers_bars():
    def spoiling(bars, horizon):
        labels = wide_bar(bars, horizon)
        bars["close"] = 0.0
        return labels

    bars = random_walk(50)
    OwnTarget(spoiling).labels(bars, 1)
    pd.testing.assert_frame_equal(bars, random_walk(50))
