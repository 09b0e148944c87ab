"""Tasks in processes of this machine; tests/test_cluster.py has those on a cluster."""

import sys

import cloudpickle
import joblib
import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy import LSTMStrategyError, workers
from lstm_strategy.support import parallel as tasks

BARS = random_walk(420, seed=11)


def seen(handle):
    bars = handle.value
    return bars, id(bars), bars["close"].to_numpy().flags.writeable


def test_shared_bars_reach_a_process_once_and_the_tasks_stay_small():
    with tasks.shared(BARS, n_jobs=2) as handle:
        assert len(cloudpickle.dumps(handle)) < 500
        jobs = [joblib.delayed(seen)(handle) for _ in range(6)]
        results = list(tasks.run_tasks(jobs, n_jobs=2))
    for bars, _, is_writeable in results:
        pd.testing.assert_frame_equal(bars, BARS, check_freq=False)
        assert not is_writeable
    assert len({identity for _, identity, _ in results}) <= 2


def test_in_one_process_nothing_is_copied():
    with tasks.shared(BARS, n_jobs=1) as handle:
        assert handle.value is BARS


def test_arrays_of_every_kind_come_back_as_they_were():
    value = {"odd": np.arange(3, dtype=np.int8), "none": np.empty(0), "text": "x", "f": lambda: 7}
    value["numbers"] = np.linspace(0, 1, 5)
    with tasks.shared(value, n_jobs=2) as handle:
        found = handle.value
        assert found is not value
        for name in ("odd", "none", "numbers"):
            np.testing.assert_array_equal(found[name], value[name])
        assert (found["text"], found["f"]()) == ("x", 7)


def test_results_come_in_the_order_of_the_tasks_or_as_they_are_done():
    jobs = [joblib.delayed(abs)(-number) for number in range(5)]
    assert list(tasks.run_tasks(jobs, n_jobs=2)) == [0, 1, 2, 3, 4]
    assert sorted(tasks.run_tasks(jobs, n_jobs=2, in_order=False)) == [0, 1, 2, 3, 4]


def test_what_joblib_is_told_holds_where_nobody_says_how_many():
    assert tasks.is_serial(None)
    assert tasks.choose_jobs(None, otherwise=3) == 3
    with joblib.parallel_config(n_jobs=2):
        assert not tasks.is_serial(None)
        assert tasks.is_serial(1)
        assert tasks.choose_jobs(None, otherwise=3) is None
    with workers("local", n_jobs=2):
        assert not tasks.is_serial(None)


MISUSES = {
    "engine": (("dask",), {}, "engine must be one of local, ray, got 'dask'"),
    "address": (("local",), {"address": "here:1"}, 'needs the engine "ray"'),
}


@pytest.mark.parametrize("misuse", MISUSES)
def test_misuse_is_told_before_anything_runs(misuse):
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
