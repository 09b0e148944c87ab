import logging
import math

import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy.bars import check_bars
from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.backtests import prepare_job, run_backtest, run_jobs
from lstm_strategy.evaluation.robustness import runs
from lstm_strategy.evaluation.robustness.assess import assess_robustness
from lstm_strategy.evaluation.robustness.costs import break_even, try_costs, try_each_cost
from lstm_strategy.evaluation.robustness.delays import delay_forecasts, try_delays
from lstm_strategy.evaluation.robustness.members import member_equities
from lstm_strategy.learning.forecaster import Forecaster
from lstm_strategy.learning.serving import PrecomputedForecasts
from lstm_strategy.trading.baselines import MACD
from lstm_strategy.trading.cerebro import BrokerSettings
from lstm_strategy.trading.instruments import Future, Perpetual, Spot
from lstm_strategy.trading.lstm import LSTMStrategy

BARS = random_walk(120)
CHECKED = check_bars(BARS)
FREE = BrokerSettings(commission_rate=0.0, slippage_rate=0.0)


def forecasts_of(signal, *, training_end=None):
    frame = pd.DataFrame({"signal": signal, "forecast": 0.5, "uncertainty": 0.0}, index=BARS.index)
    return PrecomputedForecasts(frame, warm_up=0, bars_columns=["close"], training_end=training_end)


def job_of(model, **settings):
    params = {"model": model, **settings.pop("params", {})}
    return prepare_job(LSTMStrategy, CHECKED, name="LSTM", params=params, **settings)


def random_signal(seed=0):
    return np.random.default_rng(seed).choice([-1.0, 0.0, 1.0], len(BARS))


def peeking_signal():
    """The sign of the move between the next open and the one after: a planted look-ahead."""
    return np.sign(BARS["open"].shift(-2) - BARS["open"].shift(-1)).fillna(0.0).to_numpy()


class Ensemble(Forecaster):
    """A forecaster with three members and a ledger of two folds."""

    warm_up, bars_columns, training_end = 2, ["close"], BARS.index[19]
    ledger = pd.DataFrame({"fold": np.repeat([1, 2], [60, 40])}, index=BARS.index[20:])

    def __init__(self, n_members=3):
        members = {n: random_signal(n) for n in range(n_members)}
        self.members = pd.DataFrame(members, index=BARS.index)
        self.members.iloc[:2] = np.nan
        self.n_forecasts = 0

    def forecast(self, bars):
        self.n_forecasts += 1
        frame = pd.DataFrame({"signal": self.members.mean(axis=1)}, index=bars.index)
        return frame.assign(forecast=0.5, uncertainty=0.0)

    def member_signals(self, bars):
        return self.members

    def stream(self, history=None):
        raise NotImplementedError


def assess(model, bars=CHECKED):
    job = prepare_job(LSTMStrategy, bars, name="LSTM", params={"model": model})
    if job.trained_until is not None:
        job = job.from_bar(bars.frame.index[bars.frame.index > job.trained_until][0])
    result = job.to_result(job.run(bars))
    return result, assess_robustness(job, bars, result=result, model=model)


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
    model = forecasts_of(random_signal())
    table = try_costs(job_of(model, broker=FREE), CHECKED, rates_bps=(0, 20))
    assert table.index.to_list() == [0, 20]
    assert table.index.name == "commission_bps"
    dear = BrokerSettings(commission_rate=0.002, slippage_rate=0.0)
    alone = run_backtest(LSTMStrategy, BARS, broker=dear, model=model)
    assert table.loc[20].to_dict() == pytest.approx(alone.metrics[table.columns].to_dict())
    assert table.loc[0, "costs"] == 0.0
    assert table["total_return"].is_monotonic_decreasing


