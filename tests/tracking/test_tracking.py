"""TensorBoard and MLflow get the numbers that the results hold."""

import json
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from made_up import SMALL, SMALL_FEATURES, random_walk

from lstm_strategy import (
    BASELINES,
    BrokerSettings,
    LSTMForecaster,
    LSTMStrategyError,
    WalkForward,
    compare,
    tracking,
)
from lstm_strategy.cli import main
from lstm_strategy.evaluation.verdict import verdict
from lstm_strategy.tracking import (
    FoldTensorBoardLogs,
    TensorBoardLogs,
    log_comparison,
    log_forecaster,
    log_tuning,
)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A local SQLite store of MLflow, and its client; artefacts lie beside it."""
    from mlflow import MlflowClient

    folder = tmp_path_factory.mktemp("mlflow")
    uri = f"sqlite:///{folder}/mlflow.db"
    client = MlflowClient(tracking_uri=uri)
    for name in ("models", "comparisons", "broken", "shell", "compared", "searches", "unfinished"):
        client.create_experiment(name, artifact_location=(folder / name).as_uri())
    return uri, client


def artefacts(client, run, path=None):
    return {item.path for item in client.list_artifacts(run, path)}


def test_tensorboard_holds_the_history_of_every_member(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    forecaster = LSTMForecaster(SMALL_FEATURES, **SMALL)
    forecaster.fit(random_walk(300), progress=False, callbacks=[TensorBoardLogs(tmp_path)])
    for member, history in forecaster.history.groupby("member"):
        events = EventAccumulator(str(tmp_path / f"member_{member + 1}")).Reload()
        names = sorted(events.Tags()["tensors"])
        assert names == ["learning_rate", "loss", "val_loss"]
        for name in ("loss", "val_loss"):
            read = events.Tensors(name)
            values = [event.tensor_proto.float_val[0] for event in read]
            assert [event.step for event in read] == history["epoch"].tolist()
            assert values == pytest.approx(history[name].tolist())
    with pytest.raises(LSTMStrategyError, match="holds TensorBoard runs already"):
        TensorBoardLogs(tmp_path)


def test_mlflow_holds_params_losses_scores_and_the_model(trained, store):
    uri, client = store
    run = client.get_run(log_forecaster(trained, "models", tracking_uri=uri))
    assert run.info.status == "FINISHED"
    assert run.data.params["lookback"] == "10"
    assert run.data.params["bars_sha256"] == trained.card.training.sha256
    assert run.data.metrics["validation/auc"] == trained.validation_scores["auc"]
    losses = client.get_metric_history(run.info.run_id, "member_2/val_loss")
    own = trained.history.query("member == 1")
    assert [loss.step for loss in losses] == own["epoch"].tolist()
    assert [loss.value for loss in losses] == pytest.approx(own["val_loss"].tolist())
    assert "model/model.json" in artefacts(client, run.info.run_id, "model")


def test_mlflow_holds_every_metric_of_a_comparison(store):
    uri, client = store
    comparison = compare({"Buy and hold": BASELINES["Buy and hold"]}, random_walk(60))
    run = client.get_run(log_comparison(comparison, "comparisons", tracking_uri=uri))
    known = comparison.table.loc["Buy and hold"].dropna()
    logged = {name.split("/")[1]: value for name, value in run.data.metrics.items()}
    assert logged == pytest.approx(known.to_dict())
    files = {"metrics.csv", "equity.csv", "trades.csv", "equity.png", "settings.json"}
    assert artefacts(client, run.info.run_id) == files


def test_the_tag_of_a_comparison_is_the_sentence_of_its_verdict_as_far_as_mlflow_takes_it(store):
    uri, client = store
    comparison = compare(
        {name: BASELINES[name] for name in ("Buy and hold", "MACD")}, random_walk(60)
    )
    judged = verdict(comparison, "MACD")
    long = replace(judged, sentence=judged.sentence * 100)
    runs = [
        log_comparison(comparison, "comparisons", verdict=v, tracking_uri=uri)
        for v in (judged, long)
    ]
    tags = [client.get_run(run).data.tags["verdict"] for run in runs]
    assert tags[0] == judged.sentence
    assert tags[0].startswith("No evidence of skill in MACD: ")
    assert tags[1] == long.sentence[:4999] + "…"


def test_a_run_that_breaks_is_marked_failed(store, tmp_path):
    uri, client = store
    comparison = compare({"Buy and hold": BASELINES["Buy and hold"]}, random_walk(60))
    with pytest.raises(OSError):
        log_comparison(comparison, "broken", files=[tmp_path / "missing.html"], tracking_uri=uri)
    assert [run.info.status for run in run_jobs(client, "broken")] == ["FAILED"]


def test_a_forecaster_that_is_not_fitted_is_not_logged(store):
    with pytest.raises(LSTMStrategyError, match="isn't fitted"):
        log_forecaster(LSTMForecaster(), "models", tracking_uri=store[0])


@pytest.fixture
def shell(tmp_path, monkeypatch, capsys, store):
    """Run a command in a folder with 420 bars and the store as MLflow's; (code, out, err)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store[0])
    random_walk(420).to_csv("bars.csv")

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["lstm-strategy", *map(str, words)])
        with pytest.raises(SystemExit) as stop:
            main()
        printed = capsys.readouterr()
        return stop.value.code or 0, " ".join(printed.out.split()), " ".join(printed.err.split())

    return run


