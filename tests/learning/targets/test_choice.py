import sys
from dataclasses import dataclass

import pytest

from lstm_strategy import Direction, LSTMForecaster, LSTMStrategyError
from lstm_strategy.learning.targets.choice import TARGETS, choose_target, describe_target
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
    [("price", "one of direction, .*, got 'price'"), (Direction, r"Write Direction\(\)")],
    ids=["name", "class"],
)
def test_what_is_no_target_is_answered_with_what_to_write(target, message):
    with pytest.raises(LSTMStrategyError, match=message):
        choose_target(target)


@dataclass(frozen=True)
class RangeTarget(Direction):
    """A target of the user's own, with a setting."""

    share: float = 0.5


def test_a_class_of_the_users_own_is_described_by_its_name_and_fields():
    described = describe_target(RangeTarget(share=0.25))
    assert described == {"class": f"{__name__}:RangeTarget", "share": 0.25}
    assert choose_target(described) == RangeTarget(share=0.25)


@pytest.mark.parametrize(
    ("described", "message"),
    [
        ({"class": "antigravity:Target"}, "Import that module first"),
        ({"class": "os:system"}, "Import that module first"),
        ({"class": 7}, "Import that module first"),
        ({"name": "directoin"}, "must have one of the names direction"),
        ({"name": "direction", "shear": 1}, "has no setting 'shear'"),
    ],
)
def test_what_describes_no_target_is_refused(described, message):
    with pytest.raises(LSTMStrategyError, match=message):
        choose_target(described)
    assert "antigravity" not in sys.modules


def test_a_target_that_cannot_be_hashed_is_refused():
    class Loose(Direction):
        __hash__ = None

    with pytest.raises(LSTMStrategyError, match="frozen=True"):
        choose_target(Loose())
