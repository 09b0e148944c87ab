"""What the report says of verdict, folds and robustness, in words that don't contradict."""

import pandas as pd
import pytest
from made_up import ConstantForecaster, random_walk

from lstm_strategy import LSTMStrategy
from lstm_strategy.evaluation.comparison import compare
from lstm_strategy.evaluation.report import ReportContent
from lstm_strategy.evaluation.report.sections.evidence.folds import folds_section
from lstm_strategy.evaluation.report.sections.evidence.robustness import robustness_section
from lstm_strategy.evaluation.report.sections.evidence.verdict import verdict_section
from lstm_strategy.trading.baselines import MACD, BuyAndHold

BARS = random_walk(300)


class InFolds(ConstantForecaster):
    """Forecasts the same, as two models of a walk forward would."""

    ledger = pd.DataFrame({"fold": [1] * 150 + [2] * 150}, BARS.index)


def content_of(signal):
    model = InFolds(signal)
    strategies = {"LSTM": (LSTMStrategy, {"model": model}), "Buy and hold": BuyAndHold}
    comparison = compare(strategies, BARS)
    assessment = comparison.assess(robustness=comparison.try_robustness())
    return ReportContent(comparison, assessment, BARS, model=model)


@pytest.fixture(scope="module")
def idle():
    return content_of(0.0)


def test_the_confidence_beside_no_evidence_is_said_to_ask_something_else():
    comparison = compare({"MACD": MACD, "Buy and hold": BuyAndHold}, BARS)
    section = verdict_section(ReportContent(comparison, comparison.assess(), BARS))
    assert "Deflated Sharpe ratio" not in section
    assert "Confidence that it is above zero" in section
    assert "it says nothing about a lead" in section


def test_the_market_of_a_fold_is_told_apart_from_buy_and_hold(idle):
    assert "Market is the change of the close over the bars of a fold" in folds_section(idle)


def test_a_strategy_that_never_traded_gets_a_sentence_in_place_of_empty_pictures(idle):
    section = robustness_section(idle)
    assert "LSTM never traded" in section
    assert "at other commissions." not in section
    assert section.count("<img") == 1  # that of the folds, which shows the market


def test_a_strategy_that_traded_gets_the_pictures():
    section = robustness_section(content_of(0.5))
    assert "never traded" not in section
    assert "at other commissions." in section
