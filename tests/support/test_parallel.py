"""Tasks in processes of this machine; `test_cluster.py` has those on a cluster."""

import atexit
import os
import subprocess
import sys
import time
from pathlib import Path

import cloudpickle
import joblib
import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy import LSTMStrategyError, workers
from lstm_strategy.support.parallel import choose_jobs, end_workers, is_serial, run_tasks, share

BARS = random_walk(420, seed=11)


def look_at(handle):
    bars = handle.value
    return bars, id(bars), bars["close"].to_numpy().flags.writeable


def test_shared_bars_reach_a_process_once_and_the_tasks_stay_small():
    with share(BARS, n_jobs=2) as handle:
        assert len(cloudpickle.dumps(handle)) < 500
        tasks = [joblib.delayed(look_at)(handle) for _ in range(6)]
        results = list(run_tasks(tasks, n_jobs=2))
    for bars, _, is_writeable in results:
        pd.testing.assert_frame_equal(bars, BARS, check_freq=False)
        assert not is_writeable
    assert len({identity for _, identity, _ in results}) <= 2


def test_in_one_process_nothing_is_copied():
    with share(BARS, n_jobs=1) as handle:
        assert handle.value is BARS


def test_threads_look_at_the_value_itself():
    with joblib.parallel_config("threading", n_jobs=2), share(BARS, n_jobs=None) as handle:
        tasks = [joblib.delayed(look_at)(handle) for _ in range(2)]
        assert all(bars is BARS for bars, _, _ in run_tasks(tasks, n_jobs=None))


def test_arrays_of_every_kind_come_back_as_they_were():
    arrays = {
        "odd": np.arange(3, dtype=np.int8),
        "none": np.empty((0, 3)),
        "numbers": np.linspace(0, 1, 5),
        "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    }
    with share({**arrays, "text": "x", "function": lambda: 7}, n_jobs=2) as handle:
        copy = handle.value
        for name, array in arrays.items():
            assert copy[name] is not array
            np.testing.assert_array_equal(copy[name], array)
        assert (copy["text"], copy["function"]()) == ("x", 7)


def test_results_come_in_the_order_of_the_tasks_or_as_they_are_done():
    tasks = [joblib.delayed(abs)(-number) for number in range(5)]
    assert list(run_tasks(tasks, n_jobs=2)) == [0, 1, 2, 3, 4]
    assert sorted(run_tasks(tasks, n_jobs=2, in_order=False)) == [0, 1, 2, 3, 4]


def test_joblib_decides_where_the_caller_does_not():
    assert is_serial(None)
    assert choose_jobs(None, otherwise=3) == 3
    with joblib.parallel_config(n_jobs=2):
        assert not is_serial(None)
        assert is_serial(1)
        assert choose_jobs(None, otherwise=3) is None
    with workers("local", n_jobs=2):
        assert not is_serial(None)


WORK = """
import os, time
from pathlib import Path
import joblib
from lstm_strategy.support import run_tasks, share

def work(handle, number):
    handle.value
    Path(f"worker-{number}").write_text(str(os.getpid()))
    time.sleep(600)

with share([1], n_jobs=2) as handle:
    list(run_tasks((joblib.delayed(work)(handle, n) for n in range(2)), n_jobs=2))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
def test_workers_end_soon_after_their_parent_was_killed(tmp_path):
    parent = subprocess.Popen([sys.executable, "-c", WORK], cwd=tmp_path)
    wait_until(lambda: len(list(tmp_path.glob("worker-*"))) == 2)
    workers = [Path("/proc", path.read_text()) for path in tmp_path.glob("worker-*")]
    assert all(worker.exists() for worker in workers)
    parent.kill()
    parent.wait()
    wait_until(lambda: not any(worker.exists() for worker in workers))


def note_the_end(path):
    """Let this process write a file as it ends, and tell its number."""
    atexit.register(path.touch)
    return os.getpid()


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_workers_that_are_ended_are_gone_at_once_and_do_nothing_more(tmp_path):
    tasks = [joblib.delayed(note_the_end)(tmp_path / f"{number}") for number in range(4)]
    workers_before = set(run_tasks(tasks, n_jobs=2))
    assert all(map(is_running, workers_before))
    end_workers()
    assert not any(map(is_running, workers_before))
    assert list(tmp_path.iterdir()) == []
    assert list(run_tasks(tasks[:1], n_jobs=2))  # others are started where they are needed


COUNT = """
import joblib
from lstm_strategy.support import run_tasks

def work(file):
    import gc
    from pathlib import Path
    class Last:
        def __del__(self, touch=Path(file).touch):
            touch()
    last = Last()
    last.circle = last
    gc.kept = last  # until the end

list(run_tasks((joblib.delayed(work)(f"worker-{n}") for n in range(2)), n_jobs=2))
"""


def test_workers_that_end_look_through_nothing_that_they_made(tmp_path):
    subprocess.run([sys.executable, "-c", COUNT], cwd=tmp_path, check=True)
    assert list(tmp_path.iterdir()) == []


def wait_until(is_done):
    for _ in range(600):
        if is_done():
            return
        time.sleep(0.1)
    raise AssertionError("it took more than a minute")


MISUSES = {
    "engine": (("dask",), {}, "engine must be one of local, ray, got 'dask'"),
    "address": (("local",), {"address": "here:1"}, 'needs the engine "ray"'),
}


@pytest.mark.parametrize("misuse", MISUSES)
def test_misuse_is_refused_before_anything_runs(misuse):
    words, options, message = MISUSES[misuse]
    with pytest.raises(LSTMStrategyError, match=message), workers(*words, **options):
        pass


def test_without_ray_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "lstm_strategy.support.ray_backend", raising=False)
    with (
        pytest.raises(LSTMStrategyError, match=r"pip install 'lstm-strategy\[ray\]'"),
        workers("ray"),
    ):
        pass
