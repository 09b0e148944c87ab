"""One set of rules for the parameters of strategies and the settings of brokers."""

import math

import numpy as np
import pytest

from lstm_strategy.errors import TradingError
from lstm_strategy.trading import declared_params
from lstm_strategy.trading.execution import PortfolioParameters, TargetStrategy
from lstm_strategy.trading.execution.parameters import TargetParameters
from lstm_strategy.trading.execution.terms import check_leverage
from lstm_strategy.trading.instruments import Perpetual, Spot


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("long_only", "no", "True or False"),
        ("band", -0.1, "at least 0"),
        ("band", True, "a number"),
        ("band", 10**400, "a number"),
        ("reserve", 1, "less than 1"),
        ("lot_size", 0, "greater than 0"),
        ("stop_loss_atr", "2", "a number"),
        ("trailing_stop_atr", -1, "greater than 0"),
        ("atr_length", 2.5, "a whole number"),
        ("atr_length", 0, "at least 1"),
        ("bars_per_year", math.inf, "a finite number"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_refusal_names_the_parameter_the_rule_and_the_value(name, value, rule):
    with pytest.raises(TradingError) as refused:
        TargetParameters(**{name: value})
    assert str(refused.value).startswith(f"{name} must be {rule}, got {value!r}. Give ")


def test_numbers_and_flags_of_numpy_are_taken():
    taken = TargetParameters(
        long_only=np.True_, atr_length=np.int64(3), stop_loss_atr=np.float32(9)
    )
    assert (taken.long_only, taken.atr_length, taken.stop_loss_atr) == (True, 3, 9.0)


def test_a_strategy_declares_the_parameters_that_have_rules():
    assert list(declared_params(TargetStrategy)) == list(TargetParameters.model_fields)


def test_strategies_of_one_market_and_of_many_begin_with_the_same_terms():
    one, many = TargetParameters().model_dump(), PortfolioParameters().model_dump()
    shared = {"long_only": False, "max_leverage": 1.0, "band": 0.1, "reserve": 0.01}
    shared |= {"lot_size": 1e-6, "latency_bars": 0, "bars_per_year": 252, "bars_per_day": 1}
    assert {name: one[name] for name in shared} == shared
    assert {name: many[name] for name in shared} == shared


def test_a_leverage_that_no_instrument_allows_is_refused_with_one_that_does():
    check_leverage("Mine", 3.0, {"A": Spot(), "B": Perpetual(leverage=3)})
    with pytest.raises(TradingError, match=r"Perpetual of market B allows 3 at most\. Lower max"):
        check_leverage("Mine", 4.0, {"A": Spot(), "B": Perpetual(leverage=3)})
    remedy = r"such as BrokerSettings\(instrument=Perpetual\(leverage=2"
    with pytest.raises(TradingError, match=rf"is 2, and Spot gives no credit: .* {remedy}"):
        check_leverage("Mine", 2.0, {"": Spot()})
