"""The command line: it parses, calls the command, and turns errors into one line."""

import atexit
import difflib
import errno
import gc
import logging
import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import requires
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

import lstm_strategy
from lstm_strategy.cli import options as opt
from lstm_strategy.cli.commands import COMMANDS
from lstm_strategy.cli.help import HelpfulCommand, HelpfulGroup
from lstm_strategy.cli.output import Loudness, complain, in_options, say, tell_note
from lstm_strategy.cli.settings import BROKER_OPTIONS, NETWORK_OPTIONS, OPTIONS, expand_options
from lstm_strategy.errors import LSTMStrategyError, lacks_memory
from lstm_strategy.support import name_options

_INTERRUPTED, _TERMINATED = 130, 143
_SAFE_PATH = "PYTHONSAFEPATH"  # read by Python 3.11 and later
_OBJECTS_BETWEEN_SEARCHES = 10_000
_LIBRARY_OF_MODULE = {"sklearn": "scikit-learn"}  # where pip knows it by another name
_LACKS_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_ALIKE = 0.7  # from 0 to 1: --report and --repair have 0.67
_MEMORY_TEXT = (
    "there isn't memory enough for this. Take fewer --jobs, fewer bars or smaller networks, and "
    "run the same command again: what is finished is kept."
)
_ROOMS_THAT_COMMANDS_SPEAK_FOR = (
    "lstm_strategy.bars",
    "lstm_strategy.trading",
    "lstm_strategy.evaluation",
    "tensorflow",
)
_MODULES_THAT_SPEAK_FOR_THEMSELVES = (
    "lstm_strategy.evaluation.backtests.job",
    "lstm_strategy.trading.settings",
)
# What click, typer and pydantic say of a command, and how we say it
_PLAINER = (
    (r"^Invalid value for '([\w-]+)': Input should (be [^,]*).*", r"\1 must \2"),
    (r"be a valid integer", "be a whole number"),
    (r"be a valid number", "be a number"),
    (r"greater than or equal to", "at least"),
    (r"less than or equal to", "at most"),
    (r"^Option '([\w-]+)' requires an argument\.?", r"\1 needs a value behind it"),
    (  # an expanded pattern, or --report FILE
        r"^Got unexpected extra arguments?(?:\(s\))? \((.*)\)\.?",
        r"too many arguments: \1. Quote a pattern of files, such as 'data/*.csv', write the option "
        "before a value, such as --strategy MACD, and give no value to an option that takes none, "
        "such as --force",
    ),
)
# Every mistake in a command is one of these; typer brings click along or its own copy of it.
_UsageError: Any = typer.BadParameter.__base__


