"""The distance of hidden states: by hand, and what it is measured against."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from lstm_strategy.learning.novelty import Novelty, fit_novelty

# the covariance [[2, 1], [1, 2]] has the inverse [[2, -1], [-1, 2]] / 3
CORRELATED = np.linalg.cholesky(np.array([[2.0, -1.0], [-1.0, 2.0]]) / 3)


@pytest.mark.parametrize(
    ("state", "squared"),
    [
        pytest.param([1, 1], 2 / 3, id="as the states usually move together"),
        pytest.param([1, -1], 2, id="as far, against each other"),
        pytest.param([3, 0], 6, id="one of them alone"),
        pytest.param([0, 0], 0, id="the mean"),
    ],
)
def test_a_distance_is_that_of_mahalanobis(state, squared):
    novelty = Novelty(np.array([[10.0, 20.0]]), CORRELATED[None], limit=1.0)
    measured = novelty.measure([np.array([[10.0, 20.0]]) + state])
    assert measured[0, 0] == pytest.approx(np.sqrt(squared))


def test_the_novelty_is_the_mean_of_the_members_over_the_limit():
    roots = np.stack([np.eye(2), 2 * np.eye(2)])
    novelty = Novelty(np.zeros((2, 2)), roots, limit=4.0)
    measured = novelty.measure([np.array([[3.0, 4.0]]), np.array([[1.0, 0.0]])])
    # 5 from the first mean and, in units half as large, 2 from the second one
    assert measured[0, 0] == pytest.approx((5 + 2) / 2 / 4)


def test_an_unknown_state_has_no_novelty():
    novelty = Novelty(np.zeros((1, 2)), np.eye(2)[None], limit=1.0)
    np.testing.assert_array_equal(
        novelty.measure([np.array([[np.nan, 0.0], [0.0, 2.0]])]), [[np.nan], [2]]
    )


def states_around(center, *, n_rows=2_000, scale=(2.0, 0.5)):
    """Rows at ± one deviation along each axis in turn, of one member."""
    corners = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]]) * np.sqrt(2) * scale
    return np.resize(corners, (n_rows, 2))[:, None] + center


def test_mean_and_spread_are_those_of_the_rows_that_were_learned():
    states = np.concatenate([states_around([5.0, -3.0]), states_around([99.0, 99.0])])
    is_learned = np.arange(4_000) < 2_000
    novelty = fit_novelty(states, [is_learned], [~is_learned])
    np.testing.assert_allclose(novelty.centers, [[5.0, -3.0]], atol=1e-6)
    covariance = np.linalg.inv(novelty.roots[0] @ novelty.roots[0].T)
    np.testing.assert_allclose(covariance, [[4.0, 0.0], [0.0, 0.25]], atol=0.02)


def test_the_limit_is_that_of_rows_that_were_held_out():
    learned, held_out = states_around(0.0), 3 * states_around(0.0)
    states, is_learned = np.concatenate([learned, held_out]), np.arange(4_000) < 2_000
    novelty = fit_novelty(states, [is_learned], [~is_learned])
    # each learned row is √2 deviations from the mean, and each held-out one three times as far
    assert novelty.limit == pytest.approx(3 * np.sqrt(2), rel=0.01)
    np.testing.assert_allclose(novelty.measure([states[:, 0]])[[0, -1], 0], [1 / 3, 1.0], rtol=0.01)


def test_a_crash_among_the_rows_held_out_does_not_set_the_limit():
    states = np.concatenate([states_around(0.0), states_around(0.0)])
    states[-40:] *= 50  # one in fifty of those held out
    is_learned = np.arange(4_000) < 2_000
    novelty = fit_novelty(states, [is_learned], [~is_learned])
    assert novelty.limit == pytest.approx(1.75 * np.sqrt(2), rel=0.01)


def test_a_unit_that_never_moves_makes_no_state_infinitely_strange():
    states = states_around(0.0)
    states[..., 1] = 0.25
    is_late = np.arange(2_000) >= 1_000
    novelty = fit_novelty(states, [~is_late], [is_late])
    assert np.isfinite(novelty.measure([np.array([[0.0, 0.26]])])[0, 0])
    assert novelty.measure([np.array([[0.0, 0.25]])])[0, 0] < 0.01


@pytest.mark.parametrize(
    ("states", "n_held_out"),
    [
        pytest.param(np.zeros((100, 1, 2)), 50, id="states that never change"),
        pytest.param(states_around(0.0, n_rows=100), 19, id="too few rows held out"),
        pytest.param(np.zeros((100, 1, 0)), 50, id="no units"),
    ],
)
def test_nothing_is_measured_where_nothing_is_usual(states, n_held_out):
    is_held_out = np.arange(100) >= 100 - n_held_out
    assert fit_novelty(states, [~is_held_out], [is_held_out]) is None


def test_what_is_usual_does_not_depend_on_the_number_of_threads():
    states = np.random.default_rng(0).normal(size=(1_500, 1, 256))
    is_late = np.arange(1_500) >= 1_000
    digests = set()
    for n_threads in (1, 2):
        with threadpool_limits(n_threads):
            digests.add(fit_novelty(states, [~is_late], [is_late]).digest)
    assert len(digests) == 1


def test_what_is_kept_gives_the_same_numbers_again():
    rng = np.random.default_rng(0)
    is_late = np.arange(500) >= 400
    novelty = fit_novelty(rng.normal(size=(500, 2, 5)), [~is_late] * 2, [is_late] * 2)
    again = Novelty.from_dict(novelty.to_dict())
    states = list(rng.normal(size=(2, 7, 5)))
    np.testing.assert_array_equal(again.measure(states), novelty.measure(states))
    assert again.digest == novelty.digest


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param({"limit": 0.0}, id="limit of nothing"),
        pytest.param({"limit": "NaN"}, id="limit unknown"),
        pytest.param({"limit": None}, id="no limit"),
        pytest.param({"shape": [1]}, id="no units"),
        pytest.param({"shape": [-1, -2]}, id="negative"),
        pytest.param({"shape": [2, 1]}, id="other shape"),
        pytest.param({"centers": "AAAA"}, id="torn"),
        pytest.param({"roots": "AACAfwAAgH8AAIB/AACAfw=="}, id="infinite"),
        pytest.param({"roots": "no base"}, id="no Base64"),
    ],
)
def test_what_was_not_kept_so_is_refused(damage):
    novelty = Novelty(np.zeros((1, 2)), np.eye(2)[None], limit=1.0)
    with pytest.raises(ValueError):
        Novelty.from_dict(novelty.to_dict() | damage)
