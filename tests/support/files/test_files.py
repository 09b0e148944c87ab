"""Files and folders that appear whole or not at all."""

import os
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import pytest

from lstm_strategy.support.files import (
    folders,
    parse_json,
    read_inside,
    read_whole,
    replace_folder,
    write_json,
    write_whole,
)


def file_names(folder):
    return [file.name for file in folder.iterdir()]


def test_a_file_that_can_not_be_written_leaves_the_earlier_one_and_nothing_else(tmp_path):
    write_json(tmp_path / "run.json", {"seed": 7})
    with pytest.raises(TypeError):
        write_json(tmp_path / "run.json", {"seed": object()})
    with pytest.raises(TypeError):
        write_whole(tmp_path / "run.json", 5)
    assert file_names(tmp_path) == ["run.json"]
    assert (tmp_path / "run.json").read_text() == '{\n  "seed": 7\n}\n'


@pytest.fixture(params=["one step", "two steps"])
def in_steps(request, monkeypatch):
    """Both ways in which folders change places: as Linux has it, and as other systems have it."""
    if request.param == "two steps":
        monkeypatch.setattr(folders.ctypes, "CDLL", lambda name: object())


OWN = ("old.txt", "new.txt")


def test_a_folder_takes_the_place_of_the_earlier_one_with_all_its_files(tmp_path, in_steps):
    for name in OWN:
        with replace_folder(tmp_path / "model", own=OWN) as unfinished:
            (unfinished / name).write_text(name)
    assert file_names(tmp_path) == ["model"]
    assert file_names(tmp_path / "model") == ["new.txt"]


@pytest.mark.parametrize("dies_at", ["rename", "unlink"])
def test_nothing_is_left_of_a_process_that_died_as_it_put_a_new_folder_in_place(tmp_path, dies_at):
    code = (
        "import os, sys; from pathlib import Path; from lstm_strategy.support.files import *\n"
        "with replace_folder(sys.argv[1], own=['card']) as folder:\n"
        "    (folder / 'card').write_text('one')\n"
        f"    Path.{dies_at} = lambda *_, **__: os._exit(9)\n"
    )
    folder = tmp_path / "model"
    died = subprocess.run([sys.executable, "-c", code, str(folder)], check=False)
    assert died.returncode == 9
    assert folder.exists() == (dies_at == "unlink")
    with replace_folder(folder, own=["card"]) as unfinished:
        (unfinished / "card").write_text("two")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"card": "two"}


def test_a_folder_stays_as_it_was_where_the_new_one_is_not_finished(tmp_path):
    with replace_folder(tmp_path / "model", own=OWN) as unfinished:
        (unfinished / "old.txt").write_text("old")
    with (
        pytest.raises(KeyboardInterrupt),
        replace_folder(tmp_path / "model", own=OWN) as unfinished,
    ):
        (unfinished / "new.txt").write_text("half")
        raise KeyboardInterrupt
    assert file_names(tmp_path) == ["model"]
    assert file_names(tmp_path / "model") == ["old.txt"]


def test_what_others_keep_in_a_folder_outlives_its_replacement(tmp_path, in_steps):
    model = tmp_path / "elsewhere" / "model"
    (model / "results").mkdir(parents=True)
    for name in ("old.txt", "notes.md", "results/equity.csv"):
        (model / name).write_text(name)
    model.chmod(0o750)
    link = tmp_path / "latest"
    link.symlink_to(model)
    with replace_folder(link, own=OWN) as unfinished:
        (unfinished / "new.txt").write_text("new")
    assert link.is_symlink()
    assert sorted(file_names(model)) == ["new.txt", "notes.md", "results"]
    assert (model / "results" / "equity.csv").read_text() == "results/equity.csv"
    assert model.stat().st_mode & 0o777 == 0o750
    assert file_names(model.parent) == ["model"]


