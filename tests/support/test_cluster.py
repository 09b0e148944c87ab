"""A real Ray cluster of two nodes on this machine, one of which is killed in the middle."""

import sys
import time
from types import SimpleNamespace

import joblib
import pandas as pd
import pytest
from made_up import SMALL, SMALL_FEATURES, random_walk

from lstm_strategy import (
    BASELINES,
    LSTMForecaster,
    LSTMStrategyError,
    WalkForward,
    compare,
    tune,
    walk_forward,
    workers,
)
from lstm_strategy.support.parallel import run_tasks, share

pytestmark = pytest.mark.slow

# it sets what Ray reads when it is imported
pytest.importorskip("lstm_strategy.support.ray_backend", reason="no Ray for this Python: its extra")
ray = sys.modules["ray"]

BARS = random_walk(420, seed=11)
FORECASTER = LSTMForecaster(SMALL_FEATURES, **{**SMALL, "epochs": 60, "patience": 60, "members": 1})
STORE_BYTES = 80 * 2**20


@pytest.fixture
def cluster():
    """Two nodes of one core each: its address, and a function that kills the second."""
    from ray.cluster_utils import Cluster

    # workers can't import a test module, nor its helpers
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    nodes = Cluster()
    nodes.add_node(num_cpus=1, include_dashboard=False, object_store_memory=STORE_BYTES)
    second = nodes.add_node(num_cpus=1, object_store_memory=STORE_BYTES)
    yield SimpleNamespace(
        address=nodes.address,
        second=second.node_id,
        kill_second=lambda: nodes.remove_node(second, allow_graceful=False),
    )
    nodes.shutdown()


def is_alone():
    """Whether one node is left; Ray notices a dead one after a while."""
    latest = time.monotonic() + 120
    while (alive := sum(node["Alive"] for node in ray.nodes())) > 1 and time.monotonic() < latest:
        time.sleep(0.1)
    return alive == 1


def wait_for_the_second(number, folder, handle, second):
    """Never ends on the second node, and elsewhere not before a task has begun there."""
    node = ray.get_runtime_context().get_node_id()
    (folder / f"{number} {node} {time.monotonic_ns()}").touch()
    latest = time.monotonic() + 120
    while node == second or (time.monotonic() < latest and not any(folder.glob(f"* {second} *"))):
        time.sleep(0.05)
    return number, int(handle.value.sum())


def starts(folder):
    return [file.name.split() for file in folder.iterdir()]


def test_a_task_whose_machine_dies_is_started_again_elsewhere(cluster, tmp_path, capfd):
    with workers("ray", address=cluster.address):
        with share(BARS["close"] > 0, n_jobs=None) as handle:
            task = joblib.delayed(wait_for_the_second)
            jobs = (task(number, tmp_path, handle, cluster.second) for number in range(8))
            done = run_tasks(jobs, n_jobs=None, in_order=False)
            first = next(done)
            cluster.kill_second()
            assert sorted([first, *done]) == [(number, 420) for number in range(8)]
        assert is_alone()
    begun = [number for number, _, _ in starts(tmp_path)]
    lost = {number for number in begun if begun.count(number) > 1}
    assert lost
    assert lost <= {number for number, node, _ in starts(tmp_path) if node == cluster.second}
    assert "raylet" not in "".join(capfd.readouterr())


def test_a_walk_forward_survives_a_dead_node_with_the_same_result(cluster, tmp_path):
    splits = WalkForward(200, 30)
    killed = []

    def kill(done, _):
        if done == 1:
            killed.append(done)
            cluster.kill_second()

    alone = walk_forward(BARS, FORECASTER, splits, progress=False)
    with workers("ray", address=cluster.address):
        walked = walk_forward(BARS, FORECASTER, splits, folder=tmp_path / "run", progress=kill)
        assert is_alone()
    assert killed
    assert len(walked.refits) == 8
    pd.testing.assert_frame_equal(walked.forecast(BARS), alone.forecast(BARS), atol=1e-6)
    pd.testing.assert_frame_equal(walked.ledger, alone.ledger)


def test_a_study_survives_a_dead_node_with_the_same_result(cluster, tmp_path):
    space = {"learning_rate": (0.005, 0.1, "log"), "min_signal": (0.0, 0.3)}
    how = {"forecaster": FORECASTER, "n_folds": 2, "at_once": 3, "seed": 4}
    killed = []

    def kill(done, _):
        if done >= 6 and not killed:
            killed.append(done)
            cluster.kill_second()

    alone = tune(BARS, space, 9, n_jobs=1, progress=False, **how)
    with workers("ray", address=cluster.address):
        found = tune(BARS, space, 9, folder=tmp_path / "study", progress=kill, **how)
        assert is_alone()
    assert killed
    columns = ["state", "value", "folds", "learning_rate", "min_signal"]
    pd.testing.assert_frame_equal(found.trials[columns], alone.trials[columns], atol=1e-6)
    pd.testing.assert_frame_equal(found.returns, alone.returns, atol=1e-6)
    assert found.best_number == alone.best_number


def test_a_module_that_the_workers_lack_is_named(cluster):
    ray.cloudpickle.unregister_pickle_by_value(sys.modules[__name__])
    with (
        workers("ray", address=cluster.address),
        pytest.raises(LSTMStrategyError, match="No module named 'test_cluster'"),
    ):
        list(run_tasks([joblib.delayed(starts)(0)], n_jobs=None))


def test_strategies_are_compared_on_the_cluster(cluster):
    alone = compare(BASELINES, BARS, n_jobs=1)
    with workers("ray", address=cluster.address):
        board = compare(BASELINES, BARS)
    pd.testing.assert_frame_equal(board.equity, alone.equity)


def test_an_error_in_a_task_is_the_one_that_it_raised(cluster):
    with (
        workers("ray", address=cluster.address),
        pytest.raises(LSTMStrategyError, match=r"^Fold \d, trained on .*, failed. Training needs"),
    ):
        walk_forward(BARS, LSTMForecaster(lookback=190), WalkForward(200, 100), progress=False)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nowhere", "127.0.0.1:99999"])
def test_a_cluster_that_can_not_be_reached_is_named_with_the_remedy(address):
    with (
        pytest.raises(LSTMStrategyError, match=f"at {address}: .*`ray start --head`"),
        workers("ray", address=address),
    ):
        pass
