"""What may be searched: how a space is read, and the settings that trials take from it."""

import json

import optuna
import pytest

from lstm_strategy import LSTMForecaster, LSTMStrategyError
from lstm_strategy.learning.search.space import (
    DEFAULT_SPACE,
    DEFAULT_STRATEGY_SPACE,
    SearchSpace,
)


def base():
    return LSTMForecaster([{"kind": "log_return", "length": 1}, {"kind": "rsi", "length": 5}])


@pytest.mark.parametrize(
    "space, lookback, features",
    [
        ({"lookback": (30, 90), "horizon": [5, 2]}, 30, 2),
        ({"features": [[{"kind": "rsi", "length": 50}], [{"kind": "rsi", "length": 3}]]}, 60, 1),
        ({"lookback": [40, 20], "indicators": [{"kind": "rsi", "length": 90}]}, 20, 2),
    ],
)
def test_the_least_demanding_setting_is_short_in_everything(space, lookback, features):
    least = SearchSpace.from_space(space, []).choose_least_demanding(base())
    assert least.settings.lookback == lookback
    assert len(least.features.names) == features
    assert least.inputs.warm_up <= base().inputs.warm_up


@pytest.mark.parametrize("space", [lambda trial: {}, {"validation": [0.1, 0.3]}])
def test_no_setting_is_the_least_demanding_where_the_space_does_not_tell(space):
    assert SearchSpace.from_space(space, []).choose_least_demanding(base()) is None


def test_indicators_join_the_features_unless_they_are_there():
    space = {"indicators": [{"kind": "rsi", "length": 5}, {"kind": "rsi", "length": 9}]}

    class Everything:
        def suggest_categorical(self, name, choices):
            return choices[-1]

    setting = SearchSpace.from_space(space, []).suggest(Everything(), base())
    names = setting.apply_to(base()).features.names
    assert names == [*base().features.names, "RSI_9"]


def test_the_default_space_names_what_a_forecaster_and_its_strategy_take():
    space = SearchSpace.from_space(DEFAULT_SPACE | DEFAULT_STRATEGY_SPACE, ["min_signal", "band"])
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    for _ in range(20):
        setting = space.suggest(study.ask(), base())
        assert json.loads(json.dumps(setting.features)) == setting.features
        assert len(setting.apply_to(base()).settings.units) in (1, 2)
        assert 0 <= setting.strategy["min_signal"] <= 0.5


MISTAKES = {
    "name": ({"lookbak": [1]}, "space has no dimension 'lookbak'"),
    "empty": ({}, "space must map names to choices"),
    "range": ({"lookback": (60, 20)}, "the range of lookback must be two numbers"),
    "log": ({"dropout": (0.0, 0.5, "log")}, "the first above 0"),
    "no range": ({"lookback": 60}, "lookback must be a list of choices"),
    "table": ({"lookback": {"from": 1}}, "has low, high and log"),
    "value": ({"dropout": (0.5, 1.5)}, "dropout must be .* got 1.5"),
    "preset": ({"preset": ["best"]}, "preset must be one of"),
    "features twice": ({"preset": ["trend"], "features": []}, "both preset and"),
    "indicator": ({"indicators": [{"kind": "rsj"}]}, "rsj"),
    "layers": ({"layers": [4]}, "layers must be 1, 2 or 3, got 4"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_space_that_cannot_be_searched_is_one_clear_error(mistake):
    space, message = MISTAKES[mistake]
    with pytest.raises(LSTMStrategyError, match=message) as error:
        SearchSpace.from_space(space, [])
    assert "\n" not in str(error.value)