@pytest.mark.skipif(sys.platform != "linux", reason="folders change places in one step on Linux")
def test_a_folder_is_there_at_every_moment_of_its_replacement(tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    n_missing, is_done = 0, threading.Event()

    def watch():
        nonlocal n_missing
        while not is_done.is_set():
            n_missing += not model.exists()

    watcher = threading.Thread(target=watch)
    watcher.start()
    for turn in range(200):
        with replace_folder(model, own=OWN) as unfinished:
            (unfinished / "new.txt").write_text(str(turn))
    is_done.set()
    watcher.join()
    assert n_missing == 0


def test_what_others_keep_in_a_folder_is_in_its_place_at_every_moment(tmp_path, monkeypatch):
    (tmp_path / "model" / "results").mkdir(parents=True)
    for name in ("old.txt", "notes.md", "results/equity.csv"):
        (tmp_path / "model" / name).write_text(name)
    exchange = folders._exchange

    def stop_after_exchange(one, other):
        exchange(one, other)
        names = {str(path.relative_to(other)) for path in other.rglob("*")}
        assert names == {"new.txt", "notes.md", "results", "results/equity.csv"}
        (other / "notes.md").unlink()  # and whoever edits a file meanwhile finds it edited
        (other / "notes.md").write_text("edited")
        (one / "late.md").write_text("written to the earlier folder")

    monkeypatch.setattr(folders, "_exchange", stop_after_exchange)
    with replace_folder(tmp_path / "model", own=OWN) as unfinished:
        (unfinished / "new.txt").write_text("new")
    assert file_names(tmp_path) == ["model"]
    assert (tmp_path / "model" / "late.md").exists()
    assert (tmp_path / "model" / "notes.md").read_text() == "edited"
    assert (tmp_path / "model" / "results" / "equity.csv").read_text() == "results/equity.csv"


def test_processes_replace_one_folder_at_once(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "notes.md").write_text("mine")
    code = (
        "import sys\n"
        "from lstm_strategy.support import replace_folder\n"
        "for turn in range(150):\n"
        "    with replace_folder(sys.argv[1], own=['a', 'b']) as unfinished:\n"
        "        (unfinished / 'ab'[turn % 2]).write_text('x')\n"
    )
    words = [sys.executable, "-c", code, tmp_path / "model"]
    running = [subprocess.Popen(words, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    for process in running:
        _, complaints = process.communicate(timeout=120)
        assert process.returncode == 0, complaints
    assert file_names(tmp_path) == ["model"]
    assert len(file_names(tmp_path / "model")) == 2
    assert (tmp_path / "model" / "notes.md").read_text() == "mine"


def make_sparse(path):
    with path.open("wb") as file:
        file.truncate(2**40)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(os.mkfifo, "a regular file", id="pipe"),
        pytest.param(lambda path: path.symlink_to("/dev/zero"), "a regular file", id="device"),
        pytest.param(Path.mkdir, "a regular file|directory", id="folder"),
        pytest.param(make_sparse, "larger than 100 bytes", id="sparse"),
        pytest.param(lambda path: path.symlink_to("nowhere"), "No such file", id="dangling link"),
    ],
)
def test_only_a_regular_file_of_bounded_size_is_read(tmp_path, make, message):
    make(tmp_path / "card")
    with pytest.raises(OSError, match=message):
        read_whole(tmp_path / "card", largest=100)


def test_reading_a_small_file_asks_for_little_memory_though_a_large_one_is_allowed(tmp_path):
    (tmp_path / "card").write_bytes(b"x" * 1000)
    tracemalloc.start()
    content = read_whole(tmp_path / "card", largest=2**31)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert content == b"x" * 1000
    assert most < 4 * 2**20


@pytest.fixture
def growing(tmp_path, monkeypatch):
    """A file of 3,000,001 bytes, of which only the first was there when its size was looked at."""
    path, measure = tmp_path / "journal", os.fstat
    path.write_bytes(b"x" + b"y" * 3_000_000)

    def measure_early(number):
        return SimpleNamespace(st_mode=measure(number).st_mode, st_size=1)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", measure_early)
        yield path


def test_what_is_written_meanwhile_is_read_too(growing):
    content = read_whole(growing, largest=2**31)
    assert (len(content), content[:1], set(content[1:])) == (3_000_001, b"x", {ord("y")})


def test_a_file_that_outgrows_its_bound_meanwhile_is_refused(growing):
    with pytest.raises(OSError, match=r"larger than 2,000,000 bytes"):
        read_whole(growing, largest=2_000_000)


def test_a_character_may_be_written_as_two_halves():
    assert parse_json(b'"\\ud83d\\ude00"') == "\N{GRINNING FACE}"
    assert parse_json(rb'"\\ud83d"') == r"\ud83d"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b'{"end": 1, "end": 2}', "'end' is there twice", id="repeated name"),
        pytest.param(b'{"width": NaN}', "NaN isn't finite", id="NaN"),
        pytest.param(b'{"width": -Infinity}', "isn't finite", id="infinity"),
        pytest.param(b'{"width": 1e999}', "1e999 isn't finite", id="overflow"),
        pytest.param(b"[" * 100_000, "nested too deep", id="nested"),
        pytest.param(b'{"seed": ' + b"9" * 10_000 + b"}", "digits", id="many digits"),
        pytest.param(b'"\xff"', "decode", id="not UTF-8"),
        pytest.param(b'{"name": "\\uD83D"}', "d83d is half a character", id="half a character"),
        pytest.param(b"{", "Expecting", id="torn"),
    ],
)
def test_json_that_says_two_things_or_none_is_refused(content, message):
    with pytest.raises(ValueError, match=message):
        parse_json(content)


def test_a_name_that_is_there_twice_is_found_among_many():
    names = b",".join(b'"%d":0' % number for number in range(200_000))
    with pytest.raises(ValueError, match="'199999' is there twice"):
        parse_json(b'{%s,"199999":0}' % names)


def test_a_link_that_leads_out_of_its_folder_is_not_followed(tmp_path):
    (tmp_path / "secret.txt").write_text("mine")
    folder = tmp_path / "folder"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "own.txt").write_text("own")
    (folder / "out.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "up.txt").symlink_to("../secret.txt")
    (folder / "in.txt").symlink_to("data/own.txt")
    assert read_inside(folder, "in.txt", largest=9) == b"own"
    for name in ("out.txt", "up.txt", "../secret.txt"):
        with pytest.raises(OSError, match="leads out of the folder"):
            read_inside(folder, name, largest=9)
