"""What holds for every command: its help, one line for each mistake, nothing half done."""

import errno
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import joblib
import pandas as pd
import pytest
import typer

import lstm_strategy
from lstm_strategy import BrokerSettings, Direction, Policy, Volatility
from lstm_strategy.cli.app import app
from lstm_strategy.cli.commands import COMMANDS
from lstm_strategy.cli.help import list_entries, read_manual
from lstm_strategy.learning.training import ForecasterSettings
from lstm_strategy.support import run_tasks

NAMES = [command.__name__ for command in COMMANDS]
MACD = ("backtest", "bars.csv", "--strategy", "MACD")


def parser_of(command):
    return typer.main.get_group(app).commands[command]


def test_the_commands_are_those_of_the_manual():
    manual = {
        *("demo", "train", "forecast", "backtest", "compare"),
        *("audit", "tune", "simulate", "live", "replay", "doctor"),
    }
    assert set(NAMES) == manual


@pytest.mark.parametrize("command", NAMES)
def test_help_shows_how_a_command_is_called_with_an_example(results, command):
    printed = results(command, "--help")
    assert f"Usage: lstm-strategy {command}" in printed
    assert f"Examples:\n  lstm-strategy {command}" in printed


@pytest.mark.parametrize("command", NAMES)
def test_every_option_is_explained_in_sentences(command):
    helps = {option.name: getattr(option, "help", None) for option in parser_of(command).params}
    assert "out_dir" in helps
    assert [name for name, text in helps.items() if not text or not text.endswith(".")] == []


@pytest.mark.parametrize("command", NAMES)
def test_the_examples_in_the_help_are_ones_that_the_command_takes(here, command):
    parser = parser_of(command)
    examples = read_manual(parser).examples
    assert len(examples) >= 2
    for example in examples:
        _, name, *words = shlex.split(example)
        assert name == command
        parser.make_context(name, words)


@pytest.mark.parametrize("command", NAMES)
def test_every_option_shows_its_default(command):
    parser = parser_of(command)
    entries = list_entries(parser, typer.Context(parser, info_name=command))
    assert [entry.term for entry in entries if not entry.default] == ["--help"]


def test_defaults_of_models_and_terms_are_those_of_the_package():
    parser = parser_of("compare")
    shown = {p.name: p.show_default for p in parser.params}
    broker, model = BrokerSettings(), ForecasterSettings()
    terms = {
        "cash": broker.cash,
        "commission": broker.commission_rate,
        "slippage": broker.slippage_rate,
        "latency_bars": broker.latency_bars,
        "execution_bars": broker.execution_bars,
    }
    network = {
        "horizon": model.horizon,
        "units": model.units[0],
        "lookback": model.lookback,
        "market_embedding": model.market_embedding,
        "members": model.members,
        "seed": model.seed,
    }
    expected = terms | network
    assert {name: float(shown[name]) for name in expected} == expected
    assert shown["epochs"].startswith(f"{model.epochs};")
    assert (shown["execution"], shown["target"]) == (broker.execution, model.target.name)
    assert shown["preset"] == (
        f"{Direction().preset}; {Policy().preset} for the target policy, {Volatility().preset} "
        "for the target volatility"
    )


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("command", [(name, "--help") for name in NAMES] + [("--help",)])
def test_help_is_wrapped_at_words(results, monkeypatch, command, width):
    monkeypatch.setenv("COLUMNS", str(width))
    printed = results(*command)
    lines = printed.splitlines()
    assert [line for line in lines if len(line) > width] == []
    monkeypatch.setenv("COLUMNS", "100")
    words = printed.replace(" \\\n", " ").split()
    assert words == results(*command).replace(" \\\n", " ").split()


