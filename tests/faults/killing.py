"""Kills real commands at random points, and looks at what they leave and what a rerun makes of it.

    python tests/faults/killing.py train compare tune live --kills 50 --seed 1
    python tests/faults/killing.py compare tune --kills 10 --jobs 2

Half of the points are moments of the processor's time, the others are steps on files, of which
`dying` says more. A chain of kills hits the same folder: after each of them everything in it must
be whole, and what was there before must be there still. After a chain the same command runs to its
end, and must leave what one that was never killed leaves, and nothing unfinished. Leave the code
alone meanwhile: each process imports parts of it when it needs them.
"""

import argparse
import importlib
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from dying import Steps
from kept import list_unfinished, read_results

from lstm_strategy.cli import main as run_command

SMALL = """
[forecaster]
units = [2]
lookback = 5
epochs = 1
members = 1
target = "{target}"
features = [{{kind = "log_return", length = 1}}]
"""
SPACE = """
[space]
learning_rate = {low = 0.01, high = 0.1, log = true}
"""
LIVE = """
[live]
source = "play:bars.csv?history=260&pace=0"
strategy = "above.py:Above"
model = "model"
out = "out"
"""
STRATEGY = '''
"""Holds units while the forecast is above its mean, so that there are orders at many bars."""

import backtrader as bt

from lstm_strategy import LSTMIndicator


class Above(bt.Strategy):
    params = {"model": None}

    def __init__(self):
        self.lstm = LSTMIndicator(self.data, model=self.p.model)
        self.mean = bt.ind.SMA(self.lstm.forecast, period=5)

    def next(self):
        self.order_target_size(target=20 if self.lstm.forecast[0] > self.mean[0] else 0)
'''
TRAINED = ("train", "bars.csv", "--config", "small.toml", "--end", "2001-09")
EARLIER = ("train", "bars.csv", "--config", "small.toml", "--end", "2001-08")
COMMANDS = {
    "train": (*TRAINED, "--out", "out"),
    "compare": (
        *("compare", "bars.csv", "--config", "policy.toml", "--walk-forward"),
        *("--train-window", "160 bars", "--test-window", "80 bars", "--out", "out"),
    ),
    "tune": (
        *("tune", "bars.csv", "--config", "space.toml", "--objective", "log_loss", "--folds", "2"),
        *("--trials", "4", "--no-prune", "--out", "out"),
    ),
    "live": ("live", "live.toml"),
}
_WITH_JOBS = ("compare", "tune")
_FRESH = 1 / 2  # the share of chains that begin in an empty folder, where there is a choice
_MOST_IN_A_CHAIN = 6
_SECONDS_BETWEEN_LOOKS = 0.005
_N_BARS = 320
_LIBRARIES = (
    "keras",
    "lstm_strategy.evaluation.report",
    "lstm_strategy.trading",
    "optuna",
    "sklearn",
)


@dataclass(frozen=True)
class Whole:
    """What a command that is never killed leaves, and what it takes.

    Attributes:
        results: Its files.
        seconds: Of the processor.
        n_steps: On files.
    """

    results: Mapping[str, Any]
    seconds: float
    n_steps: int


