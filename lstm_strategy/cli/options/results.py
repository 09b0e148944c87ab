"""Options of the outcome: where it goes, how it is judged, who computes it, what is printed."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from lstm_strategy.cli.options.checks import (
    check_experiment,
    check_out,
    check_tensorboard,
    choose_from,
)

_evaluation = partial(typer.Option, metavar="N", rich_help_panel="Evaluation")
_workers = partial(typer.Option, rich_help_panel="Workers")
_tracking = partial(typer.Option, rich_help_panel="Tracking")
_printing = partial(typer.Option, rich_help_panel="Printing", show_default="no")
_out = partial(typer.Option, "--out", "-o", metavar="DIR", callback=check_out)
_force = partial(typer.Option, "--force", show_default="no")

Out = Annotated[
    Path | None, _out(help="Write the results to this folder.", show_default="nothing is written")
]
RunOut = Annotated[
    Path | None,
    _out(
        help="The folder that keeps the journal and the state of the run.",
        show_default="that of CONFIG, or live",
    ),
]
ModelOut = Annotated[Path, _out(help="The folder for the model.")]
FolderOut = Annotated[Path, _out(help="The folder for the results.")]
ForceModel = Annotated[bool, _force(help="Replace a model of other settings in --out.")]
ForceFiles = Annotated[
    bool, _force(help="Replace other results that --out holds under these names.")
]
ForceResults = Annotated[
    bool,
    _force(help="Write over results of other settings in --out. Models stay in any case."),
]
Report = Annotated[
    bool,
    typer.Option(
        "--report",
        help="Write report.html to --out too: one page that needs no other file.",
        show_default="no",
    ),
]
Chart = Annotated[
    bool,
    typer.Option(
        "--chart",
        help="Write chart.png to --out too: the last 500 bars with orders and indicators, of one "
        "market.",
        show_default="no",
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
_jobs = partial(_workers, "--jobs", metavar="N", min=1)
Jobs = Annotated[
    int | None,
    _jobs(
        help="How many folds or strategies run at once at most.",
        show_default="one on each CPU; of folds at most 4",
    ),
]
TrialJobs = Annotated[
    int | None, _jobs(help="How many trials run at once at most.", show_default="1")
]
TasksEngine = Annotated[
    str,
    _workers(
        "--engine",
        help="Where the trials run: local, in processes of this machine, or ray, on a Ray cluster. "
        "What computes forecasts, as --engine says elsewhere, isn't chosen here.",
        **choose_from("--engine", "local", "ray"),
    ),
]
Address = Annotated[
    str | None,
    _workers(
        "--address",
        metavar="ADDRESS",
        help="With --engine ray: HOST:PORT of the cluster's head, or auto.",
        show_default="Ray is started on this machine",
    ),
]
TensorBoard = Annotated[
    Path | None,
    _tracking(
        "--tensorboard",
        metavar="DIR",
        help="Log the losses and the learning rate for TensorBoard to this folder, each "
        "network in a subfolder of its own.",
        callback=check_tensorboard,
        show_default="nowhere",
    ),
]
MLflow = Annotated[
    str | None,
    _tracking(
        "--mlflow",
        metavar="EXPERIMENT",
        help="Log to this experiment of MLflow, in the store that MLFLOW_TRACKING_URI names.",
        callback=check_experiment,
        show_default="nowhere",
    ),
]
Quiet = Annotated[
    bool,
    _printing(
        "--quiet",
        "-q",
        help="Print the results alone: no progress, no notes, no word on the files written.",
    ),
]
Verbose = Annotated[
    bool,
    _printing(
        "--verbose", "-v", help="Say of each strategy which orders did not fill as asked, and why."
    ),
]
