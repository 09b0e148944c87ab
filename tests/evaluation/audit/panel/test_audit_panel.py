"""Portfolios that look ahead, and some that don't."""

import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy import PORTFOLIO_BASELINES, LSTMStrategy, PortfolioStrategy, audit
from lstm_strategy.errors import AuditError
from lstm_strategy.learning.forecaster import FORECAST_COLUMNS, Forecaster

PANEL = {name: random_walk(60, seed=seed) for seed, name in enumerate("ABC")}
PANEL["C"] = PANEL["C"].iloc[10:]


class ReadsTomorrow(PortfolioStrategy):
    """Buys what rises tomorrow."""

    def target_exposures(self):
        return {
            name: 0.3 if len(data) < data.buflen() and data.close[1] > data.close[0] else 0.0
            for name, data in self.live_markets.items()
        }


class ReadsMarketsThatHaveNotBegun(PortfolioStrategy):
    """Compares with the close of a data before its first bar: backtrader shows the last one."""

    def target_exposures(self):
        return {"A": 0.3 if self.markets["C"].close[0] > self.markets["A"].close[0] else 0.0}


class Ranks(Forecaster):
    """A market's close among those of all markets at the same date, or over all of time."""

    bars_columns = ["open", "high", "low", "close", "volume"]
    training_end = None
    takes_panels = True
    warm_up = 0

    def __init__(self, *, leaks):
        self.leaks = leaks

    def forecast(self, bars):
        closes = pd.DataFrame({name: frame["close"] for name, frame in bars.items()})
        level = closes.mean(axis=1)
        if self.leaks:
            level[:] = closes.to_numpy()[-1].mean()
        signals = np.sign(closes.sub(level, axis=0))
        return {
            name: pd.DataFrame(dict.fromkeys(FORECAST_COLUMNS, signals[name])).loc[frame.index]
            for name, frame in bars.items()
        }

    def stream(self, history=None):
        raise NotImplementedError


@pytest.mark.parametrize("name", ["Equal weight", "Volatility-scaled hold"])
def test_a_baseline_is_clean(name):
    panel = {symbol: random_walk(90, seed=seed) for seed, symbol in enumerate("AB")}
    report = audit(panel, strategy=PORTFOLIO_BASELINES[name], progress=False)
    assert report.is_clean
    assert [check.n_comparisons for check in report.checks] == [14]


def test_a_portfolio_that_reads_tomorrow_is_found():
    report = audit(PANEL, strategy=ReadsTomorrow, progress=False)
    assert not report.is_clean
    assert report.findings[0].culprit.startswith("the order for market")


def test_reading_a_market_that_has_not_begun_is_found():
    report = audit(PANEL, strategy=ReadsMarketsThatHaveNotBegun, progress=False)
    assert not report.is_clean
    assert report.findings[0].culprit == "the order for market A"
    assert "live_markets" in report.findings[0].remedy


@pytest.mark.parametrize("leaks", [True, False])
def test_a_model_that_looks_at_later_bars_of_other_markets_is_found(leaks):
    report = audit(PANEL, model=Ranks(leaks=leaks), progress=False)
    assert report.is_clean is not leaks
    if leaks:
        assert {finding.layer for finding in report.findings} == {"forecaster", "strategy"}


def test_a_strategy_is_given_the_model():
    report = audit(PANEL, model=Ranks(leaks=False), strategy=LSTMStrategy, progress=False)
    assert [check.name for check in report.checks] == [
        "the forecasts of all markets",
        "LSTMStrategy",
    ]


def test_a_model_of_whose_signal_nothing_is_kept_is_audited_too():
    class SaysNothing(Ranks):
        def forecast(self, bars):
            return {name: 0.0 * frame for name, frame in super().forecast(bars).items()}

    report = audit(PANEL, model=SaysNothing(leaks=False), progress=False)
    assert report.is_clean
    assert all(check.n_comparisons for check in report.checks)


def test_what_is_audited_on_one_market_is_named():
    with pytest.raises(AuditError, match=r"features is audited on the bars of one market.*'A'"):
        audit(PANEL, features=lambda bars: bars, progress=False)


def test_a_portfolio_that_never_trades_is_no_clean_one():
    class Waits(PortfolioStrategy):
        def target_exposures(self):
            return {}

    with pytest.raises(AuditError, match="Waits sends no order"):
        audit(PANEL, strategy=Waits, progress=False)
