"""The command `doctor`: what is installed, how fast it is, and how long a walk forward takes."""

import os
from typing import Annotated

import typer

from lstm_strategy.cli import options as opt
from lstm_strategy.cli.out_folder import check_names, refuse_to_replace
from lstm_strategy.cli.reading import ReadingOptions
from lstm_strategy.cli.settings import NetworkOptions, WindowOptions
from lstm_strategy.errors import SettingsError

DOCTOR_FILE = "doctor.json"
_USUAL_BARS = 5_000


def doctor(
    reading: ReadingOptions,
    network: NetworkOptions,
    windows: WindowOptions,
    bars: opt.OptionalBars = None,
    n_bars: Annotated[
        int | None,
        typer.Option(
            "--bars",
            metavar="N",
            min=1,
            help="Without BARS: how many daily bars to simulate.",
            show_default=str(_USUAL_BARS),
        ),
    ] = None,
    out_dir: opt.Out = None,
    force: opt.ForceFiles = False,
    config: opt.Config = None,
    jobs: Annotated[
        int,
        typer.Option("--jobs", metavar="N", min=1, help="How many processes are to train folds."),
    ] = 1,
) -> None:
    """Show what is installed, which LSTM kernels run, and how long a walk forward would take.

    The network that the options describe is trained for a few epochs and makes forecasts, which
    takes seconds. From its speed follows how long `compare BARS --walk-forward` would take.

    Examples:
        lstm-strategy doctor
        lstm-strategy doctor sample:sp500 --jobs 2
    """
    from lstm_strategy.bars import describe_span
    from lstm_strategy.cli.diagnostics import (
        estimate_walk_forward,
        inspect_environment,
        measure_speed,
        simulate_daily_bars,
        to_plain_values,
    )
    from lstm_strategy.cli.inputs import load_bars
    from lstm_strategy.cli.output import (
        print_environment,
        print_estimate,
        print_speed,
        status,
        tell,
    )
    from lstm_strategy.cli.windows import Windows
    from lstm_strategy.support import write_json

    if bars is not None and n_bars is not None:
        raise SettingsError("Give BARS or --bars N, not both.")
    check_names(out_dir, [DOCTOR_FILE])
    if out_dir is not None and not force and (out_dir / DOCTOR_FILE).exists():
        raise refuse_to_replace(out_dir, f"another {DOCTOR_FILE}")  # no two measurements are alike
    forecaster = network.build_forecaster(config)
    frame = simulate_daily_bars(n_bars or _USUAL_BARS) if bars is None else load_bars(bars, reading)
    chosen = Windows.choose(windows.train_window, windows.test_window, frame, forecaster)
    splits = chosen.cut_folds(frame, forecaster)
    n_cpus = os.cpu_count() or 1
    with status("Checking the installation"):
        environment = inspect_environment(n_cpus)
    print_environment(environment)
    with status("Measuring"):
        speed = measure_speed(forecaster, frame)
        estimate = estimate_walk_forward(speed, forecaster, splits, frame, n_jobs=jobs)
    print_speed(speed)
    what = describe_span(frame) if bars is not None else f"{len(frame):,} daily bars"
    print_estimate(estimate, what, n_cpus=n_cpus)
    if out_dir is not None:
        write_json(out_dir / DOCTOR_FILE, to_plain_values(environment, speed, estimate))
        tell(f"Wrote {DOCTOR_FILE} to {out_dir}/.")
