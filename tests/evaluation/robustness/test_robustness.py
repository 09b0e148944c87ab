import logging
import math

import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.backtests import BacktestResult, run_backtest
from lstm_strategy.evaluation.metrics import sharpe, total_return
from lstm_strategy.evaluation.robustness.assess import (
    break_even,
    cost_break_even,
    delay_break_even,
    delayed_forecasts,
    fold_table,
    member_equities,
    robustness,
)
from lstm_strategy.learning.serving import PrecomputedForecasts
from lstm_strategy.trading.cerebro import BrokerSettings
from lstm_strategy.trading.cerebro.recorders import FILL_COLUMNS
from lstm_strategy.trading.cerebro.trades import trades_from_fills
from lstm_strategy.trading.lstm import LSTMStrategy

BARS = random_walk(120)
FREE = BrokerSettings(commission_rate=0.0, slippage_rate=0.0)


def forecasts_of(signal, *, training_end=None):
    frame = pd.DataFrame({"signal": signal, "forecast": 0.5, "uncertainty": 0.0}, index=BARS.index)
    return PrecomputedForecasts(frame, warm_up=0, bars_columns=["close"], training_end=training_end)


def coin_signal(seed=0):
    return np.random.default_rng(seed).choice([-1.0, 0.0, 1.0], len(BARS))


def peeking_signal():
    """The sign of the move between the next open and the one after: a planted look-ahead."""
    return np.sign(BARS["open"].shift(-2) - BARS["open"].shift(-1)).fillna(0.0).to_numpy()


class Ensemble:
    """A forecaster with three members and a ledger of two folds, as far as robustness needs it."""

    warm_up, bars_columns, training_end = 2, ["close"], BARS.index[19]

    def __init__(self, n_members=3):
        members = {n: coin_signal(n) for n in range(n_members)}
        self.members = pd.DataFrame(members, index=BARS.index)
        self.members.iloc[:2] = np.nan
        self.n_forecasts = 0
        fold = np.repeat([1, 2], [60, 40])
        self.ledger = pd.DataFrame({"fold": fold}, index=BARS.index[20:])

    def forecast(self, bars):
        self.n_forecasts += 1
        frame = pd.DataFrame({"signal": self.members.mean(axis=1)}, index=bars.index)
        return frame.assign(forecast=0.5, uncertainty=0.0)

    def member_signals(self, bars):
        return self.members

    def stream(self):
        raise NotImplementedError


def build_result(equity, *, fills=(), index=None):
    index = pd.date_range("2020-01-01", periods=len(equity)) if index is None else index
    equity = pd.Series(equity, index=index, dtype=float)
    rows = [(size, price, 0.0, 0.0) for _, size, price in fills]
    fills = pd.DataFrame(rows, index[[bar for bar, _, _ in fills]], columns=list(FILL_COLUMNS))
    return BacktestResult(
        name="LSTM",
        equity=equity,
        exposure=equity * 0.0,
        fills=fills.astype(float),
        trades=trades_from_fills(fills.astype(float), equity),
        costs=0.0,
        order_counts={},
        first_tradable=index[0],
        bars_per_year=252.0,
        params={},
    )


@pytest.mark.parametrize(
    ("curve", "expected"),
    [
        ({0: 1.0, 10: 0.5, 20: -0.5}, 15.0),
        ({0: 1.0, 10: 0.0, 20: -0.5}, 10.0),
        ({20: -1.0, 0: 1.0}, 10.0),
        ({0: 1.0, 5: math.nan, 10: -1.0}, 5.0),
        ({0: 1.0, 10: -1.0, 20: 1.0, 30: -1.0}, 5.0),
        ({0: 1.0, 10: 0.5}, math.inf),
        ({0: -0.1, 10: -0.5}, math.nan),
        ({0: math.nan}, math.nan),
    ],
    ids=["between", "on a point", "unsorted", "a gap", "first", "never", "from below", "unknown"],
)
def test_the_break_even_is_where_the_line_first_meets_zero(curve, expected):
    assert break_even(pd.Series(curve, dtype=float)) == pytest.approx(expected, nan_ok=True)


def test_a_break_even_can_be_against_another_level():
    assert break_even(pd.Series({0: 1.0, 10: 0.0}), level=0.75) == 2.5


def test_each_commission_gives_the_metrics_of_its_own_backtest():
    model = forecasts_of(coin_signal())
    table = cost_break_even(LSTMStrategy, BARS, model=model, broker=FREE, rates_bps=(0, 20))
    assert table.index.to_list() == [0, 20]
    assert table.index.name == "commission_bps"
    dear = BrokerSettings(commission_rate=0.002, slippage_rate=0.0)
    alone = run_backtest(LSTMStrategy, BARS, broker=dear, model=model)
    assert table.loc[20].to_dict() == pytest.approx(alone.metrics[table.columns].to_dict())
    assert table.loc[0, "costs"] == 0.0
    assert table["total_return"].is_monotonic_decreasing


