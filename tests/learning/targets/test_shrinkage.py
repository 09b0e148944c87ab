"""What is left of a signal after its forecasts were tried on held-out bars."""

import numpy as np
import pytest

from lstm_strategy.learning.targets.shrinkage import measure_confidence

FORECAST = np.array([1.0, -1.0, 2.0, -2.0])
# the slope is (1.5 + 0.5 + 3 + 5) / 10 = 1, and what it leaves are 0.5, 0.5, -0.5, -0.5: 0.25 a row
REALIZED = np.array([1.5, -0.5, 1.5, -2.5])


def test_the_share_is_one_less_four_over_the_squared_t_statistic():
    # t² = 1² * 10 / 0.25 = 40
    assert measure_confidence(FORECAST, REALIZED, horizon=1) == pytest.approx(1 - 4 / 40)


def test_moves_that_overlap_count_as_one():
    assert measure_confidence(FORECAST, REALIZED, horizon=5) == pytest.approx(1 - 4 * 5 / 40)


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_the_unit_of_the_moves_makes_no_difference(unit):
    confidence = measure_confidence(FORECAST, REALIZED * unit, horizon=1)
    assert confidence == pytest.approx(1 - 4 / 40)


@pytest.mark.parametrize(
    ("realized", "why"),
    [
        (-REALIZED, "it went the other way"),
        (np.zeros(4), "nothing moved"),
        # the slope is 0.3, and what it leaves are 0.7, 1.3, 0.4, 0.1: t² = 0.9 / 0.5875 = 1.5
        (np.array([1.0, 1.0, 1.0, -0.5]), "it is within two standard errors of nothing"),
    ],
)
def test_what_did_not_hold_up_keeps_nothing(realized, why):
    assert measure_confidence(FORECAST, realized, horizon=1) == 0.0, why


def test_forecasts_that_say_nothing_keep_nothing():
    assert measure_confidence(np.zeros(4), REALIZED, horizon=1) == 0.0


def test_changes_to_a_prior_must_have_gained_by_two_standard_errors():
    gains, alike = np.array([1.0, 3.0]), np.ones(2)  # a mean of 2 with an error of 0.71: t² = 8
    assert measure_confidence(alike, gains, horizon=1) == pytest.approx(1 - 4 / 8)
    assert measure_confidence(alike, gains - 1, horizon=1) == 0.0  # t² = 2
    assert measure_confidence(alike, np.zeros(2), horizon=1) == 0.0


def test_without_a_trial_nothing_is_taken():
    assert measure_confidence(np.empty(0), np.empty(0), horizon=1) == 1.0


def test_perfect_forecasts_keep_all():
    assert measure_confidence(FORECAST, 3 * FORECAST, horizon=1) == 1.0


def test_on_noise_most_forecasts_keep_nothing():
    random = np.random.default_rng(0)
    tries = [measure_confidence(*random.normal(size=(2, 500)), horizon=1) for _ in range(200)]
    assert np.median(tries) == 0.0


def test_markets_that_move_as_one_say_no_more_than_one_of_them():
    rng = np.random.default_rng(0)
    forecast = rng.normal(size=300)
    moves = 0.2 * forecast + rng.normal(size=300)
    dates = np.arange(300)
    alone = measure_confidence(forecast, moves, horizon=1, dates=dates)
    twenty = [np.tile(values, 20) for values in (forecast, moves)]
    together = measure_confidence(*twenty, horizon=1, dates=np.tile(dates, 20))
    assert 0 < alone < 1
    assert together == pytest.approx(alone)
    assert measure_confidence(*twenty, horizon=1) > together


def test_markets_of_their_own_say_more_than_one_of_them():
    rng = np.random.default_rng(1)
    forecast = rng.normal(size=6_000)
    moves = 0.1 * forecast + rng.normal(size=6_000)
    dates = np.tile(np.arange(300), 20)
    clustered = measure_confidence(forecast, moves, horizon=1, dates=dates)
    independent = measure_confidence(forecast, moves, horizon=1)
    assert clustered == pytest.approx(independent, abs=0.01)
