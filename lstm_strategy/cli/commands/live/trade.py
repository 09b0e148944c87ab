"""The command `live`."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lstm_strategy.cli import options as opt
from lstm_strategy.cli.out_folder import check_folder
from lstm_strategy.cli.settings import LiveTable, build_broker, load_live_config
from lstm_strategy.errors import SettingsError

if TYPE_CHECKING:
    import pandas as pd

    from lstm_strategy.trading.live import LiveSession

_PLAYED = "play:"


def live(
    config: Annotated[
        Path,
        typer.Argument(
            metavar="CONFIG",
            help="A TOML file with the table live, and perhaps broker, strategy and limits.",
            show_default=False,
        ),
    ],
    source: Annotated[
        str | None,
        typer.Option(
            "--source",
            metavar="SOURCE",
            help="Where the bars come from, instead of what CONFIG says.",
            show_default="that of CONFIG",
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            metavar="DIR",
            help="The folder of a trained model, instead of what CONFIG says.",
            show_default="that of CONFIG",
        ),
    ] = None,
    out_dir: opt.RunOut = None,
    bars: Annotated[
        int | None,
        typer.Option(
            "--bars",
            metavar="N",
            min=1,
            help="End after so many bars have come live, such as 1 for a job that runs once a day.",
            show_default="no end",
        ),
    ] = None,
) -> None:
    """Trade bars as they come with a paper account, and keep a journal of all of it.

    No order leaves for an exchange: fills and costs are those of a backtest. Ctrl+C or SIGTERM ends
    the run after the bar at hand, and the same command goes on where it was, also after a crash.
    While a file named STOP lies in the folder of the run, no order is sent.

    Examples:
        lstm-strategy live strategies/live.toml
        lstm-strategy live my.toml --source ccxt:binance:BTC/USDT:1h --out runs/btc
        lstm-strategy live my.toml --bars 1
    """
    from lstm_strategy.bars import open_source
    from lstm_strategy.cli.commands.live.page import describe_end, show_run
    from lstm_strategy.cli.output import say, tell
    from lstm_strategy.cli.strategy_file import explain_failures
    from lstm_strategy.trading.live import LiveSession, TradingLimits

    loaded, table = load_live_config(config)
    folder = out_dir or check_folder(Path(table.out), option="out of [live]")
    chosen, params = choose_strategy(config, table, model)
    text = source or table.source
    opened = open_source(text)
    is_played = text.startswith(_PLAYED)
    with show_run(is_played) as show, explain_failures(chosen):
        session = LiveSession(
            chosen,
            opened,
            folder,
            n_history=table.history,
            broker=build_broker(loaded, {}),
            limits=TradingLimits(**loaded.limits),
            clock=None if is_played or hasattr(opened, "now") else _read_clock,
            on_gap=table.on_gap,
            on_change=show,
            **{**loaded.strategy, **params},
        )
        with _stop_on_signals(session):
            state = session.run(n_bars=bars)
    say(describe_end(state))
    tell(f"The journal is in {folder}/. The same command goes on from there.")


def choose_strategy(
    config: Path, table: LiveTable, model: Path | None
) -> tuple[type, dict[str, Any]]:
    """The strategy of the file with its own parameters, and its model.

    Args:
        config: The file.
        table: Its table `[live]`.
        model: The folder of --model; None for that of the file.

    Raises:
        SettingsError: If the file names nothing to run, or a model for a strategy that takes none.
        ModelError: If the model can't be read.
    """
    from lstm_strategy.cli.model_folders import open_model
    from lstm_strategy.cli.strategy_file import find_strategy
    from lstm_strategy.trading import declared_params
    from lstm_strategy.trading.lstm import LSTMStrategy

    chosen, params = (
        find_strategy(table.strategy) if table.strategy else (LSTMStrategy, dict[str, Any]())
    )
    folder = model or (None if table.model is None else Path(table.model))
    if folder is None:
        if table.strategy is None:
            raise SettingsError(
                f"{config}, [live]: nothing to run. Give model, the folder of a trained one, or "
                "strategy."
            )
        return chosen, params
    if "model" not in declared_params(chosen):
        raise SettingsError(f"{config}: {table.strategy} takes no model. Leave one of them out.")
    return chosen, {**params, "model": open_model(folder, engine=table.engine)}


def _read_clock() -> "pd.Timestamp":
    import pandas as pd

    return pd.Timestamp.now(tz="UTC")


@contextmanager
def _stop_on_signals(session: "LiveSession") -> Iterator[None]:
    """Let SIGINT and SIGTERM end a session after the bar at hand."""
    signals = (signal.SIGINT, signal.SIGTERM)

    def stop(number: int, frame: object) -> None:
        session.stop(signal.Signals(number).name)

    before = [signal.signal(each, stop) for each in signals]
    try:
        yield
    finally:
        for each, handler in zip(signals, before, strict=True):
            signal.signal(each, handler)
