"""The command line: parse, call, print."""

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, cast

import typer

import lstm_strategy
from lstm_strategy.errors import LSTMStrategyError, SettingsError
from lstm_strategy.options import (
    Adjusted,
    Bars,
    Cash,
    Commission,
    Config,
    DemoOut,
    End,
    Epochs,
    Horizon,
    LongOnly,
    Lookback,
    Model,
    ModelOut,
    Out,
    Preset,
    Seed,
    Seeds,
    Slippage,
    Start,
    TestWindow,
    TrainEnd,
    TrainStart,
    TrainWindow,
    Units,
    WalkForwardFlag,
)
from lstm_strategy.printing import (
    err,
    print_board,
    print_forecasts,
    print_result,
    print_training,
    say,
    status,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from lstm_strategy.evaluation.board import Board
    from lstm_strategy.learning.forecaster import LSTMForecaster
    from lstm_strategy.learning.refits import WalkForwardForecaster

_DEMO_TRAIN_END, _DEMO_START, _DEMO_END = "2010-12-31", "2011", "2018"
_TRAINED_SHARE = 0.7
_MOST_JOBS = 4  # processes that train folds; each loads Keras by itself
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
    out_dir: DemoOut = Path("demo"),
    seed: Seed = 0,
) -> None:
    """Train on the S&P 500 up to 2010 and compare with all baselines on 2011-2018."""
    from lstm_strategy import LSTMForecaster, LSTMStrategy, plot_chart, sample_bars

    bars = sample_bars("sp500")
    say(f"S&P 500, {_span(bars)}. Training on the bars up to {_DEMO_TRAIN_END}.")
    forecaster = LSTMForecaster(seed=seed).fit(bars[:_DEMO_TRAIN_END])
    print_training(forecaster)
    forecaster.save(out_dir / "model")
    board = _compared(bars, {"LSTM": forecaster}, start=_DEMO_START, end=_DEMO_END)
    print_board(board)
    with status("Drawing the chart"):
        chart = plot_chart(LSTMStrategy, bars, start=_DEMO_START, end=_DEMO_END, model=forecaster)
        _save_figure(chart, out_dir / "chart.png")
    _write_board(board, bars, forecaster, out_dir, end=_DEMO_END, also=["chart.png", "model/"])


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
    seeds: Seeds = None,
    seed: Seed = None,
) -> None:
    """Train a model and save it as a folder.

    The model has seen every bar up to --end: keep later bars to test it on.
    """
    from lstm_strategy.evaluation.plots import plot_history

    _check_holds_no_other_files(out_dir)
    forecaster = _configured_forecaster(
        config, preset, horizon, units, lookback, epochs, seeds, seed
    )
    frame = _sliced(_loaded_bars(bars, adjusted), start, end)
    say(f"{bars}: training on {_span(frame)}.")
    forecaster.fit(frame)
    print_training(forecaster)
    forecaster.save(out_dir)
    _save_figure(plot_history(forecaster.history), out_dir / "training.png")
    say(f"Wrote the model and training.png to {out_dir}/.")


@app.command()
def forecast(
    bars: Bars,
    model: Annotated[Path, typer.Option("--model", help="Folder of a trained model.")],
    out_dir: Out = None,
    adjusted: Adjusted = False,
) -> None:
    """Forecast every bar; print the last ones and write forecast.csv.

    Each forecast is known at the close of its bar. The signal is the exposure to hold from the
    next open on (-1 all short, 1 all long), the forecast the probability that the close rises,
    the spread its standard deviation between the networks.
    """
    frame = _loaded_bars(bars, adjusted)
    with status("Forecasting"):
        forecaster = _loaded_model(model)
        forecasts = forecaster.forecast(frame)
    if forecasts["signal"].notna().sum() == 0:
        raise LSTMStrategyError(
            f"The model needs {forecaster.warm_up + 1:,} bars before its first forecast, got "
            f"{len(frame):,}. Load more history."
        )
    print_forecasts(forecasts.tail(10), _training_end(forecaster, frame))
    if out_dir is not None:
        _write_whole(out_dir / "forecast.csv", forecasts.to_csv)
        say(f"Wrote forecast.csv to {out_dir}/.")


