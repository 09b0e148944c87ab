"""What traders ask of trades, worked by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy.evaluation.backtests import run_backtest
from lstm_strategy.evaluation.metrics import (
    drawdown_periods,
    monthly_returns,
    total_return,
    trade_statistics,
    yearly_returns,
)
from lstm_strategy.evaluation.metrics.trades import (
    average_loss,
    average_win,
    exposure_time,
    longest_drawdown_bars,
    win_rate,
)
from lstm_strategy.trading.baselines import MACD, BuyAndHold
from lstm_strategy.trading.cerebro import BacktestRun

DAYS = pd.date_range("2024-01-01", periods=8)
OF_CLOSED_TRADES = [
    *("win_rate", "profit_factor", "expectancy", "average_win", "average_loss"),
    *("best_trade", "worst_trade", "holding_bars", "sqn"),
]


def run_of(trades, *, exposure=(0.0, 1.0, 1.0, 0.0, -0.5, -0.5, 0.0, 0.0)):
    """A run with these trades as (profit, return, bars), of which an exit may be missing."""
    rows = [
        {"entry": DAYS[1], "exit": exit, "pnl": pnl, "return": part, "bars": bars}
        for pnl, part, bars, exit in trades
    ]
    table = pd.DataFrame(rows, columns=["entry", "exit", "pnl", "return", "bars"])
    table["exit"] = pd.to_datetime(table["exit"])
    equity = pd.Series([100.0, 90.0, 100.0, 120.0, 60.0, 90.0, 90.0, 100.0], DAYS)
    return BacktestRun(
        name="Mine",
        equity=equity,
        exposure=pd.Series(exposure, DAYS),
        fills=pd.DataFrame(),
        trades=table,
        costs=0.0,
        order_counts={},
        first_tradable=DAYS[0],
        bars_per_year=252.0,
        params={},
    )


def test_the_statistics_of_trades_are_those_by_hand():
    closed = [(30.0, 0.03, 2, DAYS[3]), (-10.0, -0.01, 4, DAYS[4]), (10.0, 0.02, 3, DAYS[5])]
    found = trade_statistics(run_of([*closed, (99.0, 0.99, 7, None)]))
    deviation = math.sqrt((20.0**2 + 20.0**2 + 0.0) / 2)  # of 30, -10 and 10, whose mean is 10
    expected = {
        "closed_trades": 3,
        "open_trades": 1,
        "win_rate": 2 / 3,
        "profit_factor": 4.0,
        "expectancy": 0.04 / 3,
        "average_win": 0.025,
        "average_loss": -0.01,
        "best_trade": 0.03,
        "worst_trade": -0.01,
        "holding_bars": 3.0,
        "sqn": math.sqrt(3) * 10.0 / deviation,
        "exposure_time": 0.5,
        "longest_drawdown_bars": 4,
    }
    assert found.to_dict() == pytest.approx(expected)
    assert found.name == "Mine"


def test_expectancy_is_what_the_shares_of_winners_and_losers_give():
    closed = [(3.0, 0.03, 2, DAYS[3]), (-1.0, -0.01, 4, DAYS[4]), (1.0, 0.02, 3, DAYS[5])]
    found = trade_statistics(run_of(closed))
    won = found["win_rate"] * found["average_win"]
    assert found["expectancy"] == pytest.approx(won + (1 / 3) * found["average_loss"])


@pytest.mark.parametrize(
    ("trades", "missing"),
    [
        pytest.param(
            [],
            OF_CLOSED_TRADES,
            id="no trade",
        ),
        pytest.param(
            [(5.0, 0.1, 2, None)],
            OF_CLOSED_TRADES,
            id="only an open one",
        ),
        pytest.param(
            [(5.0, 0.1, 2, DAYS[3]), (7.0, 0.2, 2, DAYS[4])],
            ["profit_factor", "average_loss"],
            id="no loss",
        ),
        pytest.param(
            [(-5.0, -0.1, 2, DAYS[3]), (-5.0, -0.1, 2, DAYS[4])],
            ["average_win", "sqn"],
            id="no win, and all the same",
        ),
        pytest.param(
            [(0.0, 0.0, 2, DAYS[3])],
            ["profit_factor", "average_win", "average_loss", "sqn"],
            id="one that neither won nor lost",
        ),
    ],
)
def test_what_is_undefined_is_missing_and_nothing_else(trades, missing):
    found = trade_statistics(run_of(trades))
    assert found.index[found.isna()].to_list() == missing


def test_a_ruined_account_counts_for_no_time_in_the_market():
    found = trade_statistics(run_of([], exposure=[0.0, 1.0, *[math.nan] * 6]))
    assert found["exposure_time"] == 0.5


def test_the_closed_trades_are_those_of_the_metrics():
    result = run_backtest(MACD, random_walk(300))
    found = result.trade_statistics
    assert found["closed_trades"] == result.metrics["trades"] > 5
    assert found["closed_trades"] + found["open_trades"] == len(result.trades)
    assert found["exposure_time"] == (result.exposure != 0).mean()


def test_holding_the_market_has_one_open_trade_and_nothing_decided():
    found = run_backtest(BuyAndHold, random_walk(60)).trade_statistics
    assert (found["closed_trades"], found["open_trades"]) == (0, 1)
    assert math.isnan(found["win_rate"])


def test_falls_from_a_peak_are_those_by_hand():
    periods = drawdown_periods(run_of([]).equity)
    assert periods["peak"].to_list() == [DAYS[0], DAYS[3]]
    assert periods["bottom"].to_list() == [DAYS[1], DAYS[4]]
    assert periods["depth"].to_list() == pytest.approx([-0.1, -0.5])
    assert periods["bars"].to_list() == [2, 4]
    assert periods["recovered"].to_list() == [DAYS[2], pd.NaT]


def test_a_fall_that_is_over_at_the_last_bar_has_recovered_there():
    periods = drawdown_periods(pd.Series([9.0, 10.0, 8.0, 10.0], DAYS[:4]))
    assert periods[["peak", "recovered"]].to_numpy().tolist() == [[DAYS[1], DAYS[3]]]
    assert longest_drawdown_bars(pd.Series([9.0, 10.0, 8.0, 10.0], DAYS[:4])) == 2.0
    assert longest_drawdown_bars(pd.Series([9.0, 10.0], DAYS[:2])) == 0.0


def test_a_trade_is_won_or_lost_by_however_little():
    little = pd.Series([1e-3, -1e-3, 0.0, 1e-3])
    assert win_rate(little) == 0.5
    assert (average_win(little), average_loss(little)) == (1e-3, -1e-3)
    assert exposure_time(pd.Series([1e-3, 0.0])) == 0.5


def test_months_and_years_begin_at_the_last_value_before_them():
    days = pd.to_datetime(["2022-12-30", "2023-01-03", "2023-01-31", "2023-03-01", "2024-01-02"])
    equity = pd.Series([100.0, 110.0, 120.0, 60.0, 90.0], days)
    years, months = yearly_returns(equity), monthly_returns(equity)
    assert years.to_dict() == pytest.approx({2022: 0.0, 2023: -0.4, 2024: 0.5})
    assert months.loc[2023, [1, 3]].to_list() == pytest.approx([0.2, -0.5])
    assert months.loc[2023].notna().sum() == 2
    assert list(months) == list(range(1, 13))


def test_months_and_years_compound_to_the_total_return():
    equity = run_backtest(BuyAndHold, random_walk(500)).equity
    whole = 1.0 + total_return(equity)
    assert np.prod(1.0 + yearly_returns(equity)) == pytest.approx(whole)
    assert np.nanprod(1.0 + monthly_returns(equity)) == pytest.approx(whole)


def test_months_are_those_of_the_clock_of_the_bars():
    late = pd.DatetimeIndex(["2023-12-31 23:00", "2024-01-01 02:00"], tz="America/New_York")
    assert yearly_returns(pd.Series([1.0, 2.0], late)).to_dict() == {2023: 0.0, 2024: 1.0}


def test_nothing_is_earned_after_ruin():
    equity = pd.Series(
        [100.0, -10.0, -10.0], pd.to_datetime(["2023-12-1", "2023-12-2", "2024-1-2"])
    )
    assert yearly_returns(equity).isna().to_dict() == {2023: False, 2024: True}
