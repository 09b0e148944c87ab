from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from lstm_strategy.evaluation.backtests import run_backtest
from lstm_strategy.evaluation.verdict.alarms import (
    Alarm,
    always_invested,
    few_lucky_trades,
    find_alarms,
    frozen_forecast,
    gone_one_bar_later,
    lagged_close,
    lagged_forecast,
    lucky_member,
    market_in_disguise,
    one_lucky_fold,
)
from lstm_strategy.trading.cerebro import BrokerSettings
from lstm_strategy.trading.execution import TargetStrategy

N_BARS = 300
DATES = pd.date_range("2020-01-01", periods=N_BARS, name="datetime")


def on_dates(values):
    values = np.asarray(values, dtype=float)
    return pd.Series(values, index=DATES[: len(values)])


def noise(seed=0, n_bars=N_BARS):
    return np.random.default_rng(seed).normal(0.0, 0.01, n_bars)


def close_of(moves):
    return on_dates(100.0 * np.cumprod(1.0 + np.asarray(moves)))


def market(seed=0):
    return close_of(noise(seed))


def decided_on(close, n_bars):
    """The sign of the move over the last bars, held from the next bar on."""
    return np.sign(close.pct_change(n_bars)).shift(1).fillna(0.0)


def trades_of(*profits):
    return pd.DataFrame({"pnl": profits}, dtype=float)


def fills_of(n_fills):
    return pd.DataFrame({"size": np.ones(n_fills)})


def build_result(close, *, exposure=None, profits=(5.0,) * 10, equity=None):
    """Just enough of a `BacktestResult`."""
    return SimpleNamespace(
        name="LSTM",
        equity=market(99) if equity is None else equity,
        exposure=decided_on(close, 10) if exposure is None else exposure,
        trades=trades_of(*profits),
        fills=fills_of(2 * len(profits)),
        bars_per_year=252.0,
    )


def names(found):
    return [alarm.name for alarm in found]


@pytest.mark.parametrize("side", [1.0, -1.0], ids=["long", "short"])
def test_a_full_exposure_that_hardly_changes_is_always_invested(side):
    exposure = on_dates(np.r_[0.0, np.full(N_BARS - 1, 0.99 * side)])
    alarm = always_invested(exposure)
    assert alarm.name == "always invested"
    assert alarm.message.startswith("It held 99% of its equity on average")


@pytest.mark.parametrize(
    "exposure",
    [
        np.full(N_BARS, 0.5),
        np.where(np.arange(N_BARS) % 20 < 10, 1.0, -1.0),
        np.where(np.arange(N_BARS) % 20 < 10, 1.0, 0.0),
        np.zeros(N_BARS),
        np.full(N_BARS, np.nan),
    ],
    ids=["half", "long and short", "long and flat", "never", "ruined"],
)
def test_an_exposure_that_is_partial_or_changes_isnt_always_invested(exposure):
    assert always_invested(on_dates(exposure)) is None


@pytest.mark.parametrize(
    "size, words", [(0.4, "buying and holding"), (-1.0, "selling short and holding")]
)
def test_the_market_at_any_size_is_buy_and_hold(size, words):
    moves = noise()
    alarm = market_in_disguise(close_of(size * moves), close_of(moves))
    assert alarm.name == "buy and hold"
    assert words in alarm.remedy
    assert f"{np.sign(size):.3f}" in alarm.message


def test_a_strategy_that_times_the_market_isnt_buy_and_hold():
    moves = noise()
    timed = np.where(np.arange(N_BARS) % 10 < 8, moves, 0.0)
    assert market_in_disguise(close_of(timed), close_of(moves)) is None


def test_a_flat_curve_isnt_buy_and_hold():
    assert market_in_disguise(on_dates(np.full(N_BARS, 100.0)), market()) is None


