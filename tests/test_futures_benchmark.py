"""The benchmark on futures: returns, carry, costs and the Sharpe ratio of spans, by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def futures(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import futures

    return futures


def test_a_return_is_the_change_of_the_adjusted_price_over_the_price_held(futures, tmp_path):
    days = pd.bdate_range("2002-12-30", periods=4)
    table = pd.DataFrame(
        {
            "date": days,
            "instrument": "CORN",
            "adjusted": [10.0, 12.0, 11.0, 14.0],  # below the price: it was rolled upwards
            "price": [100.0, 102.0, 101.0, 120.0],
            "carry_price": [101.0, 103.0, np.nan, 121.0],
            "years_to_carry": 0.25,
            "cost_rate": 0.001,
        }
    )
    table.to_parquet(tmp_path / "futures.parquet")
    panel, rates = futures.read_futures(tmp_path / "futures.parquet")
    returns = panel["CORN"]["close"].pct_change().iloc[1:]
    np.testing.assert_allclose(returns, [2 / 100, -1 / 102, 3 / 101])
    assert panel["CORN"]["carry"].tolist() == [0.0] * 4  # there is no volatility yet
    assert rates == {"CORN": 0.001}


def test_a_change_of_exposure_costs_its_size_when_it_is_made(futures):
    days = pd.bdate_range("2002-01-01", periods=300)
    close = pd.Series(100 * 1.01 ** (np.arange(300) % 2), days)  # up and down by 1% in turn
    panel = {"CORN": pd.DataFrame({"close": close})}
    always = pd.DataFrame({"CORN": pd.Series(1.0, days)})
    free = futures.net_returns(always, panel, {"CORN": 0.0})
    scale = 0.15 / (futures._ewm_volatility(close.pct_change().dropna()) * np.sqrt(252))
    np.testing.assert_allclose(
        free.iloc[-1], scale.iloc[-2] * close.pct_change().iloc[-1], rtol=1e-12
    )
    paid = free - futures.net_returns(always, panel, {"CORN": 0.01})
    np.testing.assert_allclose(paid.iloc[-1], 0.01 * abs(scale.diff().iloc[-2]), rtol=1e-9)


def test_each_span_counts_the_same_in_the_ratio_of_all(futures):
    days = pd.bdate_range("2003-01-01", "2014-12-31")
    rng = np.random.default_rng(0)
    calm = pd.Series(rng.normal(0.001, 0.01, len(days)), days)
    wild = calm.copy()
    wild["2007":"2010"] *= 10.0
    assert futures.judge(wild) == pytest.approx(futures.judge(calm))
