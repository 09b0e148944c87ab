"""Superiority over each baseline and over all trials."""

import numpy as np
import pandas as pd
import pytest
from arch.bootstrap import SPA
from random_returns import random_returns

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.statistics.bootstrap import at_equal_volatility
from lstm_strategy.evaluation.statistics.multiple_comparison import (
    best_lead_p_value,
    superior_predictive_ability,
)

REPS = 200


def p_values_of(returns, name="a", *, seed=0):
    return superior_predictive_ability(returns, name, reps=REPS, seed=seed).p_values


@pytest.mark.parametrize("lead", [-0.02, 0.0, 0.05, 0.15])
def test_p_values_agree_with_arch_one_baseline_at_a_time(lead):
    returns = random_returns(1, sharpes=(lead, 0.0, 0.0, 0.02))
    result = superior_predictive_ability(returns, "a", reps=REPS, seed=5)
    scaled = at_equal_volatility(returns)
    for baseline, p_value in result.p_values.items():
        peer = SPA(-scaled[baseline], -scaled["a"], block_size=result.block_bars, reps=REPS, seed=5)
        peer.compute()
        assert p_value == pytest.approx((1 + REPS * peer.pvalues["upper"]) / (1 + REPS))
        if p_value < 0.5:
            assert peer.pvalues["consistent"] == peer.pvalues["upper"]


def test_the_overall_p_value_is_that_of_the_hardest_baseline():
    returns = random_returns(2, sharpes=(0.2, 0.0, 0.19, -0.1))
    result = superior_predictive_ability(returns, "a", reps=REPS)
    assert result.p_values.is_monotonic_decreasing
    assert set(result.p_values.index) == {"b", "c", "d"}
    assert (result.hardest_baseline, result.p_value) == ("c", result.p_values["c"])


def test_leverage_changes_no_p_value():
    returns = random_returns(3, sharpes=(0.1, 0.0, 0.05))
    levered = returns * [5.0, 1.0, 0.2]
    pd.testing.assert_series_equal(p_values_of(returns), p_values_of(levered))


def test_an_identical_strategy_is_never_beaten():
    returns = random_returns(4, sharpes=(0.1, 0.0))
    twins = returns.assign(same=returns["a"], levered=2 * returns["a"], rounded=returns["a"] + 1e-7)
    p_values = p_values_of(twins)
    assert p_values[["same", "levered", "rounded"]].to_list() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("sharpe_per_bar, is_beaten", [(0.3, True), (-0.3, False)])
def test_cash_is_beaten_by_gains_and_not_by_losses(sharpe_per_bar, is_beaten):
    returns = random_returns(5, sharpes=(sharpe_per_bar,)).assign(cash=0.0)
    assert (p_values_of(returns)["cash"] < 0.05) == is_beaten


def test_a_flat_strategy_beats_no_gain_and_no_other_cash():
    returns = random_returns(6, sharpes=(0.0, 0.3)).assign(flat=0.0, cash=0.0)
    p_values = p_values_of(returns, "flat")
    assert p_values["cash"] == 1.0
    assert p_values["b"] > 0.99


def test_the_same_seed_gives_the_same_p_values_and_another_seed_others():
    returns = random_returns(7, sharpes=(0.05, 0.0))
    first, again, other = (p_values_of(returns, seed=seed)["b"] for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize(
    "spoil, message",
    [
        (lambda r: r.drop(columns="a"), "need a column 'a', got b, c"),
        (lambda r: r[["a"]], "needs a baseline beside 'a'"),
        (lambda r: r.head(29), "fewer than 30 bars, got 29"),
        (
            lambda r: r.assign(b=r["b"].drop(r.index[4])),
            "b is nan at 2020-01-05 .* \\(1 such row\\)",
        ),
    ],
    ids=["no such column", "no baseline", "too few bars", "a NaN"],
)
def test_returns_that_cant_be_judged_are_refused(spoil, message):
    with pytest.raises(TradingError, match=message):
        superior_predictive_ability(spoil(random_returns()), "a", reps=10)


@pytest.mark.slow
def test_twins_of_skill_are_called_superior_about_as_often_as_the_level_says():
    p_values = [
        p_values_of(random_returns(seed, sharpes=(0.05, 0.05))).iloc[0] for seed in range(400)
    ]
    assert 0.02 <= np.mean(np.array(p_values) <= 0.05) <= 0.08


def test_the_best_of_lucky_trials_shows_no_superiority_and_real_skill_does():
    benchmark = random_returns(9, n_bars=500)["a"]
    lucky = random_returns(2, n_bars=500, sharpes=(0.0,) * 30)
    skilled = random_returns(2, n_bars=500, sharpes=(*(0.0,) * 29, 0.4))
    assert best_lead_p_value(lucky, benchmark) > 0.1
    assert best_lead_p_value(skilled, benchmark) < 0.01


def test_trials_that_all_trail_have_a_p_value_of_one():
    benchmark = random_returns(9)["a"] + 0.02
    assert best_lead_p_value(random_returns(), benchmark) == 1.0


def test_the_p_value_of_the_best_trial_is_near_that_of_arch():
    returns = random_returns(4, n_bars=500, sharpes=(0.12, *(0.0,) * 9))
    benchmark = random_returns(5, n_bars=500)["a"]
    scaled, base = returns / returns.std(ddof=0), benchmark / benchmark.std(ddof=0)
    theirs = SPA(-base, -scaled, block_size=2, reps=2000, seed=1)
    theirs.compute()
    assert best_lead_p_value(returns, benchmark, reps=2000) == pytest.approx(
        theirs.pvalues["consistent"], abs=0.04
    )