@pytest.fixture
def train(shell):
    """Run `lstm-strategy train` for one small epoch."""
    small = ["--epochs", "1", "--members", "1", "--units", "4", "--lookback", "10"]
    return partial(shell, "train", "bars.csv", *small)


def cut(text):
    return text if len(text) <= 500 else text[:499] + "…"


def run_jobs(client, experiment):
    return client.search_runs([client.get_experiment_by_name(experiment).experiment_id])


@pytest.mark.slow
def test_compare_logs_what_it_prints(shell, store, model_folder):
    client = store[1]
    code, out, err = shell("compare", "bars.csv", "--model", model_folder, "--mlflow", "compared")
    assert code == 0 and "warning" not in err
    (run,) = run_jobs(client, "compared")
    assert run.info.status == "FINISHED"
    assert f"Logged as run {run.info.run_id} of experiment compared." in err
    assert run.data.tags["verdict"] in out
    assert run.data.params["source"] == "bars.csv"
    assert run.data.params["start"] == "2002-02-05 00:00:00"
    file = client.download_artifacts(run.info.run_id, "settings.json")
    settings = json.loads(Path(file).read_text())
    assert settings["features"]["specs"] == SMALL_FEATURES
    assert settings["lookback"] == SMALL["lookback"]
    assert settings["commission_rate"] == BrokerSettings().commission_rate
    assert run.data.params == {name: cut(str(value)) for name, value in settings.items()}
    assert {"LSTM/sharpe", "Buy and hold/sharpe", "MACD/costs"} <= run.data.metrics.keys()


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_compare_writes_a_tensorboard_run_for_each_fold_and_member(shell, jobs):
    Path("space.toml").write_text(SPACE.split("[space]")[0])
    walk = ("--walk-forward", "--train-window", "200 bars", "--test-window", "110 bars")
    words = ("--config", "space.toml", "--members", 2, *walk, "--jobs", jobs)
    code, _, err = shell("compare", "bars.csv", *words, "--tensorboard", "logs")
    assert code == 0 and "warning" not in err
    runs = {str(file.parent) for file in Path("logs").rglob("*tfevents*")}
    assert runs == {f"logs/fold_0{fold}/member_{n}" for fold in (1, 2) for n in (1, 2)}


def test_a_fold_that_is_trained_anew_is_logged_beside_what_was_logged(tmp_path):
    bars = random_walk(300)
    fold, *_ = WalkForward(200, 90).folds(bars)
    forecaster = LSTMForecaster(SMALL_FEATURES, **SMALL | {"epochs": 1, "members": 1})
    for _ in range(3):
        forecaster.fit(bars, progress=False, callbacks=FoldTensorBoardLogs(tmp_path)(fold))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "fold_01",
        "fold_01_again_1",
        "fold_01_again_2",
    ]


def test_compare_without_a_walk_writes_one_tensorboard_run_a_member(shell):
    Path("space.toml").write_text(SPACE.split("[space]")[0])
    words = ("compare", "bars.csv", "--config", "space.toml", "--tensorboard", "logs")
    code, _, err = shell(*words)
    assert code == 0 and "warning" not in err
    assert [path.name for path in Path("logs").iterdir()] == ["member_1"]
    code, _, err = shell(*words)
    assert code == 2
    assert "logs holds TensorBoard runs already" in err


def test_a_file_in_place_of_the_folder_is_refused_before_the_training(train):
    code, _, err = train("--tensorboard", "bars.csv")
    assert code == 2
    assert err.startswith("error: --tensorboard bars.csv: ")
    assert not Path("model").exists()


