"""What it takes to begin: a saved model in a new process, and the learners beside an LSTM."""

import contextlib
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.feed import random_bars
from benchmarks.figures import Figure, Measured
from benchmarks.fresh import in_fresh_process

N_BARS, N_TRAINED = 3_000, 1_500
N_ROWS, N_COLUMNS = 2_500, 100  # ten years of daily bars, five features of twenty bars
REPEATS = 5

FIGURES = {
    "saved_model_vs_imports": Figure("importing pandas, backtrader and ONNX Runtime alone", 0.5),
    "report_vs_imports": Figure("the same imports, with those of matplotlib and bokeh", 0.4),
    "trees_vs_sklearn": Figure("the same boosted trees, whose bins scikit-learn cuts", 3),
}


def import_seconds() -> float:
    """CPU time of a process that imports what nobody who trades a saved model can do without."""
    import backtrader  # noqa: F401
    import onnxruntime  # noqa: F401
    import pandas  # noqa: F401
    import pandas_ta_classic  # noqa: F401
    import pyarrow.csv  # noqa: F401

    return time.process_time()


def drawing_import_seconds() -> float:
    """The same with what nobody can do without who draws, for paper and for a pointer."""
    import bokeh.plotting  # noqa: F401
    import matplotlib.backends.backend_agg
    import matplotlib.figure  # noqa: F401

    return import_seconds()


def trade_seconds(folder: str) -> float:
    """CPU time of a process that reads bars and a saved model, and trades the second half."""
    from lstm_strategy import LSTMStrategy, load_bars, run_backtest

    bars = load_bars(f"{folder}/bars.csv")
    run_backtest(LSTMStrategy, bars, start=bars.index[N_TRAINED], model=f"{folder}/model")
    return time.process_time()


def report_seconds(folder: str) -> float:
    """The same as by the command `backtest --report`, which compares with holding and draws."""
    from lstm_strategy.cli import main

    bars, model, results = (f"{folder}/{name}" for name in ("bars.csv", "model", "results"))
    sys.argv[1:] = ["backtest", bars, "--model", model, "--report", "--out", results, "--force"]
    with contextlib.suppress(SystemExit):
        main()
    return time.process_time()


def shares_of_imports() -> dict[str, float]:
    """How much of the time from a saved model to a backtest and a report imports take."""
    from lstm_strategy import LSTMForecaster

    bars = random_bars(N_BARS)
    with tempfile.TemporaryDirectory() as folder:
        bars.to_csv(Path(folder) / "bars.csv")
        LSTMForecaster(members=5, epochs=1).fit(bars[:N_TRAINED]).save(Path(folder) / "model")

        def measure_least(name: str, *words: str) -> float:
            return min(in_fresh_process(f"starting.{name}", *words) for _ in range(REPEATS))

        return {
            "saved_model_vs_imports": measure_least("import_seconds")
            / measure_least("trade_seconds", folder),
            "report_vs_imports": measure_least("drawing_import_seconds")
            / measure_least("report_seconds", folder),
        }


def trees_ratio() -> float:
    """How much faster boosted trees learn where their bins are cut together."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    from lstm_strategy.learning.reference import BinnedTrees

    draw = np.random.default_rng(0)
    rows = draw.normal(size=(N_ROWS, N_COLUMNS))
    labels = (rows[:, 0] + draw.normal(size=N_ROWS) > 0).astype(float)
    weights = draw.gamma(1.0, size=N_ROWS)
    seconds = {}
    theirs = HistGradientBoostingClassifier(max_leaf_nodes=4, max_features=0.5, max_bins=32)
    for name, trees in (("ours", BinnedTrees(theirs)), ("theirs", theirs)):
        taken = []
        for _ in range(3):
            started = time.process_time()
            with threadpool_limits(1):
                trees.fit(rows, labels, sample_weight=weights)
            taken.append(time.process_time() - started)
        seconds[name] = min(taken)
    return seconds["theirs"] / seconds["ours"]


def measure() -> dict[str, Measured]:
    """Return how the start of a process and of the learners compare with what they can't avoid."""
    return {
        **shares_of_imports(),
        "trees_vs_sklearn": trees_ratio(),
    }
