"""The options of the command line, each with its help, shared by the commands."""

import os
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from lstm_strategy.errors import SettingsError


def _usable_folder(folder: Path | None, *, option: str) -> Path | None:
    """Refuse before the work what could only fail after it."""
    if folder is None:
        return None
    path = folder.absolute()
    existing = next(place for place in (path, *path.parents) if place.exists())
    if not existing.is_dir():
        raise SettingsError(
            f"{option} {folder}: {existing} is a file, not a folder. Choose another folder."
        )
    if not os.access(existing, os.W_OK | os.X_OK):
        raise SettingsError(
            f"{option} {folder}: nothing may be written to {existing}. Choose another folder, or "
            "change its permissions."
        )
    return folder


def _usable_out(folder: Path | None) -> Path | None:
    return _usable_folder(folder, option="--out")


def _usable_tensorboard(folder: Path | None) -> Path | None:
    if folder is not None:
        from lstm_strategy.tracking import check_tensorboard

        check_tensorboard()
    return _usable_folder(folder, option="--tensorboard")


def _usable_experiment(experiment: str | None) -> str | None:
    if experiment is not None:
        from lstm_strategy.tracking import open_experiment

        if not experiment.strip():
            raise SettingsError("--mlflow needs the name of an experiment, got an empty one.")
        open_experiment(experiment)  # a store that can't be used is refused before the work
    return experiment


_training = partial(typer.Option, rich_help_panel="Training")
_broker = partial(typer.Option, rich_help_panel="Broker")

_BARS_HELP = "A .csv or .parquet file, sample:sp500 or sample:nasdaq."
Bars = Annotated[str, typer.Argument(metavar="BARS", help=_BARS_HELP)]
OptionalBars = Annotated[str | None, typer.Argument(metavar="BARS", help=_BARS_HELP)]
Model = Annotated[Path | None, typer.Option("--model", help="Folder of a trained model.")]
Engine = Annotated[
    str,
    typer.Option(
        "--engine",
        help="What runs the model: onnx (no TensorFlow needed), keras, or auto for what it has.",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", help="Write the results to this folder.", callback=_usable_out),
]
ModelOut = Annotated[
    Path, typer.Option("--out", help="Folder for the model.", callback=_usable_out)
]
FolderOut = Annotated[
    Path, typer.Option("--out", help="Folder for the results.", callback=_usable_out)
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="TOML file with the tables forecaster, broker, strategy and, for tune, space; "
        "options override it.",
    ),
]
FirstBar = Annotated[str | None, typer.Option("--start", help="First bar to use.")]
LastBar = Annotated[str | None, typer.Option("--end", help="Last bar to use.")]
TrainStart = Annotated[str | None, typer.Option("--start", help="First bar to learn from.")]
TrainEnd = Annotated[
    str | None, typer.Option("--end", help="Last bar to learn from; test on later ones.")
]
Start = Annotated[
    str | None,
    typer.Option("--start", help="First bar to trade, e.g. 2013-01-02; earlier ones warm up."),
]
End = Annotated[str | None, typer.Option("--end", help="Last bar to trade, e.g. 2018-12-31.")]
Adjusted = Annotated[bool, typer.Option("--adjusted", help="Scale prices by the column Adj Close.")]
LongOnly = Annotated[bool, typer.Option("--long-only", help="Never sell short.")]
Cash = Annotated[float | None, _broker("--cash", help="Money at the start.")]
Commission = Annotated[
    float | None, _broker("--commission", help="Fraction of each trade's value, e.g. 0.001.")
]
Slippage = Annotated[float | None, _broker("--slippage", help="Fraction lost on each fill.")]
Preset = Annotated[
    str | None, _training("--preset", help="Features: default, momentum, volatility or trend.")
]
Horizon = Annotated[int | None, _training("--horizon", help="Bars ahead to forecast.")]
Units = Annotated[
    list[int] | None, _training("--units", help="Width of an LSTM layer; repeat for more layers.")
]
Lookback = Annotated[int | None, _training("--lookback", help="Fewest bars before a forecast.")]
Epochs = Annotated[int | None, _training("--epochs", help="Most epochs for each network.")]
Members = Annotated[int | None, _training("--members", help="Networks in the ensemble.")]
Seed = Annotated[int | None, _training("--seed", help="Makes training repeatable.")]
WalkForwardFlag = Annotated[
    bool, typer.Option("--walk-forward", help="Train anew for each test window.")
]
TrainWindow = Annotated[
    str, _training("--train-window", help='With --walk-forward: "10 years", "2500 bars".')
]
TestWindow = Annotated[
    str, _training("--test-window", help='With --walk-forward: "1 year", "250 bars".')
]
Trials = Annotated[
    int,
    typer.Option(
        "--trials",
        metavar="N",
        min=1,
        help="Settings whose results you have looked at, this one included.",
        rich_help_panel="Evaluation",
    ),
]
Permutations = Annotated[
    int,
    typer.Option(
        "--permutations",
        metavar="N",
        min=0,
        help="Train and trade anew on N shuffles of the bars; fewer than 19 show nothing.",
        rich_help_panel="Evaluation",
    ),
]
PermutationBlock = Annotated[
    int,
    typer.Option(
        "--permutation-block",
        metavar="N",
        min=1,
        help="With --permutations: how many bars stay together in a shuffle.",
        rich_help_panel="Evaluation",
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        metavar="N",
        min=1,
        help="Tasks at once: folds, trials, strategies.",
        rich_help_panel="Workers",
    ),
]
TasksEngine = Annotated[
    str,
    typer.Option(
        "--engine",
        help="What runs the tasks: local for processes of this machine, ray for a Ray cluster.",
        rich_help_panel="Workers",
    ),
]
ModelOrTasksEngine = Annotated[
    str,
    typer.Option(
        "--engine",
        help="What runs a --model: onnx (no TensorFlow needed), keras, or auto for what it has. Or "
        "ray: a Ray cluster runs the tasks.",
    ),
]
Address = Annotated[
    str | None,
    typer.Option(
        "--address",
        metavar="ADDRESS",
        help="With --engine ray: HOST:PORT of the cluster's head, or auto; default: this machine.",
        rich_help_panel="Workers",
    ),
]
TensorBoard = Annotated[
    Path | None,
    typer.Option(
        "--tensorboard",
        metavar="DIR",
        help="Write losses and learning rate for TensorBoard into this folder: member_0 and so on "
        "for each network, with --walk-forward in fold_01 and so on.",
        callback=_usable_tensorboard,
        rich_help_panel="Tracking",
    ),
]
MLflow = Annotated[
    str | None,
    typer.Option(
        "--mlflow",
        metavar="EXPERIMENT",
        help="Log to this experiment of MLflow, in the store of MLFLOW_TRACKING_URI.",
        callback=_usable_experiment,
        rich_help_panel="Tracking",
    ),
]
