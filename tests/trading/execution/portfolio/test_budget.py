"""One budget for all markets: by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_strategy.trading.execution.portfolio.budget import fit_to_budget

EXPOSURES = st.dictionaries(st.sampled_from("ABCDE"), st.floats(-2, 2), min_size=1)


def test_exposures_within_the_limits_stay_as_they_are():
    assert fit_to_budget({"A": 0.5, "B": -0.5}, {}, max_gross=1) == {"A": 0.5, "B": -0.5}


def test_what_is_fixed_leaves_less_for_the_others():
    assert fit_to_budget({"A": 0.8}, {"B": (-0.6, 0.0)}, max_gross=1) == {"A": pytest.approx(0.4)}


def test_where_the_fixed_ones_take_all_nothing_is_left():
    assert fit_to_budget({"A": 0.8}, {"B": (0.0, 1.2)}, max_gross=1) == {"A": 0.0}


def test_nothing_is_asked_of_what_asks_for_nothing():
    assert fit_to_budget({"A": 0.0}, {"B": (1.2, 1.2)}, max_gross=1) == {"A": 0.0}


def test_a_fixed_excess_is_balanced_as_far_as_the_targets_reach():
    # Net 0.9: the long target can only give up its own 0.3.
    fitted = fit_to_budget({"A": 0.3}, {"B": (0.6, 0.6)}, max_gross=1, max_net=0.5)
    assert fitted == {"A": 0.0}


def test_the_net_limit_holds_before_and_after_a_waiting_order():
    # With B long the net is up to 0.7, with B short 0.1.
    fitted = fit_to_budget({"A": 0.4, "C": -0.1}, {"B": (0.4, -0.2)}, max_gross=2, max_net=0.5)
    assert fitted == {"A": pytest.approx(0.2), "C": -0.1}


def test_longs_shrink_to_the_equity_and_shorts_stay():
    fitted = fit_to_budget({"A": 1.0, "B": 0.5, "C": -0.5}, {"D": (0.25, -0.5)}, max_gross=3)
    assert fitted == {"A": 0.5, "B": 0.25, "C": -0.5}


@given(EXPOSURES, st.floats(0.1, 3), st.one_of(st.none(), st.floats(0, 1)))
def test_no_budget_is_exceeded_and_no_sign_changes(targets, max_gross, max_net):
    fitted = fit_to_budget(targets, {}, max_gross=max_gross, max_net=max_net)
    assert sum(map(abs, fitted.values())) <= max_gross + 1e-9
    assert sum(max(target, 0.0) for target in fitted.values()) <= 1 + 1e-9
    if max_net is not None:
        assert abs(sum(fitted.values())) <= max_net + 1e-9
    assert all(fitted[name] * target >= 0 for name, target in targets.items())