app = typer.Typer(
    name="lstm-strategy",
    cls=HelpfulGroup,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command line and exit.

    Raises:
        SystemExit: Always: with 0 where all went well, 1 where `audit` or `replay` found
            something, 2 after one line on a mistake of the user's, 130 if the user interrupted the
            work, and 143 if SIGTERM ended it.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    _train_in_one_thread()
    _collect_rarely()
    sigterms: list[int] = []
    try:
        with (
            _keep_folder_off_path(),
            _interrupt_on_sigterm(sigterms),
            _print_notes(),
            name_options(OPTIONS | NETWORK_OPTIONS | BROKER_OPTIONS),
        ):
            code = app(prog_name="lstm-strategy", standalone_mode=False)
    except _UsageError as error:
        _fail(_usage_text(error))
    except LSTMStrategyError as error:
        _fail(str(error))
    except (KeyboardInterrupt, typer.Abort):
        code = _INTERRUPTED
    except Exception as error:
        _fail(_text_of(error))
    if code == _INTERRUPTED:
        from lstm_strategy.support import end_workers

        end_workers()
        complain(
            "Terminated." if sigterms else "Interrupted.", "What was already written is complete."
        )
        code = _TERMINATED if sigterms else _INTERRUPTED
    sys.exit(code)


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", show_default="no")
    ] = False,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """A Keras LSTM inside backtrader, compared honestly with baselines.

    Begin with `lstm-strategy demo`. Then `train` a model on bars of your own, and `compare` or
    `backtest` it on later ones. `live` trades it on a paper account as bars come, and `replay`
    says how that run differs from a backtest. Each command says more: lstm-strategy COMMAND
    --help.

    BARS is a price file (.csv, .parquet, .json, .feather and others, compressed or not),
    sample:sp500 or sample:nasdaq, or a download: yahoo:SPY for prices of Yahoo,
    ccxt:binance:BTC/USDT:USDT:1h for candles of an exchange. Some commands also take several
    markets: a folder or a quoted pattern of files.

    Examples:
        lstm-strategy demo
        lstm-strategy train sample:sp500 --end 2012 --out model
        lstm-strategy compare sample:sp500 --model model --out results
    """
    context.with_resource(Loudness(quiet=quiet, verbose=verbose))
    if version:
        say(f"lstm-strategy {lstm_strategy.__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


for command in COMMANDS:
    app.command(cls=HelpfulCommand)(expand_options(command, around=Loudness))


def command_group() -> Any:
    """The command line as typer's own object, whose `commands` are the single ones."""
    return typer.main.get_command(app)


def _train_in_one_thread() -> None:
    """Let TensorFlow take one thread in this process and in its workers, unless the user says else.

    What is shared out between threads rounds otherwise, so that the number of cores would show in
    the last digits of a large network. The steps of an LSTM are too small to gain by it: on two
    cores up to 512 units took as long with one thread as with two.
    """
    for pool in ("INTRA", "INTER"):
        os.environ.setdefault(f"TF_NUM_{pool}OP_THREADS", "1")


def _collect_rarely() -> None:
    """Let Python look for garbage less often, and not once more at the end.

    Nearly all that a command makes, the libraries above all, lives as long as the process: the
    search took a fifth of a backtest.
    """
    gc.set_threshold(_OBJECTS_BETWEEN_SEARCHES)
    atexit.register(gc.freeze)  # called last; it leaves nothing to be looked through


@contextmanager
def _keep_folder_off_path() -> Iterator[None]:
    """Let worker processes import nothing from the working folder, as this one doesn't.

    They are started with `python -m`, which looks there first: a `random.py` or `calendar.py` of
    the user's would take the place of Python's own.
    """
    before = os.environ.get(_SAFE_PATH)
    os.environ[_SAFE_PATH] = "1"
    try:
        yield
    finally:
        del os.environ[_SAFE_PATH]
        if before is not None:
            os.environ[_SAFE_PATH] = before


@contextmanager
def _interrupt_on_sigterm(received: list[int]) -> Iterator[None]:
    """Let SIGTERM end the work as Ctrl+C does: temporary files go, and so do worker processes.

    Args:
        received: The number of the signal is added, should it come.
    """

    def interrupt(number: int, frame: object) -> None:
        received.append(number)
        raise KeyboardInterrupt

    if signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:  # whoever started this has other plans
        yield
        return
    signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


class _NotePrinter(logging.Handler):
    """Prints each warning of the library as a note on stderr, once."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._printed: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        text = in_options(record.getMessage())  # a setting of the file and its option are one
        if text not in self._printed:
            self._printed.add(text)
            tell_note(text)


@contextmanager
def _print_notes() -> Iterator[None]:
    """Print what the library logs about models; commands print the rest with their results."""
    # TensorFlow warns of every network that it compiles, and each fold and model needs that
    silent = [logging.getLogger(name) for name in _ROOMS_THAT_COMMANDS_SPEAK_FOR]
    levels = [log.level for log in silent]
    for module in _MODULES_THAT_SPEAK_FOR_THEMSELVES:
        logging.getLogger(module).setLevel(logging.WARNING)
    library, notes = logging.getLogger(lstm_strategy.__name__), _NotePrinter()
    library.addHandler(notes)
    for log in silent:
        log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        library.removeHandler(notes)
        for log, level in zip(silent, levels, strict=True):
            log.setLevel(level)


def _text_of(error: Exception) -> str:
    """What to do about an error that the computer has the fault of.

    Raises:
        Exception: The error itself, if it is none of those.
    """
    if lacks_memory(error):
        return _MEMORY_TEXT
    if isinstance(error, OSError):
        return _system_text(error)
    if isinstance(error, ModuleNotFoundError):
        return _missing_text(error)
    raise error


def _system_text(error: OSError) -> str:
    if error.errno == errno.ENOENT and error.filename is None and not _has_working_folder():
        return (
            "the working folder was deleted while this shell was in it. Change to one that exists, "
            "and run the same command again."
        )
    reason = f"{error.filename or 'A file'} can't be used: {error.strerror or error}."
    if error.errno in _LACKS_ROOM:
        return f"{reason} Make room, and run the same command again: what is finished is kept."
    return f"{reason} Check the path and its permissions."


def _has_working_folder() -> bool:
    try:
        Path.cwd()
    except OSError:
        return False
    return True


def _missing_text(error: ModuleNotFoundError) -> str:
    """What to install, where only some of the package's requirements are.

    Raises:
        ModuleNotFoundError: The error itself, if the package doesn't ask for the module.
    """
    module = (error.name or "").partition(".")[0]
    library = _LIBRARY_OF_MODULE.get(module, module)
    asked = {re.split(r"[^\w-]", needed)[0] for needed in requires("lstm-strategy") or ()}
    if library not in asked:
        raise error
    return f"this needs {library}, which isn't installed here. Install it: pip install {library}."


def _usage_text(error: Any) -> str:
    command = error.ctx.command_path if error.ctx else "lstm-strategy"
    message = error.format_message()
    for pattern, replacement in _PLAINER:
        message = re.sub(pattern, replacement, message)
    message = re.sub(r"^(--[\w-]+) (must be a (?:whole )?number)$", _name_number, message)
    message = re.sub(r"(--[\w-]+)\.? \(Possible options: (.*)\)\.?$", _suggest_options, message)
    message = message[:1].lower() + message[1:]  # click begins all of them with a capital
    return f"{message}{'' if message.endswith(('.', '?')) else '.'} See {command} --help."


def _name_number(found: re.Match[str]) -> str:
    """A number that can't be read: what was typed, and how percents and fractions are written."""
    words = [part for word in sys.argv for part in word.split("=", 1)]
    after = words.index(found[1]) + 1 if words.count(found[1]) == 1 else len(words)
    if after == len(words):  # not there, or so often that nobody knows which is meant
        return found[0]
    given = words[after]
    percent = re.fullmatch(r"(\d*\.?\d+)%", given)
    remedy = ""
    if percent:
        remedy = f". Write {given} as {float(f'{float(percent[1]) / 100:.12g}')}"
    elif re.fullmatch(r"\d+,\d+", given):
        remedy = ". Write it with a point, and thousands without a mark"
    return f"{found[0]}, got {given!r}{remedy}"


def _suggest_options(found: re.Match[str]) -> str:
    """An unknown option, and those of the possible ones that are spelt much alike."""
    unknown, possible = found[1].strip("-"), found[2].split(", ")
    words = {option.strip("-"): option for option in possible}
    nearest = difflib.get_close_matches(unknown, words, cutoff=_ALIKE)
    names = ", ".join(words[word] for word in nearest)
    return f"{found[1]}. Did you mean {names}?" if names else found[1]


def _fail(message: str) -> NoReturn:
    complain("error:", " ".join(message.split()), style="bold red")
    sys.exit(2)
