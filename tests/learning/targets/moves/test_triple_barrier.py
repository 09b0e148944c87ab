import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy import LSTMStrategyError, TripleBarrier
from lstm_strategy.learning.features import mirror_bars
from lstm_strategy.learning.targets import AnsweredRows, SignalScale

STEP = math.log(1.01)
SURE = 20.0  # an output that leaves nothing to the others


def bars_of(highs, lows):
    """Six bars that went up 1%, down 1%, and then as far as is said; the closes stay at 100.

    At the third the volatility of two bars is √2·ln 1.01, and over two bars 2·ln 1.01: the profit
    lies at 100·1.01² = 102.01 and the stop at 100/1.01² = 98.03.
    """
    closes = [100.0, 101.0, 100.0, 100.0, 100.0, 100.0]
    return pd.DataFrame(
        {"high": [*closes[:3], *highs], "low": [*closes[:3], *lows], "close": closes}
    )


@pytest.mark.parametrize(
    ("highs", "lows", "expected"),
    [
        ([102.1, 100, 100], [100, 100, 100], 1),
        ([100, 102.1, 100], [100, 100, 100], 1),
        ([100, 100, 100], [100, 98.0, 100], -1),
        ([102.1, 100, 100], [100, 98.0, 100], 1),
        ([100, 102.1, 100], [98.0, 100, 100], -1),
        ([102.1, 100, 100], [98.0, 100, 100], -1),
        ([102.0, 102.0, 100], [98.1, 98.1, 100], 0),
        ([100, 100, 102.1], [100, 100, 98.0], 0),
    ],
    ids=[
        "profit at once",
        "profit later",
        "stop",
        "profit before stop",
        "stop before profit",
        "both in one bar",
        "neither",
        "after the time",
    ],
)
def test_the_barrier_that_is_met_first_is_the_label(highs, lows, expected):
    labels = TripleBarrier(span=2).labels(bars_of(highs, lows), horizon=2)
    np.testing.assert_array_equal(labels.isna(), [True, True, False, False, True, True])
    assert labels[2] == expected


def test_barriers_lie_at_multiples_of_the_usual_move():
    bars = bars_of([101.5, 100, 100], [100, 100, 100])  # three quarters of the usual move
    assert TripleBarrier(profit=0.7, span=2).labels(bars, horizon=2)[2] == 1
    assert TripleBarrier(profit=0.8, span=2).labels(bars, horizon=2)[2] == 0
    far = bars_of([100, 100, 100], [97.0, 100, 100])
    assert TripleBarrier(stop=1.5, span=2).labels(far, horizon=2)[2] == -1
    assert TripleBarrier(stop=1.6, span=2).labels(far, horizon=2)[2] == 0


def test_where_nothing_moved_nothing_is_met_and_a_move_has_no_label():
    flat = pd.DataFrame({name: [100.0] * 6 for name in ("high", "low", "close")})
    expected = [np.nan, np.nan, 0, 0, 0, np.nan]
    np.testing.assert_array_equal(TripleBarrier(span=2).labels(flat, horizon=1), expected)
    flat.loc[4, "high"] = 110.0
    labels = TripleBarrier(span=2).labels(flat, horizon=1)
    np.testing.assert_array_equal(labels, [np.nan, np.nan, 0, np.nan, 0, np.nan])


def test_a_label_weighs_by_how_few_others_share_its_bars():
    # the third's profit is met at once; the fourth and the fifth wait for the sixth bar at most
    bars = bars_of([102.1, 100, 100], [100, 100, 100])
    weights = TripleBarrier(span=2).weights(bars, horizon=2)
    # bar 3 is shared by none; bar 4 by the label of bar 3 alone, bar 5 with that of bar 4
    np.testing.assert_allclose(weights, [np.nan, np.nan, 1.0, 0.75, np.nan, np.nan])


def brute_uniqueness(target, bars, horizon):
    outcomes, n_bars = target._meet_barriers(bars, horizon)
    shared = [
        sum(t < bar <= t + n for t, n in enumerate(n_bars) if n == n) for bar in range(len(bars))
    ]
    return [
        np.mean([1 / shared[bar] for bar in range(t + 1, t + int(n_bars[t]) + 1)])
        if outcomes[t] == outcomes[t]
        else np.nan
        for t in range(len(bars))
    ]


@pytest.mark.parametrize("horizon", [1, 3, 10])
def test_uniqueness_is_that_of_the_loop_in_the_book(horizon):
    bars, target = random_walk(120, seed=2), TripleBarrier(span=5)
    expected = brute_uniqueness(target, bars, horizon)
    np.testing.assert_allclose(target.weights(bars, horizon), expected)


