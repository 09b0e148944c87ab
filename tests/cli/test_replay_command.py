"""`lstm-strategy replay` as a person at a terminal meets it."""

from pathlib import Path

import pandas as pd
import pytest
from made_up import random_walk

CONFIG = """
[live]
source = "play:bars.csv?history=450&pace=0{faults}"
{chosen}

[broker]
cash = 5_000
"""
BASELINE = 'strategy = "SMA cross"\n[strategy]\nfast = 2\nslow = 6\n'


@pytest.fixture
def traded(results):
    """Trade bars live; returns the file that says how."""

    def traded(chosen=BASELINE, faults=""):
        Path("my.toml").write_text(CONFIG.format(chosen=chosen, faults=faults))
        results("live", "my.toml", "--quiet")
        return "my.toml"

    return traded


def test_a_run_that_nothing_disturbed_has_no_difference(traded, results):
    config = traded()
    for more in ([], ["--bars", "bars.csv"], ["--config", config]):
        assert results("replay", "live", *more) == (
            "50 bars came live or late. A backtest does the same to nine digits: no difference.\n"
        )


def test_what_differs_is_counted_and_written(traded, run):
    traded(faults="&faults=0.2&seed=1")
    assert run("replay", "live").code == 0
    found = run("replay", "live/journal.jsonl", "--bars", "bars.csv", "--out", "findings")
    assert found.code == 1
    assert "A backtest differs in" in found.out
    assert ": the bar was missed\n" in found.out
    assert "Unexplained: none." in found.out
    assert "Wrote findings/differences.csv." in found.err
    table = pd.read_csv("findings/differences.csv")
    assert list(table) == ["time", "what", "live", "backtest", "cause", "why"]
    assert set(table["cause"]) == {"missed", "follows"}


def test_the_model_that_traded_is_given_again(traded, results, run, refusal, model_folder):
    traded(chosen=f'model = "{model_folder}"')
    assert "no difference" in results("replay", "live", "--model", model_folder)
    assert "no difference" in results("replay", "live", "--config", "my.toml")
    assert "a journal keeps no models. Give --model." in refusal("replay", "live")


def test_a_run_that_never_had_enough_bars_says_how_many_it_lacks(traded, run, refusal):
    config = traded(chosen=BASELINE.replace("slow = 6", "slow = 600"))
    told = run("live", config, "--out", "again").err
    assert "warming up: 101 more bars until its first decision" in told
    assert (
        "live has decided nothing yet, so there is nothing to replay: its SMACross was still "
        in (refusal("replay", "live"))
    )


def test_other_settings_in_the_file_are_named(traded, run):
    config = Path(traded())
    config.write_text(config.read_text().replace("slow = 6", "slow = 9"))
    found = run("replay", "live", "--config", config)
    assert (found.code, "1: the run had other settings\n" in found.out) == (1, True)


def test_a_mistake_is_one_line(traded, refusal, here):
    assert "there is no journal" in refusal("replay", "live")
    traded()
    random_walk(480).to_csv("short.csv")
    assert "must reach from 2002-03-27 to 2002-05-15" in refusal(
        "replay", "live", "--bars", "short.csv"
    )
    assert "short.toml" in refusal("replay", "live", "--config", "short.toml")