@pytest.mark.parametrize(
    "rule",
    [
        lambda moves: np.sign(moves),
        lambda moves: -np.sign(moves),
        lambda moves: (moves / 0.02).clip(-1.0, 1.0),
        lambda moves: (moves.abs() < 0.005).astype(float),
        lambda moves: np.sign(moves).where(noise_of_signs() > 0.02, -np.sign(moves)),
    ],
    ids=["sign", "opposite sign", "size", "calm bars only", "sign, with a few errors"],
)
def test_an_exposure_that_repeats_the_last_move_is_a_lagged_close(rule):
    close = market()
    exposure = rule(close.pct_change()).shift(1)
    alarm = lagged_close(exposure, close)
    assert alarm.name == "lagged close"
    assert "of the exposure" in alarm.message


def noise_of_signs():
    return on_dates(np.random.default_rng(5).random(N_BARS))


@pytest.mark.parametrize(
    "exposure",
    [
        decided_on(market(), 2),
        decided_on(market(), 20),
        on_dates(np.sign(noise(4))),
        on_dates(np.full(N_BARS, 0.99) + 0.1 * noise(5)),
        # a fixed fraction drifts with the move of its own bar, which is no forecast
        0.5 * (1.0 + market().pct_change()) / (1.0 + 0.5 * market().pct_change()),
    ],
    ids=["two bars", "momentum", "coin flips", "constant", "rebalanced to one half"],
)
def test_an_exposure_that_knows_more_or_nothing_isnt_a_lagged_close(exposure):
    assert lagged_close(exposure, market()) is None


def test_the_share_explained_is_that_of_twenty_groups_worked_in_a_loop():
    close = market(7)
    moves = close.pct_change()
    forecast = moves + on_dates(0.3 * noise(8))
    known = sorted((moves.iloc[i], forecast.iloc[i]) for i in range(1, N_BARS))
    edges = np.quantile(np.arange(1, N_BARS), np.linspace(0.05, 1.0, 20))
    groups = [[] for _ in range(20)]
    for rank, (_, value) in enumerate(known, start=1):
        groups[int(np.searchsorted(edges, rank))].append(value)
    mean = np.mean([value for _, value in known])
    between = sum(len(group) * (np.mean(group) - mean) ** 2 for group in groups)
    explained = between / sum((value - mean) ** 2 for _, value in known)
    assert 0.8 < explained < 1.0
    assert f" {explained:.0%} of the forecast" in lagged_forecast(forecast, close).message


def test_the_rounding_of_a_forecast_that_never_changes_isnt_a_lagged_close():
    close = market()
    constant = pd.Series(0.9, close.index)
    constant[close.pct_change() > 0] += 1e-13
    assert lagged_forecast(constant, close) is None


def test_a_forecast_made_of_many_bars_isnt_a_lagged_close():
    close = market()
    smooth = close.pct_change().ewm(span=10).mean()
    assert lagged_forecast(smooth, close) is None


@pytest.mark.parametrize(
    "forecast, is_frozen",
    [
        (0.5 + 0.1 * noise(1), True),
        (0.52 + 3.0 * noise(1), False),
        (0.0004 + 0.001 * noise(1), True),
        (0.0004 + 0.05 * noise(1), False),
        (np.full(N_BARS, 0.5), True),
        (np.full(N_BARS, np.nan), False),
    ],
    ids=["probability", "lively probability", "return", "lively return", "constant", "unknown"],
)
def test_a_forecast_that_hardly_varies_is_frozen(forecast, is_frozen):
    alarm = frozen_forecast(on_dates(forecast), market())
    assert (alarm is not None) == is_frozen