class Place:
    """A folder in which commands run, with a home and temporary files of its own.

    Args:
        folder: The folder, which is filled.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.out = folder, folder / "out"
        self.temporary, self.home = folder / "temporary", folder / "home"
        for each in (self.temporary, self.home):
            each.mkdir(parents=True)
        random_walk(_N_BARS).to_csv(folder / "bars.csv")
        texts = {
            "small.toml": SMALL.format(target="direction"),
            "policy.toml": SMALL.format(target="policy"),
            "space.toml": SMALL.format(target="direction") + SPACE,
            "live.toml": LIVE,
            "above.py": STRATEGY,
        }
        for name, text in texts.items():
            (folder / name).write_text(text)

    def start(self, *words: str, step: int = 0) -> "Process":
        """Start a command, which may end at a step."""
        return Process(self, words, step)

    def run(self, *words: str) -> Whole:
        """Run a command to its end."""
        process = self.start(*words)
        process.wait()
        told = self.told
        assert process.code == 0, f"exit code {process.code}: {told}"
        n_steps = re.findall(r"^(\d+) steps$", told, re.MULTILINE)
        return Whole(read_results(self.out), process.seconds, int(n_steps[-1]))

    @property
    def told(self) -> str:
        """What the last command printed."""
        return (self.folder / "told.txt").read_text()


class Process:
    """A command in a process that is forked from this one, which has the libraries already.

    To load them takes longer than most commands, and writes nothing.

    Args:
        place: Where it runs.
        words: The command.
        step: The step on files at which it kills itself; 0 for none.

    Attributes:
        code: Its exit code, or less than zero the signal that ended it.
        seconds: Of the processor that it has taken.
    """

    def __init__(self, place: Place, words: Sequence[str], step: int) -> None:
        self.code, self.seconds = 0, 0.0
        self._pid = os.fork()
        if not self._pid:
            code = 70  # whatever happens, the fork must not go on as its parent
            try:
                code = _run_forked(place, words, step)
            finally:
                os._exit(code)

    def wait(self, *, most_seconds: float = float("inf")) -> None:
        """Wait for the end of it, or kill it after so many seconds of the processor."""
        while True:
            pid, status, usage = os.wait4(self._pid, os.WNOHANG)
            if pid:
                self.seconds = usage.ru_utime + usage.ru_stime
                self.code = os.waitstatus_to_exitcode(status)
                return
            if _seconds_of(self._pid) >= most_seconds:
                os.kill(self._pid, signal.SIGKILL)
            time.sleep(_SECONDS_BETWEEN_LOOKS)


def _run_forked(place: Place, words: Sequence[str], step: int) -> int:
    os.setsid()
    os.chdir(place.folder)
    os.environ |= {"HOME": str(place.home), "TMPDIR": str(place.temporary)}
    tempfile.tempdir = None  # it is kept from before
    told = os.open("told.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(told, 1)
    os.dup2(told, 2)
    steps = Steps(step, str(place.folder))
    steps.watch()
    sys.argv = ["lstm-strategy", *words]
    try:
        run_command()
    except SystemExit as end:
        sys.stdout.flush()
        sys.stderr.write(f"{steps.n_done} steps\n")
        return int(end.code or 0)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    return 70


def random_walk(n_bars: int) -> pd.DataFrame:
    """Bars of a random walk, always the same."""
    rng = np.random.default_rng(3)
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.01, n_bars)))
    open_ = np.r_[50.0, close[:-1]]
    return pd.DataFrame(
        {
            "open": open_,
            "high": np.maximum(open_, close) * 1.003,
            "low": np.minimum(open_, close) * 0.997,
            "close": close,
            "volume": np.exp(rng.normal(8, 0.3, n_bars)),
        },
        index=pd.date_range("2001-01-01", periods=n_bars, freq="D", name="datetime"),
    )


def kill_again_and_again(
    name: str, n_kills: int, *, n_jobs: int, seed: int, place: Path
) -> list[str]:
    """Kill a command so often, in chains, and say what was wrong afterwards.

    Args:
        name: The command.
        n_kills: How often.
        n_jobs: How many processes it may use, where it can use several.
        seed: Chooses the points.
        place: Where all of it happens.

    Returns:
        What was lost, left in halves, or differs from a run that was never killed.
    """
    rng, faults = random.Random(f"{name} {seed}"), list[str]()
    words = COMMANDS[name]
    if name in _WITH_JOBS:
        words += ("--jobs", str(n_jobs))
    whole = _run_whole(name, words, place / "whole")
    _tell(f"{name}: {whole.seconds:.1f} s, {whole.n_steps} steps on files")
    n_hits, n_chains = 0, 0
    while n_hits < n_kills:
        n_wished = min(rng.randint(1, _MOST_IN_A_CHAIN), n_kills - n_hits)
        chain = _Chain(name, words, place / f"chain-{n_chains}", whole, rng)
        try:
            chain.run(place / "whole", n_wished)
        except AssertionError as fault:
            faults.append(f"{name}, chain {n_chains}, {chain.point}: {fault}")
            _tell(faults[-1])
        n_hits, n_chains = n_hits + chain.n_hits, n_chains + 1
        _tell(f"{name}: {n_hits} kills in {n_chains} chains, {len(faults)} faults")
    return faults


class _Chain:
    """Kills in the same folder, one after the other, and a run to the end."""

    def __init__(
        self,
        name: str,
        words: Sequence[str],
        folder: Path,
        whole: Whole,
        rng: random.Random,
    ) -> None:
        self.n_hits, self.point = 0, "at the start"
        self._name, self._words = name, words
        self._place, self._whole, self._rng = Place(folder), whole, rng

    def run(self, example: Path, n_kills: int) -> None:
        """Kill so often at most: where a run ends before it is killed, that was the last one.

        Raises:
            AssertionError: If anything that was written is lost or in halves, or if the last run
                leaves something else than one that was never killed.
        """
        place, words = self._place, self._words
        before = _prepare(self._name, place, example, is_fresh=self._rng.random() < _FRESH)
        for number in range(n_kills):
            share = self._rng.random() * (1 if number == 0 else self._rng.random())  # less is left
            if self._rng.random() < 0.5:
                step = 1 + int(share * self._whole.n_steps)
                self.point = f"step {step}"
                process = place.start(*words, step=step)
                process.wait()
            else:
                seconds = share * self._whole.seconds
                self.point = f"second {seconds:.2f}"
                process = place.start(*words)
                process.wait(most_seconds=seconds)
            assert process.code in (0, -signal.SIGKILL), place.told
            _check_nothing_lost(before, self._whole.results, read_results(place.out))
            if not process.code:
                break
            self.n_hits += 1
        self.point += ", run again"
        _check_same(self._whole.results, place.run(*words).results)
        left = list_unfinished(place.folder)
        assert not left, f"left unfinished: {left}"


def _run_whole(name: str, words: Sequence[str], folder: Path) -> Whole:
    """Run a command that nobody kills, after what it needs and what it may replace."""
    place = Place(folder)
    if name == "live":
        place.run(*TRAINED, "--out", "model")
    if name == "train":
        place.run(*EARLIER, "--out", "earlier")
    return place.run(*words)


def _prepare(name: str, place: Place, whole: Path, *, is_fresh: bool) -> dict[str, Any]:
    """Put there what the command needs, and sometimes what it replaces; returns the latter."""
    if name == "live":
        shutil.copytree(whole / "model", place.folder / "model")
    if name == "train" and not is_fresh:
        shutil.copytree(whole / "earlier", place.out)
        (place.out / "notes.txt").write_text("of the user")
    return read_results(place.out)


def _check_nothing_lost(
    before: Mapping[str, Any], whole: Mapping[str, Any], now: Mapping[str, Any]
) -> None:
    """What was there is there still, or all of it is what replaces it."""
    missing = [name for name in before if name not in now]
    assert not missing, f"lost: {missing}"
    replaced = [name for name in before if now[name] != before[name]]
    halves = [name for name in replaced if now[name] != whole.get(name)]
    assert not halves, f"neither the old nor the new: {halves}"
    if replaced:
        _check_same(whole, now)


def _check_same(expected: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    assert expected.keys() <= now.keys(), f"missing: {expected.keys() - now.keys()}"
    differing = [name for name in expected if now[name] != expected[name]]
    assert not differing, f"another content: {differing}"


def _seconds_of(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Kill the commands of the arguments."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("commands", nargs="*", choices=[*COMMANDS, []], default=[*COMMANDS])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=1, help="of " + " and ".join(_WITH_JOBS))
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    for name in _LIBRARIES:
        importlib.import_module(name)
    faults = list[str]()
    place = Path(tempfile.mkdtemp())
    for name in arguments.commands or COMMANDS:
        faults += kill_again_and_again(
            name,
            arguments.kills,
            n_jobs=arguments.jobs,
            seed=arguments.seed,
            place=place / name,
        )
    if faults:
        sys.exit(f"{len(faults)} faults; what they left is in {place}")
    shutil.rmtree(place)


if __name__ == "__main__":
    main()
