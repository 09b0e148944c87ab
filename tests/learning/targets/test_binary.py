"""What follows from a question that is answered by yes or no."""

import numpy as np
import pytest
from sklearn.metrics import log_loss

from lstm_strategy.learning.targets.direction import Direction
from lstm_strategy.learning.targets.parts import AnsweredRows, SignalScale

TARGET = Direction()
LABELS = np.array([1.0, 0.0, 1.0, 1.0])
FORECAST = np.array([0.8, 0.4, 0.3, 0.5])
NO_CONTEXT = np.empty((3, 0))


def answered(forecast, labels=None, weights=None):
    labels = np.ones(len(forecast)) if labels is None else labels
    weights = np.ones(len(forecast)) if weights is None else weights
    return AnsweredRows(
        labels=labels[:, None],
        answers=forecast[:, None],
        weights=weights,
        context=np.empty((len(labels), 0)),
    )


def fit_scale(forecast):
    return TARGET.fit_scale(answered(forecast), answered(np.empty(0)), horizon=1)


def test_nine_in_ten_training_forecasts_ask_for_less_than_all():
    scale = fit_scale(np.linspace(0, 1, 1001))
    assert (scale.threshold, scale.width) == (0.5, pytest.approx(0.45))


def test_forecasts_that_hardly_leave_one_half_are_not_blown_up():
    assert fit_scale(np.full(10, 0.51)).width == 0.05


def test_signal_forecast_and_uncertainty_are_those_of_the_members_together():
    members = np.array([[0.5, 0.7], [0.1, 0.1], [np.nan, 0.5]])[..., None]
    signal, forecast, uncertainty = TARGET.build_columns(
        members, SignalScale(threshold=0.5, width=0.2), NO_CONTEXT
    )
    np.testing.assert_allclose(signal, [0.5, -1.0, np.nan])
    np.testing.assert_allclose(forecast, [0.6, 0.1, np.nan])
    np.testing.assert_allclose(uncertainty, [0.1, 0.0, np.nan], atol=1e-12)


def test_the_log_loss_of_the_rows_is_that_of_scikit_learn():
    losses = TARGET.row_losses(LABELS[:, None], FORECAST[:, None])
    assert losses[3] == pytest.approx(np.log(2))  # a coin flip
    assert losses.mean() == pytest.approx(log_loss(LABELS, FORECAST))


def test_rows_without_weight_count_in_no_score():
    scores = TARGET.score(answered(FORECAST, LABELS, np.array([1.0, 1.0, 0.0, 0.0])))
    assert scores["log_loss"] == pytest.approx(-(np.log(0.8) + np.log(0.6)) / 2)
    assert (scores["auc"], scores["accuracy"], scores["n_rows"]) == (1, 1, 2)


def test_every_score_is_weighted_as_the_loss_is():
    scores = TARGET.score(answered(FORECAST, LABELS, np.array([1.0, 2.0, 3.0, 2.0])))
    losses = -np.log([0.8, 0.6, 0.3, 0.5])
    assert scores["log_loss"] == pytest.approx(np.average(losses, weights=[1, 2, 3, 2]))
    # 0.8 and 0.5 lie above the 0.4 of the only fall, 0.3 doesn't: weights 1 and 2 of 6
    assert scores["auc"] == pytest.approx(3 / 6)
    # right at 0.8 and 0.4; 0.5 isn't above one half: weights 1 and 2 of 8
    assert scores["accuracy"] == pytest.approx(3 / 8)


def test_without_a_row_that_counts_nothing_is_scored():
    scores = TARGET.score(answered(FORECAST, LABELS, np.zeros(4)))
    assert scores.pop("n_rows") == 0
    assert np.isnan(list(scores.values())).all()


def test_there_is_no_auc_where_all_labels_are_the_same():
    assert np.isnan(TARGET.score(answered(FORECAST, np.ones(4)))["auc"])


def test_forecasts_that_held_up_keep_their_signal_and_others_lose_it():
    rises = answered(np.array([0.9, 0.8, 0.2, 0.1]), np.array([1.0, 1.0, 0.0, 0.0]))
    falls = answered(rises.answers[:, 0], 1 - rises.labels[:, 0])
    confidences = [
        TARGET.fit_scale(rises, held_out, horizon=1).confidence for held_out in (rises, falls)
    ]
    # leanings of 0.4 and 0.3 on moves of 1: a slope of 1.4 / 0.5 = 2.8, which leaves 0.12 and 0.16
    assert confidences == [pytest.approx(1 - 4 * 0.02 / (2.8**2 * 0.5)), 0.0]


def test_the_confidence_scales_the_signal_and_leaves_the_forecast():
    scale = SignalScale(threshold=0.5, width=0.1, confidence=0.25)
    signal, forecast, _ = TARGET.build_columns(np.full((3, 2, 1), 0.9), scale, NO_CONTEXT)
    assert (signal[0], forecast[0]) == (0.25, pytest.approx(0.9))


def test_the_score_of_no_skill_is_that_of_a_coin():
    assert Direction().no_skill == {"log_loss": pytest.approx(0.693147, abs=1e-6), "auc": 0.5}
