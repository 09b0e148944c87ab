"""The command `replay`. Its exit code is 0 if nothing differs, 1 if it does, 2 for a misuse."""

from pathlib import Path
from typing import Annotated, Any

import typer

from lstm_strategy.cli import options as opt
from lstm_strategy.cli.commands.live.trade import choose_strategy
from lstm_strategy.cli.out_folder import check_names, keep_results
from lstm_strategy.cli.reading import ReadingOptions
from lstm_strategy.cli.settings import build_broker, load_live_config
from lstm_strategy.support import name_options

_FOUND_SOMETHING = 1
_DIFFERENCES_FILE = "differences.csv"
_NAMES = {"model": "--model", "strategy": "--config", "broker": "--config"}


def replay(
    reading: ReadingOptions,
    journal: Annotated[
        Path,
        typer.Argument(
            metavar="JOURNAL",
            help="The folder of a live run, or the journal.jsonl in it.",
            show_default=False,
        ),
    ],
    bars: Annotated[
        str | None,
        typer.Option(
            "--bars",
            metavar="BARS",
            help="The bars of the run as they are known now, from the first that came to the last.",
            show_default="those of the journal",
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            metavar="DIR",
            help="The folder of the model that traded.",
            show_default="that of --config",
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="CONFIG",
            help="The file that `live` took, for a strategy of yours, an instrument or a model.",
            show_default="what the journal says",
        ),
    ] = None,
    out_dir: opt.Out = None,
    force: opt.ForceFiles = False,
) -> None:
    """Rerun a live run as a backtest, and say where each difference comes from.

    Bars, forecasts, orders, fills and accounts are compared to nine digits. Without --bars a
    difference comes from bars that were too late to trade on, from limits, or from another model,
    other settings or another version; with --bars, from bars that were missed or corrected as well.
    What nothing explains is said to be unexplained. The exit code is 0 if nothing differs and 1 if
    something does.

    Examples:
        lstm-strategy replay live
        lstm-strategy replay live --model model --bars prices.csv --out findings
        lstm-strategy replay live --config my.toml
    """
    from lstm_strategy.cli.inputs import load_bars
    from lstm_strategy.cli.model_folders import open_model
    from lstm_strategy.cli.output import say, tell
    from lstm_strategy.trading.live import replay_journal

    check_names(out_dir, [_DIFFERENCES_FILE])
    given: dict[str, Any] = {}
    if config is not None:
        loaded, table = load_live_config(config)
        chosen, params = choose_strategy(config, table, model)
        given = {**loaded.strategy, **params, "strategy": chosen}
        given["broker"] = build_broker(loaded, {})
    elif model is not None:
        given["model"] = open_model(model, engine="auto")
    known = None if bars is None else load_bars(bars, reading)
    with name_options(_NAMES):
        found = replay_journal(journal, bars=known, **given)
    for line in found.summary.splitlines():
        say(line)
    if out_dir is not None:
        with keep_results(out_dir, is_forced=force) as folder:
            found.differences.to_csv(folder / _DIFFERENCES_FILE, index=False)
        tell(f"Wrote {out_dir / _DIFFERENCES_FILE}.")
    if not found.differences.empty:
        raise typer.Exit(_FOUND_SOMETHING)
