"""Each baseline on a few bars worked by hand, and what holds for all of them."""

import functools
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_strategy.errors import LongBarsError
from lstm_strategy.trading.baselines import BASELINES
from lstm_strategy.trading.cerebro import BrokerSettings, build_cerebro, collect_run, run_cerebro
from lstm_strategy.trading.execution import TargetStrategy

NAN = math.nan


def bars_of(closes):
    index = pd.date_range("2024-01-01", periods=len(closes), freq="B")
    close = np.array(closes, dtype=float)
    columns = {"open": close, "high": close + 0.5, "low": close - 0.5, "close": close}
    return pd.DataFrame({**columns, "volume": 1.0}, index)


def exposures_asked(name, closes, **params):
    """Return what the baseline asks for on each bar; NaN in its warm-up."""

    baseline: Any = BASELINES[name]

    class Watched(baseline):
        def target_exposure(self):
            asked[len(self.data) - 1] = super().target_exposure()
            return asked[len(self.data) - 1]

    asked = [NAN] * len(closes)
    build_cerebro(Watched, bars_of(closes), **params).run()
    return asked


@pytest.mark.parametrize(
    ("name", "params", "closes", "expected"),
    [
        pytest.param("Buy and hold", {}, [5, 6, 4], [1, 1, 1], id="Buy and hold"),
        pytest.param(
            # Averages of 2 and 3: (13.5, 12.67), (12.5, 12.33), (10.5, 12), (13, 12).
            "SMA cross",
            {"fast": 2, "slow": 3},
            [11, 12, 15, 10, 11, 15],
            [NAN, NAN, 1, 1, 0, 1],
            id="SMA cross",
        ),
        pytest.param(
            # EMA 1 is the close, EMA 3 halves the distance (first value: the average of 3), the
            # signal averages 2. MACD from bar 2: 2, 0, 2.5, -3.25; signal from bar 3: 1, 2, -1.5.
            "MACD",
            {"fast": 1, "slow": 3, "signal": 2},
            [10, 12, 14, 12, 17, 8],
            [NAN, NAN, NAN, 0, 1, 0],
            id="MACD",
        ),
        pytest.param(
            # Wilder's averages of 2 bars (gain, loss): (0, 1) RSI 0; (0.5, 0.5) RSI 50 is out;
            # (1.75, 0.25) RSI 87.5; (0.875, 0.625) RSI 58 holds; (0.44, 1.31) RSI 25.
            "RSI reversion",
            {"length": 2},
            [10, 9, 8, 9, 12, 11, 9],
            [NAN, NAN, 1, 0, -1, -1, 1],
            id="RSI reversion",
        ),
        pytest.param(
            # Mean and reach (1.3 deviations) of 3: (10, 0) rests; (9, 1.84): 7 is below; (8.33,
            # 1.62): 8 holds; (7.83, 0.81): 8.5 is above the mean; (9.17, 1.71): 11 is above.
            "Bollinger reversion",
            {"length": 3, "width": 1.3},
            [10, 10, 10, 7, 8, 8.5, 11],
            [NAN, NAN, 0, 1, 1, 0, -1],
            id="Bollinger reversion",
        ),
        pytest.param(
            # Highs and lows lie 0.5 around the close. 12 tops the highs before it; 11 undercuts the
            # low 11.5 of the last bar; 8 undercuts three lows; 9 tops the high 8.5 of the last bar.
            "Donchian breakout",
            {"entry": 3, "exit": 1},
            [10, 11, 10, 12, 12, 11, 8, 8, 9],
            [NAN, NAN, NAN, 1, 1, 0, -1, -1, 0],
            id="Donchian breakout",
        ),
        pytest.param(
            # Close 1 bar ago against 3 bars ago: 12 - 10, 9 - 11, 12 - 12.
            "12-1 momentum",
            {"lookback": 3, "skip": 1},
            [10, 11, 12, 9, 12, 13],
            [NAN, NAN, NAN, 1, -1, 0],
            id="12-1 momentum",
        ),
        pytest.param(
            # Returns of +10 % and -10 %: deviation 0.1 a bar, 0.2 a year of 4 bars; then calm.
            "Volatility target",
            {"length": 2, "target_volatility": 0.15, "bars_per_year": 4},
            [100, 110, 99, 99 * 0.9],
            [NAN, NAN, 0.75, 1],
            id="Volatility target",
        ),
        pytest.param(
            "Short-term reversal",
            {"lookback": 2},
            [10, 11, 12, 10, 12],
            [NAN, NAN, -1, 1, 0],
            id="Short-term reversal",
        ),
    ],
)
def test_exposures_worked_by_hand(name, params, closes, expected):
    assert exposures_asked(name, closes, **params) == pytest.approx(expected, nan_ok=True)


