"""Every metric, by hand and beside two libraries that have it too."""

import math
from types import SimpleNamespace

import empyrical
import matplotlib
import numpy as np
import pandas as pd
import pytest

from lstm_strategy.evaluation.metrics import metrics_by_market, metrics_of
from lstm_strategy.evaluation.metrics.curve import (
    bar_returns,
    cagr,
    drawdown,
    earned_returns,
    max_drawdown,
    ruin_date,
    sharpe,
    sortino,
    volatility,
)
from lstm_strategy.evaluation.metrics.trading import (
    cost_fraction,
    funding_fraction,
    mean_exposure,
    turnover,
)

# Returns +10 %, −10 %, 0, +20 %, −10 %; with five bars a year the curve lasts exactly one year.
SIX_VALUES = [100.0, 110.0, 99.0, 99.0, 118.8, 106.92]
BARS_PER_YEAR = {"daily": 252.0, "hourly around the clock": 24 * 365.25}


def curve(values, freq="D"):
    index = pd.date_range("2020-01-01", periods=len(values), freq=freq, name="datetime")
    return pd.Series(values, index=index, dtype=float)


def run_of(equity, *, exposure=None, fills=(), exits=(), funding=(), rolls=(), bars_per_year=5.0):
    """Just enough of a `BacktestRun`: fills are (size, price, commission, slippage_cost)."""
    columns = ["size", "price", "commission", "slippage_cost"]
    return SimpleNamespace(
        name="six values",
        equity=equity,
        exposure=equity * 0.0 if exposure is None else exposure,
        fills=pd.DataFrame(list(fills), columns=columns, dtype=float),
        trades=pd.DataFrame({"exit": pd.to_datetime(list(exits))}),
        funding=pd.DataFrame({"amount": list(funding)}, dtype=float),
        rolls=pd.DataFrame({"amount": list(rolls)}, dtype=float),
        liquidations=pd.DataFrame(),
        bars_per_year=bars_per_year,
    )


def random_curve(*, seed, n_bars, freq):
    returns = np.random.default_rng(seed).normal(0.0003, 0.01, n_bars)
    return curve(100_000.0 * np.cumprod(1.0 + returns), freq)


def test_every_metric_of_six_values_matches_the_hand_worked_one():
    equity = curve(SIX_VALUES)
    run = run_of(
        equity,
        exposure=curve([0.0, 1.0, 1.0, -1.0, 0.5, 0.1]),
        fills=[(1, 100.0, 0.1, 0.05), (-1, 118.8, 0.12, 0.06)],
        exits=["2020-01-05", None],
        funding=[0.3, -0.1],
    )
    expected = {
        "total_return": 0.0692,
        "cagr": 0.0692,
        "volatility": math.sqrt(0.085),  # squared deviations from 2 % sum to 0.068; × 5 / 4
        "sharpe": 0.02 * 5 / math.sqrt(0.085),
        "sortino": 0.02 / math.sqrt(0.02 / 5) * math.sqrt(5),  # two losses of 10 % in five bars
        "max_drawdown": -0.1,
        "calmar": 0.692,
        "turnover": 218.8 / 105.62,  # the six values average 105.62
        "trades": 1,  # the second one is still open
        "exposure": 0.6,
        "costs": 0.0033,
        "funding": 0.002,
        "liquidations": 0,
        "gross_return": 0.0745,  # 0.0692 + 0.0033 + 0.0020
    }
    measured = metrics_of(run)
    assert list(measured.index) == list(expected)
    assert measured.name == "six values"
    assert measured.to_dict() == pytest.approx(expected, rel=1e-12)


def test_changes_of_contract_are_costs_and_no_loss_of_the_positions():
    measured = metrics_of(
        run_of(curve([100.0, 101.0, 103.0]), fills=[(1, 100.0, 0.4, 0.1)], rolls=[0.2, 0.3])
    )
    assert measured[["costs", "gross_return"]].to_list() == pytest.approx([0.01, 0.04])