def test_profit_and_stop_change_places_in_the_mirror():
    bars, target = random_walk(200, seed=1), TripleBarrier(span=10)
    mirrored = mirror_bars(bars, [])
    images = target.labels(mirrored, horizon=4).to_numpy()
    np.testing.assert_array_equal(target.mirror_labels(target.labels(bars, 4).to_numpy()), images)
    assert TripleBarrier(profit=2.0, stop=1.0).mirror_labels(images) is None


def test_the_answer_leans_to_the_profit_by_the_first_output():
    likely = TripleBarrier().probabilities(np.array([[SURE, 0], [-SURE, 0], [0, SURE]]))
    np.testing.assert_allclose(likely, np.eye(3)[[2, 0, 1]], atol=1e-8)


def test_the_forecast_is_the_probability_of_the_profit_less_that_of_the_stop():
    scale = SignalScale(threshold=0.0, width=1.0, confidence=0.5)
    lean = math.log(2)  # stop, time, profit are 1/2 : 1 : 2
    answers = np.array([[[0.0, 0.0], [0.0, 0.0]], [[lean, 0.0], [0.0, 0.0]]])
    signal, forecast, uncertainty = TripleBarrier().build_columns(answers, scale, np.empty((2, 0)))
    assert forecast.tolist() == pytest.approx([0.0, 3 / 14])
    assert signal.tolist() == pytest.approx([0.0, 3 / 28])
    assert uncertainty.tolist() == pytest.approx([0.0, 3 / 14])


def test_the_signal_weighs_profit_and_stop_by_how_far_away_they_are():
    target, context = TripleBarrier(profit=2.0, stop=1.0), np.empty((4, 0))
    labels = np.array([1.0, -1.0, -1.0, 0.0])[:, None]
    even = AnsweredRows(labels, np.zeros((4, 2)), np.ones(4), context)
    scale = target.fit_scale(even, even, horizon=1)
    assert scale.threshold == 0.0  # 2 - 1 - 1 + 0: the nearer stop is met twice as often
    rising = replace(even, labels=np.abs(labels))
    assert target.fit_scale(rising, even, horizon=1).threshold == pytest.approx(6 / 4)
    assert TripleBarrier().fit_scale(rising, even, horizon=1).threshold == 0.0
    asking = scale.model_copy(update={"confidence": 1.0})
    signal, forecast, _ = target.build_columns(np.zeros((4, 1, 2)), asking, context)
    assert forecast.tolist() == pytest.approx([0.0] * 4)
    assert signal.tolist() == pytest.approx([(2 / 3 - 1 / 3) / 2] * 4)


def test_scores_count_rows_by_their_weight():
    labels = np.array([1.0, -1.0, 0.0, 1.0])[:, None]
    answers = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    weights = np.array([1.0, 1.0, 1.0, 0.0])
    scores = TripleBarrier().score(AnsweredRows(labels, answers, weights, np.empty((4, 0))))
    losses = [math.log(math.e + 1 + 1 / math.e) - 1] * 2 + [math.log(math.e + 2) - 1]
    assert scores["log_loss"] == pytest.approx(np.mean(losses))
    assert (scores["auc"], scores["accuracy"], scores["n_rows"]) == (1.0, 1.0, 3.0)
    none = TripleBarrier().score(AnsweredRows(labels, answers, weights * 0, np.empty((4, 0))))
    assert none.pop("n_rows") == 0
    assert all(map(math.isnan, none.values()))


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (0.0, "Every label is 0: neither barrier is ever met within 5 bars"),
        (1.0, "Every label is 1: the profit is always met first"),
        (-1.0, "Every label is -1: the stop is always met first"),
    ],
)
def test_labels_that_are_all_alike_are_refused(label, message):
    with pytest.raises(LSTMStrategyError, match=message):
        TripleBarrier().check_labels(np.full((9, 1), label), horizon=5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"profit": 0}, "profit must be a number above 0, got 0"),
        ({"stop": -1.0}, "stop must be a number above 0, got -1.0"),
        ({"stop": True}, "stop must be a number above 0"),
        ({"profit": math.nan}, "profit must be a number above 0, got nan"),
        ({"span": 1}, "span must be a whole number of bars"),
    ],
)
def test_a_setting_that_is_off_is_named(settings, message):
    with pytest.raises(LSTMStrategyError, match=message):
        TripleBarrier(**settings)
