"""Bars before the start are skipped, and nothing but the time that a run takes tells so."""

from dataclasses import fields
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy.trading import backtrader_internals
from lstm_strategy.trading.baselines import (
    BASELINES,
    FUTURES_BASELINES,
    PERPETUAL_BASELINES,
    PORTFOLIO_BASELINES,
)
from lstm_strategy.trading.cerebro import BrokerSettings, build_cerebro, run_cerebro, warm_up
from lstm_strategy.trading.instruments import Future, Perpetual, Spot

BARS = random_walk(900, seed=3)
HOURS = random_walk(900, seed=4, freq="h").assign(
    funding_rate=lambda bars: np.where(bars.index.hour % 8 == 0, 1e-3, np.nan),
    mark=lambda bars: bars["close"] * 1.001,
    spot_close=lambda bars: bars["close"] * 0.999,
)
CONTRACTS = random_walk(900, seed=5).assign(
    contract=lambda bars: np.arange(len(bars)) // 60,
    price=lambda bars: bars["close"] + 2.0,
    carry_price=lambda bars: bars["close"] * (1 + 0.02 * np.sin(np.arange(len(bars)) / 50)),
    years_to_carry=0.25,
)
PANEL = {
    "A": random_walk(900, seed=6),
    "B": random_walk(900, seed=7)[40:],
    "C": random_walk(900, seed=8)[::2],
}
PERPETUAL = BrokerSettings(instrument=Perpetual(leverage=3, margin_mode="cross"))


class Levels(bt.Strategy):
    """Goes by lines that are combined, delayed, and computed from one another."""

    def __init__(self):
        range_ = bt.ind.Highest(self.data.high(-1), period=20) - bt.ind.Lowest(self.data.low)
        self.is_wide = bt.And(range_ > bt.ind.SMA(range_, period=30), self.data.close(0) > 0)
        self.late = bt.ind.EMA(bt.ind.RSI(self.data), period=5)(-2)
        self.dates = []

    def next(self):
        self.dates.append((self.datetime[-30], len(self), len(self.late)))
        if self.is_wide[0] and self.late[0] < 60 and not self.position:
            self.buy(size=1)
        elif self.position and self.late[-1] > 50:
            self.close()


class AtTheOpen(Levels):
    def next_open(self):
        if len(self) % 7 == 0:
            self.order_target_percent(target=0.5 * (len(self) % 2))


class Counting(Levels):
    """Counts what it is told of, in a way that goes on while it is silent."""

    params = (("by", "notify_cashvalue"),)

    def __init__(self):
        super().__init__()
        self.n_told = 0
        if self.p.by == "timer":
            self.add_timer(when=bt.Timer.SESSION_START)
        if self.p.by == "observer":
            self._addobserver(False, bt.observers.DrawDown)
        if self.p.by == "analyzer":
            self._addanalyzer(bt.analyzers.TimeReturn)
        if self.p.by == "analyzer of an observer":
            self._addanalyzer_slave(bt.analyzers.TimeReturn)
        if self.p.by == "function":
            self.notify_fund = lambda *money: self.dates.append(money)


class ByItself(Levels):
    """Goes by an indicator that moves on with the strategy, and so is a bar behind."""

    lines: Any = ("spread",)
    params = (("by", "line"),)

    def __init__(self):
        super().__init__()
        self.lines.spread = self.data.high - self.data.low
        if self.p.by == "line":
            self.behind = bt.ind.SMA(self.lines.spread, period=4)
        if self.p.by == "delay":
            self.behind = self.lines.spread(-1)
        if self.p.by == "chain":
            self.behind = bt.ind.SMA(self.lines.spread - self.data.close, period=4)
        if self.p.by == "reduce":  # starts with a function, not with a line
            self.behind = bt.Reduce(min, self.data.high, self.data.low)

    def next(self):
        super().next()
        if self.behind[0] > self.behind[-1]:
            self.order_target_size(target=len(self.behind) % 5)


class Forgetful(Levels):
    """Has a method of the name of backtrader's own, which Cerebro calls too."""

    def start(self):
        self.reset()

    def reset(self):
        self.held = 0

    def next(self):
        super().next()
        self.held += 1
        if self.held > 20:
            self.reset()
            self.close()


class ToldOfCash(Counting):
    def notify_cashvalue(self, cash, value):
        self.n_told += 1


