"""Files and folders of processes that were killed or had no room, and what the next one clears."""

import errno
import resource
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager

import pytest

from lstm_strategy.support.files import (
    is_part_of,
    replace_folder,
    temporary_folder,
    whole,
    write_new,
    write_together,
    write_whole,
)


def file_names(folder):
    return [file.name for file in folder.iterdir()]


def test_a_new_file_is_never_written_over_an_earlier_one(tmp_path):
    write_new(tmp_path / "run.json", "mine")
    with pytest.raises(FileExistsError) as error:
        write_new(tmp_path / "run.json", "yours")
    assert error.value.filename == str(tmp_path / "run.json")
    assert file_names(tmp_path) == ["run.json"]
    assert (tmp_path / "run.json").read_text() == "mine"


def test_an_error_names_the_file_that_was_asked_for(tmp_path, limited_file_size):
    write_whole(tmp_path / "run.json", "old")
    with limited_file_size(1000), pytest.raises(OSError, match=r"run\.json"):
        write_whole(tmp_path / "run.json", b"0" * 2000)
    assert file_names(tmp_path) == ["run.json"]
    assert (tmp_path / "run.json").read_text() == "old"


def test_what_a_killed_process_left_of_a_file_is_cleared_and_nothing_else(tmp_path):
    kill_while(
        "with whole._write_part(Path('run.json'), 'half'): kill()",
        folder=tmp_path,
    )
    (left,) = file_names(tmp_path)
    assert is_part_of(left, "run.json")
    for name in (".run.json.part", ".other.json.1f.part", "run.json.1f.part"):
        (tmp_path / name).touch()
    with whole._write_part(tmp_path / "run.json", "of a process that runs"):
        write_whole(tmp_path / "run.json", "whole")
        assert sum(is_part_of(name, "run.json") for name in file_names(tmp_path)) == 1
    assert set(file_names(tmp_path)) == {
        *("run.json", ".run.json.part", ".other.json.1f.part", "run.json.1f.part")
    }


def test_a_temporary_folder_of_a_killed_process_is_cleared_by_the_next_one(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    kill_while(
        "with temporary_folder('tearsheet') as folder: (folder / 'x').touch(); kill()",
        folder=tmp_path,
    )
    (left,) = file_names(tmp_path)
    assert left.startswith("lstm-strategy-tearsheet-")
    (tmp_path / "lstm-strategy-notes-december").mkdir()
    (tmp_path / "tearsheet-abcdefgh").mkdir()
    with temporary_folder("first"), temporary_folder("second"):
        names = file_names(tmp_path)
        assert left not in names
        assert len(names) == 4
    assert set(file_names(tmp_path)) == {"lstm-strategy-notes-december", "tearsheet-abcdefgh"}


def test_what_a_killed_process_left_of_a_folder_is_cleared_by_the_next_replacement(tmp_path):
    kill_while(
        "with replace_folder('model', own=['x']) as folder: (folder / 'x').touch(); kill()",
        folder=tmp_path,
    )
    (left,) = file_names(tmp_path)
    (tmp_path / ".model-december").mkdir()
    with replace_folder(tmp_path / "model", own=["x"]) as folder:
        (folder / "x").touch()
        with replace_folder(tmp_path / "model", own=["x"]):
            assert left not in file_names(tmp_path)
        assert folder.exists()
    assert set(file_names(tmp_path)) == {"model", ".model-december"}


@pytest.mark.parametrize(
    "dies",
    [
        pytest.param("temporary.make_held_file = lambda path: kill()", id="as it made it"),
        pytest.param("Path.rmdir = lambda folder: kill()", id="as it removed it"),
    ],
)
def test_an_empty_folder_of_a_killed_process_is_cleared_by_the_next_replacement(tmp_path, dies):
    with replace_folder(tmp_path / "model", own=["x"]) as folder:
        (folder / "x").touch()
    kill_while(
        "from lstm_strategy.support.files import temporary\n"
        f"{dies}\nwith replace_folder('model', own=['x']): pass",
        folder=tmp_path,
    )
    (left,) = set(tmp_path.iterdir()) - {tmp_path / "model"}
    assert not list(left.iterdir())
    with replace_folder(tmp_path / "model", own=["x"]):
        pass
    assert file_names(tmp_path) == ["model"]


def test_a_folder_that_finds_no_room_leaves_the_earlier_one(tmp_path, limited_file_size):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "x").touch()
    with (
        limited_file_size(1000),
        pytest.raises(OSError, match="/model'"),
        replace_folder(tmp_path / "model", own=["x"]) as folder,
    ):
        (folder / "x").write_bytes(b"0" * 2000)
    assert file_names(tmp_path) == ["model"]
    assert (tmp_path / "model" / "x").read_bytes() == b""


def test_results_that_find_no_room_together_leave_every_earlier_one(tmp_path, limited_file_size):
    write_together(tmp_path, {"a.csv": "old a", "c.csv": "old c"})
    results = {"a.csv": "new a", "b.csv": "0" * 2000, "c.csv": "new c"}
    with limited_file_size(1000), pytest.raises(OSError, match=r"/b\.csv'"):
        write_together(tmp_path, results)
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {
        "a.csv": "old a",
        "c.csv": "old c",
    }
    write_together(tmp_path, results)
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == results


def test_an_error_in_a_temporary_folder_names_it():
    with pytest.raises(OSError, match="lstm-strategy-full-"), temporary_folder("full"):
        raise OSError(errno.ENOSPC, "No space left on device")


def kill_while(block, *, folder):
    """Run a block in a process that kills itself at `kill()`."""
    code = (
        "import os, signal\nfrom pathlib import Path\n"
        "from lstm_strategy.support.files import replace_folder, temporary_folder, whole\n"
        f"def kill(): os.kill(os.getpid(), signal.SIGKILL)\n{block}"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folder)
    assert done.returncode == -signal.SIGKILL


@pytest.fixture
def limited_file_size():
    """Let no file grow larger, as on a full disk."""

    @contextmanager
    def limit(n_bytes):
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limit
