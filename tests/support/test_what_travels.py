"""The bars of a panel reach each process once: a task carries a handle, of however many bars."""

import cloudpickle
import joblib
import numpy as np
import pandas as pd
import pytest
from made_up import SMALL, SMALL_FEATURES, random_walk

from lstm_strategy import (
    PORTFOLIO_BASELINES,
    LSTMForecaster,
    WalkForward,
    compare,
    tune,
    walk_forward,
)
from lstm_strategy.bars import as_panel
from lstm_strategy.support.parallel import run_tasks, share

FORECASTER = LSTMForecaster(SMALL_FEATURES, **SMALL)
SPACE = {"learning_rate": (0.005, 0.1, "log")}
MOST_BYTES = 8_000  # of a task; the bars of the shorter panel are 48,000


class TasksSeenError(Exception):
    """Raised in place of running them."""


def panel_of(n_bars):
    return {name: random_walk(n_bars, seed=seed) for seed, name in enumerate("ABC")}


WORK = {
    "folds": (
        "lstm_strategy.learning.walk_forward.run",
        lambda panel: walk_forward(panel, FORECASTER, WalkForward(200, 100), n_jobs=2),
    ),
    "trials": (
        "lstm_strategy.learning.search.batch",
        lambda panel: tune(panel, SPACE, 2, forecaster=FORECASTER, n_folds=2, n_jobs=2),
    ),
    "strategies": (
        "lstm_strategy.evaluation.backtests.parallel_runs",
        lambda panel: compare(PORTFOLIO_BASELINES, panel, n_jobs=2),
    ),
}


@pytest.mark.parametrize("work", WORK)
def test_a_task_on_a_panel_stays_small_however_long_the_panel_is(work, monkeypatch):
    module, begin = WORK[work]
    sizes = []

    def measure(tasks, **_):
        sizes.append([len(cloudpickle.dumps(task)) for task in tasks][:2])
        raise TasksSeenError

    monkeypatch.setattr(f"{module}.run_tasks", measure)
    for n_bars in (400, 1_600):
        with pytest.raises(TasksSeenError):
            begin(panel_of(n_bars))
    short, long = sizes
    assert len(short) == len(long) == 2
    assert max(long) < max(short) + 100
    assert max(long) < MOST_BYTES


def look_at(handle):
    panel = handle.value
    writable = any(bars["close"].to_numpy().flags.writeable for bars in panel.values())
    return panel, id(panel), writable


def test_a_panel_reaches_a_process_once_and_is_mapped_into_its_memory():
    panel = as_panel(panel_of(400))
    fingerprint = panel.fingerprint
    with share(panel, n_jobs=2) as handle:
        results = list(run_tasks((joblib.delayed(look_at)(handle) for _ in range(6)), n_jobs=2))
    assert len({identity for _, identity, _ in results}) <= 2
    assert not any(writable for _, _, writable in results)
    for found, _, _ in results:
        assert found.symbols == panel.symbols
        assert found.fingerprint == fingerprint
        for symbol, bars in panel.items():
            pd.testing.assert_frame_equal(found[symbol], bars, check_freq=False)
            np.testing.assert_array_equal(found[symbol].to_numpy(), bars.to_numpy())