def test_a_frozen_forecast_is_shown_with_its_standard_deviation():
    forecast = on_dates(np.tile([0.5, 0.502], N_BARS // 2))
    assert frozen_forecast(forecast, market()).message == (
        "Its standard deviation is 0.001, only 0.20% of its scale of 0.5."
    )


def test_a_forecast_that_only_rounding_moves_is_shown_as_the_number_that_it_is():
    forecast = on_dates(np.tile([0.9, 0.9 + 1e-15], N_BARS // 2))
    assert frozen_forecast(forecast, market()).message == "It is 0.9 on every bar."
    assert frozen_forecast(forecast, market(), is_policy=True).message == (
        "It is 0.9 on every bar. "
        "The forecast of a policy is the position before volatility scaling."
    )


@pytest.mark.parametrize(
    "kept, reason",
    [
        (
            [0.0, 0.0],
            "The signal was dropped, because nothing that was learned held up on held-out",
        ),
        (
            [0.0, 0.4],
            "In 1 of 2 trainings the signal was dropped, because nothing",
        ),
        (
            [1.0, 0.4],
            "No training dropped its signal, so little was learned.",
        ),
        ([], "Either nothing was learned, or what was learned was dropped"),
    ],
    ids=["all dropped", "one dropped", "none dropped", "unknown"],
)
def test_a_frozen_forecast_says_whether_its_signal_was_dropped(kept, reason):
    alarm = frozen_forecast(on_dates(np.full(N_BARS, 0.5)), market(), signals_kept=kept)
    assert alarm.remedy.startswith(reason)


def test_a_profit_that_three_trades_made_is_luck():
    alarm = few_lucky_trades(trades_of(50, 40, 30, -10, -20, 5, -25, 10, -30, 2), fills_of(20))
    assert alarm.name == "few lucky trades"
    assert alarm.message == "3 of 10 trades made 120, all trades 52."


def test_the_lucky_trades_of_a_small_account_made_more_than_zero():
    profits = (0.05, 0.04, 0.03, -0.01, -0.02, 0.005, -0.025, 0.01, -0.03, 0.002)
    alarm = few_lucky_trades(trades_of(*profits), fills_of(20))
    assert alarm.message == "3 of 10 trades made 0.12, all trades 0.052."


@pytest.mark.parametrize(
    "profits, n_fills",
    [
        ((50, 40, 30, 5, 5, -5, 5), 14),
        ((50, 40, 30, -100, -90), 10),
        ((), 0),
        ((70,), 11),
    ],
    ids=["the rest earns too", "no profit", "no trade", "one position, resized often"],
)
def test_other_trades_arent_few_lucky_ones(profits, n_fills):
    assert few_lucky_trades(trades_of(*profits), fills_of(n_fills)) is None


@pytest.mark.parametrize(
    ("symbols", "is_raised"),
    [
        pytest.param(["A", "B", "C"], False, id="each is held"),
        pytest.param(["A", "B", "B"], True, id="one is traded"),
    ],
)
def test_a_portfolio_that_holds_each_market_makes_no_lucky_trades(symbols, is_raised):
    trades = trades_of(50, 40, 30).assign(symbol=symbols)
    assert (few_lucky_trades(trades, fills_of(6)) is not None) == is_raised


def folds_of(equity, n_folds=4):
    return pd.Series(np.arange(len(equity)) * n_folds // len(equity), index=equity.index)


def test_a_profit_from_one_fold_alone_is_luck():
    equity = close_of(np.repeat([-0.001, 0.004, -0.001, -0.001], 25))
    alarm = one_lucky_fold(equity, folds_of(equity))
    assert alarm.name == "one lucky fold"
    expected = [1.004**25 - 1, 0.999**74 - 1]  # the first bar has no return
    assert alarm.message == (
        f"Fold 1 returned {expected[0]:.1%}, the other 3 together {expected[1]:.1%}."
    )


@pytest.mark.parametrize(
    "growth",
    [[0.001, 0.004, -0.001, 0.001], [-0.002, 0.001, -0.001, -0.001]],
    ids=["other folds earn too", "no profit"],
)
def test_a_profit_from_many_folds_or_none_isnt_one_lucky_fold(growth):
    equity = close_of(np.repeat(growth, 25))
    assert one_lucky_fold(equity, folds_of(equity)) is None


def test_bars_without_a_fold_are_left_out():
    equity = close_of(np.repeat([-0.01, 0.001, 0.001], 25))
    assert one_lucky_fold(equity, folds_of(equity, 3).where(lambda fold: fold > 0)) is None


def test_members_that_disagree_about_profit_are_luck():
    curves = pd.DataFrame({1: [100.0, 112.0], 2: [100.0, 95.0], 3: [100.0, 104.0]})
    alarm = lucky_member(curves)
    assert alarm.name == "lucky member"
    assert alarm.message.startswith("1 of 3 members lost money")


@pytest.mark.parametrize("final", [[110.0, 120.0], [90.0, 80.0], [100.0, 90.0], [110.0, 100.0]])
def test_members_that_agree_raise_no_alarm(final):
    assert lucky_member(pd.DataFrame([[100.0, 100.0], final])) is None


def test_a_sharpe_ratio_that_vanishes_one_bar_later_is_shown_beside_its_rest():
    alarm = gone_one_bar_later(1.5, 0.1)
    assert alarm.message == "The Sharpe ratio is 1.50, and 0.10 one bar later."


@pytest.mark.parametrize("own, delayed", [(1.5, 1.2), (-1.0, -2.0), (np.nan, 0.1), (1.0, np.nan)])
def test_a_sharpe_ratio_that_stays_or_was_never_there_raises_no_alarm(own, delayed):
    assert gone_one_bar_later(own, delayed) is None


def test_all_that_is_known_is_looked_at():
    close = market()
    growth = close_of(np.repeat([-0.001, 0.004, -0.001], 100))
    found = find_alarms(
        build_result(close, exposure=decided_on(close, 1), profits=(9, -1, -1, -1), equity=growth),
        close,
        forecast=on_dates(np.full(N_BARS, 0.5)),
        folds=folds_of(growth, 3),
        equity_by_member=pd.DataFrame({1: [100.0, 112.0], 2: [100.0, 95.0]}),
        delayed_sharpe=-0.3,
    )
    assert names(found) == [
        "lagged close",
        "few lucky trades",
        "frozen forecast",
        "one lucky fold",
        "lucky member",
        "gone one bar later",
    ]


def test_members_that_disagree_raise_no_alarm_where_they_made_no_profit_together():
    curves = pd.DataFrame({1: [100.0, 101.0], 2: [100.0, 90.0]})
    for drift, expected in ((-0.001, False), (0.001, True)):
        result = build_result(market(), equity=close_of(np.full(N_BARS, drift)))
        found = find_alarms(result, market(), equity_by_member=curves)
        assert ("lucky member" in names(found)) is expected


def test_a_result_like_the_market_raises_both_of_its_alarms():
    close = market()
    held = on_dates(np.full(N_BARS, 0.99))
    found = find_alarms(build_result(close, exposure=held, equity=close), close)
    assert names(found) == ["always invested", "buy and hold"]


def test_a_clean_result_raises_no_alarm():
    close = market()
    equity = close_of(0.002 + noise(50))
    found = find_alarms(
        build_result(close, equity=equity),
        close,
        forecast=0.5 + 5.0 * close.pct_change(10),
        folds=folds_of(equity, 3),
        equity_by_member=pd.DataFrame({1: [100.0, 112.0], 2: [100.0, 105.0]}),
        delayed_sharpe=3.0,
    )
    assert found == []


def test_an_alarm_reads_as_name_finding_and_remedy():
    assert str(Alarm("lucky member", "2 lost.", "Average.")) == "lucky member: 2 lost. Average."


class Hold(TargetStrategy):
    def target_exposure(self):
        return 1.0


class FadeTheLastMove(TargetStrategy):
    def target_exposure(self):
        return -1.0 if self.data.close[0] > self.data.close[-1] else 1.0


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [(FadeTheLastMove, {"lagged close"}), (Hold, {"always invested", "buy and hold"})],
    ids=["fade the last move", "hold"],
)
def test_backtests_in_disguise_are_found(strategy, expected):
    close = market()
    open_ = close.shift().fillna(100.0)
    prices = {"open": open_, "close": close}
    prices |= {"high": np.maximum(open_, close), "low": np.minimum(open_, close), "volume": 1.0}
    free = BrokerSettings(commission_rate=0.0, slippage_rate=0.0)
    result = run_backtest(strategy, pd.DataFrame(prices), broker=free, start=DATES[5])
    assert expected <= set(names(find_alarms(result, close)))
