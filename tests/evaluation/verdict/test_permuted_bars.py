"""Bars with their moves in another order, and what a test makes of them."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import random_walk

from lstm_strategy.bars import validate_bars
from lstm_strategy.errors import BarsError, TradingError
from lstm_strategy.evaluation.verdict.permutation import permutation_test
from lstm_strategy.evaluation.verdict.permuted_bars import permute_bars


def four_bars():
    return pd.DataFrame(
        {
            "open": [10.0, 11.0, 12.0, 9.0],
            "high": [10.0, 12.0, 12.0, 9.0],
            "low": [10.0, 10.0, 6.0, 4.5],
            "close": [10.0, 12.0, 6.0, 9.0],
            "volume": [1, 2, 3, 4],
            "funding": [0.1, 0.2, 0.3, 0.4],
        },
        index=pd.date_range("2020-01-01", periods=4, name="datetime"),
    )


def random_bars(seed=0, *, n_bars=60):
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, n_bars)))
    open_ = close * np.exp(rng.normal(0.0, 0.01, n_bars))
    return pd.DataFrame(
        {
            "open": open_,
            "high": np.maximum(open_, close) * (1.0 + rng.random(n_bars) * 0.01),
            "low": np.minimum(open_, close) * (1.0 - rng.random(n_bars) * 0.01),
            "close": close,
            "volume": rng.integers(1, 1000, n_bars).astype(float),
        },
        index=pd.date_range("2020-01-01", periods=n_bars, name="datetime"),
    )


def momentum_sharpe(bars):
    """Trades the sign of the last move: it earns where moves continue, and only there."""
    moves = bars["close"].pct_change().fillna(0.0)
    earned = moves * np.sign(moves.shift(fill_value=0.0))
    return earned.mean() / earned.std()


def autocorrelated(seed, *, n_bars=400, weight=0.3):
    noise = np.random.default_rng(seed).normal(0.0, 0.01, n_bars)
    return pd.Series(noise).ewm(alpha=1.0 - weight).mean()


def test_permuted_bars_are_one_of_the_six_orders_worked_by_hand():
    # The three moves open, high, low, close over the close before:
    #   1.1 1.2 1.0 1.2,   1.0 1.0 0.5 0.5,   1.5 1.5 0.75 1.5
    bars = four_bars()
    moves = np.array([[1.1, 1.2, 1.0, 1.2], [1.0, 1.0, 0.5, 0.5], [1.5, 1.5, 0.75, 1.5]])
    possible = {}
    for order in itertools.permutations(range(3)):
        rows, close = [[10.0, 10.0, 10.0, 10.0, 1, 0.1]], 10.0
        for move in order:
            rows.append([*(close * moves[move]), move + 2, (move + 2) / 10])
            close *= moves[move, 3]
        possible[order] = np.array(rows)
    seen = set()
    for seed in range(30):
        permuted = permute_bars(bars, seed=seed)
        assert list(permuted.columns) == list(bars.columns)
        pd.testing.assert_index_equal(permuted.index, bars.index)
        same = [order for order, rows in possible.items() if np.allclose(permuted, rows)]
        assert len(same) == 1
        seen.update(same)
    assert seen == set(possible)


@pytest.mark.parametrize("block_bars", [3, 4, 100])
def test_one_block_is_the_same_bars(block_bars):
    bars = four_bars()
    permuted = permute_bars(bars, block_bars=block_bars, seed=1)
    pd.testing.assert_frame_equal(permuted, bars)


def test_bars_within_a_block_stay_together():
    bars = random_bars(n_bars=25)
    bars["number"] = np.arange(25)
    numbers = permute_bars(bars, block_bars=6, seed=3)["number"].to_list()
    blocks = [numbers[1 + 6 * i : 7 + 6 * i] for i in range(4)]
    assert numbers[0] == 0
    assert sorted(blocks) == [list(range(1 + 6 * i, 7 + 6 * i)) for i in range(4)]


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), n_bars=st.integers(1, 80), block_bars=st.integers(1, 90))
def test_permuted_bars_are_valid_and_keep_every_move(seed, n_bars, block_bars):
    bars = random_bars(seed, n_bars=n_bars)
    before = bars.copy()
    permuted = permute_bars(bars, block_bars=block_bars, seed=seed)
    pd.testing.assert_frame_equal(bars, before)
    validate_bars(permuted)
    assert (permuted["high"] >= permuted[["open", "close"]].max(axis=1)).all()
    assert (permuted["low"] <= permuted[["open", "close"]].min(axis=1)).all()
    for column in ("open", "high", "low", "close"):
        moves, expected = (
            np.sort((frame[column] / frame["close"].shift()).dropna()) for frame in (permuted, bars)
        )
        assert np.allclose(moves, expected, rtol=1e-10)
    assert sorted(permuted["volume"]) == sorted(bars["volume"])
    assert permuted["close"].iloc[-1] == pytest.approx(bars["close"].iloc[-1])


@pytest.mark.parametrize(
    "spoil, message",
    [
        (lambda b: b.drop(columns="high"), "need the column 'high'"),
        (lambda b: b.assign(low=[1.0, 1.0, -2.0, 1.0]), "low is -2.0 at 2020-01-03"),
        (lambda b: b.assign(close=[1.0, np.nan, 1.0, 1.0]), "close is nan at 2020-01-02"),
    ],
    ids=["missing", "negative", "NaN"],
)
def test_bars_without_usable_prices_cant_be_permuted(spoil, message):
    with pytest.raises(BarsError, match=message):
        permute_bars(spoil(four_bars()))


def test_a_block_holds_at_least_one_bar():
    with pytest.raises(BarsError, match="at least 1, got 0"):
        permute_bars(four_bars(), block_bars=0)


def test_the_permutation_test_finds_a_planted_memory():
    bars = random_bars(1, n_bars=600)
    moves = autocorrelated(2, n_bars=600, weight=0.5)
    close = 100.0 * np.exp(moves.cumsum().to_numpy())
    bars = bars.assign(open=close, high=close, low=close, close=close)
    result = permutation_test(momentum_sharpe, bars)
    assert result.p_value == pytest.approx(1 / 21)
    assert result.real > max(result.null)
    assert len(result.null) == 20


def test_blocks_longer_than_the_memory_keep_it_in_the_null():
    moves = autocorrelated(2, n_bars=600, weight=0.5)
    close = 100.0 * np.exp(moves.cumsum().to_numpy())
    bars = random_bars(1, n_bars=600).assign(open=close, high=close, low=close, close=close)
    kept = permutation_test(momentum_sharpe, bars, block_bars=50)
    assert np.mean(kept.null) > 0.8 * kept.real


def test_the_permutation_test_of_noise_gives_every_rank_as_often():
    p_values = [
        permutation_test(momentum_sharpe, random_bars(seed, n_bars=150), n_permutations=9).p_value
        for seed in range(60)
    ]
    assert np.mean(p_values) == pytest.approx(0.55, abs=0.12)


def test_a_null_statistic_that_is_equal_or_nan_counts_against_the_pipeline():
    values = iter([1.0, 1.0, math.nan, 2.0, 0.5])
    result = permutation_test(lambda bars: next(values), four_bars(), n_permutations=4)
    assert result.p_value == pytest.approx(4 / 5)


def test_a_real_nan_is_no_evidence():
    values = iter([math.nan, 1.0, 2.0])
    result = permutation_test(lambda bars: next(values), four_bars(), n_permutations=2)
    assert result.p_value == 1.0


def test_processes_give_the_same_null_as_one():
    bars = random_bars(3)
    alone = permutation_test(momentum_sharpe, bars, n_permutations=4)
    together = permutation_test(momentum_sharpe, bars, n_permutations=4, n_jobs=2)
    assert together == alone


def test_a_test_without_a_permutation_is_refused():
    with pytest.raises(TradingError, match="at least 1, got 0"):
        permutation_test(momentum_sharpe, four_bars(), n_permutations=0)


def test_a_mark_keeps_its_distance_from_the_close():
    bars = random_walk(300)
    bars["mark"] = bars["close"] * np.linspace(0.9, 1.1, 300)
    permuted = permute_bars(bars, seed=2)
    distances = permuted["mark"] / permuted["close"]
    assert sorted(distances) == pytest.approx(sorted(bars["mark"] / bars["close"]))
