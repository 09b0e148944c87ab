"""The options of the command line, each with its help, shared by the commands."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from lstm_strategy.cli.out_folder import check_folder
from lstm_strategy.errors import SettingsError


def choose_from(option: str, *choices: str) -> Callable[[str], str]:
    """A callback for typer that refuses whatever isn't one of the choices."""

    def check_choice(value: str) -> str:
        if value not in choices:
            raise SettingsError(f"{option} must be one of {', '.join(choices)}, got {value!r}.")
        return value

    return check_choice


def _check_out(folder: Path | None) -> Path | None:
    return None if folder is None else check_folder(folder)


def _check_tensorboard(folder: Path | None) -> Path | None:
    if folder is not None:
        from lstm_strategy.tracking import check_tensorboard

        check_tensorboard()
        return check_folder(folder, option="--tensorboard")
    return None


def _check_experiment(experiment: str | None) -> str | None:
    if experiment is not None:
        from lstm_strategy.tracking import open_experiment

        if not experiment.strip():
            raise SettingsError("--mlflow needs the name of an experiment, got an empty one.")
        open_experiment(experiment)  # a store that can't be used is refused before the work
    return experiment


_training = partial(typer.Option, rich_help_panel="Training")
_broker = partial(typer.Option, rich_help_panel="Broker")
_evaluation = partial(typer.Option, metavar="N", rich_help_panel="Evaluation")
_workers = partial(typer.Option, rich_help_panel="Workers")
_tracking = partial(typer.Option, rich_help_panel="Tracking")
_out = partial(typer.Option, "--out", callback=_check_out)

_BARS_HELP = (
    "A price file (CSV, Parquet and what most exporters write), sample:sp500 or sample:nasdaq."
)
_MARKETS_HELP = (
    f"{_BARS_HELP} Or several markets: a folder or a quoted pattern such as 'data/*.csv', whose "
    "files hold one each, or a file of several."
)
_ENGINE_HELP = (
    "What computes the forecasts of --model: onnx (without TensorFlow), keras, or auto (onnx if "
    "the model has it)."
)

