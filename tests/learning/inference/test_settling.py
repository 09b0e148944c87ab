"""How long history is remembered, measured on cases whose answer is known."""

import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy import FeatureSet
from lstm_strategy.learning.features import bars_to_agree, feature_memories
from lstm_strategy.learning.inference.settling import network_memory

BARS = random_walk(400)


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        pytest.param([1.0, 1, 1, 1, 1], 0, id="at once"),
        pytest.param([0.0, 0.9, 1, 1, 1], 2, id="after two bars"),
        pytest.param([1.0, 1, 0, 1, 1], 3, id="for good"),
        pytest.param([0.0, 0, 0, 0, 1], None, id="too late to tell"),
        pytest.param([np.nan, np.nan, 1, 1, 1], 2, id="NaN agrees with nothing"),
    ],
)
def test_agreement_counts_from_the_last_bar_that_differs(later, expected):
    assert bars_to_agree(np.ones(5), np.array(later), tolerance=0.01) == expected


class Decaying:
    """An engine whose state is a leaky sum: it forgets its beginning by the same share a bar."""

    def __init__(self, share):
        self.share = share

    def initial_state(self, n_sequences):
        return [np.zeros((n_sequences, 1))]

    def scan(self, rows, state):
        level, levels = state[0], []
        for step in range(rows.shape[1]):
            level = self.share * level + rows[:, step]
            levels.append(level)
        return np.stack(levels, axis=1), [level]


def test_a_state_that_halves_needs_eleven_bars_for_a_thousandth():
    # it has settled at 2 when the later runs begin at 0, and 2 / 2**n <= 0.001 from n = 11 on:
    # the difference at the n-th bar is 2 - (2 - 2 / 2**n), so the first 10 bars differ
    memory = network_memory(Decaying(0.5), np.ones((200, 1)), lambda answers, span: answers[:, 0])
    assert memory == 11


def test_a_state_that_keeps_everything_never_settles():
    assert (
        network_memory(Decaying(1.0), np.ones((200, 1)), lambda answers, span: answers[:, 0])
        is None
    )


def test_an_average_remembers_its_own_length():
    features = FeatureSet([{"kind": "sma", "length": 7}, {"kind": "sma", "length": 30}])
    assert feature_memories(features, BARS) == {"SMA_7": 7, "SMA_30": 30}


def test_what_is_counted_from_the_first_bar_never_settles():
    class Counted:
        specs, columns = [], ()

        def frame(self, bars):
            return pd.DataFrame({"count": np.arange(len(bars))}, bars.index)

    assert feature_memories(Counted(), BARS) == {"count": None}