def test_each_market_has_its_own_fills_trades_payments_and_share_of_the_profit():
    equity = curve([200.0, 190.0, 216.0])
    symbols = {"symbol": ["B", "A", "B"]}
    run = SimpleNamespace(
        equity=equity,
        exposure=pd.DataFrame({"A": [0.0, 0.3, -0.6], "B": [0.0, 0.0, 0.3]}, equity.index),
        contribution=pd.DataFrame({"A": [0.0, -12.0, 6.0], "B": [0.0, 2.0, 10.0]}, equity.index),
        fills=pd.DataFrame(
            symbols
            | {"size": [1.0, -2.0, -1.0], "price": [50.5, 101.0, 60.6]}
            | {"commission": [0.5, 2.0, 0.7], "slippage_cost": [0.1, 0.2, 0.3]}
        ),
        trades=pd.DataFrame(symbols | {"exit": pd.to_datetime(["2020-01-03", None, "2020-01-03"])}),
        funding=pd.DataFrame(symbols | {"amount": [1.0, -3.0, 4.0]}),
        rolls=pd.DataFrame(symbols | {"amount": [0.2, 1.8, 0.2]}),
        bars_per_year=2.0,
    )
    table = metrics_by_market(run)
    assert table.index.name == "symbol"
    expected = pd.DataFrame(
        {
            "exposure": [0.3, 0.1],
            "contribution": [0.03, 0.05],
            "turnover": [1.0, 0.55],  # 202 and 111.1 in a year, of 202 on average
            "costs": [0.02, 0.01],
            "funding": [-0.015, 0.025],
            "trades": [0, 2],
        },
        index=pd.Index(["A", "B"], name="symbol"),
    )
    pd.testing.assert_frame_equal(table, expected, check_dtype=False)


@pytest.mark.parametrize("contribution", [None, pd.DataFrame({"A": [0.0, 1.0]})], ids=repr)
def test_one_market_has_no_table_of_markets(contribution):
    run = SimpleNamespace(contribution=contribution, exposure=curve([0.0, 1.0]))
    assert metrics_by_market(run).empty


def test_costs_and_funding_of_no_equity_are_missing():
    none = curve([])
    fills = pd.DataFrame({"commission": [1.0], "slippage_cost": [0.5]})
    assert math.isnan(cost_fraction(fills, none))
    assert math.isnan(funding_fraction(pd.DataFrame({"amount": [1.0]}), none))
    assert cost_fraction(fills, curve([100.0])) == 0.015


def test_drawdown_is_measured_from_the_highest_value_so_far():
    depth = drawdown(curve(SIX_VALUES))
    assert depth.to_list() == pytest.approx([0.0, 0.0, -0.1, -0.1, 0.0, -0.1])


def test_a_loss_on_the_first_bar_counts_as_a_drawdown():
    assert max_drawdown(curve([100.0, 80.0, 90.0])) == pytest.approx(-0.2)


@pytest.mark.parametrize("freq", ["D", "h"])
def test_metrics_agree_with_empyrical(freq):
    year = BARS_PER_YEAR["daily" if freq == "D" else "hourly around the clock"]
    equity = random_curve(seed=3, n_bars=1500, freq=freq)
    returns = bar_returns(equity)
    measured = metrics_of(run_of(equity, bars_per_year=year))
    expected = {
        "total_return": empyrical.cum_returns_final(returns),
        "cagr": empyrical.cagr(returns, annualization=year),
        "volatility": empyrical.annual_volatility(returns, annualization=year),
        "sharpe": empyrical.sharpe_ratio(returns, annualization=year),
        "sortino": empyrical.sortino_ratio(returns, annualization=year),
        "max_drawdown": empyrical.max_drawdown(returns),
        "calmar": empyrical.calmar_ratio(returns, annualization=year),
    }
    assert measured[list(expected)].to_dict() == pytest.approx(expected, rel=1e-9)


def test_metrics_agree_with_quantstats():
    with matplotlib.rc_context():  # importing quantstats restyles every figure
        from quantstats import stats
    equity = random_curve(seed=4, n_bars=800, freq="D")
    returns = bar_returns(equity)
    measured = metrics_of(run_of(equity, bars_per_year=252.0))
    expected = {
        "total_return": stats.comp(returns),
        "cagr": stats.cagr(returns),
        "volatility": stats.volatility(returns),
        "sharpe": stats.sharpe(returns),
        "sortino": stats.sortino(returns),
        "max_drawdown": stats.max_drawdown(returns),
        "calmar": stats.calmar(returns),
    }
    assert measured[list(expected)].to_dict() == pytest.approx(expected, rel=1e-9)