def test_parameters_of_the_strategy_reach_every_run():
    model = forecasts_of(-np.ones(len(BARS)))
    table = cost_break_even(LSTMStrategy, BARS, model=model, rates_bps=(0, 5), long_only=True)
    assert table["turnover"].to_list() == [0.0, 0.0]


def test_a_delayed_forecast_stands_that_many_bars_later():
    known = forecasts_of(np.arange(len(BARS)) / 1000.0)
    late = delayed_forecasts(known, BARS, delay_bars=2).forecast(BARS)["signal"]
    assert late.iloc[:4].to_list() == pytest.approx([math.nan, math.nan, 0.0, 0.001], nan_ok=True)
    assert known.frame["signal"].iloc[0] == 0.0


def test_a_negative_delay_is_refused():
    with pytest.raises(TradingError, match="must be 0 or more, got -1"):
        delay_break_even(LSTMStrategy, BARS, model=forecasts_of(coin_signal()), delays_bars=[-1])


def test_a_peeking_strategy_loses_its_edge_one_bar_later():
    model = forecasts_of(peeking_signal())
    table = delay_break_even(LSTMStrategy, BARS, model=model, broker=FREE, delays_bars=(0, 1))
    assert table.loc[0, "sharpe"] > 10.0
    assert table.loc[1, "sharpe"] < 0.25 * table.loc[0, "sharpe"]


def test_a_steady_strategy_hardly_minds_a_delay():
    model = forecasts_of(np.ones(len(BARS)))
    start = BARS.index[10]
    table = delay_break_even(
        LSTMStrategy, BARS, model=model, start=start, broker=FREE, delays_bars=(0, 1)
    )
    assert table.loc[1].to_dict() == pytest.approx(table.loc[0].to_dict())


def test_all_delays_are_traded_over_the_same_bars():
    model = forecasts_of(coin_signal(), training_end=BARS.index[19])
    late = delayed_forecasts(model, BARS, delay_bars=5)
    runs = [run_backtest(LSTMStrategy, BARS, model=each) for each in (model, late)]
    assert [run.equity.index[0] for run in runs] == [BARS.index[20]] * 2
    assert not any(run.in_sample for run in runs)


def test_repeated_runs_dont_repeat_the_log_of_orders(caplog):
    model = forecasts_of(np.r_[np.zeros(len(BARS) - 1), 1.0])
    with caplog.at_level(logging.WARNING):
        run_backtest(LSTMStrategy, BARS, model=model)
        once = len(caplog.records)
        cost_break_even(LSTMStrategy, BARS, model=model)
        assert len(caplog.records) == once == 1
        run_backtest(LSTMStrategy, BARS, model=model)
        assert len(caplog.records) == 2


def test_a_fold_begins_at_the_close_before_its_first_bar():
    result = build_result(
        [100.0, 110.0, 99.0, 108.9, 108.9, 98.01],
        fills=[(1, 10.0, 1.0), (2, -10.0, 1.0), (3, 5.0, 2.0)],
    )
    ledger = pd.DataFrame({"fold": [1, 1, 2, 2, 2, 2]}, index=result.equity.index)
    close = pd.Series([1.0, 2.0, 1.0, 1.0, 1.0, 3.0], index=result.equity.index)
    table = fold_table(result, ledger, close=close)
    day = result.equity.index
    assert table.index.to_list() == [1, 2]
    assert table["first"].to_list() == [day[0], day[2]]
    assert table["last"].to_list() == [day[1], day[5]]
    assert table["bars"].to_list() == [2, 4]
    assert table["total_return"].to_list() == pytest.approx([0.1, 0.9 * 1.1 * 0.9 - 1.0])
    assert table["max_drawdown"].to_list() == pytest.approx([0.0, 0.9 * 1.1 * 0.9 - 1.0])
    assert table["market_return"].to_list() == pytest.approx([1.0, 0.5])
    assert table["trades"].to_list() == [1, 0]  # the second one is still open
    curve = pd.Series([1.0, 0.9, 0.99, 0.99, 0.891])
    assert table.loc[2, "sharpe"] == pytest.approx(sharpe(curve, 252.0))
    mean_equity = (99.0 + 108.9 + 108.9 + 98.01) / 4
    assert table.loc[2, "turnover"] == pytest.approx((10.0 + 10.0) / mean_equity * 252.0 / 3)


def test_the_folds_multiply_to_the_whole_run():
    result = run_backtest(LSTMStrategy, BARS, model=forecasts_of(coin_signal()))
    ledger = pd.DataFrame({"fold": np.repeat([1, 2, 3], 40)}, index=BARS.index)
    table = fold_table(result, ledger)
    assert (1.0 + table["total_return"]).prod() - 1.0 == pytest.approx(total_return(result.equity))
    assert table["bars"].sum() == len(result.equity)
    assert table["trades"].sum() == result.metrics["trades"]
    assert "market_return" not in table


