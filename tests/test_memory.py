"""A process that fits and backtests again and again doesn't take more and more memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent

# notes its memory after each tenth of the trainings, and after each tenth of the backtests
WORK = """
import gc, json, os, sys
from pathlib import Path

from made_up import SMALL_FEATURES, random_walk

from lstm_strategy import BASELINES, LSTMForecaster, LSTMStrategy, run_backtest

N_FITS, N_BACKTESTS = int(sys.argv[1]), int(sys.argv[2])
BARS = random_walk(200)
notes = {"fits": [], "backtests": []}


def note(name, number, n_all):
    if number % (n_all // 10) == n_all // 10 - 1:
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        notes[name].append(pages * os.sysconf("SC_PAGE_SIZE") / 2**20)


for number in range(N_FITS):
    tiny = {"units": (3,), "lookback": 10, "epochs": 1, "members": 2, "seed": number}
    model = LSTMForecaster(SMALL_FEATURES, **tiny).fit(BARS.iloc[:150], progress=False)
    model.forecast(BARS)
    note("fits", number, N_FITS)
for number in range(N_BACKTESTS):
    if number % 2:
        run_backtest(LSTMStrategy, BARS, start=BARS.index[150], model=model).metrics
    else:
        run_backtest(BASELINES["SMA cross"], BARS, fast=2, slow=9).metrics
    note("backtests", number, N_BACKTESTS)
print(json.dumps(notes))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the memory is read from /proc")
def test_the_memory_of_50_fits_and_200_backtests_stays_as_it_was_after_a_few(tmp_path):
    script = tmp_path / "work.py"
    script.write_text(WORK)
    paths = os.pathsep.join([str(TESTS), str(TESTS.parent)])
    done = subprocess.run(
        [sys.executable, str(script), "50", "200"],
        env={**os.environ, "PYTHONPATH": paths, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    notes = json.loads(done.stdout.splitlines()[-1])
    fits, backtests = notes["fits"], notes["backtests"]
    assert len(fits) == len(backtests) == 10
    assert fits[-1] < 1.05 * fits[2]
    assert backtests[-1] < backtests[2] + 10  # MiB, of 140 backtests
