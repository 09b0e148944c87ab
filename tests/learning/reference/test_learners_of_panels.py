"""Learners without a memory that learn from several markets at once."""

import numpy as np
import pytest
from made_up import SMALL_FEATURES, random_walk

from lstm_strategy import LSTMStrategy, WalkForward, compare, compare_forecasts, walk_forward
from lstm_strategy.errors import TrainingError
from lstm_strategy.learning.reference import LearnerForecaster
from lstm_strategy.learning.reference.rows import LearnerRows

MARKETS = {name: random_walk(420, seed=seed) for seed, name in enumerate("ABC")}
KNOWN = {name: bars[:300] for name, bars in MARKETS.items()}
each_estimator = pytest.mark.parametrize("estimator", ["logistic", "boosting"])


def learner(estimator="logistic", **settings):
    return LearnerForecaster(estimator, features=SMALL_FEATURES, **settings)


@each_estimator
def test_a_panel_of_one_market_teaches_what_the_market_does(estimator):
    bars = MARKETS["A"]
    alone = learner(estimator).fit(bars[:300]).forecast(bars)
    frame = learner(estimator).fit({"A": bars[:300]}).forecast({"A": bars})["A"]
    for column in ("forecast", "signal"):
        np.testing.assert_allclose(frame[column], alone[column], atol=1e-5)


@each_estimator
def test_one_classifier_learns_from_all_markets_and_forecasts_each(estimator):
    model = learner(estimator, window=3).fit(KNOWN)
    frames = model.forecast(MARKETS)
    assert model.training_end == MARKETS["A"].index[299]
    assert {name: int(frame["forecast"].isna().sum()) for name, frame in frames.items()} == (
        dict.fromkeys(MARKETS, model.warm_up)
    )
    one = model.forecast(MARKETS["B"])  # a model of a panel works on one market
    np.testing.assert_array_equal(one["forecast"], frames["B"]["forecast"])
    changed = {**KNOWN, "C": random_walk(300, seed=77)}
    other = learner(estimator, window=3).fit(changed).forecast(MARKETS)
    assert not other["A"]["forecast"].equals(frames["A"]["forecast"])


def test_the_stretch_that_shrinks_the_signal_is_cut_by_date_for_all_markets():
    dates = np.arange(10)
    market = LearnerRows(np.zeros((10, 1)), np.zeros(10), np.ones(10), dates, dates + 2)
    late = market[dates >= 7]
    learned, held_out = LearnerRows.join([market, late]).split(0.2, horizon=2)
    assert held_out.dates.tolist() == [8, 9, 8, 9]
    assert learned.dates.tolist() == [0, 1, 2, 3, 4, 5]  # whose labels end before date 8
    alone, last = market.split(0.2, horizon=2)
    assert (alone.dates.tolist(), last.dates.tolist()) == ([0, 1, 2, 3, 4, 5], [8, 9])


def test_dates_that_are_left_out_are_learned_from_in_no_market():
    leave_out = np.arange(300) >= 200
    part = learner().fit(KNOWN, leave_out=leave_out).forecast(MARKETS)
    changed = {name: bars.copy() for name, bars in KNOWN.items()}
    for bars in changed.values():
        bars.iloc[202:, :4] *= 1.5
    other = learner().fit(changed, leave_out=leave_out).forecast(MARKETS)
    np.testing.assert_allclose(part["A"]["forecast"], other["A"]["forecast"], rtol=1e-6)


def test_a_market_that_cant_be_learned_from_is_named_or_dropped(caplog):
    short = {**KNOWN, "B": KNOWN["B"][-30:]}
    with pytest.raises(TrainingError, match=r"market B: .* needs .* got 30"):
        learner().fit(short)
    learner().fit(short, on_bad="drop")
    assert "leaves out 1 of 3 markets: market B: A " in caplog.text


def test_learners_are_walked_compared_and_measured_on_panels():
    rival = learner()
    walked = walk_forward(MARKETS, rival, WalkForward(200, 110), progress=False)
    start = MARKETS["A"].index[210]
    result = compare(
        {"learner": (LSTMStrategy, {"model": walked}), "once": (LSTMStrategy, {"model": walked})},
        MARKETS,
        start=start,
    )
    assert result.find("learner").exposure.shape[1] == 3
    skill = compare_forecasts({"logistic": walked, "window": learner(window=3).fit(KNOWN)}, MARKETS)
    assert list(skill.table.index) == ["logistic", "window"]
