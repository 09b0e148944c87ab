"""Markets of a known rule are written as files that the other commands read."""

import re
from pathlib import Path

import pandas as pd
import pytest

from lstm_strategy import load_bars, load_panel, simulate_bars


def test_a_simulated_panel_is_written_as_a_folder_of_markets(results):
    shown = results("simulate", "regimes", "--assets", 3, "--bars", 40, "--seed", 5, "--out", "sim")
    assert shown == "Wrote 3 markets of 40 bars to sim/, and what to hold to sim/oracle/.\n"
    made = simulate_bars("regimes", 40, seed=5, n_assets=3)
    assert load_panel("sim").fingerprint == made.bars.fingerprint
    oracle = pd.read_csv("sim/oracle/A02.csv", index_col=0, parse_dates=True)["oracle"]
    assert oracle.tolist() == made.oracle["A02"].tolist()


def test_one_simulated_market_is_named_after_its_rule(results):
    results("simulate", "noise", "--bars", 30, "--params", "vol=0.02,volume_noise=0")
    made = simulate_bars("noise", 30, vol=0.02, volume_noise=0)
    pd.testing.assert_frame_equal(load_bars("simulated/noise.csv"), made.bars)


def test_other_markets_in_the_folder_stay_unless_forced(results, refusal):
    words = ("simulate", "noise", "--bars", 30, "--out", "sim")
    results(*words)
    results(*words)
    assert "another noise.csv" in refusal(*words, "--seed", 9)
    results(*words, "--seed", 9, "--force")
    assert load_bars("sim/noise.csv").equals(simulate_bars("noise", 30, seed=9).bars)
    assert len(list(Path("sim").iterdir())) == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(
            ["garhc"],
            "KIND must be the rule of a market, got 'garhc'. Did you mean garch?",
            id="kind",
        ),
        pytest.param(["noise", "--params", "vol"], "--params takes NAME=NUMBER", id="no number"),
        pytest.param(["noise", "--params", "alpha=1"], "has no parameter 'alpha'", id="parameter"),
        pytest.param(["noise", "--params", "vol=1,vol=2"], "gives vol twice", id="twice"),
        pytest.param(["noise", "--assets", 20_000], "--assets must be .* 10,000", id="assets"),
        pytest.param(["noise", "--bars", 0], "--bars must be .* got 0", id="bars"),
    ],
)
def test_what_cannot_be_simulated_is_refused_in_words_of_the_command_line(refusal, words, message):

    assert re.search(message, refusal("simulate", *words))


def test_the_example_with_parameters_in_its_help_runs(results):
    printed = results("simulate", "--help")
    words = re.search(r"lstm-strategy (simulate garch .*)", printed).group(1).split()
    results(*words, "--out", "made")
    assert len(pd.read_csv("made/garch.csv")) == 5_000
