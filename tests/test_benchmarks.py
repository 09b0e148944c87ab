"""The benchmarks' runner; the heavy measurements themselves are `make bench`."""

import json
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def runner(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    import benchmarks.__main__

    return benchmarks.__main__


def test_every_module_that_measures_is_collected(runner):
    files = (ROOT / "benchmarks").glob("[!_]*.py")
    with_measure = {file.stem for file in files if "\ndef measure(" in file.read_text("utf-8")}
    collected = {
        module.__name__.removeprefix("benchmarks.") for module in runner.benchmark_modules()
    }
    assert collected == with_measure
    assert {"feed", "forecasting", "training"} <= collected


def test_the_results_in_the_tree_are_those_of_the_benchmarks(runner):
    names = [name for module in runner.benchmark_modules() for name in module.PEERS]
    results = json.loads(runner.RESULTS_FILE.read_text("utf-8"))
    assert list(results) == list(runner.results_of({}))
    assert list(results["ratios"]) == names


def test_results_have_three_digits_and_name_no_machine(runner):
    results = runner.results_of({"feed": 2.67312, "forecast": 6029.8})
    assert results["ratios"] == {"feed": 2.67, "forecast": 6030.0}
    assert set(results) == {"ratios", "versions", "cpu_count"}
    assert "/" not in json.dumps(results)


def test_a_measurement_has_a_ratio_for_each_peer(runner, monkeypatch):
    from benchmarks import feed

    monkeypatch.setattr(feed, "N_BARS", 50)
    monkeypatch.setattr(feed, "N_REPEATS", 1)
    ratios = feed.measure()
    assert set(ratios) == set(feed.PEERS)
    assert all(ratio > 0 for ratio in ratios.values())


def test_the_runner_shows_and_keeps_what_was_measured(runner, monkeypatch, tmp_path, capsys):
    class Quick:
        PEERS = {"quick": "the slow way"}

        def measure():
            return {"quick": 12.3456}

    monkeypatch.setattr(runner, "benchmark_modules", lambda: [Quick])
    monkeypatch.setattr(runner, "RESULTS_FILE", tmp_path / "results.json")
    runner.main()
    assert json.loads((tmp_path / "results.json").read_text())["ratios"] == {"quick": 12.3}
    shown = capsys.readouterr().out
    assert "the slow way" in shown
    assert "12.3" in shown


def test_the_peers_window_ends_with_its_row(runner):
    from benchmarks.peer import SETTINGS, windows_of

    rows = np.arange(2.0 * (SETTINGS.lookback + 2)).reshape(-1, 2)
    windows = windows_of(rows)
    assert windows.shape == (3, SETTINGS.lookback, 2)
    assert windows[-1].tolist() == rows[-SETTINGS.lookback :].tolist()
