"""The benchmarks' runner and guard; the heavy measurements themselves are `make bench`."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def runner(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    import benchmarks.__main__

    return benchmarks.__main__


@pytest.fixture
def figures(runner):
    from benchmarks import figures

    return figures


@pytest.fixture
def guard(runner, monkeypatch, tmp_path):
    """The guard, with a results.json of its own."""
    from benchmarks import guard

    monkeypatch.setattr(guard, "RESULTS_FILE", tmp_path / "results.json")
    return guard


@pytest.fixture
def bench(runner, guard, figures, monkeypatch):
    """Run two benchmarks that measure nothing; returns the exit code and the kept ratios."""

    def bench(*words, quick=12.3456, slow=2.0):
        class Quick:
            __name__ = "benchmarks.quick"
            FIGURES = {"quick": figures.Figure("the slow way", aim=10)}
            measure = staticmethod(lambda: {"quick": quick})

        class Slow:
            __name__ = "benchmarks.slow"
            FIGURES = {"slow": figures.Figure("the slower way")}
            measure = staticmethod(lambda: {"slow": slow})

        monkeypatch.setattr(runner, "benchmark_modules", lambda: [Quick(), Slow()])
        code = runner.main(list(words))
        return code, guard.load_results()["ratios"]

    return bench


def test_every_module_that_measures_is_collected(runner):
    files = (ROOT / "benchmarks").glob("[!_]*.py")
    with_measure = {file.stem for file in files if "\ndef measure(" in file.read_text("utf-8")}
    collected = {runner.short_name(module) for module in runner.benchmark_modules()}
    assert collected == with_measure
    assert {"feed", "forecasting", "training"} <= collected


def test_the_results_in_the_tree_are_those_of_the_benchmarks(runner):
    from benchmarks import guard

    names = {name for module in runner.benchmark_modules() for name in module.FIGURES}
    results = guard.load_results()
    assert set(results) == {"ratios", "at_least", "skipped", "versions", "cpu_count"}
    assert set(results["ratios"]) | set(results["skipped"]) == names
    assert not set(results["ratios"]) & set(results["skipped"])
    assert set(results["at_least"]) <= set(results["ratios"])


def test_results_have_three_digits_and_name_no_machine(guard, figures):
    measured = {"feed": 2.67312, "walk": figures.AtLeast(6029.8), "jax": figures.Skipped("no jax")}
    results = guard.build_results(measured, versions={"python": "3.11"}, cpu_count=2)
    assert results == {
        "ratios": {"feed": 2.67, "walk": 6030.0},
        "at_least": ["walk"],
        "skipped": {"jax": "no jax"},
        "versions": {"python": "3.11"},
        "cpu_count": 2,
    }


def test_a_measurement_has_a_ratio_for_each_figure(runner, monkeypatch):
    from benchmarks import feed

    monkeypatch.setattr(feed, "N_BARS", 50)
    monkeypatch.setattr(feed, "N_REPEATS", 1)
    ratios = feed.measure()
    assert set(ratios) == set(feed.FIGURES)
    assert all(ratio > 0 for ratio in ratios.values())


def test_the_runner_shows_and_keeps_what_was_measured(bench, capsys):
    assert bench() == (0, {"quick": 12.3, "slow": 2.0})
    shown = capsys.readouterr().out
    assert "the slow way" in shown
    assert "12.3" in shown


def test_a_chosen_benchmark_runs_alone_and_leaves_the_results_of_the_others(bench):
    bench(quick=12.0, slow=2.0)
    assert bench("slow", quick=99.0, slow=3.0) == (0, {"quick": 12.0, "slow": 3.0})


def test_an_unknown_benchmark_is_named_with_those_there_are(bench, capsys):
    with pytest.raises(SystemExit) as stop:
        bench("quik")
    assert stop.value.code == 2
    assert "no benchmark 'quik'; there are quick, slow" in capsys.readouterr().err


def test_a_large_drop_is_shown_after_the_table_and_leaves_the_results_as_they_were(bench, capsys):
    bench(quick=20.0, slow=2.0)
    capsys.readouterr()
    code, kept = bench(quick=13.9, slow=4.0)
    assert (code, kept) == (1, {"quick": 20.0, "slow": 2.0})
    shown = capsys.readouterr().out
    assert shown.index("the slow way") < shown.index("quick fell by 30%: from 20 to 13.9")


def test_a_large_drop_is_kept_when_that_is_asked_for(bench):
    bench(quick=20.0)
    assert bench("--write", quick=5.0) == (0, {"quick": 5.0, "slow": 2.0})


@pytest.mark.parametrize("now, drops", [(14.1, []), (14.0, []), (13.9, ["quick"]), (40.0, [])])
def test_a_drop_counts_from_thirty_percent_on(guard, now, drops):
    assert [drop.name for drop in guard.find_drops({"quick": 20.0}, {"quick": now})] == drops


def test_what_was_measured_only_once_is_no_drop(guard, figures):
    now = {"new": 0.1, "jax": figures.Skipped("jax isn't installed")}
    assert guard.find_drops({"gone": 5.0, "jax": 4.0}, now) == []


def test_a_missing_peer_is_shown_with_its_reason_and_breaks_nothing(bench, figures, guard, capsys):
    bench(quick=20.0)
    code, kept = bench(quick=figures.Skipped("torch isn't installed"))
    assert (code, kept) == (0, {"slow": 2.0})
    assert guard.load_results()["skipped"] == {"quick": "torch isn't installed"}
    assert "skipped: torch isn't installed" in capsys.readouterr().out


def test_a_library_that_is_not_installed_is_a_reason_to_skip(figures):
    assert figures.reason_without("numpy") is None
    assert "pip install" in figures.reason_without("no_such_library_anywhere")


def test_a_bound_is_shown_as_one(figures):
    assert figures.format_figure(figures.AtLeast(4.567)) == "> 4.57"
    assert figures.format_figure(12_345.6) == "12,346"


def test_a_function_runs_in_a_process_of_its_own(runner):
    from benchmarks.fresh import in_fresh_process

    assert in_fresh_process("fresh.peak_bytes") > 1_000_000
    with pytest.raises(RuntimeError, match="TypeError"):
        in_fresh_process("fresh.peak_bytes", "an argument too many")


def test_the_peers_window_ends_with_its_row(runner):
    from benchmarks.peer import SETTINGS, windows_of

    rows = np.arange(2.0 * (SETTINGS.lookback + 2)).reshape(-1, 2)
    windows = windows_of(rows)
    assert windows.shape == (3, SETTINGS.lookback, 2)
    assert windows[-1].tolist() == rows[-SETTINGS.lookback :].tolist()


def test_pybrokers_lags_become_windows_with_the_newest_row_last(runner):
    from benchmarks.peer import SETTINGS
    from benchmarks.walking import _windows_of_lags

    n = SETTINGS.lookback
    newest_first = np.concatenate([np.arange(n)[::-1], 100 + np.arange(n)[::-1]])
    (window,) = _windows_of_lags(newest_first[None])
    assert window[0].tolist() == [0, 100]
    assert window[-1].tolist() == [n - 1, 100 + n - 1]


def test_multiply_adds_are_those_of_two_lstm_layers_and_the_last_one(runner):
    from benchmarks.peer import multiply_adds_a_bar

    assert multiply_adds_a_bar(16) == 4 * 64 * (16 + 64) + 4 * 64 * (64 + 64) + 64


def test_the_peers_learn_from_the_rows_before_those_that_all_are_judged_on(runner):
    from benchmarks.learning import _windows
    from lstm_strategy.learning.training import TrainingSet

    rows = TrainingSet(
        features=np.arange(200.0)[:, None],
        labels=np.arange(200)[:, None] % 2,
        weights=np.ones(200),
        context=np.empty((200, 0)),
        held_out=(slice(150, 200),),
        purge=1,
    )
    windows, labels, _, held_out = _windows(rows, scaled=False)
    assert (len(windows), len(labels)) == (90, 90)
    assert windows[-1, -1] == 148
    assert labels[-1] == 148 % 2
    assert held_out[:, -1, 0].tolist() == list(range(150, 200))


def test_models_of_volatility_are_measured_beside_the_true_variance(runner):
    from benchmarks.volatility import garch_losses

    losses = garch_losses([1], n_bars=1500, members=1)
    assert losses.index.tolist() == [1]
    assert (losses.drop(columns="loss of the true variance") > 0.9).all(axis=None)
    assert losses.loc[1, ["GARCH", "LSTM"]].max() < losses.loc[1, "EWMA 0.94"]


def test_a_file_of_realised_variances_in_percent_becomes_bars_of_closes(runner, tmp_path):
    from benchmarks.volatility import compare_on, read_realized

    rng = np.random.default_rng(1)
    dates = pd.bdate_range("2009-01-01", periods=400)
    variance = np.exp(rng.normal(0, 0.5, 400))
    frame = pd.DataFrame({"r": rng.normal(0, np.sqrt(variance)), "v": variance}, dates)
    frame.to_csv(tmp_path / "realized.csv")
    bars = read_realized(tmp_path / "realized.csv", returns="r", variance="v", is_percent=True)
    np.testing.assert_allclose(bars["close"].pct_change()[1:], frame["r"][1:] / 100)
    np.testing.assert_allclose(bars["realized_variance"], variance / 1e4)
    table = compare_on(bars, start="2010-01-01", refit=100, members=0).table
    assert table["qlike"]["log-HAR"] < table["qlike"]["GJR-GARCH-t"]
