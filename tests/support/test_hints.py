"""Errors name the argument or the attribute that was meant."""

import inspect
import pickle

import pytest

from lstm_strategy import (
    BASELINES,
    PORTFOLIO_BASELINES,
    LSTMForecaster,
    audit,
    compare,
    load_bars,
    plot_equity,
    walk_forward,
)
from lstm_strategy.errors import (
    AuditError,
    BarsError,
    LSTMStrategyError,
    TradingError,
    TrainingError,
)
from lstm_strategy.evaluation.comparison import Comparison
from lstm_strategy.support import explain_arguments, refuse_attribute


@pytest.mark.parametrize(
    ("function", "args", "kwargs", "error", "message"),
    [
        pytest.param(
            LSTMForecaster,
            (),
            {"lokback": 3},
            TrainingError,
            "LSTMForecaster has no argument 'lokback'. Did you mean lookback?",
            id="near",
        ),
        pytest.param(
            LSTMForecaster,
            (),
            {"foo": 3},
            TrainingError,
            "LSTMForecaster has no argument 'foo'. Known: features, target, horizon, units, ",
            id="far",
        ),
        pytest.param(
            audit,
            (type, []),
            {},
            AuditError,
            "audit takes bars alone without a name, got 2 arguments without one. Name the others: "
            "model=..., strategy=..., ",
            id="the class first",
        ),
        pytest.param(
            compare,
            ({}, []),
            {"strat": 1},
            TradingError,
            "compare has no argument 'strat'. Did you mean start",
            id="compare",
        ),
        pytest.param(
            walk_forward,
            ([], None, None),
            {"n_job": 1},
            TrainingError,
            "walk_forward has no argument 'n_job'. Did you mean n_jobs?",
            id="walk forward",
        ),
        pytest.param(
            Comparison.plot,
            (None,),
            {"interactve": True},
            TradingError,
            "Comparison.plot has no argument 'interactve'. Did you mean interactive?",
            id="a method",
        ),
        pytest.param(
            plot_equity,
            ({},),
            {"highlights": "LSTM"},
            TradingError,
            "plot_equity has no argument 'highlights'. Did you mean highlight?",
            id="a plot",
        ),
        pytest.param(
            load_bars,
            ("prices.csv",),
            {"adjust": True},
            BarsError,
            "load_bars has no argument 'adjust'. Did you mean adjusted?",
            id="bars",
        ),
    ],
)
def test_arguments_that_are_not_taken_are_refused_by_what_is(
    function, args, kwargs, error, message
):
    with pytest.raises(error) as refused:
        function(*args, **kwargs)
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize("function", [audit])
def test_the_signature_stays_and_missing_arguments_are_pythons_own(function):
    assert list(inspect.signature(LSTMForecaster).parameters)[:2] == ["features", "target"]
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'bars'"):
        function()
    assert pickle.loads(pickle.dumps(function)) is function

    @explain_arguments(ValueError)
    def double(number):
        return 2 * number

    assert double(2) == double(number=2) == 4


class Owner:
    """Has a property that fails."""

    table = 1

    @property
    def broken(self):
        raise AttributeError("deep inside")

    def __getattr__(self, name):
        refuse_attribute(self, name, {"verdict": "assess().verdict"})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("verdict", "Owner has no attribute 'verdict'. It is in assess().verdict."),
        ("tabel", "Owner has no attribute 'tabel'. Did you mean table?"),
        ("colour", "Owner has no attribute 'colour'. Known: broken, table."),
        ("_secret", "Owner has no attribute '_secret'."),
        ("broken", "deep inside"),
    ],
)
def test_attributes_that_are_not_there_are_refused_by_where_they_are(name, message):
    with pytest.raises(AttributeError) as refused:
        getattr(Owner(), name)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("baselines", "name", "meant"),
    [
        pytest.param(BASELINES, "Macd", "MACD", id="other case"),
        pytest.param(BASELINES, "Sma Cros", "SMA cross", id="misspelt"),
        pytest.param(PORTFOLIO_BASELINES, "equal weights", "Equal weight", id="of many markets"),
    ],
)
def test_a_misspelt_baseline_is_refused_by_the_one_that_was_meant(baselines, name, meant):
    with pytest.raises(KeyError) as raised:
        baselines[name]
    assert str(raised.value).startswith(f"there is no {name!r} here. Did you mean {meant}")
    assert isinstance(raised.value, LSTMStrategyError)
    assert baselines.get(name) is None
