"""The terms of trading as a report says them: each only of the strategies that it holds for."""

import backtrader as bt
import pytest
from made_up import random_walk

from lstm_strategy.evaluation.comparison import compare
from lstm_strategy.evaluation.report import ReportContent
from lstm_strategy.evaluation.report.sections.origin import provenance_section
from lstm_strategy.evaluation.report.sections.origin.settings_words import terms_words
from lstm_strategy.trading.baselines import MACD, BuyAndHold

BARS = random_walk(200)
SIZING = ("Cash reserve", "No-trade band", "Lot size")


class Plain(bt.Strategy):
    """A strategy that sizes its orders by itself and means something else by band."""

    params = (("band", 7),)

    def next(self):
        if not self.position:
            self.buy(size=1)


def sizing_of(strategies):
    words = terms_words(compare(strategies, BARS))
    return [words.get(name) for name in SIZING]


def test_no_sizing_is_claimed_where_no_strategy_keeps_to_it():
    assert sizing_of({"Mine": Plain}) == [None, None, None]


def test_strategies_to_which_the_sizing_does_not_apply_are_named():
    assert sizing_of({"Mine": Plain, "MACD": MACD}) == [
        "1.0%, in case the open is higher; none for Mine",
        "10.0% of the equity; none for Mine",
        "0.000001 units; none for Mine",
    ]


def test_a_band_of_its_own_is_said_beside_that_of_the_others():
    others = {"MACD": MACD, "Hold": BuyAndHold}
    assert sizing_of({"Keen": (MACD, {"band": 0.02}), **others})[1] == (
        "10.0% of the equity; 2.0% of the equity for Keen"
    )
    assert sizing_of(others) == [
        "1.0%, in case the open is higher",
        "10.0% of the equity",
        "0.000001 units",
    ]


@pytest.mark.usefixtures("no_pictures")
def test_what_a_plain_strategy_calls_band_is_among_its_parameters():
    comparison = compare({"Mine": Plain}, BARS)
    section = provenance_section(ReportContent(comparison, comparison.assess(), BARS))
    assert "No-trade band" not in section
    assert "<dt>Band</dt><dd>7</dd>" in section.replace("\n", "")
