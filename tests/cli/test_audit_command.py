"""`lstm-strategy audit` as a person at a terminal meets it: 0 clean, 1 found, 2 misuse."""

import json
import shutil
import sys
from pathlib import Path

import pytest
from made_up import random_walk

from lstm_strategy.cli import main

LEAKY = Path(__file__).parents[1] / "evaluation" / "audit" / "leaky.py"


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run a command in a folder with 300 bars and the leaky strategies; (code, out, err)."""
    monkeypatch.chdir(tmp_path)
    random_walk(300).to_csv("bars.csv")
    shutil.copy(LEAKY, "mine.py")

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["lstm-strategy", "audit", *map(str, words)])
        with pytest.raises(SystemExit) as stop:
            main()
        printed = capsys.readouterr()
        return stop.value.code or 0, printed.out, printed.err

    return run


def test_a_clean_strategy_ends_with_0(run):
    code, out, err = run("bars.csv", "--strategy", "MACD")
    assert (code, err) == (0, "")
    assert "300 bars from 2001-01-01 to 2001-10-27" in out
    assert out.splitlines()[-1].startswith("Clean: nothing looked ahead in ")


def test_a_leak_ends_with_1_and_tells_place_bar_values_and_remedy(run):
    code, out, err = run("bars.csv", "--strategy", "mine.py:MovesALineBack", "--out", "kept")
    assert (code, err) == (1, "")
    assert "1. strategy: line self.tomorrow" in out
    assert "look at: mine.py, line " in out
    assert "self.data.close(1)" in out
    assert "remedy: A line called with a positive number" in out
    assert f"Wrote {Path('kept') / 'audit.json'}." in out
    assert json.loads(Path("kept/audit.json").read_text())["is_clean"] is False


def test_an_indicator_is_audited_with_its_parameters(run):
    code, out, _ = run("bars.csv", "--strategy", "mine.py:CentredAverage:reach=4")
    assert code == 1
    assert "line CentredAverage.average" in out


def test_a_note_is_no_finding(run):
    code, out, _ = run("bars.csv", "--strategy", "mine.py:ClosesOnTheLastBar")
    assert code == 0
    assert "Note: strategy: order depends on how many bars there are" in out


def test_a_model_is_audited_layer_by_layer(run, model_folder):
    code, out, err = run("bars.csv", "--model", model_folder)
    assert (code, err) == (0, "")
    for layer in ("features", "forecaster, reloaded", "LSTMStrategy", "network's memory"):
        assert f" {layer} " in out


def test_dates_choose_the_bars(run):
    _, out, _ = run("bars.csv", "--strategy", "MACD", "--start", "2001-03", "--end", "2001-09")
    assert "214 bars from 2001-03-01 to 2001-09-30" in out


def test_indicators_are_tried_without_bars(run, monkeypatch):
    known_kinds = "lstm_strategy.evaluation.audit.indicator_table.known_kinds"
    monkeypatch.setattr(known_kinds, lambda: ("column", "dpo", "obv", "rsi"))
    code, out, _ = run("--indicators", "--out", "docs")
    assert code == 0
    assert "dpo(centered=False)" in out
    assert "The other 1 of 3 are causal" in out
    assert "| `rsi` | causal | RSI_14 |" in Path("docs/indicators.md").read_text()


MISUSES = {
    "no bars": ([], "on which BARS"),
    "nothing to audit": (["bars.csv"], "--model DIR, --strategy NAME"),
    "no model": (["bars.csv", "--model", "nowhere"], "No model at nowhere"),
    "no file": (["bars.csv", "--strategy", "none.py:X"], "there is no file none.py"),
    "no such class": (["bars.csv", "--strategy", "mine.py:Nothing"], "no class 'Nothing'"),
    "no strategy": (["bars.csv", "--strategy", "mine.py:np"], "backtrader.Indicator"),
    "raises": (["bars.csv", "--strategy", "mine.py:Fails"], "RuntimeError: no money left"),
    "raises at once": (["bars.csv", "--strategy", "mine.py:FailsAtOnce"], "AttributeError"),
    "no seed": (["bars.csv", "--strategy", "mine.py:UnseededLuck"], "a seed"),
    "too few bars": (
        ["bars.csv", "--strategy", "12-1 momentum", "--end", "2001-02"],
        "needs 253 bars",
    ),
    "bars are missing": (["none.csv", "--strategy", "MACD"], "none.csv"),
    "indicators and bars": (["bars.csv", "--indicators"], "--indicators stands alone"),
    "no date": (["bars.csv", "--strategy", "MACD", "--start", "soon"], "--start must be a date"),
}


@pytest.mark.parametrize("misuse", MISUSES)
def test_misuse_ends_with_2_and_one_line(run, misuse):
    words, message = MISUSES[misuse]
    code, _, err = run(*words)
    assert code == 2
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err


def test_a_file_that_raises_when_imported_is_a_misuse(run):
    Path("broken.py").write_text("raise KeyError('oops')\n")
    code, _, err = run("bars.csv", "--strategy", "broken.py:Any")
    assert (code, err.count("\n")) == (2, 1)
    assert "importing broken.py raises KeyError" in err


def test_bars_shorter_than_the_models_warm_up_are_a_misuse(run, model_folder):
    code, _, err = run("bars.csv", "--model", model_folder, "--end", "2001-01-20")
    assert (code, err.count("\n")) == (2, 1)
    assert "An audit needs more than " in err
