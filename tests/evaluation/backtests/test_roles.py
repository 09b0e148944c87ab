"""What a strategy is among others comes from its class and its model, never from its name."""

import numpy as np
import pandas as pd
import pytest
from made_up import ConstantForecaster, random_walk

from lstm_strategy.bars import check_bars
from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.backtests.job import prepare_job
from lstm_strategy.evaluation.backtests.result import Role
from lstm_strategy.evaluation.backtests.result_set import ResultSet
from lstm_strategy.learning.forecaster import ForecasterKind
from lstm_strategy.learning.serving import PrecomputedForecasts
from lstm_strategy.trading.baselines import MACD, BuyAndHold
from lstm_strategy.trading.cerebro import BrokerSettings
from lstm_strategy.trading.execution import TargetStrategy
from lstm_strategy.trading.lstm import LSTMStrategy

BARS = check_bars(random_walk(80))


class OwnModel(TargetStrategy):
    """A strategy whose parameter `model` is something else than a forecaster."""

    params = (("model", None),)

    def target_exposure(self):
        return self.p.model["exposure"]


def forecasts_of(kind):
    signal = np.random.default_rng(0).choice([-1.0, 0.0, 1.0], len(BARS.frame))
    frame = pd.DataFrame({"signal": signal, "forecast": 0.5, "uncertainty": 0.0}, BARS.frame.index)
    return PrecomputedForecasts(frame, 0, ["close"], None, kind=kind)


def run_all(strategies):
    jobs = [
        prepare_job(strategy, BARS, name=name, params=params)
        for name, (strategy, params) in strategies.items()
    ]
    return ResultSet({job.name: job.to_result(job.run(BARS)) for job in jobs}, BrokerSettings())


@pytest.mark.parametrize(
    ("name", "strategy", "params", "role"),
    [
        ("X", BuyAndHold, {}, Role.BUY_AND_HOLD),
        ("LSTM", MACD, {}, Role.RULE),
        ("Buy and hold", LSTMStrategy, {"model": ConstantForecaster(1.0)}, Role.LSTM),
        ("LSTM", LSTMStrategy, {"model": forecasts_of(ForecasterKind.LEARNER)}, Role.LEARNER),
        ("LSTM", OwnModel, {"model": {"exposure": 0.5}}, Role.RULE),
    ],
    ids=["buy and hold", "rule", "LSTM", "learner", "a model of another kind"],
)
def test_a_role_is_found_whatever_the_name_is(name, strategy, params, role):
    result = run_all({name: (strategy, params)}).find()
    assert result.role is role
    assert (result.is_lstm, result.is_buy_and_hold) == (
        role is Role.LSTM,
        role is Role.BUY_AND_HOLD,
    )


def test_the_set_is_about_its_first_lstm_whatever_the_names_are():
    misnamed = run_all(
        {
            "LSTM": (MACD, {}),
            "Ridge": (LSTMStrategy, {"model": forecasts_of(ForecasterKind.LEARNER)}),
            "Mine": (LSTMStrategy, {"model": forecasts_of(ForecasterKind.LSTM)}),
        }
    )
    assert misnamed.judged_name == "Mine"
    assert run_all({"LSTM": (MACD, {}), "X": (BuyAndHold, {})}).judged_name == "LSTM"


def test_the_standing_is_given_beside_the_market_whatever_its_name_is():
    results = run_all({"Rule": (MACD, {}), "X": (BuyAndHold, {}), "Buy and hold": (MACD, {})})
    market = results.table["sharpe"]["X"]
    assert results.buy_and_hold.name == "X"
    assert f"buy and hold ({market:.2f})" in results.describe_standing("Rule")
    assert "buy and hold" not in results.describe_standing("X")


def test_a_set_without_results_is_about_nothing():
    with pytest.raises(TradingError, match="no strategy to judge"):
        ResultSet({}, BrokerSettings()).find()
