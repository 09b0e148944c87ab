"""What the command line says of orders: one line for all strategies, or one for each."""

from dataclasses import dataclass, field

import pytest

from lstm_strategy.cli.output.loudness import Loudness
from lstm_strategy.cli.output.orders import say_all_orders, summarize_orders


@dataclass
class Result:
    label: str
    order_counts: dict[str, int] = field(default_factory=dict)


RESULTS = [
    Result("LSTM", {"completed": 9, "unfilled_at_end": 1}),
    Result("MACD", {"completed": 5, "expired": 1_200, "too_small": 1}),
    Result("Donchian breakout", {"completed": 2, "liquidated": 3, "ruined": 1, "margin": 1}),
    Result("Idle", {"completed": 0}),
]


def test_troubles_of_all_strategies_are_one_line():
    assert summarize_orders(RESULTS) == (
        "Orders that did not fill as asked: MACD 1,201; Donchian breakout 1. Liquidated "
        "positions: Donchian breakout 3. Ruined accounts: Donchian breakout 1. No order was sent "
        "by Idle."
    )


def test_an_order_on_the_last_bar_is_no_trouble():
    assert summarize_orders(RESULTS[:1]) == ""


@pytest.mark.parametrize(("is_verbose", "n_lines"), [(False, 1), (True, 4)])
def test_verbose_says_the_rest(capsys, is_verbose, n_lines):
    with Loudness(verbose=is_verbose):
        say_all_orders(RESULTS)
    printed = capsys.readouterr().out
    assert printed.count("\n") == n_lines
    assert ("--verbose says more" in printed) is not is_verbose
