"""A search in several processes, one that is killed, and one in a real PostgreSQL."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import pytest
from made_up import random_walk

pytestmark = pytest.mark.slow

CONFIG = """
[forecaster]
features = [{kind = "log_return", length = 1}, {kind = "rsi", length = 5}]
units = [4]
lookback = 10
epochs = 1
members = 1
[space]
learning_rate = {low = 0.01, high = 0.1, log = true}
min_signal = {low = 0.0, high = 0.3}
"""


@pytest.fixture
def started(tmp_path):
    """Start the command in a folder with bars and a configuration; all are ended afterwards."""
    random_walk(420).to_csv(tmp_path / "bars.csv")
    (tmp_path / "space.toml").write_text(CONFIG)
    processes = []

    def start(n_trials, out, *more):
        words = ["tune", "bars.csv", "--config", "space.toml", "--folds", "2", "--no-prune"]
        command = [sys.executable, "-c", "from lstm_strategy.cli import main; main()", *words]
        command += ["--trials", str(n_trials), "--out", out, *more]
        process = subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def finished(process):
    out, err = process.communicate()
    assert process.returncode == 0, err
    return out


def kept_after(folder, n_files):
    """Wait until so many trials have kept their forecasts."""
    for _ in range(1200):
        if len(list((folder / "forecasts").glob("*.parquet"))) >= n_files:
            return
        time.sleep(0.1)
    raise AssertionError(f"{folder} got no {n_files} trials")


def scores(folder):
    table = pd.read_csv(folder / "trials.csv")
    assert (table["state"] == "complete").all()
    return table[["learning_rate", "min_signal", "value"]]


def test_a_killed_search_goes_on_to_the_same_trials(started, tmp_path):
    finished(started(6, "whole"))
    killed = started(6, "killed")
    kept_after(tmp_path / "killed", 2)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert not (tmp_path / "killed" / "trials.csv").exists()
    finished(started(6, "killed"))
    pd.testing.assert_frame_equal(scores(tmp_path / "killed"), scores(tmp_path / "whole"))
    best = [(tmp_path / name / "best.toml").read_bytes() for name in ("killed", "whole")]
    assert best[0] == best[1]


def test_trials_at_once_are_the_same_in_any_number_of_processes_and_after_a_kill(started, tmp_path):
    finished(started(7, "one", "--at-once", "3"))
    finished(started(7, "two", "--at-once", "3", "--jobs", "2"))
    pd.testing.assert_frame_equal(scores(tmp_path / "two"), scores(tmp_path / "one"), atol=1e-6)
    killed = started(7, "killed", "--at-once", "3")
    kept_after(tmp_path / "killed", 3)
    time.sleep(0.5)  # the study is told of a whole generation within milliseconds
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert not (tmp_path / "killed" / "trials.csv").exists()
    finished(started(7, "killed", "--at-once", "3"))
    pd.testing.assert_frame_equal(scores(tmp_path / "killed"), scores(tmp_path / "one"), atol=1e-6)


@pytest.mark.parametrize("storage", ["sqlite", "journal"])
def test_two_processes_share_a_search_and_make_no_trial_too_many(started, tmp_path, storage):
    more = ["--storage", "journal:log"] if storage == "journal" else []
    both = [started(7, "shared", *more) for _ in range(2)]
    texts = [finished(process) for process in both]
    assert len(scores(tmp_path / "shared")) == 7
    assert len(list((tmp_path / "shared" / "forecasts").iterdir())) == 7
    best = [line for text in texts for line in text.splitlines() if line.startswith("Best of 7")]
    assert len(best) == 2
    assert best[0] == best[1]


@pytest.fixture
def postgresql():
    """The URL of a database server of our own, on a free port, stopped afterwards."""
    places = [shutil.which("initdb"), *map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb"))]
    initdb = next((place for place in places if place), None)
    if initdb is None:
        pytest.skip("no PostgreSQL here: initdb isn't installed (Debian: postgresql)")
    programs = Path(initdb).resolve().parent
    # not in pytest's folder: root's is closed to the user that the server runs as
    home = Path(tempfile.mkdtemp(prefix="postgresql-"))
    as_user = {}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        import pwd

        try:
            user = pwd.getpwnam("postgres")
        except KeyError:
            home.rmdir()
            pytest.skip("PostgreSQL can't run as root, and there is no user postgres")
        os.chown(home, user.pw_uid, user.pw_gid)
        as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def run(program, *words):
        done = subprocess.run(
            [programs / program, *words], capture_output=True, text=True, cwd=home, **as_user
        )
        assert done.returncode == 0, done.stdout + done.stderr

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = str(home / "data")
    run("initdb", "--pgdata", data, "--username", "tuner", "--auth", "trust", "--no-sync")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
    run("pg_ctl", "-D", data, "-o", options, "-l", str(home / "log"), "-w", "start")
    yield f"postgresql://tuner@127.0.0.1:{port}/postgres"
    run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    shutil.rmtree(home)


def test_two_processes_share_a_search_in_postgresql_and_one_is_killed(
    started, tmp_path, postgresql
):
    pytest.importorskip("psycopg", reason="no driver for PostgreSQL: the extra postgresql")
    killed, other = (started(6, "shared", "--storage", postgresql) for _ in range(2))
    kept_after(tmp_path / "shared", 1)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    finished(other)
    assert len(scores(tmp_path / "shared")) == 6
    # the same search from a folder of its own finds the trials in the database, not their forecasts
    assert "Best of 6 trials" in finished(started(6, "elsewhere", "--storage", postgresql))