def test_each_cost_is_left_out_and_doubled_alone():
    share = Spot(commission_rate=0.001, half_spread_rate=0.0005, impact=1.0, borrow_rate=0.1)
    terms = BrokerSettings(instrument=share, latency_bars=1)
    model = forecasts_of(random_signal())
    table = try_each_cost(job_of(model, broker=terms), CHECKED)
    costs = ["spread", "impact", "borrowing", "latency"]
    assert table.index.to_list() == [(cost, times) for cost in costs for times in (0, 1, 2)]
    own = run_backtest(LSTMStrategy, BARS, broker=terms, model=model).metrics
    for cost in costs:
        assert table.loc[(cost, 1)].to_dict() == own[table.columns].to_dict()
    without = Spot(commission_rate=0.001, impact=1.0, borrow_rate=0.1)
    dear = Spot(commission_rate=0.001, half_spread_rate=0.001, impact=1.0, borrow_rate=0.1)
    for times, instrument in ((0, without), (2, dear)):
        alone = BrokerSettings(instrument=instrument, latency_bars=1)
        metrics = run_backtest(LSTMStrategy, BARS, broker=alone, model=model).metrics
        assert table.loc[("spread", times)].to_dict() == metrics[table.columns].to_dict()
    late = BrokerSettings(instrument=share, latency_bars=2)
    metrics = run_backtest(LSTMStrategy, BARS, broker=late, model=model).metrics
    assert table.loc[("latency", 2)].to_dict() == metrics[table.columns].to_dict()


def test_funding_is_paid_or_left_out():
    rates = np.where(np.arange(len(BARS)) % 3 == 0, 0.001, np.nan)
    bars = check_bars(BARS.assign(funding_rate=rates))
    params = {"model": forecasts_of(np.ones(len(BARS)))}
    terms = BrokerSettings(instrument=Perpetual())
    job = prepare_job(LSTMStrategy, bars, name="LSTM", params=params, broker=terms)
    returns = try_each_cost(job, bars)["total_return"]
    assert returns.index.to_list() == [("funding", 0), ("funding", 1)]
    assert returns[("funding", 0)] > returns[("funding", 1)]


def test_nothing_is_tried_where_commission_and_slippage_are_all():
    assert try_each_cost(job_of(forecasts_of(random_signal())), CHECKED) is None


def test_a_cost_is_a_multiple_in_every_market_that_has_it():
    future = Future(multiplier=5, initial_margin=100, half_spread=0.25)
    terms = BrokerSettings(instruments={"A": Spot(impact=0.5), "B": future})
    assert terms.costs_beside_fee == ("impact", "spread")
    twice = terms.with_cost_times("spread", 2).instruments
    dear = Future(multiplier=5, initial_margin=100, half_spread=0.5)
    assert twice == {"A": Spot(impact=0.5), "B": dear}


def test_the_stated_commission_follows_the_spread():
    terms = BrokerSettings(instrument=Spot(commission_rate=0.001, half_spread_rate=0.0005))
    assert terms.with_cost_times("spread", 0).commission_rate == 0.001
    assert terms.with_cost_times("spread", 2).commission_rate == 0.002


def test_parameters_of_the_strategy_reach_every_run():
    job = job_of(forecasts_of(-np.ones(len(BARS))), params={"long_only": True})
    assert try_costs(job, CHECKED, rates_bps=(0, 5))["turnover"].to_list() == [0.0, 0.0]


def test_a_delayed_forecast_stands_that_many_bars_later():
    known = forecasts_of(np.arange(len(BARS)) / 1000.0)
    late = delay_forecasts(known, BARS, delay_bars=2).forecast(BARS)["signal"]
    assert late.iloc[:4].to_list() == pytest.approx([math.nan, math.nan, 0.0, 0.001], nan_ok=True)
    assert known.frame["signal"].iloc[0] == 0.0


def test_a_negative_delay_is_refused():
    with pytest.raises(TradingError, match="must be 0 or more, got -1"):
        try_delays(job_of(forecasts_of(random_signal())), CHECKED, delays_bars=[-1])


def test_a_strategy_without_forecasts_can_not_be_late():
    rule = prepare_job(MACD, CHECKED, name="MACD", params={})
    with pytest.raises(TradingError, match="MACD trades no forecasts"):
        try_delays(rule, CHECKED)


def test_a_peeking_strategy_loses_its_edge_one_bar_later():
    job = job_of(forecasts_of(peeking_signal()), broker=FREE)
    table = try_delays(job, CHECKED, delays_bars=(0, 1))
    assert table.loc[0, "sharpe"] > 10.0
    assert table.loc[1, "sharpe"] < 0.25 * table.loc[0, "sharpe"]


def test_a_steady_strategy_is_hardly_changed_by_a_delay():
    job = job_of(forecasts_of(np.ones(len(BARS))), start=BARS.index[10], broker=FREE)
    table = try_delays(job, CHECKED, delays_bars=(0, 1))
    assert table.loc[1].to_dict() == pytest.approx(table.loc[0].to_dict())


