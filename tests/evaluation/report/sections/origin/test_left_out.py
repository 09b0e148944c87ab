"""What a report says that it doesn't know."""

import pytest
from made_up import random_walk

from lstm_strategy import BASELINES, BrokerSettings, Future, Perpetual, Spot, compare
from lstm_strategy.evaluation.report import ReportContent, report_html
from lstm_strategy.evaluation.report.sections.origin.left_out import _describe_uncharged


@pytest.mark.usefixtures("no_pictures")
def test_a_rule_has_no_members_folds_or_training_to_miss():
    bars = random_walk(200)
    names = ("MACD", "Buy and hold")
    comparison = compare({name: BASELINES[name] for name in names}, bars)
    page = report_html(ReportContent(comparison, comparison.assess("MACD"), bars))
    start = page.index("What was left out</h2>")
    section = page[start : page.index("</section>", start)]
    assert "Other costs and late orders weren&#x27;t tried." in section
    for word in ("members", "permutation", "folds"):
        assert word not in section


@pytest.mark.parametrize(
    ("instrument", "missing"),
    [
        pytest.param(
            None,
            "taxes, borrowing fees, the funding of perpetual futures, the market impact of orders, "
            "and dividends that the prices don't contain.",
            id="none",
        ),
        pytest.param(
            Spot(impact=1, borrow_rate=0.01),
            "taxes, the funding of perpetual futures, and dividends that the prices don't contain.",
            id="spot",
        ),
        pytest.param(
            Perpetual(impact=1),
            "taxes.",
            id="perpetual with impact",
        ),
        pytest.param(
            Future(multiplier=1, initial_margin=50),
            "taxes and the market impact of orders.",
            id="future",
        ),
        pytest.param(
            Perpetual(funding=None), "taxes and the market impact of orders.", id="perpetual"
        ),
    ],
)
def test_only_what_could_be_charged_is_called_not_included(instrument, missing):
    broker = BrokerSettings() if instrument is None else BrokerSettings(instrument=instrument)
    assert _describe_uncharged(broker, [""]) == f"Not included: {missing}"


def test_a_panel_with_one_spot_market_can_miss_dividends():
    broker = BrokerSettings(instruments={"BTC": Perpetual()})
    assert "dividends" in _describe_uncharged(broker, ["BTC", "ETF"])
    assert "dividends" not in _describe_uncharged(broker, ["BTC"])
