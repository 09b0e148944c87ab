"""Sizes that lots allow and cash can pay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_strategy.trading.execution.orders.sizing import (
    affordable_size,
    is_worth_trading,
    whole_lots,
)


@pytest.mark.parametrize(
    ("size", "lot_size", "expected"),
    [
        (2.7, 1, 2.0),
        (-2.7, 1, -2.0),
        (0.99, 1, 0.0),
        (0.3, 0.1, 0.3),
        (0.1 + 0.2, 0.1, 0.1 + 0.2),
        (1.2345678, 1e-6, 1.234567),
        (1e9, 1e-6, 1e9),
    ],
)
def test_sizes_are_rounded_towards_zero_to_whole_lots(size, lot_size, expected):
    assert whole_lots(size, lot_size) == pytest.approx(expected, rel=1e-12, abs=0)


def test_all_cash_pays_the_units_and_their_commission():
    assert affordable_size(1000, 10, lambda size, price: 0.01 * size * price) == pytest.approx(
        1000 / 10.1
    )


@given(
    st.floats(1, 1e9), st.floats(1e-3, 1e5), st.floats(0, 0.01), st.floats(0, 20), st.floats(0, 1)
)
def test_no_commission_rule_makes_a_purchase_dearer_than_the_cash(cash, price, rate, least, unit):
    def commission(size, price):
        return max(least, rate * size * price) + unit * size

    size = affordable_size(cash, price, commission)
    assert size == 0 or size * price + commission(size, price) <= cash


@pytest.mark.parametrize(
    ("target", "exposure", "is_traded"),
    [
        (0.5, 0.41, False),
        (0.5, 0.39, True),
        (0.02, -0.02, True),  # a change of sign, however small
        (0.02, 0.0, False),
        (0.0, 0.02, True),
        (0.0, 0.0, False),
    ],
)
def test_what_is_worth_trading_with_a_band_of_a_tenth(target, exposure, is_traded):
    assert is_worth_trading(target, exposure, 0.1) == is_traded
