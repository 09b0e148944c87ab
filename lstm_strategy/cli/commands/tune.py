"""The command `tune`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from lstm_strategy.cli import options as opt
from lstm_strategy.cli.out_folder import check_names
from lstm_strategy.cli.reading import MarketsOptions
from lstm_strategy.cli.settings import BrokerOptions, EnsembleOptions, load_config
from lstm_strategy.errors import SettingsError

_RESULT_FILES = ("trials.csv", "history.png", "importance.png", "best.toml")


def _check_holdout(share: float) -> float:
    if not 0.0 < share < 0.9:
        raise SettingsError(
            f"--holdout must lie between 0 and 0.9, got {share:g}. 0.2 keeps the last fifth back."
        )
    return share


@dataclass(frozen=True)
class SearchOptions:
    """How a search goes.

    Attributes:
        trials: How many trials there are to be, those of earlier runs included.
        storage: Where Optuna keeps the trials; None for the folder of the results.
        objective: The score: "sharpe", "log_loss" or "auc".
        folds: How many folds each setting is tried on.
        holdout: The share of the bars that only the best setting sees.
        prune: Whether poor trials are stopped early.
        at_once: How many settings are chosen before the first of them is scored; None for the
            default.
    """

    trials: Annotated[
        int,
        typer.Option(
            "--trials",
            metavar="N",
            min=1,
            help="How many trials to make in all, those of earlier runs included.",
        ),
    ] = 50
    storage: Annotated[
        str | None,
        typer.Option(
            "--storage",
            metavar="URL",
            help="Where Optuna keeps the trials instead of in --out: the URL of a database such as "
            "postgresql://USER@HOST/DB, or journal:FILE.",
            show_default="in --out",
        ),
    ] = None
    objective: Annotated[
        str,
        typer.Option(
            "--objective",
            help="The score that is made as good as it can be: sharpe (the Sharpe ratio after "
            "costs), log_loss or auc.",
            **opt.choose_from("--objective", "sharpe", "log_loss", "auc"),
        ),
    ] = "sharpe"
    folds: Annotated[
        int,
        typer.Option(
            "--folds", metavar="N", min=1, help="How many folds each setting is tried on."
        ),
    ] = 4
    holdout: Annotated[
        float,
        typer.Option(
            "--holdout",
            metavar="SHARE",
            help="The share of the bars that only the best setting sees.",
            callback=_check_holdout,
        ),
    ] = 0.2
    prune: Annotated[
        bool,
        typer.Option(
            "--prune/--no-prune", help="Stop a trial that does worse than half of the others."
        ),
    ] = True
    at_once: Annotated[
        int | None,
        typer.Option(
            "--at-once",
            metavar="N",
            min=1,
            help="How many settings are chosen before the first of them is scored. The settings "
            "tried depend on it, but not on --jobs.",
            show_default="1; 8 with --jobs or --engine ray",
            rich_help_panel="Workers",
        ),
    ] = None


def tune(
    bars: opt.BarsOrMarkets,
    reading: MarketsOptions,
    broker: BrokerOptions,
    ensemble: EnsembleOptions,
    search: SearchOptions,
    out_dir: opt.FolderOut = Path("tuning"),
    start: opt.FirstBar = None,
    end: opt.LastBar = None,
    long_only: opt.LongOnly = False,
    config: opt.Config = None,
    mlflow: opt.MLflow = None,
    jobs: opt.TrialJobs = None,
    engine: opt.TasksEngine = "local",
    address: opt.Address = None,
) -> None:
    """Search for settings, each scored out of sample by a walk forward.

    The best setting alone is run, once, on the last bars (--holdout). The table [space] of the
    --config file names what may be tried, as lists of choices or as tables with low, high and
    log. Several markets train one model for each setting, and are traded together. The same
    command resumes a search that was stopped, and several processes may run it at once. With
    --jobs or --engine ray several settings are tried side by side.

    Writes trials.csv, history.png, importance.png and best.toml, a --config for train and compare.
    A picture that too few trials leave empty is left out.

    Examples:
        lstm-strategy tune sample:sp500 --trials 20 --out tuning
        lstm-strategy tune prices.csv --config space.toml --objective log_loss --jobs 4
    """
    from lstm_strategy.cli.inputs import (
        choose_workers,
        describe_markets,
        load_markets,
        rules_from_options,
        slice_markets,
    )
    from lstm_strategy.cli.output import print_tuning, tell, tell_command
    from lstm_strategy.evaluation.tuning import tune as run_tuning
    from lstm_strategy.support import count_of

    place = choose_workers(engine, address, jobs)
    check_names(out_dir, _RESULT_FILES)
    loaded, forecaster = load_config(config), ensemble.build_forecaster(config)
    if "model" in loaded.strategy:
        raise SettingsError("A search trains its own models. Remove model from [strategy].")
    terms = broker.build_broker(config)
    markets = slice_markets(load_markets(bars, reading), start, end)
    tell(
        f"{bars}: {describe_markets(markets)}; {count_of(search.trials, 'trial')}, the "
        f"last {search.holdout:.0%} kept back."
    )
    with place:
        result = run_tuning(
            markets,
            loaded.space or None,
            search.trials,
            objective=search.objective,
            forecaster=forecaster,
            strategy={**loaded.strategy, **rules_from_options(long_only)},
            broker=terms,
            holdout=search.holdout,
            n_folds=search.folds,
            folder=out_dir,
            storage=search.storage,
            seed=ensemble.seed or 0,
            prune=search.prune,
            n_jobs=None if engine == "ray" else jobs,
            at_once=search.at_once,
        )
    print_tuning(result)
    result.save(out_dir)
    undrawn = {f"{kind}.png": reason for kind, reason in result.undrawn.items()}
    *others, last = (name for name in _RESULT_FILES if name not in undrawn)
    tell(f"Wrote {', '.join(others)} and {last} to {out_dir}/.")
    for name, reason in undrawn.items():
        tell(f"{name} is left out. {reason}")
    if mlflow is not None:
        from lstm_strategy.tracking import log_tuning

        tell(f"Logged as run {log_tuning(result, mlflow)} of experiment {mlflow}.")
    first = result.holdout.result.equity.index[0]
    tell("Judge it on the bars kept back:")
    best = ("--config", f"{out_dir}/best.toml", "--trials", f"{result.n_trials}")
    tell_command("lstm-strategy", "compare", bars, "--start", f"{first:%Y-%m-%d}", *best)
