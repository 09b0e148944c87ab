"""The probability of backtest overfitting, and the number of independent trials."""

import math
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from lstm_strategy import LSTMStrategyError
from lstm_strategy.evaluation.statistics.overfitting import (
    independent_trials,
    overfitting_probability,
)


def noise(n_bars, n_trials, *, seed=0, skill=()):
    """Returns without skill, but for the columns named in `skill` (column: mean per bar)."""
    values = np.random.default_rng(seed).normal(0, 0.01, (n_bars, n_trials))
    for column, mean in skill:
        values[:, column] += mean
    return pd.DataFrame(values, pd.date_range("2001", periods=n_bars, freq="D"))


def by_the_book(returns, n_blocks):
    """The obvious loop: choose half of the blocks, take the best there, rank it on the rest."""
    blocks = np.array_split(np.arange(len(returns)), n_blocks)
    below = []
    for chosen in combinations(range(n_blocks), n_blocks // 2):
        inside = np.concatenate([blocks[b] for b in chosen])
        outside = np.setdiff1d(np.arange(len(returns)), inside)
        sharpe = [returns[c].iloc[inside].mean() / returns[c].iloc[inside].std() for c in returns]
        later = [returns[c].iloc[outside].mean() / returns[c].iloc[outside].std() for c in returns]
        own = later[int(np.argmax(sharpe))]
        omega = sum(other <= own for other in later) / (len(later) + 1)
        below.append(np.log(omega / (1 - omega)) <= 0)
    return sum(below) / len(below)


@pytest.mark.parametrize("shape", [(60, 2), (83, 5), (61, 12)], ids=str)
@pytest.mark.parametrize("n_blocks", [2, 6])
def test_the_probability_equals_the_obvious_loop(shape, n_blocks):
    returns = noise(*shape, seed=shape[1])
    assert overfitting_probability(returns, n_blocks=n_blocks) == by_the_book(returns, n_blocks)


def test_one_trial_with_real_skill_is_found_again_every_time():
    assert overfitting_probability(noise(800, 20, skill=[(3, 0.01)])) == 0.0


def test_on_noise_the_best_trial_is_below_the_median_about_half_of_the_time():
    found = [overfitting_probability(noise(400, 10, seed=s), n_blocks=8) for s in range(30)]
    assert 0.4 < np.mean(found) < 0.65


def test_trials_that_win_only_in_one_half_are_overfitted():
    # each trial rises in one half of the bars and falls as much in the other
    half = np.r_[np.ones(50), -np.ones(50)] * 0.01
    wobble = noise(100, 2, seed=1) / 100
    returns = wobble + np.column_stack([half, -half])
    assert overfitting_probability(returns, n_blocks=2) == 1.0


def test_a_flat_trial_is_no_winner_and_no_error():
    returns = noise(200, 3, skill=[(1, 0.01)])
    returns[2] = 0.0
    assert overfitting_probability(returns, n_blocks=4) == 0.0


@pytest.mark.parametrize("shape", [(100, 1), (79, 4)], ids=["one trial", "few bars"])
def test_too_little_has_no_probability(shape):
    assert np.isnan(overfitting_probability(noise(*shape)))


@pytest.mark.parametrize("earned", [0.0, 0.01], ids=["none traded", "all traded alike"])
def test_where_all_trials_are_the_same_none_was_chosen(earned):
    returns = pd.DataFrame(np.outer(earned * (-1.0) ** np.arange(100), [1, 1, 1]))
    assert math.isnan(overfitting_probability(returns, n_blocks=2))


def test_an_odd_number_of_blocks_is_refused():
    with pytest.raises(LSTMStrategyError, match="n_blocks must be even and at least 2, got 3"):
        overfitting_probability(noise(100, 2), n_blocks=3)


def test_equal_trials_are_one_independent_trial_and_opposites_two():
    up = pd.Series([0.01, -0.02, 0.03, -0.01])
    assert independent_trials(pd.DataFrame({"a": up, "b": up}), 2) == 1
    assert independent_trials(pd.DataFrame({"a": up, "b": -up}), 2) == 2


def test_trials_that_correlate_by_half_count_half():
    # correlation of (1, -1, 0, 0) and (1, 0, -1, 0): 1 / 2, so 0.5 + 0.5 * 9 = 5 of 9 trials
    returns = pd.DataFrame({"a": [1.0, -1.0, 0.0, 0.0], "b": [1.0, 0.0, -1.0, 0.0]}) / 100
    assert independent_trials(returns, 9) == 5


def test_a_single_trial_is_one():
    assert independent_trials(noise(30, 1), 1) == 1