def test_a_delay_moves_neither_the_first_bar_nor_the_end_of_the_training():
    model = forecasts_of(random_signal(), training_end=BARS.index[19])
    late = delay_forecasts(model, BARS, delay_bars=5)
    runs = [run_backtest(LSTMStrategy, BARS, model=each) for each in (model, late)]
    assert [run.equity.index[0] for run in runs] == [BARS.index[20]] * 2
    assert not any(run.in_sample for run in runs)


def test_runs_under_other_terms_do_not_log_their_orders_again(caplog):
    model = forecasts_of(np.r_[np.zeros(len(BARS) - 1), 1.0])
    with caplog.at_level(logging.INFO):
        run_backtest(LSTMStrategy, BARS, model=model)
        try_costs(job_of(model), CHECKED)
    assert len(caplog.records) == 1


def test_each_member_gives_the_equity_of_its_own_backtest():
    signals = pd.DataFrame({7: random_signal(7), 8: random_signal(8)}, index=BARS.index)
    job = job_of(forecasts_of(random_signal()), start=BARS.index[30])
    equities = member_equities(job, CHECKED, signals=signals)
    assert equities.columns.to_list() == [7, 8]
    for member in signals:
        model = forecasts_of(signals[member].to_numpy())
        alone = run_backtest(LSTMStrategy, BARS, start=BARS.index[30], model=model)
        assert equities[member].to_list() == pytest.approx(alone.equity.to_list())


def test_all_members_begin_after_the_longest_warm_up():
    signals = pd.DataFrame({0: random_signal(0), 1: random_signal(1)}, index=BARS.index)
    signals.iloc[:3, 0] = np.nan
    signals.iloc[:5, 1] = np.nan
    equities = member_equities(job_of(forecasts_of(random_signal())), CHECKED, signals=signals)
    assert equities.index[0] == BARS.index[5]
    assert equities.notna().all(axis=None)


@pytest.mark.parametrize("n_rows", [119, 0], ids=["a bar is missing", "no rows"])
def test_signals_of_other_bars_are_refused(n_rows):
    signals = pd.DataFrame({0: random_signal()}, index=BARS.index).iloc[:n_rows]
    with pytest.raises(TradingError, match=f"got none for {BARS.index[n_rows]}"):
        member_equities(job_of(forecasts_of(random_signal())), CHECKED, signals=signals)


def test_robustness_forecasts_once_and_runs_everything_over_the_same_bars():
    model = Ensemble()
    result, robustness = assess(model)
    assert model.n_forecasts == 1
    assert result.equity.index[0] == BARS.index[20]
    assert robustness.equity_by_member.index.equals(result.equity.index)
    assert robustness.equity_by_member.shape[1] == 3
    assert robustness.folds["bars"].to_dict() == {1: 60, 2: 40}
    own = result.metrics["sharpe"]
    assert robustness.delays.loc[0, "sharpe"] == robustness.costs.loc[10.0, "sharpe"] == own
    assert robustness.delayed_sharpe == robustness.delays.loc[1, "sharpe"]
    expected = break_even(robustness.costs["sharpe"])
    assert robustness.break_even_bps == pytest.approx(expected, nan_ok=True)


def test_a_model_without_members_or_ledger_has_neither_table():
    _, robustness = assess(forecasts_of(random_signal()))
    assert robustness.folds is None
    assert robustness.equity_by_member is None
    assert assess(Ensemble(1))[1].equity_by_member is None


def test_a_trained_ensemble_is_run_member_by_member(trained):
    bars = check_bars(random_walk(460))
    result, robustness = assess(trained, bars)
    signals = trained.member_signals(bars.frame)
    assert robustness.equity_by_member.columns.to_list() == signals.columns.to_list()
    assert robustness.equity_by_member.index[0] == result.equity.index[0] > trained.training_end
    assert not result.in_sample


def test_all_runs_decide_together_whether_processes_are_worth_their_start(monkeypatch):
    asked = []

    def watch(jobs, bars, n_jobs=None):
        asked.append((len(jobs), n_jobs))
        return run_jobs(jobs, bars, n_jobs=1)

    monkeypatch.setattr(runs, "run_jobs", watch)
    monkeypatch.setattr(runs, "worthwhile_processes", lambda n_runs, bars: n_runs)
    assess(Ensemble())
    assert asked == [(5, 14), (6, 14), (3, 14)]
