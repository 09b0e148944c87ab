"""What one result is worth, from all that is known of it."""

from html import unescape

import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.backtests import ResultSet, run_backtest
from lstm_strategy.evaluation.robustness import Robustness
from lstm_strategy.evaluation.verdict.assess import assess_result
from lstm_strategy.trading.baselines import MACD, BuyAndHold
from lstm_strategy.trading.cerebro import BrokerSettings

BARS = random_walk(200)
CLOSE = BARS["close"]


def results_of(strategies):
    results = {name: run_backtest(cls, BARS, name=name) for name, cls in strategies.items()}
    return ResultSet(results, BrokerSettings())


def names(assessment):
    return [alarm.name for alarm in assessment.alarms]


def test_a_single_strategy_has_alarms_and_no_verdict():
    assessment = assess_result(results_of({"Index": BuyAndHold}), CLOSE)
    assert assessment.verdict is None
    assert {"always invested", "buy and hold"} <= set(names(assessment))


def test_the_verdict_knows_the_alarms_and_the_trials():
    results = results_of({"Index": BuyAndHold, "MACD": MACD})
    assessment = assess_result(results, CLOSE, n_trials=7)
    assert (assessment.name, assessment.verdict.n_trials) == ("Index", 7)
    assert assessment.verdict.alarms == assessment.alarms != ()


def test_a_forecast_is_looked_at_on_the_bars_of_the_result():
    results = results_of({"MACD": MACD})
    forecast = pd.Series(np.random.default_rng(0).random(len(BARS)), BARS.index)
    traded = results.find().equity.index
    frozen_where_traded = forecast.where(~BARS.index.isin(traded), 0.5)
    assert "frozen forecast" not in names(assess_result(results, CLOSE, forecast=forecast))
    assert "frozen forecast" in names(assess_result(results, CLOSE, forecast=frozen_where_traded))


@pytest.mark.parametrize("clock", [None, "UTC"], ids=["the same clock", "UTC"])
def test_a_lucky_fold_is_found_whatever_the_clock_of_the_ledger(clock):
    results = results_of({"Index": BuyAndHold})
    growth = np.log(results.find().equity).diff().fillna(0.0)
    fold = (growth > 0).astype(int)  # all that was earned in one, all that was lost in the other
    ledger = pd.DataFrame({"fold": fold})
    equity = results.find().equity
    is_profit = equity.iloc[-1] > equity.iloc[0]
    ledger = ledger if clock is None else ledger.tz_localize(clock)
    assert ("one lucky fold" in names(assess_result(results, CLOSE, ledger=ledger))) == is_profit
    assert is_profit  # the planted case


def test_robustness_is_kept_and_looked_at():
    results = results_of({"Index": BuyAndHold})  # which made a profit
    robustness = Robustness(
        costs=pd.DataFrame({"sharpe": [1.0]}, index=[0.0]),
        delays=pd.DataFrame({"sharpe": [1.0, -9.0]}, index=[0, 1]),
        equity_by_member=pd.DataFrame({0: [100.0, 112.0], 1: [100.0, 95.0]}),
    )
    assessment = assess_result(results, CLOSE, robustness=robustness)
    assert assessment.robustness is robustness
    assert "lucky member" in names(assessment)


def test_a_name_that_is_not_compared_is_refused():
    with pytest.raises(TradingError, match="no strategy 'LTSM'"):
        assess_result(results_of({"MACD": MACD}), CLOSE, name="LTSM")


def test_a_result_without_rivals_is_shown_with_its_alarms_alone():
    results = results_of({"MACD": MACD})
    found = assess_result(results, CLOSE)
    assert found.verdict is None
    assert repr(found).startswith("Assessment of MACD. nothing to compare it with\n")
    assert repr(found).endswith(f"{len(found.alarms)} alarms")
    card = found._repr_html_()
    assert all(alarm.message in unescape(card) for alarm in found.alarms)
