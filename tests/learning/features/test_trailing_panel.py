"""Rows of market-wide features time by time are those of all bars at once."""

import numpy as np
import pytest
from made_up import random_walk

from lstm_strategy import FeatureSet
from lstm_strategy.learning.features import TrailingPanel, settle_features

COLUMNS = ["open", "high", "low", "close", "volume"]
EVERY_KIND = [
    {"kind": "rsi", "length": 3},
    {"kind": "panel_mean", "of": {"kind": "macd", "fast": 3, "slow": 5, "signal": 3}},
    {"kind": "panel_rank", "of": {"kind": "log_return", "length": 1}},
    {"kind": "panel_mean", "of": {"kind": "log_return", "length": 1}},
    {"kind": "panel_correlation", "length": 5},
    {"kind": "panel_volatility", "span": 4},
]


@pytest.fixture(scope="module")
def panel():
    """Three random walks: one has holes, one begins late, one ends early."""
    a, b, c = (random_walk(60, seed=seed) for seed in (1, 2, 3))
    panel = {"A": a.drop(a.index[[7, 8, 30, 45]]), "B": b.iloc[20:], "C": c.iloc[:50]}
    return {symbol: bars[COLUMNS] for symbol, bars in panel.items()}


def rows_time_by_time(features, history, panel):
    """The rows after the history, by symbol."""
    trailing = TrailingPanel(features, history)
    rows = {symbol: [] for symbol in panel}
    times = sorted({time for bars in panel.values() for time in bars.index})
    for time in times:
        newest = {
            symbol: (time, bars.loc[time].tolist())
            for symbol, bars in panel.items()
            if time in bars.index and time not in history[symbol].index
        }
        for symbol, row in trailing.rows_after(newest).items():
            rows[symbol].append(row)
        trailing.append(newest)
    return {symbol: np.array(row) for symbol, row in rows.items()}


@pytest.mark.parametrize("n_known", [0, 40])
def test_rows_are_those_of_all_bars_at_once(panel, n_known):
    features = FeatureSet(EVERY_KIND)
    day = random_walk(60).index[n_known]
    history = {symbol: bars[bars.index < day] for symbol, bars in panel.items()}
    rows = rows_time_by_time(features, history, panel)
    for symbol, frame in features.frames(panel).items():
        expected = frame.iloc[len(history[symbol]) :].to_numpy()
        np.testing.assert_allclose(rows[symbol], expected, rtol=1e-9, atol=1e-12)


def test_rows_are_the_same_once_the_oldest_bars_are_forgotten():
    panel = {s: random_walk(600, seed=seed)[COLUMNS] for seed, s in enumerate("AB")}
    features = settle_features(FeatureSet(EVERY_KIND), panel)
    history = {symbol: bars.iloc[:570] for symbol, bars in panel.items()}
    rows = rows_time_by_time(features, history, panel)
    for symbol, frame in features.frames(panel).items():
        expected = frame.iloc[570:]
        deviation = frame.std().to_numpy()
        np.testing.assert_allclose(rows[symbol] / deviation, expected / deviation, atol=1e-5)


def test_a_bar_that_is_only_looked_at_changes_nothing(panel):
    features = FeatureSet(EVERY_KIND)
    history = {symbol: bars.iloc[:40] for symbol, bars in panel.items()}
    time = random_walk(61).index[-1]
    newest = {symbol: (time, bars.iloc[-1].tolist()) for symbol, bars in panel.items()}
    trailing = TrailingPanel(features, history)
    once = trailing.rows_after(newest)
    for symbol, row in trailing.rows_after(newest).items():
        np.testing.assert_array_equal(row, once[symbol])