def run_with_and_without(monkeypatch, strategy, bars, **options):
    """The run as it is, and the run that goes through all bars, with how many were skipped."""
    skipped = []

    def skip(*arguments):
        skipped.append(backtrader_internals.skip_bars(*arguments))
        return skipped[-1]

    monkeypatch.setattr(warm_up, "skip_bars", skip)
    quick = run_cerebro(strategy, bars, **options)
    with monkeypatch.context() as patch:
        patch.setattr(warm_up, "may_skip_bars", lambda strategy: False)
        full = run_cerebro(strategy, bars, **options)
    return quick, full, sum(skipped)


def assert_same_runs(quick, full):
    for field in fields(full):
        known, shown = getattr(full, field.name), getattr(quick, field.name)
        if isinstance(known, pd.DataFrame):
            pd.testing.assert_frame_equal(shown, known, check_exact=True)
        elif isinstance(known, pd.Series):
            pd.testing.assert_series_equal(shown, known, check_exact=True)
        else:
            assert shown == known, field.name


@pytest.mark.parametrize("strategy", [*BASELINES.values(), Levels, AtTheOpen])
def test_a_run_that_skips_its_first_bars_is_the_run_of_all_bars(strategy, monkeypatch):
    quick, full, n_skipped = run_with_and_without(
        monkeypatch, strategy, BARS, start=BARS.index[450]
    )
    assert n_skipped == 450
    assert_same_runs(quick, full)
    assert len(full.fills) > 0


@pytest.mark.parametrize(
    ("strategy", "bars", "broker"),
    [
        *((each, HOURS, PERPETUAL) for each in PERPETUAL_BASELINES.values()),
        (BASELINES["MACD"], HOURS, PERPETUAL),
        *(
            (
                each,
                CONTRACTS,
                BrokerSettings(instrument=Future(multiplier=5, initial_margin=50, price="price")),
            )
            for each in FUTURES_BASELINES.values()
        ),
        (
            BASELINES["MACD"],
            BARS,
            BrokerSettings(instrument=Spot(commission_rate=2e-3, impact=0.5)),
        ),
        (BASELINES["MACD"], BARS, BrokerSettings(latency_bars=2, execution_bars=3)),
    ],
)
def test_so_it_is_with_derivatives_impact_and_late_orders(strategy, bars, broker, monkeypatch):
    quick, full, n_skipped = run_with_and_without(
        monkeypatch, strategy, bars, start=bars.index[500], broker=broker
    )
    goes_by_all_bars = any(each.impact for each in filter(None, [broker.instrument]))
    assert n_skipped == (0 if goes_by_all_bars else 500)
    assert_same_runs(quick, full)


@pytest.mark.parametrize("strategy", PORTFOLIO_BASELINES.values())
def test_a_panel_skips_the_dates_before_its_start(strategy, monkeypatch):
    start = PANEL["A"].index[501]  # a date that C doesn't have
    quick, full, n_skipped = run_with_and_without(monkeypatch, strategy, PANEL, start=start)
    assert n_skipped == 501
    assert_same_runs(quick, full)


@pytest.mark.parametrize(
    ("strategy", "params"),
    [
        (ToldOfCash, {}),
        (Forgetful, {}),
        (Counting, {"by": "timer"}),
        (Counting, {"by": "observer"}),
        (Counting, {"by": "analyzer"}),
        (Counting, {"by": "analyzer of an observer"}),
        (Counting, {"by": "function"}),
        *((ByItself, {"by": by}) for by in ("line", "delay", "chain", "reduce")),
    ],
)
def test_whoever_hears_of_every_bar_is_shown_every_bar(strategy, params, monkeypatch):
    quick, full, n_skipped = run_with_and_without(
        monkeypatch, strategy, BARS, start=BARS.index[450], **params
    )
    assert n_skipped == 0
    assert_same_runs(quick, full)


def test_a_strategy_sees_the_dates_and_the_number_of_the_bars_that_were_skipped():
    (done,) = build_cerebro(Levels, BARS, start=BARS.index[450]).run()
    assert done.dates[0] == (bt.date2num(BARS.index[420].to_pydatetime()), 451, 451)
    assert len(done.dates) == 450


def test_of_two_strategies_neither_skips_what_the_other_hears_of():
    cerebro = build_cerebro(Levels, BARS, start=BARS.index[450])
    cerebro.addstrategy(ToldOfCash)
    first, second = cerebro.run()
    assert (first.dates, second.n_told) == (second.dates, 900)
    assert first.dates[0][1:] == (451, 451)
