"""Round trips, worked by hand on a few fills."""

import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_strategy.trading.cerebro.trades import trades_from_fills

DAYS = pd.date_range("2024-01-01", periods=6)
CLOSES = pd.Series([10.0, 11, 12, 13, 14, 15], DAYS)


def fills_of(*rows):
    """Rows of (day, size, price, commission)."""
    frame = pd.DataFrame(
        [row[1:] for row in rows],
        DAYS[[row[0] for row in rows]],
        columns=["size", "price", "commission"],
        dtype=float,
    )
    return frame.assign(slippage_cost=0.0)


def test_a_round_trip():
    trades = trades_from_fills(fills_of((0, 10, 10, 1), (3, -10, 13, 1.3)), CLOSES)
    assert trades.to_dict("records") == [
        {
            "entry": DAYS[0],
            "exit": DAYS[3],
            "size": 10.0,
            "units": 10.0,
            "entry_price": 10.0,
            "exit_price": 13.0,
            "pnl": pytest.approx(27.7),
            "return": pytest.approx(0.277),
            "bars": 3,
            "commission": 2.3,
            "funding": 0.0,
        }
    ]


def test_a_short_round_trip_has_a_negative_size_and_gains_when_prices_fall():
    trade = trades_from_fills(fills_of((0, -10, 10, 0), (1, 10, 8, 0)), CLOSES).iloc[0]
    assert (trade["size"], trade["pnl"], trade["return"]) == (-10, 20, 0.2)


def test_adding_and_reducing_average_the_prices_of_one_trade():
    fills = fills_of((0, 10, 10, 1), (1, 10, 12, 1), (2, -5, 14, 1), (4, -15, 10, 1))
    trade = trades_from_fills(fills, CLOSES).iloc[0]
    assert (trade["size"], trade["units"]) == (20, 20)
    assert trade["entry_price"] == 11
    assert trade["exit_price"] == 11
    assert trade["pnl"] == 5 * 14 + 15 * 10 - 10 * 10 - 10 * 12 - 4
    assert trade["return"] == trade["pnl"] / 220
    assert trade["bars"] == 4


def test_units_and_average_prices_multiply_to_the_profit_of_a_trade_that_was_resized():
    fills = fills_of((0, 10, 10, 1), (1, -8, 12, 1), (2, 6, 11, 1), (3, -8, 14, 1))
    trade = trades_from_fills(fills, CLOSES).iloc[0]
    assert (trade["size"], trade["units"]) == (10, 16)
    gross = trade["units"] * (trade["exit_price"] - trade["entry_price"])
    assert trade["pnl"] == pytest.approx(gross - trade["commission"])
    assert trade["return"] == pytest.approx(trade["pnl"] / (trade["units"] * trade["entry_price"]))


def test_a_reversal_closes_one_trade_and_opens_the_next():
    trades = trades_from_fills(fills_of((0, 10, 10, 0), (2, -15, 12, 3), (4, 5, 14, 1)), CLOSES)
    assert trades["size"].tolist() == [10, -5]
    assert trades["exit"].tolist() == [DAYS[2], DAYS[4]]
    assert trades["entry"].tolist() == [DAYS[0], DAYS[2]]
    assert trades["commission"].tolist() == [2, 2]
    assert trades["pnl"].tolist() == [18, -12]


def test_an_open_trade_is_marked_to_the_last_close():
    trade = trades_from_fills(fills_of((3, 10, 13, 1)), CLOSES).iloc[0]
    assert trade["entry"] == DAYS[3]
    assert trade["exit"] is pd.NaT
    assert math.isnan(trade["exit_price"])
    assert trade["pnl"] == 10 * 15 - 10 * 13 - 1
    assert trade["bars"] == 2


def test_float_dust_ends_a_trade():
    trades = trades_from_fills(fills_of((0, 0.1, 10, 0), (1, 0.2, 10, 0), (2, -0.3, 10, 0)), CLOSES)
    assert trades["exit"].tolist() == [DAYS[2]]


@settings(max_examples=100)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 5),
            st.floats(-20, 20).filter(lambda size: abs(size) > 1e-3),
            st.floats(1, 100),
            st.floats(0, 3),
        ),
        max_size=12,
    )
)
def test_the_pnl_of_all_trades_is_the_change_of_equity(rows):
    fills = fills_of(*sorted(rows, key=lambda row: row[0]))
    cash = -(fills["size"] * fills["price"]).sum() - fills["commission"].sum()
    gained = cash + fills["size"].sum() * CLOSES.iloc[-1]
    trades = trades_from_fills(fills, CLOSES)
    assert trades["pnl"].sum() == pytest.approx(gained, abs=1e-5)
    assert trades["commission"].sum() == pytest.approx(fills["commission"].sum())
