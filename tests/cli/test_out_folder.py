"""What holds for the folder of `--out`, whichever command writes there."""

import os
import shutil
from pathlib import Path

import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy.cli.out_folder import keep_results
from lstm_strategy.errors import SettingsError

MACD = ("backtest", "bars.csv", "--strategy", "MACD")
TINY = ("bars.csv", "--config", "tiny.toml")
BASELINE = ("bars.csv", "--strategy", "MACD")


def contents(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def with_model(command, model_folder):
    return (command, "bars.csv", "--model", model_folder)


def test_the_same_backtest_is_written_again_and_another_only_by_force(results, refusal):
    results(*MACD, "--out", "results")
    first = contents("results")
    results(*MACD, "--out", "results")
    assert contents("results") == first
    message = refusal(*MACD, "--cash", 7000, "--out", "results")
    assert "--out results holds another equity.csv, which stays. Choose a fresh" in message
    assert "replace it with --force" in message
    results(*MACD, "--cash", 7000, "--out", "results", "--force")
    assert contents("results").keys() == first.keys()
    assert contents("results")["equity.csv"] != first["equity.csv"]


def test_what_others_keep_in_the_folder_stays(results, refusal):
    Path("results").mkdir()
    Path("results/trades.csv").write_text("of a broker")
    assert "holds another trades.csv" in refusal(*MACD, "--out", "results")
    Path("results/trades.csv").rename("results/notes.txt")
    results(*MACD, "--out", "results")
    assert Path("results/notes.txt").read_text() == "of a broker"


def test_forecasts_of_more_bars_take_the_place_of_those_that_they_repeat(
    results, refusal, model_folder
):
    words = ("--model", model_folder, "--out", "kept")
    random_walk(500)[:450].to_csv("earlier.csv")
    results("forecast", "earlier.csv", *words)
    results("forecast", "bars.csv", *words)
    assert len(pd.read_csv("kept/forecast.csv")) == 500
    assert "holds another forecast.csv" in refusal("forecast", "earlier.csv", *words)


def test_an_audit_that_finds_the_same_is_written_again_and_another_only_by_force(results, refusal):
    words = ("audit", *BASELINE, "--end", "2001-04", "--out", "kept")
    results(*words)
    results(*words)
    other = ("audit", "bars.csv", "--strategy", "Buy and hold", "--end", "2001-04", "--out", "kept")
    assert "holds another audit.json" in refusal(*other)
    results(*other, "--force")


def test_an_earlier_measurement_stays_and_nothing_is_measured(refusal):
    Path("kept").mkdir()
    Path("kept/doctor.json").write_text("{}")
    assert "holds another doctor.json" in refusal("doctor", "--out", "kept")


NAMES = [
    ((*MACD,), "trades.csv"),
    (("audit", *BASELINE), "audit.json"),
    (("audit", "--indicators"), "indicators.md"),
    (("doctor",), "doctor.json"),
    (("tune", *TINY), "best.toml"),
]


@pytest.mark.parametrize("force", [(), ("--force",)], ids=["unforced", "forced"])
@pytest.mark.parametrize(("words", "name"), NAMES, ids=[name for _, name in NAMES])
def test_a_folder_of_the_name_of_a_result_is_found_before_the_work(
    refusal, monkeypatch, words, name, force
):
    def work(*_, **__):
        raise AssertionError("the work began")

    monkeypatch.setattr("lstm_strategy.bars.read_bars", work)
    monkeypatch.setattr("lstm_strategy.evaluation.audit.classify_indicators", work)
    (Path("results") / name).mkdir(parents=True)
    force = () if words[0] == "tune" else force
    message = refusal(*words, *force, "--out", "results")
    assert f"--out results: {name} is a folder there, so no result can have that name" in message


def test_a_forecast_finds_it_before_the_work_as_well(refusal, model_folder):
    Path("results/forecast.csv").mkdir(parents=True)
    words = ("forecast", "gone.csv", "--model", model_folder, "--out", "results")
    assert "forecast.csv is a folder there" in refusal(*words)


@pytest.mark.parametrize("name", ["metrics.csv", "report.html", "tearsheet.html"])
def test_a_forced_comparison_finds_it_before_anything_is_written(refusal, model_folder, name):
    (Path("results") / name).mkdir(parents=True)
    words = with_model("compare", model_folder)
    assert f"{name} is a folder there" in refusal(*words, "--out", "results", "--force")


@pytest.mark.parametrize("name", ["network.onnx", "training.png"])
def test_a_folder_of_the_name_of_a_models_file_is_found_before_the_training(
    refusal, model_folder, name
):
    shutil.copytree(model_folder, "model")
    Path("model", name).unlink(missing_ok=True)
    Path("model", name).mkdir()
    assert f"--out model has a folder {name}" in refusal("train", *TINY, "--force")


def test_a_pipe_or_a_link_to_nothing_is_no_place_for_a_result(refusal):
    Path("results").mkdir()
    os.mkfifo("results/trades.csv")
    assert "trades.csv is no regular file there" in refusal(*MACD, "--out", "results")
    Path("results/trades.csv").unlink()
    Path("results/trades.csv").symlink_to("nowhere")
    assert "trades.csv is no regular file there" in refusal(*MACD, "--out", "results")


def test_a_link_to_nothing_is_no_folder(refusal):
    Path("results").symlink_to("nowhere")
    for out in ("results", "results/deep"):
        message = refusal(*MACD, "--out", out)
        assert f"--out {out}: {Path('results').absolute()} is a link to nothing" in message


def test_a_tilde_that_the_shell_left_alone_is_the_users_own_folder(results, here, monkeypatch):
    monkeypatch.setenv("HOME", str(here / "home"))
    results(*MACD, "--out=~/results")
    assert Path("home/results/metrics.csv").exists()
    assert not Path("~").exists()


def test_a_tilde_of_a_user_without_a_home_is_refused(refusal, no_home):
    assert "--out ~/results: this user has no home folder." in refusal(*MACD, "--out=~/results")


@pytest.mark.parametrize("logs", ["model", "model/logs"])
def test_logs_in_the_folder_of_the_model_are_refused_before_the_training(refusal, logs):
    pytest.importorskip("tensorboard")
    message = refusal("train", *TINY, "--out", "model", "--tensorboard", logs)
    assert f"--tensorboard {logs} lies in the folder of the model, model. Choose" in message


def test_a_name_of_a_file_is_no_name_for_a_folder(refusal):
    message = refusal(*MACD, "--out", "metrics.csv")
    assert "--out metrics.csv has the name of a file, and it takes a folder. Leave .csv" in message


@pytest.mark.slow
def test_a_comparison_leaves_the_tearsheet_and_chart_of_others(results, model_folder):
    Path("results").mkdir()
    Path("results/chart.png").write_text("of others")
    printed = results(*with_model("compare", model_folder), "--out", "results")
    assert "Wrote metrics-2.csv" in printed
    assert Path("results/chart.png").read_text() == "of others"


@pytest.mark.parametrize(
    ("earlier", "fresh", "stays"),
    [
        pytest.param("a\n1\n", "a\n1\n", False, id="the same"),
        pytest.param("a\n1\n", "a\n1\n2\n", False, id="more rows"),
        pytest.param("a\n1\n2\n", "a\n1\n", True, id="fewer rows"),
        pytest.param("a\n1\n", "a\n2\n", True, id="another row"),
    ],
)
def test_a_table_is_replaced_by_one_that_repeats_it(tmp_path, earlier, fresh, stays):
    Path(tmp_path, "b.csv").write_text(earlier)

    def write():
        with keep_results(tmp_path, is_forced=False) as folder:
            Path(folder, "a.csv").write_text("new")
            Path(folder, "b.csv").write_text(fresh)

    if stays:
        with pytest.raises(SettingsError, match=r"holds another b\.csv, which stays"):
            write()
    else:
        write()
    expected = {"b.csv": earlier} if stays else {"a.csv": "new", "b.csv": fresh}
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == expected
