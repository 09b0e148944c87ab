"""What a comparison makes of its results: pictures, an assessment and a page."""

import sys

import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.comparison.run import compare
from lstm_strategy.learning.forecaster import Forecaster
from lstm_strategy.learning.serving import PrecomputedForecasts
from lstm_strategy.trading.baselines import MACD, BuyAndHold
from lstm_strategy.trading.cerebro import BrokerSettings
from lstm_strategy.trading.lstm import LSTMStrategy

BARS = random_walk(240, seed=3)
FREE = BrokerSettings(commission_rate=0.0, slippage_rate=0.0)


class CheatingEnsemble(Forecaster):
    """Sees the next move in its first fold only; of its two members, one does the opposite."""

    warm_up, bars_columns, training_end = 0, ["close"], None

    def __init__(self):
        next_move = np.sign(BARS["open"].shift(-2) - BARS["open"].shift(-1)).fillna(0.0)
        fold = pd.Series(np.repeat([1, 2], len(BARS) // 2), BARS.index)
        noise = np.random.default_rng(1).choice([-1.0, 1.0], len(BARS))
        self._signal = next_move.where(fold == 1, noise)
        self._ledger = pd.DataFrame({"fold": fold})

    @property
    def ledger(self):
        return self._ledger

    def forecast(self, bars):
        columns = {"signal": self._signal, "forecast": 0.5, "uncertainty": 0.0}
        return pd.DataFrame(columns, index=bars.index)

    def member_signals(self, bars):
        return pd.DataFrame({0: self._signal, 1: -self._signal})

    def stream(self, history=None):
        raise NotImplementedError


@pytest.fixture(scope="module")
def comparison():
    strategies = {
        "Cheat": (LSTMStrategy, {"model": CheatingEnsemble()}),
        "MACD": MACD,
        "X": BuyAndHold,
    }
    return compare(strategies, BARS, broker=FREE)


def names(assessment):
    return {alarm.name for alarm in assessment.alarms}


def test_forecasts_and_ledger_make_their_alarms_possible(comparison):
    found = names(comparison.assess())
    assert {"frozen forecast"} <= found
    assert not {"lucky member", "gone one bar later"} & found


@pytest.mark.parametrize("target", ["policy", "direction"])
def test_the_alarm_of_a_frozen_forecast_knows_a_policy(comparison, monkeypatch, target):
    module = sys.modules["lstm_strategy.evaluation.comparison.comparison"]
    monkeypatch.setattr(module, "target_name", lambda model: target)
    alarm = next(each for each in comparison.assess().alarms if each.name == "frozen forecast")
    assert ("position before volatility scaling" in alarm.message) == (target == "policy")


def test_robustness_makes_its_alarms_possible(comparison):
    assessment = comparison.assess(robustness=comparison.try_robustness())
    added = names(assessment) - names(comparison.assess())
    assert added == {"lucky member", "gone one bar later"}
    assert assessment.verdict.alarms == assessment.alarms
    assert assessment.name == "Cheat"


def test_the_ledger_makes_the_alarm_of_one_lucky_fold_possible(comparison):
    folds = comparison.try_robustness().folds["total_return"]
    assert folds[1] > 0
    is_lucky = folds[2] <= 0
    assert ("one lucky fold" in names(comparison.assess())) == is_lucky
    assert is_lucky  # the planted case


def test_a_clean_strategy_raises_no_alarm_of_a_model(comparison):
    assert not names(comparison.assess("MACD")) & {
        "frozen forecast",
        "one lucky fold",
        "lucky member",
        "gone one bar later",
    }


def test_a_strategy_without_a_model_has_no_robustness(comparison):
    assert comparison.try_robustness("MACD") is None


def test_the_figure_shows_the_folds_of_the_model_and_the_market_in_black(comparison):
    figure = comparison.plot()
    assert "Fold" in [ax.get_ylabel() for ax in figure.axes]
    lines = {line.get_label(): line for line in figure.axes[0].get_lines()}
    assert lines["X"].get_color() == "black"
    same = comparison.figure()
    assert [ax.get_ylabel() for ax in same.axes] == [ax.get_ylabel() for ax in figure.axes]


@pytest.mark.usefixtures("no_pictures")
def test_a_page_needs_nothing_but_the_comparison(comparison, tmp_path):
    page = comparison.to_html(tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<title>Cheat: evaluation</title>" in page
    assert comparison.assess().verdict.sentence in page
    assert 'id="folds"' in page


@pytest.mark.usefixtures("no_pictures")
def test_a_page_can_be_about_any_strategy(comparison, tmp_path):
    page = comparison.to_html(tmp_path / "report.html", name="MACD").read_text(encoding="utf-8")
    assert "<title>MACD: evaluation</title>" in page
    assert 'id="folds"' not in page
    with pytest.raises(TradingError, match="no strategy 'LTSM'"):
        comparison.to_html(tmp_path / "other.html", name="LTSM")


def test_an_alarm_of_the_forecasts_is_that_of_the_strategy_that_trades_them():
    signal = pd.Series(np.random.default_rng(2).choice([-1.0, 0.0, 1.0], len(BARS)), BARS.index)
    lively = pd.DataFrame({"signal": signal, "forecast": (1 + signal) / 2, "uncertainty": 0.0})
    frames = {"Lively": lively, "Frozen": lively.assign(forecast=0.5)}
    models = {n: PrecomputedForecasts(frame, 0, ["close"], None) for n, frame in frames.items()}
    both = compare({n: (LSTMStrategy, {"model": model}) for n, model in models.items()}, BARS)
    assert "frozen forecast" not in names(both.assess("Lively"))
    assert "frozen forecast" in names(both.assess("Frozen"))