@app.command()
def backtest(
    bars: Bars,
    model: Model = None,
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
    from lstm_strategy import config as settings
    from lstm_strategy import run_backtest
    from lstm_strategy.trading.strategy import LSTMStrategy

    loaded = settings.loaded_config(config)
    broker = settings.configured_broker(loaded, _broker_options(cash, commission, slippage))
    chosen, params = settings.strategy_named(strategy) if strategy else (LSTMStrategy, {})
    params = {**loaded.strategy, **params, **_rules(long_only)}
    if model is not None:
        if "model" not in cast(Any, chosen).params._getkeys():
            raise SettingsError(f"{strategy} takes no --model. Leave --model or --strategy out.")
        params["model"] = str(model)
    if strategy is None and "model" not in params:
        raise SettingsError("Say what to run: --model DIR, or --strategy NAME.")
    frame = _loaded_bars(bars, adjusted)
    _sliced(frame, start, end)
    with status("Backtesting"), settings.failures_in_one_line(chosen):
        result = run_backtest(chosen, frame, start=start, end=end, broker=broker, **params)
    print_result(result)
    if out_dir is not None:
        result.save(out_dir)
        say(f"Wrote metrics.csv, equity.csv, trades.csv and equity.png to {out_dir}/.")


@app.command()
def compare(
    bars: Bars,
    model: Model = None,
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
    seeds: Seeds = None,
    seed: Seed = None,
    walk_forward: WalkForwardFlag = False,
    train_window: TrainWindow = "10 years",
    test_window: TestWindow = "1 year",
) -> None:
    """Compare the LSTM with all baselines, out of sample.

    Without --model a model is trained on the bars before --start (by default the first 70%) and
    kept in the folder --out. With --walk-forward it is trained anew for each --test-window on the
    --train-window before it, next to learners without a memory; a run that was stopped goes on.
    """
    from lstm_strategy import config as settings

    loaded = settings.loaded_config(config)
    broker = settings.configured_broker(loaded, _broker_options(cash, commission, slippage))
    frame = _loaded_bars(bars, adjusted)
    chosen = _sliced(frame, start, end)
    if model is not None and walk_forward:
        raise SettingsError("--walk-forward trains anew; leave --model out.")
    if model is not None:
        models: dict[str, Any] = {"LSTM": _loaded_model(model)}
    else:
        forecaster = _configured_forecaster(
            config, preset, horizon, units, lookback, epochs, seeds, seed
        )
        models = {"LSTM": forecaster}
        if walk_forward:
            models = _walked(frame, forecaster, train_window, test_window, out_dir)
        else:
            start = start or str(chosen.index[int(len(chosen) * _TRAINED_SHARE)])
            _train_before(start, end, frame, forecaster, bars, out_dir)
    board = _compared(
        frame, models, loaded.strategy, _rules(long_only), start=start, end=end, broker=broker
    )
    print_board(board)
    if out_dir is not None:
        also = [] if model else ["model/"]
        _write_board(board, frame, models["LSTM"], out_dir, end=end, also=also)


def _train_before(
    start: str,
    end: str | None,
    frame: "pd.DataFrame",
    forecaster: "LSTMForecaster",
    source: str,
    out_dir: Path | None,
) -> None:
    before = frame[frame.index < _sliced(frame, start, end).index[0]]
    if before.empty:
        raise SettingsError(
            f"--start {start} leaves no bar to train on; there are {_span(frame)}. "
            "Choose a later start, or give a trained --model."
        )
    say(f"{source}: training on {_span(before)}.")
    forecaster.fit(before)
    print_training(forecaster)
    if out_dir is not None:
        forecaster.save(out_dir / "model")


def _walked(
    frame: "pd.DataFrame",
    forecaster: "LSTMForecaster",
    train_window: str,
    test_window: str,
    out_dir: Path | None,
) -> dict[str, "WalkForwardForecaster"]:
    """The LSTM and learners without a memory, all trained on the same folds."""
    from lstm_strategy import WalkForward, walk_forward
    from lstm_strategy.learning.tabular import learning_baselines

    splits = WalkForward(train_window, test_window, horizon=forecaster.settings.horizon)
    n_folds = len(splits.folds(frame))
    say(
        f"Walking forward: {n_folds} folds, each trained on the {train_window} before it and "
        f"tested on {test_window}."
    )
    walked = walk_forward(
        frame,
        forecaster,
        splits,
        folder=None if out_dir is None else out_dir / "model",
        n_jobs=min(n_folds, os.cpu_count() or 1, _MOST_JOBS),
    )
    settings = forecaster.settings
    rivals = learning_baselines(settings.seed, forecaster.features, settings.horizon)
    with status("Training learners without a memory on the same folds"):
        return {
            "LSTM": walked,
            **{
                name: walk_forward(frame, rival, splits, progress=False)
                for name, rival in rivals.items()
            },
        }


def _compared(
    frame: "pd.DataFrame",
    models: dict[str, Any],
    params: dict[str, Any] | None = None,
    rules: dict[str, bool] | None = None,
    **terms: Any,
) -> "Board":
    from lstm_strategy import LSTMStrategy
    from lstm_strategy import compare as compare_strategies
    from strategies import BASELINES

    rules = rules or {}
    learners = {
        name: (LSTMStrategy, {**(params or {}), **rules, "model": model})
        for name, model in models.items()
    }
    baselines = {name: (baseline, rules) for name, baseline in BASELINES.items()}
    with status("Backtesting the LSTM and the baselines"):
        return compare_strategies({**learners, **baselines}, frame, **terms)


def _write_board(
    board: "Board",
    frame: "pd.DataFrame",
    model: Any,
    out_dir: Path,
    *,
    end: str | None,
    also: list[str],
) -> None:
    from lstm_strategy import LSTMStrategy
    from lstm_strategy.evaluation.report import write_report
    from lstm_strategy.evaluation.robustness import robustness

    with status("Writing the report: costs, delays and seeds"):
        board.save(out_dir)
        tested = robustness(
            LSTMStrategy,
            frame,
            model=model,
            start=board.results["LSTM"].first_tradable,
            end=end,
            broker=board.broker,
        )
        write_report(out_dir / "report.html", board, bars=frame, model=model, robustness=tested)
    files = ["metrics.csv", "equity.csv", "equity.png", "report.html", *also]
    say(f"Wrote {', '.join(files[:-1])} and {files[-1]} to {out_dir}/.")


def _configured_forecaster(
    config: Path | None,
    preset: str | None,
    horizon: int | None,
    units: list[int] | None,
    lookback: int | None,
    epochs: int | None,
    seeds: int | None,
    seed: int | None,
) -> "LSTMForecaster":
    from lstm_strategy import config as settings

    options = {
        "preset": preset,
        "horizon": horizon,
        "units": units or None,
        "lookback": lookback,
        "epochs": epochs,
        "seeds": seeds,
        "seed": seed,
    }
    return settings.configured_forecaster(settings.loaded_config(config), options)


def _broker_options(
    cash: float | None, commission: float | None, slippage: float | None
) -> dict[str, float | None]:
    return {"cash": cash, "commission_rate": commission, "slippage_rate": slippage}


def _rules(long_only: bool) -> dict[str, bool]:
    return {"long_only": True} if long_only else {}


def _check_holds_no_other_files(folder: Path) -> None:
    """Refuse before the training what `LSTMForecaster.save` would refuse after it."""
    from lstm_strategy.learning.storage import CARD_FILE

    if folder.is_dir() and any(folder.iterdir()) and not (folder / CARD_FILE).exists():
        raise SettingsError(
            f"--out {folder} holds other files than a saved model, so it isn't overwritten. "
            "Choose another folder."
        )


def _loaded_bars(source: str, adjusted: bool) -> "pd.DataFrame":
    return lstm_strategy.load_bars(source, adjusted=adjusted)


def _loaded_model(folder: Path) -> "LSTMForecaster":
    return lstm_strategy.LSTMForecaster.load(folder)


def _training_end(forecaster: "LSTMForecaster", bars: "pd.DataFrame") -> "pd.Timestamp | None":
    from lstm_strategy.evaluation.result import training_end

    return training_end({"model": forecaster}, bars)


def _sliced(bars: "pd.DataFrame", start: str | None, end: str | None) -> "pd.DataFrame":
    for option, date in (("--start", start), ("--end", end)):
        try:
            bars.loc[date:]
        except (ValueError, TypeError, KeyError):
            raise SettingsError(
                f"{option} must be a date such as 2013, 2013-05 or 2013-05-02, got {date!r}."
            ) from None
    chosen = bars.loc[start:end]
    if chosen.empty:
        raise SettingsError(
            f"No bar lies between {start or 'the beginning'} and {end or 'the end'}; there are "
            f"{_span(bars)}. Choose other dates."
        )
    return chosen


def _span(bars: "pd.DataFrame") -> str:
    return f"{len(bars):,} bars from {bars.index[0]:%Y-%m-%d} to {bars.index[-1]:%Y-%m-%d}"


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


def _save_figure(figure: "Figure", path: Path) -> None:
    _write_whole(path, partial(figure.savefig, dpi=120))


def _write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write under another name first: a reader sees the old file or the new, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.stem}-unfinished{path.suffix}")
    try:
        write(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _usage_text(error: Any) -> str:
    command = error.ctx.command_path if error.ctx else "lstm-strategy"
    return f"{error.format_message().rstrip('.')}. See {command} --help."


def _fail(message: str) -> NoReturn:
    err.print("error:", style="bold red", end=" ")
    err.print(" ".join(message.split()), soft_wrap=True)
    sys.exit(2)


if __name__ == "__main__":
    main()
