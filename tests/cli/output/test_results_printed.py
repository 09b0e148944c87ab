"""What a command prints of a comparison and of what was found in it."""

import dataclasses

import pytest
from made_up import ConstantForecaster, RememberingForecaster, random_walk

from lstm_strategy import LSTMStrategy, compare
from lstm_strategy.cli.output import out, print_assessment, print_comparison, print_result
from lstm_strategy.evaluation.backtests import extrapolation_note
from lstm_strategy.evaluation.verdict import PermutationTest

BARS = random_walk(120)


@pytest.fixture(scope="module")
def comparison():
    strategies = {
        "LSTM": (LSTMStrategy, {"model": RememberingForecaster()}),
        "Half": (LSTMStrategy, {"model": ConstantForecaster(0.5)}),
    }
    return compare(strategies, BARS)


def test_what_was_left_out_is_printed_with_its_reason(comparison, capsys):
    print_comparison(dataclasses.replace(comparison, left_out={"Slow": "It needs 400 bars."}))
    assert capsys.readouterr().out.endswith("Slow is left out. It needs 400 bars.\n")


def test_the_annual_figures_of_a_short_run_are_called_extrapolated(comparison, capsys):
    print_comparison(comparison)
    note = extrapolation_note(comparison.equity)
    assert note and " ".join(capsys.readouterr().out.split()).count(note) == 1
    assert comparison._repr_html_().count(note) == 1
    print_result(comparison.find())
    assert " ".join(capsys.readouterr().out.split()).count(note) == 1


def test_a_terminal_too_narrow_for_any_metric_still_gets_the_most_important(
    comparison, capsys, monkeypatch
):
    monkeypatch.setattr(out, "width", 12)
    print_comparison(comparison)
    printed = capsys.readouterr().out
    assert f"{comparison.table.loc['LSTM', 'sharpe']:.2f}" in printed.split()
    assert f"{comparison.table.loc['LSTM', 'cagr']:.1%}" not in printed.split()


def test_trials_and_shuffled_bars_are_printed_below_the_verdict(comparison, capsys):
    shuffled = PermutationTest.from_statistics(0.5, [0.1, 0.9, 0.2], block_bars=1)
    print_assessment(comparison, comparison.assess(n_trials=1200, permutation_test=shuffled))
    printed = " ".join(capsys.readouterr().out.split())
    judged = printed.index("VERDICT: ")
    trials = printed.index("Judged as the best of 1,200 settings that were tried.")
    assert judged < trials < printed.index(" ".join(str(shuffled).split()))
    print_assessment(comparison, comparison.assess())
    assert "settings that were tried" not in capsys.readouterr().out
