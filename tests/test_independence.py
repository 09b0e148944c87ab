"""The numbers of a comparison depend on nothing around it: the same files to the byte."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from made_up import random_walk

TESTS = Path(__file__).parent
USUAL = {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C.UTF-8", "OMP_NUM_THREADS": "1"}

COMMAND_SETTINGS = """
[forecaster]
units = [4]
lookback = 10
epochs = 2
members = 1
features = [{kind = "log_return", length = 1}, {kind = "rsi", length = 5}]
"""

# trains a network, compares it with baselines and writes the tables, in the order of the names
WORK = """
import sys
from pathlib import Path

from made_up import SMALL, SMALL_FEATURES, random_walk

from lstm_strategy import BASELINES, LSTMForecaster, LSTMStrategy, compare

if __name__ == "__main__":
    order, n_jobs, out = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    bars = random_walk(420, seed=3)
    model = LSTMForecaster(SMALL_FEATURES, **SMALL).fit(bars.iloc[:300], progress=False)
    signal = model.card.signal.model_copy(update={"confidence": 1.0})
    model.card = model.card.model_copy(update={"signal": signal})
    chosen = {name: BASELINES[name] for name in ("Buy and hold", "MACD", "Donchian breakout")}
    strategies = {"LSTM": (LSTMStrategy, {"model": model}), **chosen}
    if order == "reversed":
        strategies = dict(reversed(strategies.items()))
    comparison = compare(strategies, bars, start=bars.index[300], n_jobs=n_jobs)
    comparison.save(out)
    model.forecast(bars).to_csv(out / "forecast.csv")
"""


@pytest.fixture(scope="module")
def tables_of(tmp_path_factory):
    """Tables by name, as a process of its own wrote them, rows and columns in order."""
    script = tmp_path_factory.mktemp("script") / "work.py"
    script.write_text(WORK)

    def tables(*flags, order="given", n_jobs=1, **environment):
        out = tmp_path_factory.mktemp("out")
        paths = os.pathsep.join([str(TESTS), str(TESTS.parent)])
        done = subprocess.run(
            [sys.executable, *flags, str(script), order, str(n_jobs), str(out)],
            env={**os.environ, "PYTHONPATH": paths, **USUAL, **environment},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return {name: (out / f"{name}.csv").read_bytes() for name in ("metrics", "forecast")} | {
            "equity": in_order((out / "equity.csv").read_text())
        }

    def in_order(text):
        """The columns of a table of plain numbers by their names."""
        return sorted(zip(*(line.split(",") for line in text.splitlines()), strict=True))

    return tables


@pytest.fixture(scope="module")
def usual(tables_of):
    return tables_of()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flags", "change"),
    [
        pytest.param([], {"PYTHONHASHSEED": "4242"}, id="hash seed"),
        pytest.param([], {"TZ": "Asia/Kolkata", "LC_ALL": "tr_TR.UTF-8"}, id="zone and locale"),
        pytest.param([], {"LC_ALL": "C", "PYTHONUTF8": "0"}, id="plain ASCII"),
        pytest.param(["-O"], {}, id="without asserts"),
        pytest.param([], {"n_jobs": 2}, id="two processes"),
        pytest.param([], {"OMP_NUM_THREADS": "4", "TF_NUM_INTRAOP_THREADS": "4"}, id="threads"),
    ],
)
def test_the_tables_are_the_same_to_the_byte(tables_of, usual, flags, change):
    assert tables_of(*flags, **change) == usual


@pytest.mark.slow
def test_the_order_of_the_strategies_changes_the_order_of_the_rows_alone(tables_of, usual):
    other = tables_of(order="reversed")
    assert other["equity"] == usual["equity"]
    assert sorted(other["metrics"].splitlines()) == sorted(usual["metrics"].splitlines())


@pytest.mark.slow
def test_a_command_writes_the_same_to_the_byte_whatever_is_around_it(tmp_path):
    random_walk(520, seed=3).to_csv(tmp_path / "bars.csv")
    (tmp_path / "small.toml").write_text(COMMAND_SETTINGS)
    windows = ("--train-window", "300 bars", "--test-window", "100 bars")
    words = ("compare", "bars.csv", "--config", "small.toml", "--walk-forward", *windows)
    strange = {"PYTHONHASHSEED": "4242", "TZ": "Asia/Kolkata", "LC_ALL": "tr_TR.UTF-8"}

    def files_of(out, *flags, **environment):
        done = subprocess.run(
            [sys.executable, *flags, "-m", "lstm_strategy", *words, "--jobs", "1", "--out", out],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(TESTS.parent), **USUAL, **environment},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        names = ("metrics.csv", "equity.csv", "model/ledger.csv")
        return done.stdout, {name: (tmp_path / out / name).read_bytes() for name in names}

    assert files_of("usual") == files_of("strange", "-O", **strange)
