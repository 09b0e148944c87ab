"""What trading costs is audited too: schemes, fillers and brokers that read a later bar."""

import backtrader as bt
import leaky
import leaky_costs
import pytest

from lstm_strategy import (
    BASELINES,
    PORTFOLIO_BASELINES,
    BrokerSettings,
    Future,
    Perpetual,
    Spot,
    audit,
    simulate_bars,
)
from lstm_strategy.errors import AuditError
from lstm_strategy.evaluation.audit.findings import FindingKind
from lstm_strategy.trading import BarsFeed

BARS = simulate_bars("perpetual", 64, seed=1).bars

LEAKY_SCHEMES = {
    leaky_costs.PaysTheNextFunding: ("what is charged", "data.funding_rate[1]"),
    leaky_costs.PaysTheNextFundingOfALine: ("what is charged", "line[1]"),
    leaky_costs.ChargesByTheNextClose: ("what is charged", "self.data.close[1]"),
    leaky_costs.ChargesByTheWholeRun: ("what is charged", "data.close.array"),
    leaky_costs.LooksAheadInItsFrame: ("what is charged", "shift(-1)"),
    leaky_costs.ValuesByTheNextClose: ("cash", "self.data.close[1]"),
}


@pytest.mark.parametrize("scheme", LEAKY_SCHEMES, ids=lambda scheme: scheme.__name__)
def test_a_commission_scheme_that_looks_ahead_is_found_with_its_place(scheme):
    culprit, code = LEAKY_SCHEMES[scheme]
    made = (lambda bars: scheme(bars)) if scheme is leaky_costs.LooksAheadInItsFrame else scheme
    finding = audit(BARS, commission=made).findings[0]
    assert (finding.layer, finding.culprit) == ("costs", f"{culprit} ({scheme.__name__})")
    assert finding.kind is FindingKind.LATER_BARS
    assert code in finding.source[0]
    assert finding.time in BARS.index


def test_a_scheme_that_reads_beyond_the_end_is_found_by_name():
    finding = audit(BARS, commission=leaky_costs.PaysTheNextFundingUnguarded()).findings[0]
    assert finding.layer == "costs"
    assert finding.culprit == "the run itself (PaysTheNextFundingUnguarded)"
    assert finding.kind is FindingKind.READ_BEYOND
    assert "data.funding_rate[1]" in finding.source[0]


@pytest.mark.parametrize("strategy", [None, BASELINES["SMA cross"]], ids=["alone", "with another"])
def test_an_instrument_of_the_users_own_that_looks_ahead_is_found(strategy):
    broker = BrokerSettings(instrument=leaky_costs.PeekingPerpetual())
    given = None if strategy is None else (strategy, {"fast": 3, "slow": 6})
    findings = audit(BARS, strategy=given, broker=broker).findings
    assert {finding.layer for finding in findings} == {"costs"}
    assert "PeekingScheme" in findings[0].culprit
    assert "data.close[1]" in findings[0].source[0]


def build_cerebro(bars, scheme=None, *, broker=None, strategy=BASELINES["SMA cross"], filler=None):
    cerebro = bt.Cerebro(stdstats=False)
    if broker is not None:
        cerebro.broker = broker()
    cerebro.broker.setcash(100_000.0)
    if scheme is not None:
        cerebro.broker.addcommissioninfo(scheme())
    if filler is not None:
        cerebro.broker.set_filler(filler)
    cerebro.adddata(BarsFeed(bars))
    params = {"fast": 3, "slow": 6} if strategy is BASELINES["SMA cross"] else {}
    cerebro.addstrategy(strategy, **params)
    return cerebro


IN_A_CEREBRO = {
    "scheme": ({"scheme": leaky_costs.PaysTheNextFunding}, "what is charged", "funding_rate[1]"),
    "filler": ({"filler": leaky_costs.fill_by_the_next_volume}, "position", "data.volume[1]"),
    "slippage": (
        {"broker": leaky_costs.SlipsToTheNextClose},
        "the price of fills",
        "data.close[1]",
    ),
    "liquidation": ({"broker": leaky_costs.LiquidatesByTheNextLow}, "order", "data.low[1]"),
}


@pytest.mark.parametrize("case", IN_A_CEREBRO)
def test_costs_and_fills_of_a_users_cerebro_that_look_ahead_are_found(case):
    parts, culprit, code = IN_A_CEREBRO[case]
    finding = audit(BARS, cerebro=lambda bars: build_cerebro(bars, **parts)).findings[0]
    assert finding.culprit.startswith(culprit)
    assert code in finding.source[0]


@pytest.mark.parametrize(
    "instrument",
    [
        Spot(borrow_rate=0.05, half_spread_rate=0.0002, impact=1, participation=0.1),
        Future(multiplier=10, initial_margin=100, commission_per_contract=1),
        Perpetual(leverage=3),
        Perpetual(leverage=5, margin_mode="cross"),
    ],
    ids=["spot", "future", "isolated", "cross"],
)
def test_our_instruments_are_clean(instrument):
    report = audit(BARS, broker=BrokerSettings(instrument=instrument))
    assert (report.findings, report.notes) == ((), ())


@pytest.mark.parametrize(
    "scheme",
    [
        bt.CommissionInfo(commission=0.001, interest=0.05, interest_long=True),
        leaky_costs.PaysTheSettledFunding,
        lambda bars: Perpetual(leverage=2).commission_info(),
    ],
    ids=["interest of backtrader's", "settled funding", "a perpetual's"],
)
def test_honest_schemes_are_clean(scheme):
    report = audit(BARS, commission=scheme)
    assert (report.findings, report.notes) == ((), ())


def test_a_strategy_that_looks_ahead_is_no_fault_of_an_honest_scheme():
    parts = {"scheme": leaky_costs.PaysTheSettledFunding, "strategy": leaky.ReadsTheNextClose}
    finding = audit(BARS, cerebro=lambda bars: build_cerebro(bars, **parts)).findings[0]
    assert (finding.layer, finding.culprit) == ("strategy", "order")


def test_what_makes_no_scheme_is_refused():
    with pytest.raises(AuditError, match=r"commission must be .*, got 0\.001"):
        audit(BARS, commission=0.001)


def test_a_scheme_that_charges_nan_is_refused_at_the_first_bar():
    class ChargesNaN(bt.CommissionInfo):
        def get_credit_interest(self, data, pos, dt):
            return pos.size * data.funding_rate[0]

    with pytest.raises(AuditError, match=r"cash is NaN from 2020-01-01 .*math\.isnan"):
        audit(BARS, commission=ChargesNaN)


def test_costs_that_nobody_can_pay_are_refused():
    dear = bt.CommissionInfo(commission=1e9)
    with pytest.raises(AuditError, match="No order fills"):
        audit(BARS, commission=dear)


def test_costs_of_a_panel_are_audited_market_by_market():
    with pytest.raises(AuditError, match="commission is audited on the bars of one market"):
        audit({"A": BARS, "B": BARS}, commission=leaky_costs.PaysTheNextFunding)


def test_an_instrument_that_looks_ahead_is_found_in_a_panel():
    broker = BrokerSettings(instruments={"B": leaky_costs.PeekingPerpetual()})
    strategy = PORTFOLIO_BASELINES["Equal weight"]
    (finding,) = audit({"A": BARS, "B": BARS}, strategy=strategy, broker=broker).findings
    assert (finding.layer, finding.kind) == ("costs", FindingKind.LATER_BARS)
    assert "PeekingScheme" in finding.culprit
