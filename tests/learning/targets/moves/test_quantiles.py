import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from made_up import random_walk

from lstm_strategy import LSTMStrategyError, Quantiles, Return
from lstm_strategy.learning.targets import AnsweredRows, SignalScale

GAP = math.log(2)  # of an output of 0
QUARTILES = Quantiles(levels=(0.25, 0.5, 0.75))


def outputs_of(n_rows, medians=0.0):
    outputs = np.zeros((n_rows, 3))
    outputs[:, 0] = medians
    return outputs


def rows_of(labels, outputs):
    n_rows = len(labels)
    came = np.array(labels, float)[:, None]
    return AnsweredRows(came, outputs, np.ones(n_rows), np.full((n_rows, 1), 0.01))


def test_labels_are_those_of_the_return():
    bars = random_walk(80)
    assert Quantiles().labels(bars, 3).equals(Return().labels(bars, 3))


def test_the_median_comes_first_and_the_gaps_are_counted_away_from_it():
    outputs = np.array([0.5, 0.0, 50.0, 0.0, 2.0])
    above = math.log(1 + math.exp(2))
    expected = [0.5 - GAP - 50, 0.5 - GAP, 0.5, 0.5 + GAP, 0.5 + GAP + above]
    assert Quantiles().quantiles(outputs).tolist() == pytest.approx(expected)


@given(hnp.arrays(np.float32, (4, 5), elements=st.floats(-50, 50, width=32)))
def test_quantiles_never_cross(outputs):
    assert (np.diff(Quantiles().quantiles(outputs), axis=1) >= 0).all()


def test_the_loss_weighs_what_came_above_and_below_each_quantile():
    # quartiles at -ln 2, 0 and ln 2, and 1 came: the errors are 1 + ln 2, 1 and 1 - ln 2
    (loss,) = QUARTILES.row_losses(np.ones((1, 1)), outputs_of(1))
    assert loss == pytest.approx((0.25 * (1 + GAP) + 0.5 + 0.75 * (1 - GAP)) / 3)


def test_the_signal_is_the_median_over_the_interquartile_range():
    scale = SignalScale(threshold=0.0, width=0.5, confidence=0.8, horizon=4)
    answers = outputs_of(3, [0.1, -0.2, 9.0])[:, None]
    signal, forecast, uncertainty, low, median, high = QUARTILES.build_columns(
        answers, scale, np.full((3, 1), 0.01)
    )
    assert signal.tolist() == pytest.approx([0.8 * 0.2 / (2 * GAP), -0.8 * 0.4 / (2 * GAP), 0.8])
    assert forecast.tolist() == median.tolist() == pytest.approx([0.002, -0.004, 0.18])
    assert uncertainty.tolist() == [0.0, 0.0, 0.0]
    for gap in (high - median, median - low):
        assert gap.tolist() == pytest.approx([0.02 * GAP] * 3)


@pytest.mark.parametrize(
    ("levels", "expected"),
    [((0.25, 0.5, 0.75), 2 * GAP), ((0.4, 0.5, 0.6), 2 * GAP), ((0.1, 0.5, 0.9), 1.25 * GAP)],
    ids=["quartiles", "inside them", "outside them"],
)
def test_quartiles_that_are_no_levels_are_read_between_them(levels, expected):
    target, scale = Quantiles(levels=levels), SignalScale(threshold=0.0, width=1.0)
    signal, *_ = target.build_columns(outputs_of(1, 0.1)[:, None], scale, np.ones((1, 1)))
    assert signal[0] == pytest.approx(0.1 / expected)


def test_intervals_are_named_by_what_they_should_hold_and_scored_by_what_they_hold():
    labels = [-1.0, -0.5, 0.0, 0.5, 1.0, 2.0]
    scores = QUARTILES.score(rows_of(labels, outputs_of(6)))
    assert scores["coverage_50"] == pytest.approx(3 / 6)
    assert scores["n_rows"] == 6
    wide = Quantiles(levels=(0.05, 0.25, 0.5, 0.75, 0.95, 0.99)).score(
        rows_of(labels, np.zeros((6, 6)))
    )
    assert [name for name in wide if name.startswith("coverage")] == ["coverage_94", "coverage_70"]


def test_the_same_quantiles_at_every_row_explain_nothing():
    labels = np.random.default_rng(0).normal(size=4_000)
    flat = QUARTILES.score(rows_of(labels, outputs_of(4_000)))
    told = QUARTILES.score(rows_of(labels, outputs_of(4_000, labels)))
    assert flat["r1"] == pytest.approx(0.0, abs=0.001)
    assert told["r1"] > 0.3


def test_without_rows_there_are_no_scores():
    scores = QUARTILES.score(rows_of([], outputs_of(0)))
    assert scores.pop("n_rows") == 0
    assert all(map(math.isnan, scores.values()))


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ((0.9, 0.5, 0.1), "levels must rise, got 0.5 after 0.9"),
        ((0.1, 0.1, 0.5, 0.9), "levels must rise, got 0.1 after 0.1"),
        ((0.0, 0.5, 0.9), "levels must lie between 0 and 1, got 0"),
        ((10, 50, 90), "levels must lie between 0 and 1, got 10"),
        ((0.1, 0.9), "levels must hold 0.5, the median"),
        ((0.5,), "levels must hold 0.5, the median, with others on both sides"),
        ((0.5, 0.9), "with others on both sides"),
        (0.5, "levels must be numbers between 0 and 1, got 0.5"),
        ("all", "levels must be numbers between 0 and 1, got 'all'"),
        ((0.1, None, 0.9), "levels must be numbers"),
        ((0.1, math.nan, 0.9), "levels must lie between 0 and 1, got nan"),
    ],
)
def test_levels_that_make_no_sense_are_named(levels, message):
    with pytest.raises(LSTMStrategyError, match=message):
        Quantiles(levels=levels)


def test_levels_of_a_list_and_a_bad_span():
    assert Quantiles(levels=[0.1, 0.5, 0.9]) == Quantiles(levels=(0.1, 0.5, 0.9))
    with pytest.raises(LSTMStrategyError, match="span must be"):
        Quantiles(span=0)
