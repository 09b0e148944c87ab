"""Damaged files end in a result or in our error, and the guard notices whatever else they do."""

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from lstm_strategy import LSTMStrategyError
from tools.fuzz import FAST, READERS, ChosenNumbers, Guard, guard, try_inputs


def try_with(name, n_inputs, seed):
    outcome = try_inputs(name, n_inputs, seed=seed, limits_memory=False)
    assert outcome.n_inputs == n_inputs
    assert outcome.n_read + outcome.n_refused == n_inputs
    return outcome.findings


@pytest.mark.parametrize("name", FAST)
def test_damaged_files_are_read_or_refused(name):
    assert try_with(name, 40, seed=0) == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_many_damaged_files_are_read_or_refused(name):
    assert try_with(name, 1000 if name in FAST else 100, seed=1) == {}


@pytest.mark.parametrize("name", FAST)
def test_a_seed_damages_the_same_files(name, tmp_path):
    written = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        READERS[name].write(folder, random.Random(3))
        written.append({file.name: file.read_bytes() for file in folder.iterdir()})
    assert written[0] == written[1]


def test_whoever_chooses_the_numbers_chooses_the_damage():
    chosen = ChosenNumbers(bytes([0, 0, 0, 128, 3, 255]))
    assert chosen.random() == 0.5
    assert chosen.choice("abcd") == "a"  # the upper two bits of the next byte
    assert chosen.getrandbits(8) == 255
    later = [ChosenNumbers(bytes([n])).randbytes(9) for n in (1, 1, 2)]
    assert later[0] == later[1] != later[2]


def refuse(text):
    raise LSTMStrategyError(text)


class RawError(LSTMStrategyError):
    """An error whose text a terminal would obey."""

    def __str__(self):
        return "\x1b[2J"


def refuse_raw():
    raise RawError


def hide(read):
    """Read, and hide what became of it, as careless code does."""
    try:
        read()
    except BaseException:
        return


def work_for_ever():
    while True:
        pass


PASSWORDS = Path("/etc/passwd")
PLANTED = {
    "another error": (lambda: {}["x"], "KeyError at "),
    "a file elsewhere": (PASSWORDS.read_bytes, "open ("),
    "a hidden file elsewhere": (lambda: hide(PASSWORDS.read_bytes), "open ("),
    "a process": (lambda: subprocess.run(["true"], check=False), "subprocess.Popen"),
    "a module": (lambda: __import__("this"), "import ('this'"),
    "code": (lambda: eval(guard.CODE), "compile"),
    "time": (work_for_ever, "longer than"),
    "memory": (lambda: bytearray(3 * 2**30), "MemoryError at "),
    "words that nothing prints": (refuse_raw, "an error that isn't printable"),
}


@pytest.mark.parametrize(("read", "finding"), PLANTED.values(), ids=PLANTED)
def test_the_guard_notices_what_no_reader_may_do(tmp_path, monkeypatch, read, finding):
    monkeypatch.setattr(guard, "MOST_SECONDS", 0.2)
    with Guard(tmp_path, known=set()) as watching:
        assert watching.watch(read).startswith(finding)


def test_the_guard_lets_readers_read_write_and_refuse(tmp_path):
    def keep():
        (tmp_path / "kept").write_text("x")
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder" / "kept").write_text("x")
        shutil.rmtree(tmp_path / "folder")  # by the number of the open folder
        return (tmp_path / "kept").read_text()

    with Guard(tmp_path, known=set()) as watching:
        assert watching.watch(keep) == "read"
        assert watching.watch(lambda: refuse("no bars")) == "refused"