def test_random_entries_toss_anew_on_every_bar_if_held_for_one():
    asked = exposures_asked("Random entries", 10 + np.sin(range(400)), bars_held=1)
    assert set(asked) == {1.0, -1.0}
    assert abs(sum(asked)) < 60  # three deviations of 400 fair tosses
    changes = np.count_nonzero(np.diff(asked))
    assert 170 < changes < 230


def test_random_entries_hold_for_about_the_bars_asked_for():
    asked = exposures_asked("Random entries", 10 + np.sin(range(2000)), bars_held=20)
    # A toss every 20 bars, half of which change the side.
    assert 25 < np.count_nonzero(np.diff(asked)) < 75


def test_random_entries_repeat_with_their_seed_and_differ_without():
    closes = 10 + np.sin(range(60))
    first, again, other = (
        exposures_asked("Random entries", closes, seed=seed, bars_held=1) for seed in (1, 1, 2)
    )
    assert first == again != other


def test_an_rsi_without_a_single_loss_is_overbought():
    asked = exposures_asked("RSI reversion", range(10, 30))
    assert set(asked[14:]) == {-1.0}


# Lengths in days and months


def walk_of(index):
    close = 100 * np.exp(np.cumsum(np.random.default_rng(5).normal(0, 0.02, len(index))))
    columns = {"open": close, "high": close * 1.01, "low": close * 0.99, "close": close}
    return pd.DataFrame({**columns, "volume": 1.0}, index)


@pytest.mark.parametrize(
    ("index", "lengths"),
    [
        pytest.param(
            pd.date_range("2015-01-01", periods=300, freq="B"),
            {"sma": [50, 200], "momentum": [252, 21], "reversal": [5], "volatility": [20]},
            id="days of stocks",
        ),
        pytest.param(
            pd.date_range("2015-01-01", periods=400, freq="D"),
            {"sma": [50, 200], "momentum": [365, 30], "reversal": [5], "volatility": [20]},
            id="days of all weeks",
        ),
        pytest.param(
            pd.date_range("2015-01-01", periods=1300, freq="6h"),
            {"sma": [200, 800], "reversal": [20], "volatility": [80]},
            id="four bars a day",
        ),
        pytest.param(
            pd.date_range("2015-01-02", periods=120, freq="W"),
            {"sma": [10, 41], "momentum": [52, 4], "reversal": [1], "volatility": [4]},
            id="weeks",
        ),
        pytest.param(
            pd.date_range("2015-01-31", periods=60, freq="ME"),
            {
                "sma": [2, 10],
                "momentum": [12, 1],
                "reversal": "counts 5 days, which are 0.24 bars here",
                "volatility": "counts 20 days, which are 0.95 bars here, and needs 2",
            },
            id="months, of which some lengths are a part",
        ),
    ],
)
def test_days_and_months_are_counted_in_bars(index, lengths):
    names = {
        "sma": ("SMA cross", ["fast", "slow"]),
        "momentum": ("12-1 momentum", ["lookback", "skip"]),
        "reversal": ("Short-term reversal", ["lookback"]),
        "volatility": ("Volatility target", ["length"]),
    }
    for kind, expected in lengths.items():
        name, params = names[kind]
        if isinstance(expected, str):
            with pytest.raises(LongBarsError, match=expected):
                run_cerebro(BASELINES[name], walk_of(index))
        else:
            run = run_cerebro(BASELINES[name], walk_of(index))
            assert [run.params[param] for param in params] == expected, name


