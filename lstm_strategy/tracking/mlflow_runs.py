"""MLflow: a trained model, a comparison or a search as a run of an experiment.

The store is the one that MLflow itself would use: that of MLFLOW_TRACKING_URI, unless the caller
names another. A run is written whole, or it is marked FAILED. NaN and infinite numbers are left
out.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstm_strategy.errors import ModelError, SettingsError
from lstm_strategy.support import temporary_folder

if TYPE_CHECKING:
    from lstm_strategy.evaluation.comparison import Comparison
    from lstm_strategy.evaluation.tuning import TuningResult
    from lstm_strategy.evaluation.verdict import Verdict
    from lstm_strategy.learning.forecaster import LSTMForecaster

_LONGEST_PARAM, _LONGEST_TAG = 500, 5000  # characters, in the strictest store
_PARENT_TAG, _NAME_TAG = "mlflow.parentRunId", "mlflow.runName"
_NO_PARAMS = ("number", "value", "seconds")  # of a trial: its name and its metrics
_STATUS_OF_TRIAL = {"complete": "FINISHED", "pruned": "KILLED"}


def log_forecaster(
    forecaster: "LSTMForecaster", experiment: str, *, tracking_uri: str | None = None
) -> str:
    """Log a fitted forecaster as a run of MLflow.

    Parameters: settings, features, training span, fingerprint of the bars, versions. Metrics:
    `member_1/loss` and so on with the epoch as step, and the validation scores. Artefact: the
    folder `model`.

    Args:
        forecaster: A fitted forecaster.
        experiment: The experiment that the run belongs to; it is made where it is new.
        tracking_uri: The store; None for that of MLFLOW_TRACKING_URI.

    Returns:
        The id of the run.

    Raises:
        ModelError: If the forecaster isn't fitted.
        SettingsError: If mlflow isn't installed, or its store can't be used.

    Example:
        >>> run_id = log_forecaster(forecaster, "my-models")  # doctest: +SKIP
    """
    card = forecaster.card
    if card is None:
        raise ModelError("The forecaster isn't fitted. Call fit(bars) or load(folder) first.")
    with _open_run(experiment, "train", tracking_uri) as run:
        run.log_params(
            {
                **card.settings.model_dump(mode="json"),
                "features": ", ".join(forecaster.features.names),
                "training_start": card.training.start,
                "training_end": card.training.end,
                "n_bars": card.training.n_bars,
                "bars_sha256": card.training.sha256,
                "backend": card.backend,
                **{f"version/{name}": version for name, version in card.versions.items()},
            }
        )
        for row in forecaster.history.to_dict("records"):
            member = f"member_{row['member'] + 1}"
            losses = {f"{member}/{name}": row[name] for name in ("loss", "val_loss")}
            run.log_metrics(losses, step=row["epoch"])
        run.log_metrics({f"validation/{k}": v for k, v in card.validation_scores.items()})
        with temporary_folder("mlflow") as folder:
            run.log_folder(forecaster.save(folder / "model"), "model")
    return run.run_id


def log_comparison(
    comparison: "Comparison",
    experiment: str,
    *,
    verdict: "Verdict | None" = None,
    params: Mapping[str, Any] | None = None,
    files: Sequence[Path] = (),
    tracking_uri: str | None = None,
) -> str:
    """Log a comparison as a run of MLflow.

    Parameters: the broker's terms and `params`, each cut at 500 characters. Metrics:
    `LSTM/sharpe` and so on, without the characters that MLflow refuses. Artefacts:
    settings.json, which has the parameters whole, metrics.csv, equity.csv, trades.csv,
    equity.png and `files`.

    Args:
        comparison: What `compare` returns.
        experiment: The experiment that the run belongs to; it is made where it is new.
        verdict: Its sentence becomes the tag `verdict`.
        params: Other parameters, by name.
        files: Other artefacts.
        tracking_uri: The store; None for that of MLFLOW_TRACKING_URI.

    Returns:
        The id of the run.

    Raises:
        SettingsError: If mlflow isn't installed, or its store can't be used.

    Example:
        >>> run_id = log_comparison(comparison, "my-comparisons")  # doctest: +SKIP
    """
    with _open_run(experiment, "compare", tracking_uri) as run:
        settings = {**comparison.broker.readable_settings(), **(params or {})}
        run.log_params(settings)
        for strategy, row in comparison.table.iterrows():
            run.log_metrics({f"{strategy}/{name}": value for name, value in row.items()})
        with temporary_folder("mlflow") as folder:
            text = json.dumps(settings, indent=2, default=str)
            (comparison.save(folder) / "settings.json").write_text(f"{text}\n")
            run.log_folder(folder)
        for file in files:
            run.client.log_artifact(run.run_id, str(file))
        if verdict is not None:
            run.client.set_tag(run.run_id, "verdict", _shorten(verdict.sentence, _LONGEST_TAG))
    return run.run_id


def log_tuning(result: "TuningResult", experiment: str, *, tracking_uri: str | None = None) -> str:
    """Log a search: a run with the best setting, and one inside it for each trial.

    A pruned trial has the status KILLED, a failed one FAILED.

    Args:
        result: What `tune` returns.
        experiment: The experiment that the runs belong to; it is made where it is new.
        tracking_uri: The store; None for that of MLFLOW_TRACKING_URI.

    Returns:
        The id of the outer run.

    Raises:
        SettingsError: If mlflow isn't installed, or its store can't be used.

    Example:
        >>> run_id = log_tuning(result, "my-searches")  # doctest: +SKIP
    """
    with _open_run(experiment, "tune", tracking_uri) as run:
        run.log_params({"objective": result.objective.name, **result.best})
        run.log_metrics(
            {
                "best_value": result.best_value,
                "n_trials": result.n_trials,
                "pbo": result.pbo,
                "deflated_sharpe": result.deflated_sharpe,
                "spa_p_value": result.spa_p_value,
                **{f"holdout/{name}": score for name, score in result.holdout.scores.items()},
            }
        )
        with temporary_folder("mlflow") as folder:
            run.log_folder(result.save(folder))
        for trial in result.trials.reset_index().to_dict("records"):
            params = {str(k): v for k, v in trial.items() if k not in _NO_PARAMS and v != ""}
            inner = run.begin_nested(f"trial {trial['number']}")
            inner.log_params(params)
            inner.log_metrics({"value": trial["value"], "seconds": trial["seconds"]})
            inner.end(_STATUS_OF_TRIAL.get(trial["state"], "FAILED"))
    return run.run_id


def open_experiment(experiment: str, tracking_uri: str | None = None) -> tuple[Any, str]:
    """Open an experiment, which is made where it is new.

    Args:
        experiment: Its name.
        tracking_uri: The store; None for that of MLFLOW_TRACKING_URI.

    Returns:
        MLflow's client, and the id of the experiment.

    Raises:
        SettingsError: If mlflow isn't installed, or its store can't be used.

    Example:
        >>> client, experiment_id = open_experiment("my-models")  # doctest: +SKIP
    """
    try:
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException
    except ImportError as error:
        raise SettingsError(
            "Tracking needs mlflow, which isn't installed. Run pip install 'lstm-strategy[mlflow]'."
        ) from error
    try:
        client = MlflowClient(tracking_uri=tracking_uri)
        existing = client.get_experiment_by_name(experiment)
        if existing is not None:
            return client, existing.experiment_id
        return client, client.create_experiment(experiment)
    except MlflowException as error:
        raise SettingsError(
            f"MLflow can't open the experiment {experiment!r}: {error} "
            "Choose another name, or another store by MLFLOW_TRACKING_URI."
        ) from error


@dataclass(frozen=True)
class _Run:
    """A run that is being written."""

    client: Any
    experiment_id: str
    run_id: str

    def log_params(self, params: Mapping[str, Any]) -> None:
        for name, value in params.items():
            self.client.log_param(self.run_id, _clean_name(name), _shorten(value, _LONGEST_PARAM))

    def log_metrics(self, metrics: Mapping[str, Any], *, step: int = 0) -> None:
        for name, value in metrics.items():
            if math.isfinite(value):
                self.client.log_metric(self.run_id, _clean_name(name), float(value), step=step)

    def log_folder(self, folder: Path, within: str | None = None) -> None:
        self.client.log_artifacts(self.run_id, str(folder), within)

    def begin_nested(self, name: str) -> "_Run":
        tags = {_PARENT_TAG: self.run_id, _NAME_TAG: name}
        run = self.client.create_run(self.experiment_id, tags=tags)
        return _Run(self.client, self.experiment_id, run.info.run_id)

    def end(self, status: str) -> None:
        self.client.set_terminated(self.run_id, status)


@contextmanager
def _open_run(experiment: str, name: str, tracking_uri: str | None) -> Iterator[_Run]:
    """Begin a run that ends as FINISHED, or as FAILED if anything is raised meanwhile."""
    client, experiment_id = open_experiment(experiment, tracking_uri)
    created = client.create_run(experiment_id, tags={_NAME_TAG: name})
    run = _Run(client, experiment_id, created.info.run_id)
    try:
        yield run
    except BaseException:
        run.end("FAILED")
        raise
    run.end("FINISHED")


def _shorten(value: Any, longest: int) -> str:
    text = str(value)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _clean_name(name: str) -> str:
    return re.sub(r"[^\w\-. /]", "", name)
