"""The command `tune`: the pictures, the table and best.toml go to the folder."""

from pathlib import Path
from typing import Annotated

import typer

from lstm_strategy.cli import options as opt
from lstm_strategy.cli.config_file import load_config
from lstm_strategy.cli.option_groups import BrokerOptions, EnsembleOptions
from lstm_strategy.errors import SettingsError


def tune(
    bars: opt.Bars,
    broker: BrokerOptions,
    ensemble: EnsembleOptions,
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
    out_dir: opt.FolderOut = Path("tuning"),
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
    start: opt.FirstBar = None,
    end: opt.LastBar = None,
    adjusted: opt.Adjusted = False,
    long_only: opt.LongOnly = False,
    config: opt.Config = None,
    mlflow: opt.MLflow = None,
    jobs: opt.Jobs = None,
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
    engine: opt.TasksEngine = "local",
    address: opt.Address = None,
) -> None:
    r"""Search for settings, each scored out of sample by a walk forward.

    The last --holdout of the bars is touched once, by the best setting alone. The table \[space]
    of the --config file says what may be tried: names to lists of choices, or to tables with low,
    high and log. A search that was stopped goes on with the same command, and several processes
    may run it at once. With --jobs or --engine ray several settings are tried side by side. Writes
    trials.csv, history.png, importance.png and best.toml, a --config for train and compare.
    """
    if engine not in ("local", "ray"):
        raise SettingsError(f"--engine must be local or ray, got {engine!r}.")
    from lstm_strategy.bars import load_bars
    from lstm_strategy.cli.inputs import (
        describe_span,
        rules_from_options,
        slice_bars,
        workers_from_options,
    )
    from lstm_strategy.cli.output import print_tuning, say
    from lstm_strategy.evaluation.tuning import tune as run_tuning

    place = workers_from_options(engine, address, jobs)
    loaded, base = load_config(config), ensemble.build_forecaster(config)
    terms = broker.build_broker(config)
    if "model" in loaded.strategy:
        raise SettingsError("A search trains its models; remove model from [strategy].")
    frame = slice_bars(load_bars(bars, adjusted=adjusted), start, end)
    say(f"{bars}: {describe_span(frame)}; {trials} trials, the last {holdout:.0%} kept back.")
    with place:
        result = run_tuning(
            frame,
            loaded.space or None,
            trials,
            objective=objective,
            forecaster=base,
            strategy={**loaded.strategy, **rules_from_options(long_only)},
            broker=terms,
            holdout=holdout,
            n_folds=folds,
            folder=out_dir,
            storage=storage,
            seed=ensemble.seed or 0,
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