def test_compare_of_a_trained_model_has_no_training_to_log(shell, model_folder):
    code, _, err = shell("compare", "bars.csv", "--model", model_folder, "--tensorboard", "logs")
    assert code == 2
    assert "leave --model or --tensorboard out" in err.lower()


SPACE = """
[forecaster]
features = [{kind = "log_return", length = 1}]
units = [4]
lookback = 10
epochs = 1
members = 1
[space]
dropout = [0.0, 0.5]
"""


@pytest.mark.slow
def test_tune_logs_every_trial_inside_the_run_of_the_search(shell, store, monkeypatch):
    uri, client = store
    found = []

    def logged(result, *args):
        found.append(result)
        return log_tuning(result, *args)

    monkeypatch.setattr(tracking, "log_tuning", logged)
    Path("space.toml").write_text(SPACE)
    words = ("--config", "space.toml", "--trials", 2, "--folds", 2, "--mlflow", "searches")
    code, _, err = shell("tune", "bars.csv", *words)
    assert code == 0 and "warning" not in err
    inner = {run.info.run_name: run for run in run_jobs(client, "searches")}
    outer = inner.pop("tune")
    assert f"Logged as run {outer.info.run_id} of experiment searches." in err
    assert outer.data.metrics["best_value"] == pytest.approx(found[0].best_value)
    assert {run.data.tags["mlflow.parentRunId"] for run in inner.values()} == {outer.info.run_id}
    for number, trial in found[0].trials.iterrows():
        run = inner.pop(f"trial {number}")
        assert run.info.status == "FINISHED"
        assert run.data.metrics["value"] == pytest.approx(trial["value"])
        assert run.data.params["dropout"] == str(trial["dropout"])
    assert inner == {}
    trials = found[0].trials.iloc[[0, 1, 1]].assign(state=["complete", "pruned", "fail"])
    trials.index = pd.RangeIndex(3, name="number")
    log_tuning(replace(found[0], trials=trials), "unfinished", tracking_uri=uri)
    status = {run.info.run_name: run.info.status for run in run_jobs(client, "unfinished")}
    assert status == {
        "tune": "FINISHED",
        "trial 0": "FINISHED",
        "trial 1": "KILLED",
        "trial 2": "FAILED",
    }


def test_train_logs_to_both(train, store):
    code, _, err = train("--mlflow", "shell", "--tensorboard", "logs")
    assert code == 0
    (run,) = run_jobs(store[1], "shell")
    assert f"Logged as run {run.info.run_id} of" in err
    assert list(Path("logs/member_1").iterdir())


def test_a_file_store_that_mlflow_refuses_is_named_before_the_training(train, monkeypatch):
    monkeypatch.delenv("MLFLOW_ALLOW_FILE_STORE", raising=False)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "file:runs")
    code, _, err = train("--mlflow", "x")
    assert code == 2
    assert "another store by MLFLOW_TRACKING_URI" in err
    assert not Path("model").exists()


def test_a_file_store_holds_a_model_where_it_is_allowed(trained, tmp_path, monkeypatch):
    from mlflow import MlflowClient

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    uri = (tmp_path / "runs").as_uri()
    run = log_forecaster(trained, "models", tracking_uri=uri)
    client = MlflowClient(tracking_uri=uri)
    assert client.get_run(run).data.metrics["member_1/loss"] > 0
    assert "model/model.json" in artefacts(client, run, "model")


@pytest.mark.slow
def test_the_code_in_the_docs_runs(tmp_path, monkeypatch):
    import re

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    random_walk(300).to_csv("bars.csv")
    text = (Path(__file__).parents[2] / "docs" / "tracking.md").read_text()
    exec("\n".join(re.findall(r"```python\n(.*?)```", text, re.S)), {})
    assert list(Path("logs/member_2").iterdir())
    assert Path("mlflow.db").is_file()


@pytest.mark.parametrize(
    ("module", "words"),
    [("mlflow", ["--mlflow", "x"]), ("tensorboard.summary", ["--tensorboard", "x"])],
)
def test_a_missing_extra_is_named_before_the_training(train, monkeypatch, module, words):
    monkeypatch.setitem(sys.modules, module, None)
    code, _, err = train(*words)
    assert code == 2
    assert f"pip install 'lstm-strategy[{module.split('.')[0]}]'" in err
    assert not Path("model").exists()
