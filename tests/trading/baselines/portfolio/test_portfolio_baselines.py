"""Portfolio baselines: what they ask for, worked by hand or by the obvious loop."""

import math

import backtrader as bt
import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy import PORTFOLIO_BASELINES, BrokerSettings
from lstm_strategy.errors import TradingError
from lstm_strategy.learning.variance import ewm_volatility
from lstm_strategy.trading.baselines.portfolio.cross_sectional_momentum import (
    CrossSectionalMomentum,
)
from lstm_strategy.trading.baselines.portfolio.equal_weight import EqualWeight
from lstm_strategy.trading.baselines.portfolio.macd_trend import MACDTrend
from lstm_strategy.trading.baselines.portfolio.minimum_variance import (
    MinimumVariance,
    minimum_variance_weights,
)
from lstm_strategy.trading.baselines.portfolio.time_series_momentum import TimeSeriesMomentum
from lstm_strategy.trading.baselines.portfolio.volatility_scaled_hold import VolatilityScaledHold
from lstm_strategy.trading.cerebro import run_cerebro

FREE = BrokerSettings(commission_rate=0, slippage_rate=0, reserve=0, band=0)
MOMENTUM = {"lookback": 40, "rebalance_bars": 7}
SHORT = {
    "Minimum variance": {"lookback": 30},
    "12-1 cross-sectional momentum": MOMENTUM,
    "Time-series momentum": MOMENTUM,
}


def bars_of(closes, start="2024-01-01"):
    close = pd.Series(closes, pd.date_range(start, periods=len(closes)), dtype=float)
    prices = dict.fromkeys(("open", "high", "low", "close"), close)
    return pd.DataFrame({**prices, "volume": 1.0}).rename_axis("datetime")


def answers(strategy, panel, *, modes=None, **params):
    """What a strategy asks for, by the number of the date."""
    asked = {}

    class Watched(strategy):  # type: ignore[valid-type, misc]
        def target_exposures(self):
            asked[len(self)] = dict(super().target_exposures())
            return asked[len(self)]

    cerebro = bt.Cerebro(stdstats=False, **(modes or {}))
    for name, bars in panel.items():
        cerebro.adddata(bt.feeds.PandasData(dataname=bars), name=name)
    cerebro.addstrategy(Watched, **params)
    cerebro.run()
    return asked


FLAT = {"A": bars_of([10, 11, 10, 12, 12, 13]), "B": bars_of([10, 10, 9, 9, 8, 9], "2024-01-03")}


def test_equal_weight_shares_equity_among_the_live_markets():
    asked = answers(EqualWeight, FLAT)
    assert asked[2] == {"A": 1.0}
    assert asked[3] == {"A": 0.5, "B": 0.5}


def test_volatility_scaled_hold_holds_an_equal_share_at_its_target():
    panel = {name: random_walk(90, seed=seed) for seed, name in enumerate("ABC")}
    run = run_cerebro(VolatilityScaledHold, panel, broker=FREE, target_volatility=0.05)
    held = run.exposure.loc[panel["A"].index[61]]
    for name, bars in panel.items():
        # Decided at the close before, filled at this open.
        volatility = ewm_volatility(bars["close"]).iloc[60] * math.sqrt(365)  # weekends are traded
        units = 0.05 / volatility / 3 * 100_000 / bars["close"].iloc[60]
        bought = run.fills.loc[panel["A"].index[61]].set_index("symbol")["size"][name]
        assert bought == pytest.approx(units, rel=0.01)
    assert held.sum() < 1


def test_cross_sectional_momentum_leaves_out_the_last_bars():
    panel = {
        "A": bars_of([10, 12, 11, 5, 5]),
        "B": bars_of([10, 11, 11, 20, 20]),
        "C": bars_of([10, 10, 10, 10, 11]),
    }
    params = {"lookback": 3, "skip": 1, "share": 1 / 3, "rebalance_bars": 1, "lot_size": 1}
    asked = answers(CrossSectionalMomentum, panel, **params)
    # Date 4: from date 1 to date 3 A made 10%, B 10%, C nothing: A comes before B.
    # Date 5: from date 2 to date 4 A fell to 5/12, B rose to 20/11, C stayed.
    assert asked == {4: {"A": 0.5, "C": -0.5}, 5: {"B": 0.5, "A": -0.5}}


def test_a_return_that_ends_before_it_begins_is_refused():
    with pytest.raises(TradingError, match="lookback must be above skip, got 2 and 3 bars"):
        answers(CrossSectionalMomentum, FLAT, lookback=2, skip=3)


