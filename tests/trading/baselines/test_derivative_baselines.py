"""Baselines that read funding, spot or a second contract, on a few bars worked by hand."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lstm_strategy import compare, run_backtest, simulate_bars
from lstm_strategy.bars import bars_per_year
from lstm_strategy.errors import MissingColumnError
from lstm_strategy.trading.baselines import (
    BASELINES,
    FUTURES_BASELINES,
    FUTURES_PORTFOLIO_BASELINES,
    PERPETUAL_BASELINES,
    PORTFOLIO_BASELINES,
    choose_baselines,
)
from lstm_strategy.trading.cerebro import build_cerebro, run_cerebro

NAN = math.nan


def bars_of(closes, *, freq="h", **extras):
    index = pd.date_range("2024-01-01", periods=len(closes), freq=freq, tz="UTC")
    close = np.array(closes, dtype=float)
    columns = {"open": close, "high": close + 0.5, "low": close - 0.5, "close": close}
    return pd.DataFrame({**columns, "volume": 1.0, **extras}, index)


def exposures_asked(baseline, bars, *, runonce=True, **params):
    """Return what the baseline asks for on each bar; NaN in its warm-up."""

    base: Any = baseline

    class Watched(base):
        def target_exposure(self):
            asked[len(self.data) - 1] = super().target_exposure()
            return asked[len(self.data) - 1]

    asked = [NAN] * len(bars)
    build_cerebro(Watched, bars, **params).run(runonce=runonce)
    return asked


def year_of(bars):
    return bars_per_year(bars.index)


def test_funding_carry_holds_against_what_was_paid_and_less_as_it_falls():
    # two bars are added up
    rate = [NAN, 0.0001, NAN, NAN, -0.00002, NAN]
    bars = bars_of([10, 11, 10, 11, 10, 11], funding_rate=rate)
    asked = exposures_asked(PERPETUAL_BASELINES["Funding carry"], bars, length=2, full_rate=1.0)
    annual = np.array([NAN, 0.0001, 0.0001, 0.0, -0.00002, -0.00002]) * year_of(bars) / 2
    assert asked == pytest.approx(list(-annual), nan_ok=True)
    full = exposures_asked(PERPETUAL_BASELINES["Funding carry"], bars, length=2, full_rate=0.01)
    assert full == pytest.approx([NAN, -1, -1, 0, 1, 1], nan_ok=True)


def test_what_settles_within_longer_bars_counts_too():
    payment = [0.0, 0.0011, NAN, 0.0]  # money for each unit
    bars = bars_of([10, 11, 10, 11], funding_rate=[NAN, 0.0001, NAN, NAN], funding_payment=payment)
    asked = exposures_asked(PERPETUAL_BASELINES["Funding carry"], bars, length=1, full_rate=2.0)
    assert asked == pytest.approx([0, -0.0002 * year_of(bars) / 2, 0, 0])


def test_funding_reversal_fades_an_extreme_until_the_mean():
    # two are the history: mean and reach (0.5 deviations of half the difference)
    rate = np.array([1, 1, 9, 5, 1, 3]) / 1e5
    bars = bars_of([10, 11, 10, 11, 10, 11], funding_rate=rate)
    params = {"length": 1, "history": 3, "width": 0.9}
    # (mean 3.67, 3.77): 9 is above; (5, 3.27): 5 is back; (5, 3.27): 1 is below; (3, 1.63) back
    expected = [NAN, NAN, -1, 0, 1, 0]
    asked = exposures_asked(PERPETUAL_BASELINES["Funding reversal"], bars, **params)
    assert asked == pytest.approx(expected, nan_ok=True)


def test_basis_reversion_sells_an_unusual_premium_and_holds_the_last_known_spot():
    # premia of the mark: 0, 1%, 0; then no spot: the last known premium stays
    bars = bars_of([10, 11, 10, 11], mark=[10.0, 10.1, 10.0, 10.3], spot_close=[10, 10, 10, NAN])
    asked = exposures_asked(
        PERPETUAL_BASELINES["Basis reversion"], bars, length=1, history=2, full_distance=2.0
    )
    # of two numbers the later one is one deviation from the mean; of two alike there is none
    assert asked == pytest.approx([NAN, -0.5, 0.5, NAN], nan_ok=True)
    no_mark = exposures_asked(
        PERPETUAL_BASELINES["Basis reversion"],
        bars.drop(columns="mark"),
        length=1,
        history=2,
        full_distance=1.0,
    )
    assert no_mark[1] == pytest.approx(-1.0)  # 11 over a spot of 10


def futures_bars(n_bars=8, *, carry=0.97, years=0.25, step=0.01):
    """A contract that rises and falls by turns, beside another one."""
    price = 100.0 * (1 + step * (np.arange(n_bars) % 2))
    carry_price = price * carry
    years_to_carry = np.full(n_bars, years)
    extras = {"price": price, "carry_price": carry_price, "years_to_carry": years_to_carry}
    return bars_of(price + 20.0, freq="B", **extras)


def test_carry_is_the_roll_yield_over_the_volatility_of_the_contract():
    bars = futures_bars(80)
    bars["carry_price"] = 0.998 * bars["price"]
    asked = exposures_asked(FUTURES_BASELINES["Carry"], bars, length=3, full_carry=0.5)
    returns = (bars["close"].diff() / bars["price"].shift()).dropna()
    volatility = np.std(returns.iloc[-60:]) * math.sqrt(252)
    assert asked[-1] == pytest.approx(0.002 / 0.25 / volatility / 0.5, rel=1e-9)
    assert np.isnan(asked[:60]).all()
    assert not np.isnan(asked[60:]).any()


@pytest.mark.parametrize(
    ("carry", "years", "side"),
    [
        pytest.param(0.97, 0.25, 1.0, id="later contract below: backwardation"),
        pytest.param(1.03, 0.25, -1.0, id="later contract above: contango"),
        pytest.param(1.03, -0.25, 1.0, id="earlier contract above: backwardation"),
    ],
)
def test_the_side_of_carry_is_that_of_the_curve(carry, years, side):
    bars = futures_bars(70, carry=carry, years=years)
    assert exposures_asked(FUTURES_BASELINES["Carry"], bars, length=1)[-1] == side


def test_a_missing_contract_leaves_the_last_known_roll_yield():
    bars = futures_bars(70)
    bars.iloc[-5:, bars.columns.get_loc("carry_price")] = NAN
    assert exposures_asked(FUTURES_BASELINES["Carry"], bars, length=1)[-1] == 1.0
    bars["carry_price"] = NAN
    assert np.isnan(exposures_asked(FUTURES_BASELINES["Carry"], bars, length=1)).all()


def test_carry_and_trend_is_the_mean_of_both():
    bars = futures_bars(70)
    bars["close"] += np.arange(70) * 0.01
    bars["high"] = bars["close"] + 2
    asked = exposures_asked(FUTURES_BASELINES["Carry and trend"], bars, length=1, lookback=10)
    assert asked[-1] == 1.0
    bars["carry_price"] = 1.03 * bars["price"]
    asked = exposures_asked(FUTURES_BASELINES["Carry and trend"], bars, length=1, lookback=10)
    assert asked[-1] == 0.0
    bars["carry_price"] = NAN
    asked = exposures_asked(FUTURES_BASELINES["Carry and trend"], bars, length=1, lookback=10)
    assert asked[-1] == 0.5


@pytest.mark.parametrize("name", FUTURES_PORTFOLIO_BASELINES)
def test_portfolios_of_futures_hold_backwardation_and_short_contango(name):
    panel = {
        "UP": futures_bars(140),
        "DOWN": futures_bars(140, carry=1.03, step=0.02),
        "UNKNOWN": futures_bars(140, carry=NAN),
    }
    params = {"lookback": 20} if "trend" in name else {}
    result = run_backtest(FUTURES_PORTFOLIO_BASELINES[name], panel, **params)
    last = result.exposure.iloc[-1]
    assert last["UP"] > 0.05 > -0.05 > last["DOWN"]
    assert last["UNKNOWN"] == 0.0


PERPETUAL = simulate_bars("perpetual", 2_000, seed=2).bars


@pytest.mark.parametrize("name", PERPETUAL_BASELINES)
def test_the_answers_are_the_same_at_once_and_bar_by_bar(name):
    baseline: Any = PERPETUAL_BASELINES[name]
    run = run_cerebro(baseline, PERPETUAL)
    assert run.order_counts["completed"] > 2
    bar_by_bar = exposures_asked(baseline, PERPETUAL, runonce=False)
    assert exposures_asked(baseline, PERPETUAL) == pytest.approx(bar_by_bar, nan_ok=True)


def test_baselines_are_chosen_by_the_columns_of_the_bars():
    assert choose_baselines(PERPETUAL) == {**BASELINES, **PERPETUAL_BASELINES}
    assert choose_baselines(futures_bars()) == {**BASELINES, **FUTURES_BASELINES}
    assert choose_baselines({"A": futures_bars(), "B": futures_bars()}) == {
        **PORTFOLIO_BASELINES,
        **FUTURES_PORTFOLIO_BASELINES,
    }
    only_one = {"A": futures_bars(), "B": futures_bars().drop(columns="price")}
    assert choose_baselines(only_one) == PORTFOLIO_BASELINES


def test_a_baseline_without_its_column_is_refused_and_left_out_of_comparisons(caplog):
    plain = PERPETUAL.drop(columns="funding_rate")
    with pytest.raises(MissingColumnError, match="FundingCarry reads the column funding_rate"):
        run_backtest(PERPETUAL_BASELINES["Funding carry"], plain)
    strategies = {"Hold": BASELINES["Buy and hold"], **PERPETUAL_BASELINES}
    comparison = compare(strategies, plain)
    assert list(comparison.results) == ["Hold", "Basis reversion"]
    assert "Funding carry is left out of the comparison" in caplog.text