def test_a_bar_that_doubles_the_equity_is_not_taken_for_a_price():
    # quantstats takes the returns 0, 1.5, 0 for prices; mean 0.5, deviation sqrt(0.75)
    equity = curve([100.0, 100.0, 250.0, 250.0])
    assert sharpe(equity, 1.0) == pytest.approx(0.5 / math.sqrt(0.75))


def test_a_flat_curve_has_zeros_where_defined_and_nan_elsewhere():
    measured = metrics_of(run_of(curve([100.0] * 6)))
    zeros = ["total_return", "cagr", "volatility", "max_drawdown", "turnover", "trades"]
    assert measured[[*zeros, "exposure", "costs"]].eq(0.0).all()
    assert measured[["sharpe", "sortino", "calmar"]].isna().all()


def test_steady_growth_has_no_sharpe_ratio_although_rounding_varies_its_returns():
    steady = curve(100.0 * 1.001 ** np.arange(50))
    assert math.isnan(sharpe(steady, 252.0))
    assert math.isnan(sortino(steady, 252.0))


@pytest.mark.parametrize("n_values", [0, 1], ids=["empty", "one value"])
def test_a_curve_without_a_return_is_nan_without_a_warning(n_values):
    measured = metrics_of(run_of(curve([100.0] * n_values)))
    undefined = ["total_return", "cagr", "volatility", "sharpe", "sortino", "calmar", "turnover"]
    assert measured[undefined].isna().all()


def test_returns_stop_at_ruin():
    returns = bar_returns(curve([100.0, 50.0, -10.0, 20.0]))
    assert returns.iloc[:2].to_list() == pytest.approx([-0.5, -1.2])
    assert math.isnan(returns.iloc[2])
    assert bar_returns(curve([1.0, 0.0, 0.5])).isna().to_list() == [False, True]
    assert bar_returns(curve([1.0, 0.5, 0.4])).to_list() == pytest.approx([-0.5, -0.2])
    assert math.isnan(cagr(curve([100.0, -10.0]), 252.0))
    assert cagr(curve([100.0, 0.0]), 252.0) == -1.0


def test_nothing_is_earned_after_ruin_and_the_bars_after_it_count():
    # −50 %, −120 %, and a zero for each bar after: neither the rise to 20 nor that to 30 is earned
    ruined = curve([100.0, 50.0, -10.0, 20.0, 30.0])
    returns = pd.Series([-0.5, -1.2, 0.0, 0.0])
    assert bar_returns(ruined).iloc[2:].isna().all()
    assert earned_returns(ruined).to_list() == pytest.approx(returns.to_list())
    assert volatility(ruined, 4.0) == pytest.approx(2.0 * returns.std())
    assert sharpe(ruined, 4.0) == pytest.approx(2.0 * returns.mean() / returns.std())
    assert sortino(ruined, 4.0) == pytest.approx(2.0 * -0.425 / math.sqrt((0.25 + 1.44) / 4))
    assert ruin_date(ruined) == ruined.index[2]
    assert ruin_date(curve([100.0, 0.0])) is not None
    assert ruin_date(curve([100.0, 1e-9])) is None


def test_growth_beyond_the_largest_float_is_infinite_without_a_warning():
    assert cagr(curve([1.0, 3.0]), 24 * 365.25) == math.inf


def test_turnover_counts_the_value_of_sales_and_purchases_alike():
    # 50 bought, 50 sold, average equity 100, half a year
    equity = curve([100.0, 100.0, 100.0])
    fills = run_of(equity, fills=[(5, 10.0, 0, 0), (-5, 10.0, 0, 0)]).fills
    assert turnover(fills, equity, 4.0) == pytest.approx(2.0)


def test_short_positions_count_as_exposure():
    assert mean_exposure(curve([1.0, -1.0, 0.0, -0.5])) == pytest.approx(0.625)