Bars = Annotated[str, typer.Argument(metavar="BARS", help=_BARS_HELP)]
BarsOrMarkets = Annotated[str, typer.Argument(metavar="BARS", help=_MARKETS_HELP)]
OptionalBars = Annotated[str | None, typer.Argument(metavar="BARS", help=_BARS_HELP)]
OptionalMarkets = Annotated[str | None, typer.Argument(metavar="BARS", help=_MARKETS_HELP)]
Model = Annotated[Path | None, typer.Option("--model", help="The folder of a trained model.")]
RequiredModel = Annotated[Path, typer.Option("--model", help="The folder of a trained model.")]
Engine = Annotated[
    str,
    typer.Option(
        "--engine", help=_ENGINE_HELP, callback=choose_from("--engine", "auto", "onnx", "keras")
    ),
]
ModelOrTasksEngine = Annotated[
    str,
    typer.Option(
        "--engine",
        help=f"{_ENGINE_HELP} Or ray, which says where all of the work is done: on a Ray cluster.",
        callback=choose_from("--engine", "auto", "onnx", "keras", "ray"),
    ),
]
Out = Annotated[Path | None, _out(help="Write the results to this folder.")]
ModelOut = Annotated[Path, _out(help="The folder for the model.")]
FolderOut = Annotated[Path, _out(help="The folder for the results.")]
ForceModel = Annotated[
    bool, typer.Option("--force", help="Replace a model of other settings in --out.")
]
ForceFiles = Annotated[
    bool, typer.Option("--force", help="Replace other results that --out holds under these names.")
]
ForceResults = Annotated[
    bool,
    typer.Option(
        "--force",
        help="Write over results of other settings in --out. Models stay in any case.",
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="A TOML file with the tables forecaster, broker, strategy and, for tune, space. "
        "Options override it.",
    ),
]
FirstBar = Annotated[str | None, typer.Option("--start", help="The first bar to use.")]
LastBar = Annotated[str | None, typer.Option("--end", help="The last bar to use.")]
TrainStart = Annotated[str | None, typer.Option("--start", help="The first bar to learn from.")]
TrainEnd = Annotated[
    str | None,
    typer.Option("--end", help="The last bar to learn from. Test the model on later ones."),
]
Start = Annotated[
    str | None,
    typer.Option(
        "--start", help="The first bar to trade, such as 2013-01-02. Earlier bars warm up."
    ),
]
End = Annotated[
    str | None, typer.Option("--end", help="The last bar to trade, such as 2018-12-31.")
]
Adjusted = Annotated[
    bool, typer.Option("--adjusted", help="Scale the prices by the column Adj Close.")
]
Symbol = Annotated[
    str | None,
    typer.Option("--symbol", help="The market to take from a file that holds several."),
]
Symbols = Annotated[
    str | None,
    typer.Option(
        "--symbols",
        metavar="SYMBOL,...",
        help="The markets to take from a folder, a pattern or a file of several.",
    ),
]
Universe = Annotated[
    Path | None,
    typer.Option(
        "--universe",
        metavar="FILE",
        help="A file that names these markets, one on each line; # begins a comment.",
    ),
]
OnBad = Annotated[
    str,
    typer.Option(
        "--on-bad",
        metavar="raise|drop",
        help="What becomes of a market among several that is missing or can't be read: raise an "
        "error, or drop it and say why.",
        callback=choose_from("--on-bad", "raise", "drop"),
    ),
]
Columns = Annotated[
    str | None,
    typer.Option(
        "--columns",
        metavar="NAME=COLUMN,...",
        help="Where to find columns of other names, such as open=open_perp,close=close_perp.",
    ),
]
Repair = Annotated[
    bool,
    typer.Option(
        "--repair",
        help="Drop or correct rows that aren't valid bars instead of refusing them, and say which.",
    ),
]
LongOnly = Annotated[bool, typer.Option("--long-only", help="Never sell short.")]
Cash = Annotated[float | None, _broker("--cash", help="The money at the start.")]
Commission = Annotated[
    float | None,
    _broker("--commission", help="The commission, as a fraction of each trade's value."),
]
Instruments = Annotated[
    list[str] | None,
    _broker(
        "--instrument",
        metavar="KIND:NAME=VALUE,...",
        help="What is traded, instead of a commission: spot, future or perpetual with its "
        "settings, such as perpetual:taker_rate=0.0005,leverage=3. Of several markets "
        "MARKET=KIND:..., once for each.",
    ),
]
Slippage = Annotated[
    float | None, _broker("--slippage", help="The loss on each fill, as a fraction of the price.")
]
LatencyBars = Annotated[
    int | None,
    _broker("--latency-bars", help="Bars from a decision to the close at which its orders leave."),
]
ExecutionBars = Annotated[
    int | None,
    _broker("--execution-bars", help="The opens over which each order of one market is worked."),
]
Execution = Annotated[
    str | None,
    _broker(
        "--execution",
        metavar="NAME",
        help="How orders are worked over several bars: twap in equal slices, vwap as the volume "
        "of earlier days came.",
    ),
]
Preset = Annotated[
    str | None,
    _training(
        "--preset",
        help="The features: default, momentum, volatility, trend, prices, perpetual or "
        "momentum_and_volatility.",
    ),
]
Target = Annotated[
    str | None,
    _training(
        "--target",
        metavar="NAME",
        help="What the network is asked: direction, return, quantiles, triple_barrier, "
        "volatility or policy.",
    ),
]
Horizon = Annotated[int | None, _training("--horizon", help="How many bars ahead to forecast.")]
Units = Annotated[
    list[int] | None,
    _training("--units", help="The width of an LSTM layer. Repeat the option for more layers."),
]
Lookback = Annotated[
    int | None, _training("--lookback", help="How many bars the network sees before it forecasts.")
]
MarketEmbedding = Annotated[
    int | None,
    _training(
        "--market-embedding",
        metavar="N",
        help="Of several markets: how many numbers the network learns of each, so that it may "
        "answer each in its own way. 0, the default, treats all alike.",
    ),
]
Epochs = Annotated[
    int | None, _training("--epochs", help="For how many epochs each network is trained at most.")
]
Members = Annotated[
    int | None, _training("--members", help="How many networks the forecast is the mean of.")
]
Seed = Annotated[
    int | None, _training("--seed", help="A number that makes the training repeatable.")
]
WalkForwardFlag = Annotated[
    bool, typer.Option("--walk-forward", help="Retrain for each test window.")
]
TrainWindow = Annotated[
    str | None,
    _training(
        "--train-window",
        help='What a walk forward trains on before each test, such as "10 years" or "2500 bars". '
        "By default 10 years, or where there are fewer than 11, half of the bars or as many as a "
        "training needs.",
    ),
]
TestWindow = Annotated[
    str | None,
    _training(
        "--test-window",
        help='How long a walk forward tests before it retrains, such as "1 year" or "250 bars". '
        "By default 1 year, or where there are fewer than 11, a fifth of what is left to test.",
    ),
]
Trials = Annotated[
    int,
    _evaluation(
        "--trials",
        min=1,
        help="The number of settings whose results you have looked at, this one included.",
    ),
]
Permutations = Annotated[
    int,
    _evaluation(
        "--permutations",
        min=0,
        help="Train and trade again on N shuffles of the bars. Fewer than 19 show nothing.",
    ),
]
PermutationBlock = Annotated[
    int,
    _evaluation(
        "--permutation-block",
        min=1,
        help="How many bars stay together in a shuffle of --permutations.",
    ),
]
Jobs = Annotated[
    int | None,
    _workers(
        "--jobs",
        metavar="N",
        min=1,
        help="How many folds, trials or strategies run at once at most.",
    ),
]
TasksEngine = Annotated[
    str,
    _workers(
        "--engine",
        help="Where the trials run: local, in processes of this machine, or ray, on a Ray cluster. "
        "What computes forecasts, as --engine says elsewhere, isn't chosen here.",
        callback=choose_from("--engine", "local", "ray"),
    ),
]
Address = Annotated[
    str | None,
    _workers(
        "--address",
        metavar="ADDRESS",
        help="With --engine ray: HOST:PORT of the cluster's head, or auto. Without it Ray is "
        "started on this machine.",
    ),
]
TensorBoard = Annotated[
    Path | None,
    _tracking(
        "--tensorboard",
        metavar="DIR",
        help="Log the losses and the learning rate for TensorBoard to this folder, each "
        "network in a subfolder of its own.",
        callback=_check_tensorboard,
    ),
]
MLflow = Annotated[
    str | None,
    _tracking(
        "--mlflow",
        metavar="EXPERIMENT",
        help="Log to this experiment of MLflow, in the store that MLFLOW_TRACKING_URI names.",
        callback=_check_experiment,
    ),
]
