"""Forecasts beside what came, scores by fold and calibration: worked by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from made_up import ConstantForecaster, random_walk

from lstm_strategy import LSTMForecaster, Volatility
from lstm_strategy.evaluation.skill import (
    Calls,
    ForecastOutcomes,
    align_calls,
    calibrate,
    correlate_calls,
    count_hits,
    forecast_outcomes,
    score_folds,
)
from lstm_strategy.learning.variance import measure_variance

DAYS = pd.date_range("2024-01-01", periods=6)
CLOSES = pd.DataFrame({"close": [10.0, 11.0, 10.0, 10.0, 12.0, 11.0]}, DAYS)
BARS = random_walk(300)


def outcomes_of(told, *, kind="probability", bars=CLOSES, horizon=1, ahead=None):
    series = pd.Series(told, bars.index[: len(told)])
    return ForecastOutcomes(align_calls(series, bars), horizon, kind, "forecast", ahead)


def test_a_close_that_is_the_same_is_no_outcome_of_a_probability():
    came = outcomes_of([0.6, 0.6, 0.4, 0.8, 0.3, 0.5]).came.iloc[:, 0]
    assert came.tolist() == pytest.approx([1.0, 0.0, math.nan, 1.0, 0.0, math.nan], nan_ok=True)


def test_scores_of_probabilities_by_fold_are_those_by_hand():
    outcomes = outcomes_of([0.6, 0.6, 0.4, 0.8, 0.3])
    folds = pd.Series([1, 1, 1, 2, 2, 2], DAYS)
    table = score_folds(outcomes, folds)
    assert table.index.to_list() == [1, 2, "all"]
    assert table["n_forecasts"].to_list() == [2, 2, 4]
    assert table["brier"].to_list() == pytest.approx(
        [(0.16 + 0.36) / 2, (0.04 + 0.09) / 2, (0.16 + 0.36 + 0.04 + 0.09) / 4]
    )
    first = -(math.log(0.6) + math.log(0.4)) / 2
    second = -(math.log(0.8) + math.log(0.7)) / 2
    assert table["log_loss"].to_list() == pytest.approx([first, second, (first + second) / 2])
    assert table["hit_rate"].to_list() == [0.5, 1.0, 0.75]
    assert table["always_up"].to_list() == [0.5, 0.5, 0.5]


def test_a_fold_of_which_nothing_is_known_is_left_out():
    table = score_folds(outcomes_of([0.6, 0.6]), pd.Series([1, 1, 1, 2, 2, math.nan], DAYS))
    assert table.index.to_list() == [1, "all"]


def test_one_who_was_sure_and_wrong_has_a_large_loss_and_no_infinite_one():
    assert 30 < score_folds(outcomes_of([0.0])).loc["all", "log_loss"] < 40


def test_returns_are_scored_as_in_the_tables_by_horizon():
    told = np.random.default_rng(3).normal(size=300)
    outcomes = outcomes_of(told, kind="return", bars=BARS, horizon=2)
    row = score_folds(outcomes).loc["all"]
    assert row["ic"] == correlate_calls(outcomes.calls, [2]).table.loc[2, "ic"]
    assert row["hit_rate"] == count_hits(outcomes.calls, [2], neutral=0.0).table.loc[2, "hit_rate"]


def test_forecasts_that_never_differ_or_never_call_have_no_such_scores():
    row = score_folds(outcomes_of([0.0] * 5, kind="return")).loc["all"]
    assert row[["ic", "hit_rate", "always_up"]].isna().all()


def test_volatilities_are_scored_by_hand():
    ahead = pd.DataFrame({"the market": [0.2, 0.1, 0.0]}, DAYS[:3])
    outcomes = outcomes_of([0.2, 0.2, 0.2], kind="volatility", ahead=ahead.reindex(DAYS))
    row = score_folds(outcomes).loc["all"]
    assert row["n_forecasts"] == 2  # nothing moved in the third
    assert row["qlike"] == pytest.approx((0.25 - math.log(0.25) - 1) / 2)
    assert row["forecast"] == pytest.approx(0.2)
    assert row["realised"] == pytest.approx(math.sqrt((0.04 + 0.01) / 2))
    assert math.isnan(row["correlation"])


class ToldVolatility(ConstantForecaster):
    horizon = 3

    @property
    def card(self):
        return None


def test_volatility_that_came_is_measured_as_the_model_measures_it(monkeypatch):
    target = Volatility(estimator="parkinson")
    monkeypatch.setattr("lstm_strategy.evaluation.skill.outcomes.find_target", lambda model: target)
    monkeypatch.setattr(
        "lstm_strategy.evaluation.skill.outcomes.target_name", lambda model: "volatility"
    )
    start, end = BARS.index[[100, 199]]
    outcomes = forecast_outcomes(ToldVolatility(0.5), BARS, start=start, end=end)
    expected = measure_variance(BARS, 3, estimator="parkinson").shift(-3) * 365  # every day
    came = outcomes.came.iloc[:, 0].dropna()
    assert came.index[0] == start
    assert came.index[-1] == BARS.index[196]  # no bar after the end is used
    assert came.to_numpy() == pytest.approx((expected[start:][: len(came)] ** 0.5).to_numpy())


def test_an_untrained_model_says_what_it_is_asked():
    from lstm_strategy.evaluation.skill.model_skill import find_target

    assert find_target(LSTMForecaster(target="return")).name == "return"


def test_calibration_is_the_share_of_each_group_by_hand():
    found = calibrate(outcomes_of([0.6, 0.55, 0.4, 0.8, 0.3]), n_groups=2)
    table = found.table
    # the third has no outcome; the others are 0.3 (down), 0.55 (down), 0.6 (up), 0.8 (up)
    assert table["forecast"].to_list() == pytest.approx([(0.3 + 0.55) / 2, 0.7])
    assert table["outcome"].to_list() == [0.0, 1.0]
    assert table["n_forecasts"].to_list() == [2, 2]


def test_volatilities_are_grouped_by_root_mean_squares():
    ahead = pd.DataFrame({"the market": [0.1, 0.3, 0.2, 0.4]}, DAYS[:4]).reindex(DAYS)
    outcomes = outcomes_of([0.1, 0.2, 0.3, 0.4], kind="volatility", ahead=ahead)
    table = calibrate(outcomes, n_groups=2).table
    assert table["outcome"].to_list() == pytest.approx([math.sqrt(0.05), math.sqrt(0.1)])
    assert table["outcome_error"].isna().all()


def test_equal_forecasts_stay_in_one_group_and_one_group_is_no_calibration():
    told = [0.4] * 200 + [0.6] * 99
    table = calibrate(outcomes_of(told, bars=BARS), n_groups=10).table
    assert table["forecast"].to_list() == pytest.approx([0.4, 0.6])
    assert calibrate(outcomes_of([0.4] * 5)) is None
    assert calibrate(outcomes_of([0.4, 0.4 + 1e-15, 0.4, 0.4, 0.4])) is None


def test_every_known_forecast_of_a_panel_is_in_one_group():
    panel = {name: random_walk(80, seed=seed) for seed, name in enumerate("AB")}
    told = {
        name: pd.Series(np.random.default_rng(len(name)).normal(size=80), bars.index)
        for name, bars in panel.items()
    }
    outcomes = ForecastOutcomes(align_calls(told, panel), 1, "return", "forecast")
    assert calibrate(outcomes, n_groups=5).table["n_forecasts"].sum() == 2 * 79


def test_what_is_known_later_changes_no_outcome_before():
    calls = align_calls(pd.Series(0.6, BARS.index), BARS)
    cut = calls.between(BARS.index[0], BARS.index[200])
    assert isinstance(cut, Calls)
    whole = ForecastOutcomes(calls, 1, "probability", "forecast").came
    part = ForecastOutcomes(cut, 1, "probability", "forecast").came
    pd.testing.assert_frame_equal(part.iloc[:-1], whole.loc[: BARS.index[199]])