# What holds for all


def random_walk(n_bars, seed):
    generator = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(generator.normal(0, 0.015, n_bars)))
    open_ = np.append(100, close[:-1]) * np.exp(generator.normal(0, 0.008, n_bars))
    high = np.maximum(open_, close) * 1.004
    low = np.minimum(open_, close) * 0.996
    index = pd.date_range("2020-01-01", periods=n_bars, freq="B")
    columns = {"open": open_, "high": high, "low": low, "close": close, "volume": 1e6}
    return pd.DataFrame(columns, index)


WALK = random_walk(600, seed=3)


@functools.cache
def run_on_the_walk(strategy, **options):
    """One run for all tests that compare others with it."""
    return run_cerebro(strategy, WALK, **options)


def test_the_baselines_are_ten_in_the_order_of_the_table():
    assert list(BASELINES) == [
        "Buy and hold",
        "SMA cross",
        "MACD",
        "RSI reversion",
        "Bollinger reversion",
        "Donchian breakout",
        "12-1 momentum",
        "Volatility target",
        "Short-term reversal",
        "Random entries",
    ]


@pytest.mark.parametrize("name", BASELINES)
def test_no_order_is_refused_and_something_is_traded(name):
    run = run_on_the_walk(BASELINES[name])
    assert run.order_counts["margin"] == run.order_counts["rejected"] == 0
    assert run.order_counts["completed"] > 0
    assert run.trades["pnl"].sum() == pytest.approx(run.equity.iloc[-1] - run.equity.iloc[0])


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize(
    "modes",
    [{"runonce": False}, {"runonce": False, "preload": False}, {"exactbars": 1}],
    ids=["bar by bar", "no preload", "exactbars=1"],
)
def test_every_mode_gives_the_same_equity(name, modes):
    vector = run_on_the_walk(BASELINES[name], start="2021-01-01")
    cerebro = build_cerebro(BASELINES[name], WALK, start="2021-01-01")
    other = collect_run(cerebro.run(**modes)[0], name=name)
    assert other.equity.to_numpy() == pytest.approx(vector.equity.to_numpy(), rel=1e-9)


def equities_until(last_kept, strategy, seed):
    """Equity up to a bar on the walk, and on a walk with other prices after that bar."""
    changed = WALK.copy()
    shift = random_walk(600, seed)["close"].to_numpy() / 100
    changed.iloc[last_kept + 1 :, :4] *= shift[last_kept + 1 :, None]
    kept = WALK.index[last_kept]
    runs = run_on_the_walk(strategy), run_cerebro(strategy, changed)
    return tuple(run.equity[:kept] for run in runs)


@pytest.mark.parametrize("name", BASELINES)
@settings(max_examples=5)
@given(last_kept=st.integers(300, 590), seed=st.integers(0, 1000))
def test_equity_up_to_a_bar_does_not_know_the_bars_after_it(name, last_kept, seed):
    on_the_walk, changed = equities_until(last_kept, BASELINES[name], seed)
    assert changed.equals(on_the_walk)


def test_a_strategy_that_knows_the_bars_to_come_would_be_found():
    class Clairvoyant(TargetStrategy):
        def target_exposure(self):
            has_future = len(self.data) < len(WALK) - 20
            return math.copysign(1, self.data.close[20] - self.data.close[0]) if has_future else 0

    on_the_walk, changed = equities_until(400, Clairvoyant, seed=1)
    assert not changed.equals(on_the_walk)


@pytest.mark.parametrize("name", BASELINES)
def test_whole_shares_of_a_small_account_end_in_no_refusal_either(name):
    broker = BrokerSettings(cash=1_000, lot_size=1, commission_rate=0.01)
    run = run_cerebro(BASELINES[name], WALK, broker=broker)
    assert run.order_counts["margin"] == 0
    assert (run.equity > 0).all()