def test_a_fold_says_where_its_training_ended():
    result = build_result([1.0, 1.1, 1.2])
    day = result.equity.index
    ledger = pd.DataFrame({"fold": [4, 4, 5], "train_end": [day[0], day[0], day[1]]}, index=day)
    assert fold_table(result, ledger)["train_end"].to_list() == [day[0], day[1]]


def test_bars_beyond_the_ledger_and_folds_beyond_the_bars_are_left_out():
    result = build_result([1.0, 1.1, 1.2, 1.3])
    day = result.equity.index
    ledger = pd.DataFrame({"fold": [1, 2, 2]}, index=[day[0] - pd.Timedelta(9, "D"), *day[1:3]])
    table = fold_table(result, ledger)
    assert table["bars"].to_dict() == {2: 2}


def test_a_ledger_in_utc_meets_bars_of_another_clock():
    tokyo = pd.date_range("2020-01-01 09:00", periods=4, freq="h", tz="Asia/Tokyo")
    result = build_result([1.0, 1.1, 1.2, 1.3], index=tokyo)
    ledger = pd.DataFrame({"fold": [1, 1, 2, 2]}, index=tokyo.tz_convert("UTC"))
    assert fold_table(result, ledger)["first"].to_list() == [tokyo[0], tokyo[2]]


def test_a_ledger_of_other_bars_is_refused():
    result = build_result([1.0, 1.1])
    ledger = pd.DataFrame({"fold": [1]}, index=pd.to_datetime(["1990-01-01"]))
    with pytest.raises(TradingError, match="must cover bars of the result, but it ends at 1990"):
        fold_table(result, ledger)


def test_each_seed_gives_the_equity_of_its_own_backtest():
    signals = pd.DataFrame({7: coin_signal(7), 8: coin_signal(8)}, index=BARS.index)
    fan = member_equities(LSTMStrategy, BARS, signals=signals, start=BARS.index[30])
    assert fan.columns.to_list() == [7, 8]
    for seed in signals:
        model = forecasts_of(signals[seed].to_numpy())
        alone = run_backtest(LSTMStrategy, BARS, start=BARS.index[30], model=model)
        assert fan[seed].to_list() == pytest.approx(alone.equity.to_list())


def test_all_seeds_begin_after_the_longest_warm_up():
    signals = pd.DataFrame({0: coin_signal(0), 1: coin_signal(1)}, index=BARS.index)
    signals.iloc[:3, 0] = np.nan
    signals.iloc[:5, 1] = np.nan
    fan = member_equities(LSTMStrategy, BARS, signals=signals)
    assert fan.index[0] == BARS.index[5]
    assert fan.notna().all(axis=None)


@pytest.mark.parametrize("n_rows", [119, 0], ids=["a bar is missing", "no rows"])
def test_signals_of_other_bars_are_refused(n_rows):
    signals = pd.DataFrame({0: coin_signal()}, index=BARS.index).iloc[:n_rows]
    with pytest.raises(TradingError, match=f"got none for {BARS.index[n_rows]}"):
        member_equities(LSTMStrategy, BARS, signals=signals)


def test_robustness_forecasts_once_and_runs_everything_over_the_same_bars():
    model = Ensemble()
    found = robustness(LSTMStrategy, BARS, model=model)
    assert model.n_forecasts == 1
    assert found.result.equity.index[0] == BARS.index[20]
    assert found.equity_by_member.index.equals(found.result.equity.index)
    assert found.equity_by_member.shape[1] == 3
    assert found.folds["bars"].to_dict() == {1: 60, 2: 40}
    own = found.result.metrics["sharpe"]
    assert found.delays.loc[0, "sharpe"] == found.costs.loc[10.0, "sharpe"] == own
    assert found.delayed_sharpe == found.delays.loc[1, "sharpe"]
    assert found.break_even_bps == pytest.approx(break_even(found.costs["sharpe"]), nan_ok=True)


def test_a_model_without_members_or_ledger_has_neither_fan_nor_folds():
    found = robustness(LSTMStrategy, BARS, model=forecasts_of(coin_signal()))
    assert found.folds is None
    assert found.equity_by_member is None
    assert robustness(LSTMStrategy, BARS, model=Ensemble(1)).equity_by_member is None


def test_a_real_ensemble_is_run_member_by_member(trained):
    bars = random_walk(460)
    found = robustness(LSTMStrategy, bars, model=trained)
    signals = trained.member_signals(bars)
    assert found.equity_by_member.columns.to_list() == signals.columns.to_list()
    assert found.equity_by_member.index[0] == found.result.equity.index[0] > trained.training_end
    assert not found.result.in_sample
