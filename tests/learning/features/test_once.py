"""What is asked again of the same features and bars isn't worked out again."""

import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy import FeatureSet
from lstm_strategy.learning.features import check_causal, settle_features
from lstm_strategy.learning.features.once import once_for_bars

BARS = random_walk(60)
ROC = FeatureSet([{"kind": "roc", "length": 3}])


@pytest.fixture
def asked():
    """A question that is kept: how many were worked out, this one included."""
    times = []

    @once_for_bars
    def ask(features, bars, *, horizon=1):
        times.append(horizon)
        if horizon < 0:
            raise ValueError("no answer")
        return len(times)

    return ask


def test_the_same_features_on_the_same_bars_are_asked_once(asked):
    answers = [asked(ROC, BARS, horizon=3), asked(FeatureSet(ROC.specs), BARS.copy(), horizon=3)]
    assert answers == [1, 1]


@pytest.mark.parametrize(
    "other",
    [
        (FeatureSet([{"kind": "roc", "length": 4}]), BARS),
        (ROC.with_columns({}), BARS[:-1]),
        (ROC, BARS.assign(close=BARS["close"] + 0.0625 * (BARS.index == BARS.index[30]))),
        (ROC, BARS.tz_localize("UTC")),  # a session is of a zone
        (ROC, {"A": BARS}),
    ],
    ids=["features", "length", "value", "zone", "panel"],
)
def test_anything_else_is_another_question(asked, other):
    asked(ROC, BARS)
    assert asked(*other) == 2
    assert asked(ROC, BARS) == 1
    assert asked(ROC, BARS, horizon=2) == 3


def test_features_of_somebody_else_are_asked_each_time(asked):
    class Own(FeatureSet):
        pass

    own = Own(ROC.specs)
    assert [asked(own, BARS), asked(own, BARS)] == [1, 2]


@pytest.mark.parametrize(
    ("bars", "words"),
    [
        (BARS, {"horizon": np.int64(2)}),
        (BARS.assign(note="a text"), {}),
        ({np.int64(7): BARS}, {}),
    ],
    ids=["word", "column", "symbol"],
)
def test_what_has_no_name_is_asked_each_time(asked, bars, words):
    assert [asked(ROC, bars, **words), asked(ROC, bars, **words)] == [1, 2]


def test_who_changes_an_answer_changes_nobody_elses():
    features = FeatureSet([{"kind": "roc", "length": 7}])
    for _ in range(3):
        settled = settle_features(FeatureSet([{"kind": "roc", "length": 7}]), BARS)
        assert settled.specs == features.specs
        settled.specs[0]["length"] = 99


def test_what_was_raised_is_raised_again_and_what_is_old_is_forgotten(asked):
    for _ in range(2):
        with pytest.raises(ValueError, match="no answer"):
            asked(ROC, BARS, horizon=-1)
    first = asked(ROC, BARS)
    for horizon in range(2, 65):
        asked(ROC, BARS, horizon=horizon)
    assert asked(ROC, BARS) == first
    for horizon in range(65, 128):
        asked(ROC, BARS, horizon=horizon)
    assert asked(ROC, BARS) == first
    assert asked(ROC, BARS, horizon=2) > first + 120


def test_the_bars_that_were_asked_about_arent_kept_alive():
    import weakref

    bars = random_walk(80, seed=9)
    check_causal(ROC, bars, horizon=1)
    settled = settle_features(ROC, bars)
    alive = weakref.ref(bars)
    del bars
    assert alive() is None
    pd.testing.assert_frame_equal(settled.frame(BARS), ROC.frame(BARS))
