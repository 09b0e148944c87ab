"""Several threads give a long scan the numbers of one thread, to the last bit."""

import threading

import numpy as np
import pytest
from test_engines import NETWORKS, lstm_of, network_of, rows_of

from lstm_strategy.learning.inference.onnx_engine import OnnxEngine
from lstm_strategy.learning.inference.onnx_export import export_onnx
from lstm_strategy.learning.inference.threads import ThreadedScan, usable_threads

BLOCK = 512


def engine_with(model, n_threads, monkeypatch):
    monkeypatch.setattr(
        "lstm_strategy.learning.inference.onnx_engine.usable_threads", lambda: n_threads
    )
    return OnnxEngine(model)


@pytest.mark.parametrize("build", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("n_threads", [2, 3])
def test_threads_change_no_number(build, n_threads, monkeypatch):
    model = export_onnx(build())
    rows = rows_of(2, 5 * BLOCK + 7)
    alone = engine_with(model, 1, monkeypatch)
    before = alone.scan(rows[:, :9], alone.initial_state(2))[1]
    expected, states = alone.scan(rows, before)
    found, found_states = engine_with(model, n_threads, monkeypatch).scan(rows, before)
    np.testing.assert_array_equal(found, expected)
    assert len(found_states) == len(states)
    for found_state, state in zip(found_states, states, strict=True):
        np.testing.assert_array_equal(found_state, state)


def test_a_long_scan_runs_in_threads_and_a_short_one_does_not(monkeypatch):
    engine = engine_with(export_onnx(network_of(lstm_of(4, 3))), 2, monkeypatch)
    started = []
    start = threading.Thread.start
    monkeypatch.setattr(threading.Thread, "start", lambda t: (started.append(t), start(t)))
    engine.scan(rows_of(1, BLOCK), engine.initial_state(1))
    assert not started
    engine.scan(rows_of(1, 4 * BLOCK), engine.initial_state(1))
    assert len(started) == 1
    started[0].join(5)
    assert not started[0].is_alive()


class FakePart:
    """A part of a network that only counts its calls, and fails at one of them."""

    def __init__(self, given, fails_at=None):
        self.given, self.fails_at, self.calls = given, fails_at, 0

    def get_inputs(self):
        return []

    def get_outputs(self):
        return [type("Port", (), {"name": self.given})]

    def run(self, outputs, feeds):
        self.calls += 1
        if self.calls == self.fails_at:
            raise ValueError("no more")
        return [np.zeros((1, 1, 1))]


def test_an_error_in_a_thread_is_raised_where_the_forecasts_are_wanted():
    parts = [FakePart("between", fails_at=3), FakePart("forecasts")]
    with pytest.raises(ValueError, match="no more"):
        ThreadedScan(parts, [], 2).scan([np.zeros(1)] * 9, [])
    assert parts[1].calls == 2


def test_a_thread_ends_when_the_one_after_it_fails():
    parts = [FakePart("between"), FakePart("forecasts", fails_at=2)]
    before = set(threading.enumerate())
    with pytest.raises(ValueError, match="no more"):
        ThreadedScan(parts, [], 2).scan([np.zeros(1)] * 900, [])
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
        assert not thread.is_alive()
    assert parts[0].calls < 20


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [("1", 1), ("3", 3), ("64", 4), ("", 4), ("0", 4), ("many", 4)],
)
def test_threads_are_as_many_as_there_is_room_for(allowed, expected, monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: range(4), raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", allowed)
    assert usable_threads() == expected
