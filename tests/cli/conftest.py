"""A working folder, and commands that run in it as the console script runs them."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from made_up import random_walk

from lstm_strategy.cli import main

TINY = """
[forecaster]
units = [4]
lookback = 10
epochs = 1
members = 1
features = [{kind = "log_return", length = 1}, {kind = "rsi", length = 5}]

[broker]
cash = 5000
"""


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working folder with 500 bars, 100 of them after the training of the small model."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # a strategy's file leaves no other file
    random_walk(500).to_csv("bars.csv")
    Path("tiny.toml").write_text(TINY)
    return tmp_path


@pytest.fixture
def run(here, monkeypatch, capsys):
    """Run a command as the console script does."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["lstm-strategy", *map(str, words)])
        with pytest.raises(SystemExit) as stop:
            main()
        printed = capsys.readouterr()
        return Outcome(stop.value.code or 0, printed.out, printed.err)

    return run


@pytest.fixture
def results(run):
    """Run a command that must succeed, with no note on stderr; returns what it printed.

    Results come first, then what was told meanwhile.
    """

    def results(*words):
        outcome = run(*words)
        assert outcome.code == 0
        assert not re.search(r"^(note|error): |Warning", outcome.err, re.MULTILINE)
        return outcome.out + outcome.err

    return results


@pytest.fixture
def refusal(run, here):
    """Run a command that must be refused and change no file; returns its one line of error."""

    def refusal(*words):
        before = _read_all_files(here)
        outcome = run(*words)
        assert outcome.code == 2
        *others, line = outcome.err.splitlines(keepends=True)
        assert re.fullmatch(r"error: .*[.?]\n", line)
        assert "error" not in "".join(others)
        assert "Traceback" not in outcome.out
        assert _read_all_files(here) == before
        return line

    return refusal


def _read_all_files(folder):
    return {path: path.is_file() and path.read_bytes() for path in folder.rglob("*")}
