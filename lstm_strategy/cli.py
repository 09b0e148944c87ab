"""The command line: parse, call, print."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

import lstm_strategy
from lstm_strategy.errors import LSTMStrategyError

if TYPE_CHECKING:
    import pandas as pd

    from lstm_strategy.evaluation.compare import Board
    from lstm_strategy.evaluation.result import BacktestResult
    from lstm_strategy.learning.forecaster import LSTMForecaster

app = typer.Typer(
    name="lstm-strategy",
    help="A Keras LSTM inside backtrader, compared honestly with baselines. BARS is a CSV or "
    "Parquet file, sample:sp500 or sample:nasdaq.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
out = Console()
err = Console(stderr=True)

Bars = Annotated[str, typer.Argument(metavar="BARS", help="A file of bars, or sample:sp500.")]
Out = Annotated[Path | None, typer.Option("--out", help="Folder for the results.")]
Config = Annotated[Path | None, typer.Option("--config", help="TOML file; options override it.")]
Seed = Annotated[int | None, typer.Option("--seed", help="Makes training repeatable.")]
Start = Annotated[str | None, typer.Option("--start", help="First bar to trade, e.g. 2013-01-02.")]
End = Annotated[str | None, typer.Option("--end", help="Last bar, e.g. 2018-12-31.")]
Model = Annotated[Path | None, typer.Option("--model", help="Folder of a trained model.")]
Adjusted = Annotated[bool, typer.Option("--adjusted", help="Adjust prices by Adj Close.")]
Cash = Annotated[float | None, typer.Option("--cash", help="Cash at the start.")]
Commission = Annotated[
    float | None, typer.Option("--commission", help="Fraction of each trade's value.")
]
Slippage = Annotated[
    float | None, typer.Option("--slippage", help="Fraction by which each fill is worse.")
]
LongOnly = Annotated[bool, typer.Option("--long-only", help="Never sell short.")]
Preset = Annotated[
    str | None, typer.Option("--preset", help="Features: default, momentum, volatility, trend.")
]
Horizon = Annotated[int | None, typer.Option("--horizon", help="Bars ahead to forecast.")]
Units = Annotated[
    list[int] | None, typer.Option("--units", help="Width of an LSTM layer; repeat for more.")
]
Lookback = Annotated[int | None, typer.Option("--lookback", help="Bars of context.")]
Epochs = Annotated[int | None, typer.Option("--epochs", help="Most epochs for each seed.")]
Seeds = Annotated[int | None, typer.Option("--seeds", help="Members of the ensemble.")]

_WIDTH_OF_ALL_METRICS = 120
_NARROW_METRICS = ["cagr", "sharpe", "max_drawdown", "turnover", "trades", "costs"]
_DEMO_TRAIN_END, _DEMO_START, _DEMO_END = "2010-12-31", "2011", "2018"


def main() -> None:
    """Run the command line; a user's mistake ends in one line and exit code 2."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        app()
    except LSTMStrategyError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{error.filename or 'A file'} can't be used: {error.strerror or error}.")
    except KeyboardInterrupt:
        err.print("Interrupted; what was already written is whole.")
        sys.exit(130)


@app.command()
def demo(
    out_dir: Annotated[Path, typer.Option("--out", help="Folder for the results.")] = Path("demo"),
    seed: Annotated[int, typer.Option("--seed")] = 0,
) -> None:
    """Train on the S&P 500 up to 2010 and compare with all baselines on 2011-2018."""
    from lstm_strategy import compare, plot_chart, sample_bars
    from lstm_strategy.learning.forecaster import LSTMForecaster
    from lstm_strategy.trading.strategy import LSTMStrategy
    from strategies import BASELINES

    bars = sample_bars("sp500")
    out.print(f"S&P 500, {_span(bars)}. Training on the bars up to {_DEMO_TRAIN_END}.")
    forecaster = LSTMForecaster(seed=seed).fit(bars[:_DEMO_TRAIN_END])
    _print_training(forecaster)
    forecaster.save(out_dir / "model")
    lstm = (LSTMStrategy, {"model": forecaster})
    with _status("Backtesting the LSTM and the baselines"):
        board = compare({"LSTM": lstm, **BASELINES}, bars, start=_DEMO_START, end=_DEMO_END)
        board.save(out_dir)
        chart = plot_chart(LSTMStrategy, bars, start=_DEMO_START, end=_DEMO_END, model=forecaster)
        _save_figure(chart, out_dir / "chart.png")
    _print_board(board)
    out.print(
        f"Wrote metrics.csv, equity.csv, equity.png, chart.png and model/ to {out_dir}/.",
        soft_wrap=True,
    )