def test_time_series_momentum_is_the_sign_of_each_markets_own_past():
    panel = {"A": bars_of([10, 11, 10, 12, 9]), "B": bars_of([10, 9, 10, 9, 11])}
    params = {"lookback": 2, "rebalance_bars": 1, "volatility_span": 2}
    asked = answers(TimeSeriesMomentum, panel, **params)
    assert asked == {
        3: {"A": 0.0, "B": 0.0},
        4: {"A": 1.0, "B": 0.0},
        5: {"A": -1.0, "B": 1.0},
    }


def smoothed(closes, period):
    """Wilder's average, begun as the plain mean of the first values."""
    values = [math.nan] * (period - 1) + [sum(closes[:period]) / period]
    for close in closes[period:]:
        values.append(values[-1] + (close - values[-1]) / period)
    return np.array(values)


def rolling_deviation(values, period):
    return np.array(
        [np.nan] * (period - 1)
        + [np.std(values[end - period : end]) for end in range(period, len(values) + 1)]
    )


def test_macd_trend_is_the_mean_response_to_three_scaled_distances():
    bars = random_walk(400)
    closes = bars["close"].tolist()
    mean = 0.0
    for fast, slow in ((8, 24), (16, 48), (32, 96)):
        distance = (smoothed(closes, fast) - smoothed(closes, slow)) / rolling_deviation(closes, 63)
        trend = distance[-1] / np.std(distance[-252:])
        mean += trend * math.exp(-(trend**2) / 4) / 0.89 / 3
    assert answers(MACDTrend, {"A": bars})[400]["A"] == pytest.approx(mean, rel=1e-6)


def ledoit_wolf(returns):
    """The shrunk covariance by the loops of the paper: Lemma 3.2 to equation 14."""
    n_bars, n_markets = returns.shape
    centred = returns - returns.mean(axis=0)
    sample = centred.T @ centred / n_bars
    level = np.trace(sample) / n_markets
    target = level * np.eye(n_markets)
    spread = ((sample - target) ** 2).sum() / n_markets
    noise = sum(((np.outer(row, row) - sample) ** 2).sum() for row in centred) / n_markets
    noise = min(noise / n_bars**2, spread)
    return noise / spread * target + (1 - noise / spread) * sample


def test_minimum_variance_inverts_the_shrunk_covariance():
    returns = np.random.default_rng(3).normal(0, [0.01, 0.02, 0.03], (40, 3))
    inverse = np.linalg.inv(ledoit_wolf(returns))
    expected = inverse.sum(axis=1) / inverse.sum()
    np.testing.assert_allclose(minimum_variance_weights(returns), expected, rtol=1e-6)


def test_minimum_variance_of_markets_that_stand_still_is_equal_weight():
    assert minimum_variance_weights(np.zeros((5, 2))).tolist() == [0.5, 0.5]


def test_minimum_variance_reads_its_lookback_across_calendars():
    walk = random_walk(60)
    panel = {"A": walk, "B": random_walk(60, seed=1).drop(walk.index[::7])}
    asked = answers(MinimumVariance, panel, lookback=20, rebalance_bars=1)
    closes = pd.DataFrame({name: bars["close"].iloc[-21:] for name, bars in panel.items()})
    returns = np.diff(np.log(closes.ffill().dropna()), axis=0)
    assert list(asked[60].values()) == pytest.approx(minimum_variance_weights(returns).tolist())


@pytest.mark.parametrize("name", PORTFOLIO_BASELINES)
def test_later_bars_change_nothing_before_them(name):
    n_bars = 380 if name == "MACD trend" else 120
    panel = {symbol: random_walk(n_bars, seed=seed) for seed, symbol in enumerate("ABCD")}
    panel["D"] = panel["D"].iloc[40:]
    cut = panel["A"].index[-15]
    changed = {
        symbol: pd.concat([bars[:cut], bars[bars.index > cut] * (2 + seed)])
        for seed, (symbol, bars) in enumerate(panel.items())
    }
    params = SHORT.get(name, {})
    before, after = (
        run_cerebro(PORTFOLIO_BASELINES[name], bars, **params) for bars in (panel, changed)
    )
    assert before.exposure[:cut].to_numpy().any()
    pd.testing.assert_frame_equal(before.exposure[:cut], after.exposure[:cut])


@pytest.mark.parametrize("name", PORTFOLIO_BASELINES)
def test_bar_by_bar_they_ask_for_the_same(name):
    n_bars = 360 if name == "MACD trend" else 70
    panel = {symbol: random_walk(n_bars, seed=seed) for seed, symbol in enumerate("AB")}
    strategy, params = PORTFOLIO_BASELINES[name], SHORT.get(name, {})
    at_once = answers(strategy, panel, **params)
    step_by_step = answers(strategy, panel, modes={"runonce": False}, **params)
    assert at_once.keys() == step_by_step.keys()
    for date, asked in at_once.items():
        assert asked == pytest.approx(step_by_step[date], rel=1e-9)
