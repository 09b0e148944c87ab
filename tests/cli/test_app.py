"""What holds for every command: its help, one line for each mistake, nothing half done."""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
import pytest
import typer

import lstm_strategy
from lstm_strategy.cli.app import app
from lstm_strategy.cli.commands import COMMANDS

NAMES = [command.__name__ for command in COMMANDS]
MACD = ("backtest", "bars.csv", "--strategy", "MACD")


def parser_of(command):
    return typer.main.get_group(app).commands[command]


def test_the_commands_are_those_of_the_manual():
    manual = {
        *("demo", "train", "forecast", "backtest", "compare"),
        *("audit", "tune", "simulate", "doctor"),
    }
    assert set(NAMES) == manual


@pytest.mark.parametrize("command", NAMES)
def test_help_shows_how_a_command_is_called_with_an_example(results, command):
    printed = results(command, "--help")
    assert f"Usage: lstm-strategy {command}" in printed
    assert f"Example: lstm-strategy {command}" in printed


@pytest.mark.parametrize("command", NAMES)
def test_every_option_is_explained_in_sentences(command):
    helps = {option.name: getattr(option, "help", None) for option in parser_of(command).params}
    assert "out_dir" in helps
    assert [name for name, text in helps.items() if not text or not text.endswith(".")] == []


@pytest.mark.parametrize("command", NAMES)
def test_the_example_in_the_help_is_one_that_the_command_takes(here, command):
    parser = parser_of(command)
    _, name, *words = shlex.split(parser.help.rpartition("Example: `")[2].strip(" `\n"))
    assert name == command
    parser.make_context(name, words)


def test_the_version_is_that_of_the_package(results):
    assert results("--version") == f"lstm-strategy {lstm_strategy.__version__}\n"


def test_without_a_command_the_help_is_shown(run):
    outcome = run()
    assert outcome.code == 2
    assert "Usage: lstm-strategy" in outcome.out


MISUSES = {
    "unknown command": (("predict", "bars.csv"), "No such command 'predict'. See lstm-strategy"),
    "unknown option": ((*MACD, "--fast", 3), "No such option: --fast"),
    "no bars": (("train",), "Missing argument 'BARS'. See lstm-strategy train --help"),
    "text for a number": ((*MACD, "--cash", "lots"), "--cash must be a valid number"),
    "number below its limit": (("compare", "bars.csv", "--trials", 0), "'--trials'"),
    "unknown choice": (
        ("compare", "bars.csv", "--engine", "tf"),
        "--engine must be one of auto, onnx, keras, ray, got 'tf'",
    ),
    "a file as --out": ((*MACD, "--out", "bars.csv"), "bars.csv is a file, not a folder"),
    "--out below a file": (("train", "bars.csv", "--out", "bars.csv/x"), "bars.csv is a file"),
}


@pytest.mark.parametrize("misuse", MISUSES)
def test_a_misuse_ends_with_2_and_one_line(refusal, misuse):
    words, message = MISUSES[misuse]
    assert message in refusal(*words)


@pytest.mark.parametrize("command", NAMES)
def test_a_folder_that_may_not_be_written_is_refused_before_the_work(
    refusal, here, monkeypatch, command
):
    # by hand, because root may write everywhere
    monkeypatch.setattr(os, "access", lambda path, mode: path != here)
    words = () if command == "demo" else ("bars.csv",)
    model = ("--model", "gone") if command == "forecast" else ()
    message = refusal(command, *words, *model, "--out", "new/results")
    assert f"nothing may be written to {here}. Choose another folder" in message


@pytest.mark.parametrize("command", NAMES)
def test_out_is_tried_before_the_work_and_no_trace_is_left(refusal, monkeypatch, command):
    def lacks_room(dir):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", lacks_room)
    words = () if command == "demo" else ("gone.csv",)
    model = ("--model", "gone") if command == "forecast" else ()
    message = refusal(command, *words, *model, "--out", "new/results")
    assert "--out new/results: nothing can be written there: No space left on device" in message


def test_a_disk_that_refuses_the_results_leaves_the_old_ones(refusal, results, monkeypatch):
    def fail(*_, **__):
        raise OSError(28, "No space left on device", "results/equity.csv")

    results(*MACD, "--out", "results")
    monkeypatch.setattr(pd.DataFrame, "to_csv", fail)
    message = refusal(*MACD, "--out", "results")
    assert "results/equity.csv can't be used: No space left" in message
    assert "Make room, and run the same command again" in message


def test_escape_codes_of_a_strangers_file_never_reach_the_terminal(run, model_folder):
    Path("bars.csv").write_text("date,open,high,low,\x1b[31mclose\x1b[0m\n2024-01-02,1,1,1,1\n")
    refused = run("backtest", "bars.csv", "--model", model_folder)
    folder = Path(shutil.copytree(model_folder, "\x1b[31mmodel"))
    missing = run("forecast", "sample:sp500", "--model", folder / "\x1b[2Jnone")
    forecast = run("forecast", "sample:sp500", "--model", folder)
    for outcome in (refused, missing, forecast):
        assert "\x1b" not in outcome.out + outcome.err
    assert "\\x1b[2Jnone" in missing.err


def test_an_interrupted_command_ends_with_130_and_one_line(run, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("lstm_strategy.bars.read_bars", interrupt)
    outcome = run(*MACD)
    assert (outcome.code, outcome.err.count("\n")) == (130, 1)
    assert outcome.err.startswith("Interrupted. ")


def test_a_reader_that_closes_the_pipe_sees_no_error(here):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed:
        command = [sys.executable, "-m", "lstm_strategy.cli", *MACD]
        done = subprocess.run(command, stdout=closed, stderr=subprocess.PIPE, text=True)
    assert done.stderr == ""
