"""Options of the model: a trained one, or how one is to be trained."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from lstm_strategy.cli.options.checks import choose_from, complete_from

_training = partial(typer.Option, rich_help_panel="Training")

_MODEL_HELP = "The folder of a trained model, or of what compare or demo wrote."
_ENGINE_HELP = (
    "What computes the forecasts of --model: onnx (without TensorFlow), keras, or auto (onnx if "
    "the model has it)."
)

Model = Annotated[
    Path | None, typer.Option("--model", metavar="DIR", help=_MODEL_HELP, show_default="none")
]
ModelOrTraining = Annotated[
    Path | None,
    typer.Option("--model", metavar="DIR", help=_MODEL_HELP, show_default="one is trained"),
]
RequiredModel = Annotated[Path, typer.Option("--model", metavar="DIR", help=_MODEL_HELP)]
Engine = Annotated[
    str,
    typer.Option("--engine", help=_ENGINE_HELP, **choose_from("--engine", "auto", "onnx", "keras")),
]
ModelOrTasksEngine = Annotated[
    str,
    typer.Option(
        "--engine",
        help=f"{_ENGINE_HELP} Or ray, which says where all of the work is done: on a Ray cluster.",
        **choose_from("--engine", "auto", "onnx", "keras", "ray"),
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="A TOML file with the tables forecaster, broker, strategy and, for tune, space. "
        "Options override it.",
        show_default="none",
    ),
]
Preset = Annotated[
    str | None,
    _training(
        "--preset",
        metavar="NAME",
        help="The features: default, momentum, volatility, trend, prices, perpetual or "
        "momentum_and_volatility.",
        show_default="default; momentum_and_volatility for the target policy, volatility for the "
        "target volatility",
        autocompletion=complete_from(
            *("default", "momentum", "volatility", "trend", "prices", "perpetual"),
            "momentum_and_volatility",
        ),
    ),
]
_target = partial(
    _training,
    "--target",
    metavar="NAME",
    help="What the network is asked: direction, return, quantiles, triple_barrier, volatility or "
    "policy.",
    autocompletion=complete_from(
        "direction", "return", "quantiles", "triple_barrier", "volatility", "policy"
    ),
)
Target = Annotated[str | None, _target(show_default="direction")]
DemoTarget = Annotated[str | None, _target(show_default="policy, volatility and direction")]
Horizon = Annotated[
    int | None,
    _training(
        "--horizon", metavar="BARS", help="How many bars ahead to forecast.", show_default="1"
    ),
]
Units = Annotated[
    list[int] | None,
    _training(
        "--units",
        metavar="N",
        help="The width of an LSTM layer. Repeat the option for more layers.",
        show_default="24",
    ),
]
Lookback = Annotated[
    int | None,
    _training(
        "--lookback",
        metavar="BARS",
        help="How many bars the network sees before it forecasts.",
        show_default="60",
    ),
]
MarketEmbedding = Annotated[
    int | None,
    _training(
        "--market-embedding",
        metavar="N",
        help="Of several markets: how many numbers the network learns of each, so that it may "
        "answer each in its own way. 0 treats all alike.",
        show_default="0",
    ),
]
Epochs = Annotated[
    int | None,
    _training(
        "--epochs",
        metavar="N",
        help="For how many epochs each network is trained at most.",
        show_default="50; some targets take another",
    ),
]
Members = Annotated[
    int | None,
    _training(
        "--members",
        metavar="N",
        help="How many networks the forecast is the mean of.",
        show_default="5",
    ),
]
_seed = partial(
    _training, "--seed", metavar="N", help="A number that makes the training repeatable."
)
Seed = Annotated[int | None, _seed(show_default="0")]
TrainWindow = Annotated[
    str | None,
    _training(
        "--train-window",
        metavar="SPAN",
        help='What a walk forward trains on before each test, such as "10 years" or "2500 bars".',
        show_default="10 years; of fewer than 11, half of the bars or as many as a training needs",
    ),
]
TestWindow = Annotated[
    str | None,
    _training(
        "--test-window",
        metavar="SPAN",
        help='How long a walk forward tests before it retrains, such as "1 year" or "250 bars".',
        show_default="1 year; of fewer than 11, a fifth of what is left to test",
    ),
]
WalkForwardFlag = Annotated[
    bool,
    typer.Option("--walk-forward", help="Retrain for each test window.", show_default="no"),
]