@app.command()
def train(
    bars: Bars,
    out_dir: Annotated[Path, typer.Option("--out", help="Folder for the model.")] = Path("model"),
    start: Start = None,
    end: End = None,
    adjusted: Adjusted = False,
    preset: Preset = None,
    horizon: Horizon = None,
    units: Units = None,
    lookback: Lookback = None,
    epochs: Epochs = None,
    seeds: Seeds = None,
    seed: Seed = None,
    config: Config = None,
) -> None:
    """Train a model and save it as a folder."""
    forecaster = _configured_forecaster(
        config, preset, horizon, units, lookback, epochs, seeds, seed
    )
    frame = _sliced(_loaded_bars(bars, adjusted), start, end)
    out.print(f"{bars}: {_span(frame)}. Training on all of them.")
    forecaster.fit(frame)
    _print_training(forecaster)
    forecaster.save(out_dir)
    from lstm_strategy.evaluation.plots import plot_history

    _save_figure(plot_history(forecaster.history), out_dir / "training.png")
    out.print(f"Wrote the model and training.png to {out_dir}/.", soft_wrap=True)


@app.command()
def forecast(
    bars: Bars,
    model: Annotated[Path, typer.Option("--model", help="Folder of a trained model.")],
    out_dir: Out = None,
    adjusted: Adjusted = False,
) -> None:
    """Forecast every bar; prints the last ones and writes forecast.csv."""
    from lstm_strategy.learning.forecaster import LSTMForecaster

    forecaster = LSTMForecaster.load(model)
    frame = _loaded_bars(bars, adjusted)
    with _status("Forecasting"):
        forecasts = forecaster.forecast(frame)
    if forecasts["signal"].notna().sum() == 0:
        raise LSTMStrategyError(
            f"The model needs {forecaster.warm_up + 1:,} bars before its first forecast, got "
            f"{len(frame):,}. Load more history."
        )
    table = _table("Last forecasts", ["bar", *forecasts.columns])
    for time, row in forecasts.tail(10).iterrows():
        table.add_row(str(time), *(f"{value:.4f}" for value in row))
    out.print(table)
    if out_dir is not None:
        _write_csv(forecasts, out_dir / "forecast.csv")
        out.print(f"Wrote forecast.csv to {out_dir}/.", soft_wrap=True)


@app.command()
def backtest(
    bars: Bars,
    model: Model = None,
    strategy: Annotated[
        str | None,
        typer.Option("--strategy", help="A baseline's name, or FILE.py:Class:name=value,..."),
    ] = None,
    start: Start = None,
    end: End = None,
    out_dir: Out = None,
    long_only: LongOnly = False,
    cash: Cash = None,
    commission: Commission = None,
    slippage: Slippage = None,
    adjusted: Adjusted = False,
    config: Config = None,
) -> None:
    """Run one strategy and show its metrics."""
    from lstm_strategy import config as settings
    from lstm_strategy import run_backtest
    from lstm_strategy.trading.strategy import LSTMStrategy

    loaded = settings.loaded_config(config)
    broker = settings.configured_broker(loaded, _broker_options(cash, commission, slippage))
    chosen, params = settings.strategy_named(strategy) if strategy else (LSTMStrategy, {})
    params = {**loaded.strategy, **params}
    if model is not None:
        params["model"] = str(model)
    elif strategy is None:
        raise LSTMStrategyError("Say what to run: --model DIR, or --strategy NAME.")
    if long_only:
        params["long_only"] = True
    frame = _loaded_bars(bars, adjusted)
    with _status("Backtesting"):
        result = run_backtest(chosen, frame, start=start, end=end, broker=broker, **params)
    _print_result(result)
    if out_dir is not None:
        _write_csv(result.metrics.to_frame(result.name).T, out_dir / "metrics.csv")
        _write_csv(result.equity.to_frame("equity"), out_dir / "equity.csv")
        _write_csv(result.trades.set_index("entry"), out_dir / "trades.csv")
        _save_figure(result.figure(), out_dir / "equity.png")
        out.print(
            f"Wrote metrics.csv, equity.csv, trades.csv and equity.png to {out_dir}/.",
            soft_wrap=True,
        )


