"""The term structure of futures, worked by hand on a few days."""

import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy.bars import proportional_bars
from lstm_strategy.learning.features import mirror_bars
from lstm_strategy.learning.features.kinds.derivatives import DERIVATIVE_KINDS
from lstm_strategy.learning.features.kinds.derivatives.term_structure import _ratio_changes


def future(price, carry_price, *, years=0.25, close=None):
    bars = random_walk(len(price))
    return bars.assign(
        close=price if close is None else close,
        price=price,
        carry_price=carry_price,
        years_to_carry=years,
    )


def values_of(bars, kind, **arguments):
    return DERIVATIVE_KINDS[kind](bars, **arguments).iloc[:, 0].to_numpy()


def test_a_dearer_later_contract_is_contango_and_costs_the_long():
    bars = future([100.0], [102.0])
    assert values_of(bars, "basis") == pytest.approx(np.log(1.02))
    assert values_of(bars, "contango") == 1
    assert values_of(bars, "roll_yield") == pytest.approx(-4 * np.log(1.02))


def test_the_same_curve_is_told_by_the_nearer_contract():
    bars = future([102.0], [100.0], years=-0.25)
    assert values_of(bars, "basis") == pytest.approx(np.log(1.02))
    assert values_of(bars, "contango") == 1
    assert values_of(bars, "roll_yield") == pytest.approx(-4 * np.log(1.02))


def test_a_missing_carry_price_leaves_the_last_roll_yield():
    bars = future([100.0, 100, 100], [102.0, np.nan, 100])
    np.testing.assert_allclose(values_of(bars, "contango"), [1, 1, 0])
    expected = [-4 * np.log(1.02), -4 * np.log(1.02), 0]
    np.testing.assert_allclose(values_of(bars, "roll_yield"), expected)


def test_a_change_isnt_taken_across_contracts():
    # on the fourth day the contract at 104 is held in place of the one at 101
    price, carry_price = [100.0, 101, 101, 104, 105], [102.0, 103, 104, 108, 108]
    adjusted = [100.0, 101, 101, 101, 101 * 105 / 104]
    yields = -4 * np.log(np.array(carry_price) / price)
    steps = [yields[2] - yields[1], 0, yields[4] - yields[3]]
    bars = future(price, carry_price, close=adjusted)
    expected = [np.nan, yields[1] - yields[0], *steps]
    np.testing.assert_allclose(values_of(bars, "roll_yield_change", length=1), expected)
    two = values_of(bars, "roll_yield_change", length=2)
    assert two[4] == pytest.approx(steps[2]) and two[3] == pytest.approx(steps[0])


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({"years_to_carry": [0.25, 0.25, 0.5, 0.5]}, id="years jump"),
        pytest.param({"contract": [201403.0, 201403, 201406, 201406]}, id="months are given"),
    ],
)
def test_a_change_of_contract_shows_in_other_columns_too(columns):
    bars = future([100.0, 100, 100, 100], [101.0, 102, 107, 108]).assign(**columns)
    contract = {"contract": "contract"} if "contract" in columns else {}
    change = values_of(bars, "roll_yield_change", length=1, **contract)
    assert change[2] == 0 and change[1] < 0 and change[3] < 0


def test_years_that_count_down_dont_change_the_contract():
    days = pd.date_range("2024-01-01", periods=4, freq="D")
    years = (90 - np.arange(4)) / 365
    bars = future([100.0] * 4, [102.0, 103, 104, 105], years=years).set_axis(days)
    assert (values_of(bars, "roll_yield_change", length=1)[1:] < 0).all()


def test_a_new_contract_after_a_missing_carry_price_isnt_differenced_either():
    bars = future([100.0, 110, 110], [102.0, np.nan, 111], close=[100.0, 100, 100])
    np.testing.assert_array_equal(values_of(bars, "roll_yield_change", length=1)[1:], [0, 0])


def test_fair_value_is_the_later_price_less_the_usual_carry():
    bars = future([100.0, 100, 100], [101.0, 101, 102])
    usual = np.mean(-4 * np.log([1.01, 1.01, 1.02]))
    fair = 102 * np.exp(usual * 0.25)
    gap = values_of(bars, "futures_mispricing", length=3)
    assert gap[2] == pytest.approx(np.log(100 / fair))


def rolled(how, *, n_bars=40):
    """A series adjusted by difference or by ratio, in which a new contract is held from 20 on."""
    bars = random_walk(n_bars)
    price = bars["close"].to_numpy().copy()
    price[:20] = price[:20] * 0.9 if how == "ratio" else price[:20] - 5.0
    return bars.assign(price=price, carry_price=price * 1.01, years_to_carry=0.25)


@pytest.mark.parametrize("how", ["ratio", "difference"])
def test_a_new_contract_is_found_in_adjusted_prices_and_in_their_mirror(how):
    in_proportion = proportional_bars(rolled(how))
    for each in (in_proportion, mirror_bars(in_proportion, [{"kind": "basis"}])):
        assert np.flatnonzero(_ratio_changes(each, "price")).tolist() == [20]


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("basis", {}),
        ("contango", {}),
        ("roll_yield", {}),
        ("roll_yield_change", {"length": 5}),
        ("futures_mispricing", {"length": 5}),
    ],
)
def test_the_term_structure_is_negated_in_the_mirror(kind, arguments):
    bars = proportional_bars(rolled("difference"))
    rng = np.random.default_rng(2)
    bars["carry_price"] *= np.exp(rng.normal(0, 0.02, len(bars)))
    mirrored = mirror_bars(bars, [{"kind": kind, **arguments}])
    expected = -values_of(bars, kind, **arguments)
    np.testing.assert_allclose(values_of(mirrored, kind, **arguments), expected, atol=1e-12)
