"""The command line: parse, call, print."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn, cast

import typer

import lstm_strategy
from lstm_strategy.cli.commands.audit import audit
from lstm_strategy.cli.commands.doctor import doctor
from lstm_strategy.cli.commands.tune import tune
from lstm_strategy.cli.comparison_run import evaluate
from lstm_strategy.cli.comparison_setup import Study, Windows
from lstm_strategy.cli.inputs import (
    bars_span,
    broker_from_options,
    check_model_folder,
    forecaster_from_options,
    load_source,
    open_model,
    rules_from_options,
    scalars,
    slice_bars,
    training_end_of,
    workers_from_options,
)
from lstm_strategy.cli.options import (
    Address,
    Adjusted,
    Bars,
    Cash,
    Commission,
    Config,
    End,
    Engine,
    Epochs,
    FolderOut,
    Horizon,
    Jobs,
    LongOnly,
    Lookback,
    MLflow,
    Model,
    ModelOrTasksEngine,
    ModelOut,
    Out,
    PermutationBlock,
    PermutationTest,
    Preset,
    Seed,
    Members,
    Slippage,
    Start,
    TensorBoard,
    TestWindow,
    TrainEnd,
    TrainStart,
    TrainWindow,
    Trials,
    Units,
    WalkForwardFlag,
)
from lstm_strategy.cli.output import (
    err,
    print_forecasts,
    print_result,
    print_training,
    say,
    status,
)
from lstm_strategy.errors import LSTMStrategyError, SettingsError

_DEMO_TRAIN_END, _DEMO_START, _DEMO_END = "2010-12-31", "2011", "2018"
_TRAINED_SHARE = 0.7
_INTERRUPTED = 130
# Every mistake in a command is one of these; typer brings click along or its own copy of it.
_UsageError = cast(type[Exception], typer.BadParameter.__base__)


app = typer.Typer(
    name="lstm-strategy",
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command line; a user's mistake ends in one line and exit code 2."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with _quiet_library():
            code = app(prog_name="lstm-strategy", standalone_mode=False)
    except _UsageError as error:
        _fail(_usage_text(error))
    except LSTMStrategyError as error:
        _fail(str(error))
    except OSError as error:
        _fail(
            f"{error.filename or 'A file'} can't be used: {error.strerror or error}. "
            "Check the path and its permissions."
        )
    except (KeyboardInterrupt, typer.Abort):
        code = _INTERRUPTED
    if code == _INTERRUPTED:
        err.print("Interrupted; what was already written is whole.")
    sys.exit(code)


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """A Keras LSTM inside backtrader, compared honestly with baselines.

    Begin with `lstm-strategy demo`. Then `train` a model on bars of your own, and `compare` or
    `backtest` it on later ones. BARS is a .csv or .parquet file with dates, open, high, low,
    close and volume, or sample:sp500 or sample:nasdaq.
    """
    if version:
        say(f"lstm-strategy {lstm_strategy.__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


@app.command()
def demo(
    out_dir: FolderOut = Path("demo"),
    seed: Seed = 0,
) -> None:
    """Walk forward through the S&P 500, 1999-2018, and compare with all baselines.

    The model is trained anew each year on the ten years before it.
    """
    from lstm_strategy import BrokerSettings, LSTMForecaster, sample_bars

    evaluate(
        Study(
            source="S&P 500",
            bars=sample_bars("sp500"),
            model=LSTMForecaster(seed=seed),
            broker=BrokerSettings(),
            windows=Windows("10 years", "1 year"),
            out_dir=out_dir,
            draws_chart=True,
        )
    )


@app.command()
def train(
    bars: Bars,
    out_dir: ModelOut = Path("model"),
    start: TrainStart = None,
    end: TrainEnd = None,
    adjusted: Adjusted = False,
    config: Config = None,
    preset: Preset = None,
    horizon: Horizon = None,
    units: Units = None,
    lookback: Lookback = None,
    epochs: Epochs = None,
    members: Members = None,
    seed: Seed = None,
    tensorboard: TensorBoard = None,
    mlflow: MLflow = None,
) -> None:
    """Train a model and save it as a folder.

    The model has seen every bar up to --end: keep later bars to test it on.
    """
    from lstm_strategy.evaluation.backtests import write_picture
    from lstm_strategy.evaluation.plots import plot_history

    check_model_folder(out_dir)
    forecaster = forecaster_from_options(
        config,
        preset=preset,
        horizon=horizon,
        units=units,
        lookback=lookback,
        epochs=epochs,
        members=members,
        seed=seed,
    )
    frame = slice_bars(load_source(bars, adjusted), start, end)
    say(f"{bars}: training on {bars_span(frame)}.")
    forecaster.fit(frame, callbacks=scalars(tensorboard))
    print_training(forecaster)
    forecaster.save(out_dir)
    write_picture(out_dir / "training.png", plot_history(forecaster.history))
    say(f"Wrote the model and training.png to {out_dir}/.")
    if mlflow is not None:
        from lstm_strategy.tracking import log_forecaster

        say(f"Logged as run {log_forecaster(forecaster, mlflow)} of experiment {mlflow}.")


@app.command()
def forecast(
    bars: Bars,
    model: Annotated[Path, typer.Option("--model", help="Folder of a trained model.")],
    engine: Engine = "auto",
    out_dir: Out = None,
    adjusted: Adjusted = False,
) -> None:
    """Forecast every bar; print the last ones and write forecast.csv.

    Each forecast is known at the close of its bar. The signal is the exposure to hold from the
    next open on (-1 all short, 1 all long), the forecast the probability that the close rises,
    the uncertainty its standard deviation between the networks.
    """
    from lstm_strategy.support import write_whole

    frame = load_source(bars, adjusted)
    with status("Forecasting"):
        forecaster = open_model(model, engine)
        forecasts = forecaster.forecast(frame)
    if forecasts["signal"].notna().sum() == 0:
        raise LSTMStrategyError(
            f"The model needs {forecaster.warm_up + 1:,} bars before its first forecast, got "
            f"{len(frame):,}. Load more history."
        )
    print_forecasts(forecasts.tail(10), training_end_of(forecaster, frame))
    if out_dir is not None:
        write_whole(out_dir / "forecast.csv", forecasts.to_csv().encode())
        say(f"Wrote forecast.csv to {out_dir}/.")


@app.command()
def backtest(
    bars: Bars,
    model: Model = None,
    engine: Engine = "auto",
    strategy: Annotated[
        str | None,
        typer.Option(
            "--strategy",
            help="Instead of the LSTM: a baseline such as MACD, or FILE.py:Class:name=value,...",
        ),
    ] = None,
    start: Start = None,
    end: End = None,
    out_dir: Out = None,
    adjusted: Adjusted = False,
    long_only: LongOnly = False,
    config: Config = None,
    cash: Cash = None,
    commission: Commission = None,
    slippage: Slippage = None,
) -> None:
    """Run one strategy and show its metrics.

    A model starts at the first bar after its training, unless --start says otherwise.
    """
    from lstm_strategy import run_backtest
    from lstm_strategy.cli import config_file as settings
    from lstm_strategy.learning.serving import precompute_forecasts
    from lstm_strategy.trading.lstm import LSTMStrategy

    loaded = settings.load_config(config)
    broker = broker_from_options(config, cash=cash, commission=commission, slippage=slippage)
    chosen, params = settings.find_strategy(strategy) if strategy else (LSTMStrategy, {})
    params = {**loaded.strategy, **params, **rules_from_options(long_only)}
    if model is not None:
        if "model" not in cast(Any, chosen).params._getkeys():
            raise SettingsError(f"{strategy} takes no --model. Leave --model or --strategy out.")
    elif strategy is None and "model" not in params:
        raise SettingsError("Say what to run: --model DIR, or --strategy NAME.")
    frame = load_source(bars, adjusted)
    slice_bars(frame, start, end)
    with status("Backtesting"), settings.explain_failures(chosen):
        if model is not None:
            params["model"] = precompute_forecasts(open_model(model, engine), frame)
        result = run_backtest(chosen, frame, start=start, end=end, broker=broker, **params)
    print_result(result)
    if out_dir is not None:
        result.save(out_dir)
        say(f"Wrote metrics.csv, equity.csv, trades.csv and equity.png to {out_dir}/.")


@app.command()
def compare(
    bars: Bars,
    model: Model = None,
    engine: ModelOrTasksEngine = "auto",
    start: Start = None,
    end: End = None,
    out_dir: Out = None,
    adjusted: Adjusted = False,
    long_only: LongOnly = False,
    config: Config = None,
    cash: Cash = None,
    commission: Commission = None,
    slippage: Slippage = None,
    preset: Preset = None,
    horizon: Horizon = None,
    units: Units = None,
    lookback: Lookback = None,
    epochs: Epochs = None,
    members: Members = None,
    seed: Seed = None,
    walk_forward: WalkForwardFlag = False,
    train_window: TrainWindow = "10 years",
    test_window: TestWindow = "1 year",
    jobs: Jobs = None,
    address: Address = None,
    trials: Trials = 1,
    permutation_test: PermutationTest = 0,
    null_block: PermutationBlock = 1,
    tensorboard: TensorBoard = None,
    mlflow: MLflow = None,
) -> None:
    """Compare the LSTM with all baselines, out of sample.

    Without --model a model is trained on the bars before --start (by default the first 70%) and
    kept in the folder --out, next to learners without a memory on the same bars. With
    --walk-forward all are trained anew for each --test-window on the --train-window before it; a
    run that was stopped goes on. The folder also remembers in trials.json which settings were
    tried: the result is judged as the best of them, or of --trials where that is more.
    With --engine ray the folds and strategies run on a Ray cluster.
    """
    from lstm_strategy.cli import config_file as settings

    places = workers_from_options(engine, address, jobs)
    if model is not None and walk_forward:
        raise SettingsError("--walk-forward trains anew; leave --model out.")
    if model is not None and tensorboard is not None:
        raise SettingsError("--tensorboard logs a training; leave --model or --tensorboard out.")
    if model is not None and permutation_test:
        raise SettingsError(
            "--null-test trains anew on shuffled bars; leave --model out, so that the real result "
            "is trained here as well."
        )
    loaded = settings.load_config(config)
    broker = broker_from_options(config, cash=cash, commission=commission, slippage=slippage)
    frame = load_source(bars, adjusted)
    slice_bars(frame, start, end)
    if model is not None:
        forecaster: Any = open_model(model, "auto" if engine == "ray" else engine)
    else:
        forecaster = forecaster_from_options(
            config,
            preset=preset,
            horizon=horizon,
            units=units,
            lookback=lookback,
            epochs=epochs,
            members=members,
            seed=seed,
        )
    study = Study(
        source=bars,
        bars=frame,
        model=forecaster,
        broker=broker,
        is_trained=model is not None,
        windows=Windows(train_window, test_window) if walk_forward else None,
        start=start,
        end=end,
        params=loaded.strategy,
        rules=rules_from_options(long_only),
        out_dir=out_dir,
        n_jobs=None if engine == "ray" else jobs,
        n_trials=trials,
        n_permutations=permutation_test,
        null_block_bars=null_block,
        tensorboard=tensorboard,
        experiment=mlflow,
    )
    with places:
        evaluate(study)


app.command()(audit)
app.command()(tune)
app.command()(doctor)


@contextmanager
def _quiet_library() -> Iterator[None]:
    """Say nothing twice: what the library logs, the commands print with the results."""
    # TensorFlow warns of every network that it compiles anew, as each fold and model must be
    logs = [logging.getLogger(name) for name in ("lstm_strategy", "tensorflow")]
    levels = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for log, level in zip(logs, levels, strict=True):
            log.setLevel(level)


def _usage_text(error: Any) -> str:
    command = error.ctx.command_path if error.ctx else "lstm-strategy"
    return f"{error.format_message().rstrip('.')}. See {command} --help."


def _fail(message: str) -> NoReturn:
    err.print("error:", style="bold red", end=" ")
    err.print(" ".join(message.split()), soft_wrap=True)
    sys.exit(2)


if __name__ == "__main__":
    main()
