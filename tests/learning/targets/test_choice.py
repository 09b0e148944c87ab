import pytest

from lstm_strategy import Direction, LSTMForecaster, LSTMStrategyError
from lstm_strategy.learning.targets.choice import TARGETS, choose_target
from lstm_strategy.learning.targets.own import OwnTarget


def rises(bars, horizon):
    return (bars["close"].shift(-horizon) > bars["close"]).astype(float)


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_is_found_again_by_its_description(name):
    target = choose_target(name)
    assert target.name == name
    assert choose_target(target.describe()) == target


def test_a_name_an_object_and_a_function_are_targets_of_a_forecaster():
    by_name, by_object, by_function = (
        LSTMForecaster(target=target).settings.target
        for target in ("direction", Direction(), rises)
    )
    assert by_name == by_object == Direction()
    assert by_function == OwnTarget(rises)


@pytest.mark.parametrize(
    ("target", "message"),
    [("price", "one of direction, got 'price'"), (Direction, r"Write Direction\(\)")],
    ids=["name", "class"],
)
def test_what_is_no_target_is_answered_with_what_to_write(target, message):
    with pytest.raises(LSTMStrategyError, match=message):
        choose_target(target)