@app.command()
def compare(
    bars: Bars,
    model: Model = None,
    start: Start = None,
    end: End = None,
    out_dir: Out = None,
    long_only: LongOnly = False,
    cash: Cash = None,
    commission: Commission = None,
    slippage: Slippage = None,
    adjusted: Adjusted = False,
    preset: Preset = None,
    horizon: Horizon = None,
    units: Units = None,
    lookback: Lookback = None,
    epochs: Epochs = None,
    seeds: Seeds = None,
    seed: Seed = None,
    config: Config = None,
) -> None:
    """Compare the LSTM with all baselines, out of sample.

    Without --model a model is trained on the bars before --start (the first 70% by default).
    """
    from lstm_strategy import compare as compare_strategies
    from lstm_strategy import config as settings
    from lstm_strategy.learning.forecaster import LSTMForecaster
    from lstm_strategy.trading.strategy import LSTMStrategy
    from strategies import BASELINES

    loaded = settings.loaded_config(config)
    broker = settings.configured_broker(loaded, _broker_options(cash, commission, slippage))
    frame = _loaded_bars(bars, adjusted)
    if model is not None:
        forecaster = LSTMForecaster.load(model)
    else:
        forecaster = _configured_forecaster(
            config, preset, horizon, units, lookback, epochs, seeds, seed
        )
        start = start or str(frame.index[int(len(frame) * 0.7)])
        before = frame[frame.index < _sliced(frame, start, end).index[0]]
        out.print(f"{bars}: training on {_span(before)}.")
        forecaster.fit(before)
        _print_training(forecaster)
    rules = {"long_only": True} if long_only else {}
    lstm = (LSTMStrategy, {**loaded.strategy, **rules, "model": forecaster})
    baselines = {name: (baseline, rules) for name, baseline in BASELINES.items()}
    with _status("Backtesting the LSTM and the baselines"):
        board = compare_strategies(
            {"LSTM": lstm, **baselines}, frame, start=start, end=end, broker=broker
        )
    _print_board(board)
    if out_dir is not None:
        board.save(out_dir)
        out.print(f"Wrote metrics.csv, equity.csv and equity.png to {out_dir}/.", soft_wrap=True)


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


def _loaded_bars(source: str, adjusted: bool) -> "pd.DataFrame":
    return lstm_strategy.load_bars(source, adjusted=adjusted)


def _sliced(bars: "pd.DataFrame", start: str | None, end: str | None) -> "pd.DataFrame":
    try:
        chosen = bars.loc[start:end]
    except (ValueError, TypeError, KeyError):
        raise LSTMStrategyError(
            f"--start and --end must be dates like 2013-01-31, got {start!r} and {end!r}."
        ) from None
    if chosen.empty:
        raise LSTMStrategyError(
            f"No bar lies between {start or 'the beginning'} and {end or 'the end'}; the bars are "
            f"{_span(bars)}."
        )
    return chosen


def _span(bars: "pd.DataFrame") -> str:
    if bars.empty:
        return "no bars"
    return f"{len(bars):,} bars from {bars.index[0]:%Y-%m-%d} to {bars.index[-1]:%Y-%m-%d}"


def _print_training(forecaster: "LSTMForecaster") -> None:
    scores, history = forecaster.validation_scores, forecaster.history
    epochs = history.groupby("seed").size()
    out.print(
        f"Trained {len(epochs)} network{'s' if len(epochs) > 1 else ''} for "
        f"{', '.join(map(str, epochs))} epochs. On the last {scores['n_rows']:.0f} bars before the "
        f"training ended (validation): log-loss {scores['log_loss']:.4f} (a coin: 0.6931), "
        f"AUC {scores['auc']:.3f} (a coin: 0.5).",
        soft_wrap=True,
    )


def _print_board(board: "Board") -> None:
    from lstm_strategy.evaluation.result import readable_metrics, span_text

    readable = readable_metrics(board.table)
    if out.width < _WIDTH_OF_ALL_METRICS:
        readable = readable[_NARROW_METRICS]
    table = _table(f"Out of sample, {span_text(board.equity)}", ["strategy", *readable.columns])
    for name, row in readable.iterrows():
        is_ours = str(name).startswith("LSTM")
        table.add_row(str(name), *row, style="bold" if is_ours else None)
    out.print(table)
    out.print(board.standing("LSTM"), soft_wrap=True)
    for result in board.results.values():
        _print_order_trouble(result)


def _print_result(result: "BacktestResult") -> None:
    from lstm_strategy.evaluation.result import readable_metrics, span_text

    table = _table(f"{result.name}, {span_text(result.equity)}", ["metric", "value"])
    for name, value in readable_metrics(result.metrics.to_frame().T).iloc[0].items():
        table.add_row(str(name), value)
    out.print(table)
    _print_order_trouble(result)


def _print_order_trouble(result: "BacktestResult") -> None:
    troubles = {k: n for k, n in result.order_counts.items() if n and k != "completed"}
    if troubles:
        counts = ", ".join(f"{n} {kind.replace('_', ' ')}" for kind, n in troubles.items())
        out.print(f"{result.name}: orders that did not fill as asked: {counts}.", soft_wrap=True)


def _table(title: str, columns: list[str]) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column(columns[0], no_wrap=True)
    for column in columns[1:]:
        table.add_column(column.replace("_", " "), justify="right", min_width=8)
    return table


@contextmanager
def _status(what: str) -> Iterator[None]:
    with err.status(f"{what} …"):
        yield


def _save_figure(figure: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}-unfinished{path.suffix}")
    figure.savefig(temporary, dpi=120)
    temporary.replace(path)


def _write_csv(frame: "pd.DataFrame", path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}-unfinished{path.suffix}")
    frame.to_csv(temporary)
    temporary.replace(path)


def _fail(message: str) -> None:
    err.print("error:", style="bold red", end=" ")
    err.print(message, soft_wrap=True, markup=False, highlight=False)
    sys.exit(2)


if __name__ == "__main__":
    main()
