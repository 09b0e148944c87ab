"""Rows of features bar by bar are those of all bars at once, on markets as they really are."""

import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy import FeatureSet, sample_bars
from lstm_strategy.errors import FeatureError
from lstm_strategy.learning.features import (
    TrailingFeatures,
    complete_bars,
    known_kinds,
    settle_features,
)
from lstm_strategy.learning.features.settling import _read_memory

SP500 = sample_bars("sp500").iloc[1_000:2_200]


def rough_bars(n_bars, *, seed, freq, tick, tz=None):
    """Bars with calm and wild stretches, ties and a halt, on a coarse grid of prices."""
    rng = np.random.default_rng(seed)
    volatility = 0.004 * np.exp(0.3 * np.cumsum(0.05 * rng.standard_normal(n_bars)))
    returns = np.clip(volatility * rng.standard_t(4, n_bars), -0.2, 0.2)
    close = 100 * np.exp(np.cumsum(returns))
    close[n_bars // 2 : n_bars // 2 + 25] = close[n_bars // 2]
    close = np.maximum(np.round(close / tick), 1) * tick
    open_ = np.r_[close[0], close[:-1]]
    wick = tick * rng.integers(0, 3, (2, n_bars)) * (np.diff(close, prepend=np.nan) != 0)
    low = np.maximum(np.minimum(open_, close) - wick[1], tick)
    return pd.DataFrame(
        {
            "open": open_,
            "high": np.maximum(open_, close) + wick[0],
            "low": np.minimum(low, np.minimum(open_, close)),
            "close": close,
            "volume": np.round(rng.lognormal(6, 0.8, n_bars)),
        },
        pd.date_range("2024-01-01", periods=n_bars, freq=freq, tz=tz, name="datetime"),
    )


MARKETS = {
    "days": SP500,
    "hours in New York": rough_bars(1_200, seed=4, freq="h", tick=0.01, tz="America/New_York"),
    "five minutes": rough_bars(1_200, seed=5, freq="5min", tick=0.05),
    "weeks": rough_bars(1_200, seed=8, freq="W", tick=1.0),
}


def rows_bar_by_bar(features, bars):
    trailing = TrailingFeatures(features, bars.iloc[:0])
    rows = []
    for time, values in zip(bars.index, bars.to_numpy().tolist(), strict=True):
        rows.append(trailing.row_after(time, values))
        trailing.append(time, values)
    return np.array(rows), trailing


def assert_followed(spec, bars, *, n_fit, n_followed):
    bars = complete_bars([spec], bars)
    features = settle_features(FeatureSet([spec]), bars.iloc[:n_fit])
    later = bars.iloc[n_fit : n_fit + n_followed]
    rows, _ = rows_bar_by_bar(features, later)
    expected = features.frame(later).to_numpy()
    deviation = features.frame(bars).std().replace(0, 1).fillna(1).to_numpy()
    np.testing.assert_array_equal(np.isnan(rows), np.isnan(expected))
    np.testing.assert_allclose(rows / deviation, expected / deviation, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("spec", "market"),
    [
        pytest.param({"kind": "psar"}, "days", id="remembers until its stop is hit"),
        pytest.param({"kind": "supertrend"}, "weeks", id="no columns on few bars"),
        pytest.param({"kind": "vwap"}, "hours in New York", id="begins anew each day"),
        pytest.param({"kind": "adx", "length": 2}, "five minutes", id="fast, in a halt"),
        pytest.param({"kind": "amat"}, "days", id="two levels only"),
    ],
)
def test_features_are_followed_bar_by_bar(spec, market):
    assert_followed(spec, MARKETS[market], n_fit=700, n_followed=120)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind in known_kinds() if kind != "column"])
def test_every_kind_is_followed_bar_by_bar_or_refused(kind):
    try:
        warm_up = FeatureSet([{"kind": kind}]).warm_up
    except FeatureError:
        return
    n_followed = warm_up + (30 if kind == "cdl_pattern" else 120)
    for bars in MARKETS.values():
        assert_followed({"kind": kind}, bars, n_fit=800, n_followed=n_followed)


def test_only_bars_that_the_newest_rows_depend_on_are_kept():
    features = FeatureSet([{"kind": "sma", "length": 5}])
    trailing = TrailingFeatures(features, random_walk(600))
    assert trailing.n_bars == 37  # five for the mean, and 32 rows that are seen to be the same


def test_all_bars_are_kept_in_a_halt_since_equal_rows_prove_nothing_there():
    bars = random_walk(600)
    bars.iloc[200:, :4] = bars["close"].iloc[199]
    assert TrailingFeatures(FeatureSet([{"kind": "sma", "length": 5}]), bars).n_bars == 600


def test_bars_are_kept_while_a_feature_remembers_them():
    bars = random_walk(600, freq="h")
    features = FeatureSet([{"kind": "vwap", "anchor": "M"}])
    assert features.memory < 60
    assert TrailingFeatures(features, bars).n_bars == 600  # 25 days of a month


def test_all_bars_are_kept_where_rounding_decides_on_a_value():
    # a close may equal its rolling mean to the last digit, which depends on where the mean began
    bars = random_walk(600)
    features = settle_features(FeatureSet([{"kind": "hilo"}]), bars)
    assert not features.forgets
    assert TrailingFeatures(features, bars).n_bars == 600
    assert settle_features(FeatureSet([{"kind": "sma", "length": 5}]), bars).forgets


@pytest.mark.parametrize(
    ("differing", "expected"),
    [
        pytest.param([], (8, True), id="never"),
        pytest.param([7, 8, 12], (13, True), id="at first"),
        pytest.param([7, 8, 60, 61], (62, True), id="for a while"),
        pytest.param([7, 8, 400], (9, False), id="again much later"),
        pytest.param([300], (7, False), id="only much later"),
    ],
)
def test_a_memory_ends_where_a_later_start_agrees_for_good(differing, expected):
    memory = _read_memory(np.array(differing, int), 6, 7)
    assert (memory.bars, memory.is_certain) == expected
