"""Every planted leak of a strategy or indicator is found and named; nothing honest is accused."""

from collections import deque
from threading import Lock

import backtrader as bt
import leaky
import numpy as np
import pytest
from made_up import random_walk

from lstm_strategy import BASELINES, audit
from lstm_strategy.evaluation.audit.findings import FindingKind

BARS = random_walk(100)
A_YEAR_AND_MORE = random_walk(400)
REMEMBERS_LONG = {"12-1 momentum", "SMA cross"}
AUDITED_AT_ONCE = {"12-1 momentum", "Random entries", "Volatility target"}  # the others are slow


def culprits(report):
    return [finding.culprit for finding in report.findings]


LEAKY_STRATEGIES = {
    leaky.ReadsTheNextClose: ("order", "data.close[1]", "positive index"),
    leaky.ReadsTheNextCloseUnguarded: ("order", "data.close[1]", "positive index"),
    leaky.MovesALineBack: ("line self.tomorrow", "data.close(1)", "positive number"),
    leaky.TurnsTheLineIntoAnArray: ("order", "np.array(self.data.close)", "line.get"),
    leaky.WrapsAround: ("order", "data.close[-4]", "addminperiod(5)"),
    leaky.AveragesTheWholeRun: ("order", "data.close.array", "whole run"),
    leaky.PeeksAtTheFrame: ("order", "data.p.dataname", "whole run"),
    leaky.DecidesAtTheOpenByTheClose: ("order", "def next_open", "sees the close"),
    leaky.CheatsOnTheClose: ("fill", "set_coc(True)", "next open"),
    leaky.CentredAverage: ("line CentredAverage.average", "center=True", "centred window"),
    leaky.ScalesByTheWholeRun: ("line ScalesByTheWholeRun.scaled", ".array", "whole run"),
    leaky.RepaintsThePast: ("line RepaintsThePast.peak", "peak[-2]", "rewrites the past"),
    leaky.UsesALeakyIndicator: ("line self.smooth.average", "center=True", "centred window"),
    leaky.OnlyNextModeLeaks: ("order", "get(ago=3", "ago=0"),
}


@pytest.mark.parametrize("strategy", LEAKY_STRATEGIES, ids=lambda strategy: strategy.__name__)
def test_a_strategy_that_looks_ahead_is_found_with_its_place_and_remedy(strategy):
    culprit, code, remedy = LEAKY_STRATEGIES[strategy]
    finding = audit(BARS, strategy=strategy).findings[0]
    assert finding.culprit == culprit
    assert code in finding.source[0]
    assert remedy in finding.remedy
    assert finding.time in BARS.index


@pytest.mark.parametrize(
    ("strategy", "what", "remedy"),
    [
        (leaky.DepositsMoney, "by other than orders: at 2001-03-02", "Leave broker.add_cash"),
        (
            leaky.TradesForFree,
            "commission of the broker is 0.0 instead of 0.001",
            "commission_rate",
        ),
    ],
    ids=["deposit", "no commission"],
)
def test_a_strategy_that_changes_the_terms_of_its_run_is_found(strategy, what, remedy):
    (finding,) = audit(BARS, strategy=strategy).findings
    assert finding.kind is FindingKind.OTHER_TERMS
    assert what in finding.what
    assert remedy in finding.remedy


HONEST = [
    leaky.GlobalLuck,
    leaky.SeededLuck,
    leaky.KeepsNotes,
    leaky.TradesNearTheEnd,
    leaky.KeepsLimitOrders,
    leaky.TrailsItsStop,
    leaky.SendsBrackets,
    leaky.DecidesAtTheOpenByTheOpen,
]


@pytest.mark.parametrize("strategy", HONEST, ids=lambda strategy: strategy.__name__)
def test_an_honest_strategy_is_not_accused(strategy):
    report = audit(BARS, strategy=strategy)
    assert (report.findings, report.notes) == ((), ())


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in AUDITED_AT_ONCE else pytest.mark.slow)
        for name in BASELINES
    ],
)
def test_every_baseline_is_clean(name):
    bars = A_YEAR_AND_MORE if name in REMEMBERS_LONG else BARS
    report = audit(bars, strategy=BASELINES[name])
    assert (report.findings, report.notes) == ((), ())


def test_closing_on_the_last_bar_is_worth_a_note_and_no_leak():
    report = audit(BARS, strategy=leaky.ClosesOnTheLastBar)
    assert report.is_clean
    assert report.notes[0].kind is FindingKind.NUMBER_OF_BARS


def test_the_first_differing_bar_and_the_difference_are_those_of_the_line():
    finding = audit(BARS, strategy=leaky.MovesALineBack).findings[0]
    bar = BARS.index.get_loc(finding.time)
    assert finding.with_later == BARS["close"].iloc[bar + 1]
    assert finding.difference == finding.with_later - finding.known
    assert finding.found_by == f"altering the bars after {finding.time:%Y-%m-%d} (vector mode)"


def test_a_leak_in_one_mode_alone_says_which():
    finding = audit(BARS, strategy=leaky.OnlyNextModeLeaks).findings[0]
    assert "(next mode)" in finding.found_by
    assert "vector" not in finding.found_by


def test_parameters_reach_the_strategy():
    early, late = (
        audit(BARS, strategy=(leaky.CentredAverage, {"reach": reach})).findings[0]
        for reach in (1, 3)
    )
    assert "center=True" in early.source[0]
    assert late.what != early.what


def test_a_class_is_as_it_was_after_its_audit():
    audit(BARS[:60], strategy=leaky.KeepsNotes)
    assert (leaky.KeepsNotes.seen, leaky.KeepsNotes.n_runs) == ([], 0)


class KeepsAllKinds(bt.Strategy):
    """Keeps what it saw in every kind of container of its class, and trades on how much it is."""

    closes, days, last = {}, set(), deque(maxlen=3)
    locks = [Lock()]

    def next(self):
        self.closes[len(self.closes)] = self.data.close[0]
        self.days.add(self.data.datetime.date(0))
        self.last.append(self.data.close[0])
        type(self).newest = self.last[-1]
        self.order_target_size(target=(len(self.closes) + len(self.days) + len(self.last)) % 5)


def test_every_container_of_a_class_is_as_it_was_in_each_run_and_after_them():
    locks = list(KeepsAllKinds.locks)
    assert audit(BARS[:40], strategy=KeepsAllKinds).is_clean
    assert (KeepsAllKinds.closes, KeepsAllKinds.days, len(KeepsAllKinds.last)) == ({}, set(), 0)
    assert not hasattr(KeepsAllKinds, "newest")
    assert KeepsAllKinds.locks == locks


def test_global_random_numbers_go_on_as_if_nothing_had_happened():
    np.random.seed(4)
    expected = np.random.random()
    np.random.seed(4)
    audit(BARS[:60], strategy=leaky.GlobalLuck)
    assert np.random.random() == expected


def test_a_cerebro_of_the_users_own_is_audited_with_all_it_holds():
    def cerebro(bars, *, cheats):
        made = bt.Cerebro(stdstats=False)
        made.adddata(bt.feeds.PandasData(dataname=bars))
        made.addstrategy(BASELINES["SMA cross"], fast=5, slow=10)
        made.broker.set_coc(cheats)
        return made

    assert audit(BARS, cerebro=lambda bars: cerebro(bars, cheats=False)).is_clean
    assert culprits(audit(BARS, cerebro=lambda bars: cerebro(bars, cheats=True))) == ["fill"]
