"""Groups of options become single options of a command, and come back as one object."""

import inspect
from dataclasses import dataclass

from lstm_strategy.cli.settings import NetworkOptions, expand_options


@dataclass(frozen=True)
class Costs:
    fee: float = 0.1
    spread: float = 0.2


def test_the_fields_of_a_group_are_options_and_reach_the_command_as_the_group():
    received = []

    def trade(bars: str, costs: Costs, seed: int = 7) -> None:
        """Trade the bars."""
        received.append((bars, costs, seed))

    command = expand_options(trade)
    parameters = inspect.signature(command).parameters
    assert list(parameters) == ["bars", "fee", "spread", "seed"]
    assert (parameters["spread"].default, parameters["spread"].annotation) == (0.2, float)
    assert command.__doc__ == "Trade the bars."
    command(bars="b.csv", fee=0.5, spread=0.2, seed=7)
    assert received == [("b.csv", Costs(fee=0.5, spread=0.2), 7)]


def test_a_group_knows_which_of_its_options_were_given():
    assert NetworkOptions(units=[], horizon=2, seed=0).given == {"horizon": 2, "seed": 0}
