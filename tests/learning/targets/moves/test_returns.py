import math

import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy import LSTMStrategyError, Return
from lstm_strategy.learning.targets import AnsweredRows, SignalScale

STEP = math.log(1.01)  # of closes that go up and down in turn; their deviation is √2 of it


def bars_of(log_closes):
    return pd.DataFrame({"close": 100 * np.exp(np.array(log_closes))})


def answered(labels, answers, *, context=0.01):
    came, answer = (np.array(values, float)[:, None] for values in (labels, answers))
    n_rows = len(labels)
    return AnsweredRows(came, answer, np.ones(n_rows), np.full((n_rows, 1), context))


@pytest.mark.parametrize("horizon", [1, 2])
def test_a_label_is_the_return_ahead_in_units_of_the_volatility_before(horizon):
    bars = bars_of([0, STEP, 0, 3 * STEP, STEP, STEP])
    unit = math.sqrt(2) * STEP * math.sqrt(horizon)  # after one rise and one fall as large
    ahead = {1: 1.01**3 - 1, 2: 0.01}[horizon]
    labels = Return(span=2).labels(bars, horizon)
    assert np.flatnonzero(labels.notna()).tolist() == list(range(2, 6 - horizon))
    assert labels[2] == pytest.approx(ahead / unit)


def test_a_return_where_nothing_moved_before_is_unknown_unless_nothing_moves_now():
    labels = Return(span=2).labels(bars_of([0, 0, 0, 0, STEP, STEP]), horizon=1)
    np.testing.assert_array_equal(labels.iloc[:4], [np.nan, np.nan, 0.0, np.nan])


def test_the_loss_of_an_error_grows_with_its_square_and_then_in_proportion():
    labels, answers = np.array([[0.0], [1.0], [4.0]]), np.zeros((3, 1))
    assert Return(delta=2.0).row_losses(labels, answers).tolist() == [0.0, 0.5, 2 + 2 * 2]


def test_answers_become_returns_by_the_volatility_of_their_row_and_the_horizon():
    scale = SignalScale(threshold=0.0, width=20.0, confidence=0.5, horizon=4)
    answers = np.array([[[0.1], [0.3]], [[-9.0], [-9.0]], [[0.5], [0.5]]])
    context = np.array([[0.01], [0.02], [0.0]])
    signal, forecast, uncertainty = Return().build_columns(answers, scale, context)
    # the expected return over its variance: 0.2 * 0.02 / 0.02²
    assert signal.tolist() == pytest.approx([0.5 * 10 / 20, -0.5, 0.0])
    assert forecast.tolist() == pytest.approx([0.2 * 0.02, -9 * 0.04, 0.0])
    assert uncertainty.tolist() == pytest.approx([0.1 * 0.02, 0.0, 0.0])


def test_nine_in_ten_training_forecasts_ask_for_less_than_all():
    labels, answers = np.random.default_rng(0).normal(size=(2, 1_000))
    trained = answered(labels, answers)
    held_up = answered(answers + labels, answers)
    scale = Return().fit_scale(trained, held_up, horizon=1)
    signal, *_ = Return().build_columns(trained.answers[:, None], scale, trained.context)
    assert (np.abs(signal) >= scale.confidence).mean() == pytest.approx(0.1, abs=0.002)


def test_the_signal_loses_what_forecasts_have_not_held_up():
    labels, answers = np.random.default_rng(0).normal(size=(2, 500))
    trained = answered(labels, answers)
    said = {"against": answered(-answers, answers), "for": answered(answers + labels, answers)}
    kept = {
        name: Return().fit_scale(trained, held_out, horizon=1).confidence
        for name, held_out in said.items()
    }
    assert kept["against"] == 0.0
    assert 0.99 < kept["for"] < 1.0


def test_scores_of_four_forecasts_by_hand():
    scores = Return(delta=1.0).score(answered([1.0, -1.0, 0.0, 2.0], [0.5, 0.5, 0.0, 1.0]))
    assert scores["r2"] == pytest.approx(1 - (0.25 + 2.25 + 1.0) / 6)
    assert scores["huber"] == pytest.approx((0.125 + (1.5 - 0.5) + 0 + 0.5) / 4)
    assert scores["hit_rate"] == pytest.approx(2 / 3)  # no move, no hit
    assert scores["rank_correlation"] == pytest.approx(3 / math.sqrt(4.5 * 5))
    assert scores["n_rows"] == 4


def test_what_these_rows_do_not_define_is_nan():
    assert math.isnan(Return().score(answered([1.0, 2.0], [0.1, 0.1]))["rank_correlation"])
    nothing = Return().score(answered([], []))
    assert nothing.pop("n_rows") == 0
    assert all(map(math.isnan, nothing.values()))


def test_returns_are_nearly_negated_in_the_mirror():
    bars = random_walk(200)
    mirrored = bars.assign(close=bars["close"].iloc[0] ** 2 / bars["close"])
    labels, images = (Return().labels(frame, 1).to_numpy() for frame in (bars, mirrored))
    np.testing.assert_allclose(Return().mirror_labels(labels), images, atol=0.1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"span": 1}, "span must be a whole number of bars, at least 2, got 1"),
        ({"span": 20.5}, "span must be a whole number"),
        ({"delta": 0}, "delta must be a number above 0, got 0"),
        ({"delta": "wide"}, "delta must be a number above 0, got 'wide'"),
    ],
)
def test_a_setting_that_is_off_is_named(settings, message):
    with pytest.raises(LSTMStrategyError, match=message):
        Return(**settings)


def test_returns_that_are_all_alike_are_refused():
    with pytest.raises(LSTMStrategyError, match="Every label is 0: the close never moves over 2"):
        Return().check_labels(np.zeros((5, 1)), horizon=2)


def test_hubers_loss_is_square_near_zero_and_straight_beyond():
    labels, answers = np.array([[0.5], [3.0], [-2.0]]), np.array([[1.0], [0.0], [-1.5]])
    # errors 0.5, 3 and 0.5 against a delta of 1: 0.5² / 2, and 1 / 2 + 1 * (3 - 1)
    assert Return(delta=1.0).row_losses(labels, answers).tolist() == [0.125, 2.5, 0.125]


def test_rows_of_one_date_count_as_one():
    one = np.ones((3, 1))
    rows = AnsweredRows(one, one, np.ones(3), one, dates=np.array([0, 2, 2]))
    assert rows.mean_of_dates(np.array([1.0, 2.0, 4.0])).tolist() == [1.0, 3.0]
    assert AnsweredRows(one, one, np.ones(3), one).mean_of_dates(np.arange(3.0)).tolist() == [
        0,
        1,
        2,
    ]
