"""The command `tune`: parse, call, print; the pictures, the table and best.toml to the folder."""

from pathlib import Path
from typing import Annotated

import typer

from lstm_strategy.cli import config_file as settings
from lstm_strategy.cli.inputs import (
    bars_span,
    broker_from_options,
    forecaster_from_options,
    load_source,
    rules_from_options,
    slice_bars,
    workers_from_options,
)
from lstm_strategy.cli.options import (
    Address,
    Adjusted,
    Bars,
    Cash,
    Commission,
    Config,
    Epochs,
    FolderOut,
    Jobs,
    LongOnly,
    MLflow,
    Preset,
    Seed,
    Members,
    Slippage,
    TasksEngine,
)
from lstm_strategy.cli.output import print_tuning, say
from lstm_strategy.errors import SettingsError


def tune(
    bars: Bars,
    trials: Annotated[
        int, typer.Option("--trials", metavar="N", min=1, help="Trials in all, earlier ones too.")
    ] = 50,
    storage: Annotated[
        str | None,
        typer.Option(
            "--storage",
            metavar="URL",
            help="Instead of SQLite in --out: an Optuna database URL such as "
            "postgresql://USER@HOST/DB, or journal:FILE.",
        ),
    ] = None,
    out_dir: FolderOut = Path("tuning"),
    objective: Annotated[
        str, typer.Option("--objective", help="sharpe (after costs), log_loss or auc.")
    ] = "sharpe",
    folds: Annotated[int, typer.Option("--folds", metavar="N", min=1, help="Inner folds.")] = 4,
    holdout: Annotated[
        float, typer.Option("--holdout", help="Share of the bars that only the best one sees.")
    ] = 0.2,
    prune: Annotated[
        bool, typer.Option("--prune/--no-prune", help="Stop trials that do worse than half.")
    ] = True,
    start: Annotated[str | None, typer.Option("--start", help="First bar to use.")] = None,
    end: Annotated[str | None, typer.Option("--end", help="Last bar to use.")] = None,
    adjusted: Adjusted = False,
    long_only: LongOnly = False,
    config: Config = None,
    cash: Cash = None,
    commission: Commission = None,
    slippage: Slippage = None,
    preset: Preset = None,
    epochs: Epochs = None,
    members: Members = None,
    seed: Seed = None,
    mlflow: MLflow = None,
    jobs: Jobs = None,
    at_once: Annotated[
        int | None,
        typer.Option(
            "--at-once",
            metavar="N",
            min=1,
            help="Settings chosen before the first of them is scored, by default 1, or 8 with "
            "--jobs or --engine ray. What is tried depends on it, not on --jobs.",
            rich_help_panel="Workers",
        ),
    ] = None,
    engine: TasksEngine = "local",
    address: Address = None,
) -> None:
    """Search for settings, each scored out of sample by a walk forward.

    The last --holdout of the bars is touched once, by the best setting alone. The table \\[space]
    of the --config file says what may be tried: names to lists of choices, or to tables with low,
    high and log. A search that was stopped goes on with the same command, and several processes
    may run it at once. With --jobs or --engine ray several settings are tried side by side. Writes
    trials.csv, history.png, importance.png and best.toml, a --config for train and compare.
    """
    if engine not in ("local", "ray"):
        raise SettingsError(f"--engine must be local or ray, got {engine!r}.")
    places = workers_from_options(engine, address, jobs)
    loaded = settings.load_config(config)
    base = forecaster_from_options(config, preset=preset, epochs=epochs, members=members, seed=seed)
    broker = broker_from_options(config, cash=cash, commission=commission, slippage=slippage)
    if "model" in loaded.strategy:
        raise SettingsError("A search trains its models; remove model from [strategy].")
    frame = slice_bars(load_source(bars, adjusted), start, end)
    from lstm_strategy import tune as tuned

    say(f"{bars}: {bars_span(frame)}; {trials} trials, the last {holdout:.0%} kept back.")
    with places:
        result = tuned(
            frame,
            loaded.space or None,
            trials,
            objective=objective,
            forecaster=base,
            strategy={**loaded.strategy, **rules_from_options(long_only)},
            broker=broker,
            holdout=holdout,
            n_folds=folds,
            folder=out_dir,
            storage=storage,
            seed=seed or 0,
            prune=prune,
            n_jobs=None if engine == "ray" else jobs,
            at_once=at_once,
        )
    print_tuning(result)
    result.save(out_dir)
    say(f"Wrote trials.csv, history.png, importance.png and best.toml to {out_dir}/.")
    if mlflow is not None:
        from lstm_strategy.tracking import log_tuning

        say(f"Logged as run {log_tuning(result, mlflow)} of experiment {mlflow}.")
    say(
        f"Judge it on the bars kept back: lstm-strategy compare {bars} --start "
        f"{result.holdout.result.equity.index[0]:%Y-%m-%d} --config {out_dir}/best.toml "
        f"--trials {result.n_trials}"
    )