def test_a_backtest_without_a_report_draws_nothing(here):
    code = (
        "import sys\n"
        f"sys.argv = ['lstm-strategy', *{MACD}]\n"
        "from lstm_strategy.cli import main\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert not stop.code\n"
        "print(sorted({'bokeh', 'matplotlib.pyplot'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=here)
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["[]"]), done.stderr


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("lstm-strategy ba", "backtest"),
        ("lstm-strategy backtest sample:s", "sample:sp500"),
        ("lstm-strategy backtest sample:sp500 --strategy Bol", "Bollinger reversion"),
        ("lstm-strategy train sample:sp500 --targ", "--target"),
        ("lstm-strategy train sample:sp500 --target tri", "triple_barrier"),
        ("lstm-strategy tune sample:sp500 --objective a", "auc"),
    ],
)
def test_a_shell_completes_what_is_typed(run, monkeypatch, typed, completed):
    words = typed.split()
    monkeypatch.setenv("_LSTM_STRATEGY_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
    assert run().out.splitlines() == [completed]


def test_the_package_runs_as_a_module(here):
    command = [sys.executable, "-m", "lstm_strategy", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"lstm-strategy {lstm_strategy.__version__}\n"


def test_the_package_runs_as_a_module_whatever_modules_the_user_keeps(here):
    command = [sys.executable, "-m", "lstm_strategy", *MACD]
    environment = {n: v for n, v in os.environ.items() if n != "PYTHONSAFEPATH"}
    outcomes = []
    for _ in range(2):
        outcomes.append(subprocess.run(command, capture_output=True, env=environment, check=True))
        for name in ("config", "utils", "bars", "signal", "random", "calendar", "tests"):
            (here / f"{name}.py").write_text("raise ImportError('of the user')")
        (here / "strategies").mkdir(exist_ok=True)
        (here / "strategies" / "__init__.py").write_text("raise ImportError('of the user')")
    assert outcomes[0].stdout == outcomes[1].stdout
    assert b"MACD" in outcomes[0].stdout


def test_stdout_holds_results_alone_and_quiet_leaves_nothing_else(run):
    loud = run(*MACD, "-o", "results")
    assert loud.out.startswith("MACD, 2001-")
    assert "Wrote" not in loud.out
    assert loud.err.splitlines() == [
        "Backtesting …",
        "Wrote metrics.csv, equity.csv, trades.csv and equity.png to results/.",
    ]
    for words in ((*MACD, "--out", "results", "--quiet"), ("-q", *MACD, "--out", "results")):
        quiet = run(*words)
        assert (quiet.out, quiet.err) == (loud.out, "")


def test_the_version_is_that_of_the_package(results):
    assert results("--version") == f"lstm-strategy {lstm_strategy.__version__}\n"


def test_without_a_command_the_help_is_shown(run):
    outcome = run()
    assert outcome.code == 2
    assert "Usage: lstm-strategy" in outcome.out


MISUSES = {
    "unknown command": (("predict", "bars.csv"), "no such command 'predict'. See lstm-strategy"),
    "unknown option": ((*MACD, "--fast", 3), "no such option: --fast"),
    "no bars": (("train",), "missing argument 'BARS'. See lstm-strategy train --help"),
    "text for a number": ((*MACD, "--cash", "lots"), "--cash must be a number, got 'lots'. See"),
    "percent for a fraction": (
        (*MACD, "--commission", "0.1%"),
        "--commission must be a number, got '0.1%'. Write 0.1% as 0.001. See",
    ),
    "decimal comma": (
        (*MACD, "--commission=0,001"),
        "--commission must be a number, got '0,001'. Write it with a point",
    ),
    "several numbers": (
        ("train", "bars.csv", "--units", 8, "--units", "x"),
        "--units must be a whole number. See",
    ),
    "strategy without its option": (
        ("backtest", "bars.csv", "MACD"),
        "too many arguments: MACD. ",
    ),
    "number below its limit": (
        ("compare", "bars.csv", "--trials", 0),
        "--trials must be at least 1. See",
    ),
    "no value": (("train", "bars.csv", "--end"), "--end needs a value behind it."),
    "misspelt option": ((*MACD, "--slipage", 0), "--slipage. Did you mean --slippage? See"),
    "option unlike any": (("compare", "bars.csv", "--report"), "no such option: --report. See"),
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


def test_a_terminated_command_ends_with_143_and_one_line(run, monkeypatch):
    def terminate(*_, **__):
        os.kill(os.getpid(), signal.SIGTERM)
        raise AssertionError("the signal was not heard")

    monkeypatch.setattr("lstm_strategy.bars.read_bars", terminate)
    outcome = run(*MACD)
    assert (outcome.code, outcome.err.count("\n")) == (143, 1)
    assert outcome.err == "Terminated. What was already written is complete.\n"
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_an_interrupted_command_ends_its_workers_at_once(run, monkeypatch):
    pids = []

    def interrupt(*_, **__):
        pids.extend(run_tasks([joblib.delayed(os.getpid)() for _ in range(2)], n_jobs=2))
        os.kill(pids[0], 0)
        raise KeyboardInterrupt

    monkeypatch.setattr("lstm_strategy.bars.read_bars", interrupt)
    assert run(*MACD).code == 130
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)),
        ImportError("libtensorflow_cc.so.2: failed to map segment from shared object"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_too_little_memory_ends_with_2_and_one_line(run, monkeypatch, error):
    def fill(*_, **__):
        raise error

    monkeypatch.setattr("lstm_strategy.bars.read_bars", fill)
    outcome = run(*MACD)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert outcome.err.startswith("error: there isn't memory enough for this. Take fewer --jobs,")


def test_workers_of_a_command_import_nothing_from_the_working_folder(here, run, monkeypatch):
    (here / "calendar.py").write_text("raise ImportError('of the user')")
    imports = [sys.executable, "-c", "import calendar"]
    codes = []

    def read(*_, **__):
        codes.append(subprocess.run(imports, stderr=subprocess.DEVNULL, check=False).returncode)
        raise KeyboardInterrupt

    monkeypatch.setattr("lstm_strategy.bars.read_bars", read)
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    run(*MACD)
    assert codes == [0]
    assert "PYTHONSAFEPATH" not in os.environ


@pytest.mark.parametrize("asked", [None, "3"])
def test_a_command_trains_in_one_thread_unless_the_user_says_else(run, monkeypatch, asked):
    names = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    for name in names:
        monkeypatch.setenv(name, "")  # put back as it was in the end
        os.environ.pop(name) if asked is None else monkeypatch.setenv(name, asked)
    run("--version")
    assert [os.environ[name] for name in names] == [asked or "1"] * 2


def test_a_deleted_working_folder_is_named_as_the_reason(run, tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    outcome = run("train", "sample:sp500", "--out", "model")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert outcome.err.startswith("error: the working folder was deleted while")


def test_a_reader_that_closes_the_pipe_sees_no_error(here):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed:
        command = [sys.executable, "-m", "lstm_strategy", *MACD, "-q"]
        done = subprocess.run(command, stdout=closed, stderr=subprocess.PIPE, text=True)
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("train", "bars.csv", "--preset", "perpetuals"), "perpetual"),
        (("train", "bars.csv", "--target", "directon"), "direction"),
        (("backtest", "bars.csv", "--strategy", "MCAD"), "MACD"),
        (("backtest", "bars.csv", "--strategy", "MACD", "--engine", "onx"), "onnx"),
        (("backtest", "bars.csv", "--strategy", "MACD", "--on-bad", "rase"), "raise"),
        (("backtest", "bars.csv", "--strategy", "MACD", "--instrument", "future s:a=1"), "future"),
        (("backtest", "sample:sp50", "--strategy", "MACD"), "sp500"),
        (("tune", "bars.csv", "--objective", "sharp", "--out", "search"), "sharpe"),
        (("simulate", "perpetul", "--out", "bars"), "perpetual"),
    ],
    ids=lambda each: each[-1] if isinstance(each, tuple) else None,
)
def test_a_mistyped_name_is_answered_with_the_one_that_is_meant(refusal, words, meant):
    assert refusal(*words).endswith(f"Did you mean {meant}?\n")
