"""The command `doctor`: what is installed, how fast it is, and how long a walk forward takes."""

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from lstm_strategy.cli.diagnostics import (
    as_json,
    daily_bars,
    environment,
    estimate_walk_forward,
    measure_speed,
)
from lstm_strategy.cli.inputs import bars_span, forecaster_from_options, load_source
from lstm_strategy.cli.options import (
    Adjusted,
    Config,
    Epochs,
    Horizon,
    Lookback,
    Out,
    Preset,
    Members,
    TestWindow,
    TrainWindow,
    Units,
)
from lstm_strategy.cli.output import print_environment, print_estimate, print_speed, say, status
from lstm_strategy.errors import SettingsError

DOCTOR_FILE = "doctor.json"
_USUAL_BARS = 5_000


def doctor(
    bars: Annotated[
        str | None,
        typer.Argument(
            metavar="BARS", help="A .csv or .parquet file, sample:sp500 or sample:nasdaq."
        ),
    ] = None,
    n_bars: Annotated[
        int | None,
        typer.Option(
            "--bars", metavar="N", min=1, help=f"Instead: so many daily bars ({_USUAL_BARS:,})."
        ),
    ] = None,
    out_dir: Out = None,
    adjusted: Adjusted = False,
    config: Config = None,
    preset: Preset = None,
    horizon: Horizon = None,
    units: Units = None,
    lookback: Lookback = None,
    epochs: Epochs = None,
    members: Members = None,
    train_window: TrainWindow = "10 years",
    test_window: TestWindow = "1 year",
    jobs: Annotated[
        int, typer.Option("--jobs", metavar="N", min=1, help="Processes that train folds.")
    ] = 1,
) -> None:
    """Tell what is installed, which LSTM kernels are used, how fast, and how long a walk takes.

    The network that the options describe is trained for a few epochs and forecasts, which takes
    seconds. From that follows how long `compare BARS --walk-forward` would train it.
    """
    from lstm_strategy import WalkForward

    if bars is not None and n_bars is not None:
        raise SettingsError("Give BARS or --bars N, not both.")
    forecaster = forecaster_from_options(
        config,
        preset=preset,
        horizon=horizon,
        units=units,
        lookback=lookback,
        epochs=epochs,
        members=members,
    )
    frame = daily_bars(n_bars or _USUAL_BARS) if bars is None else load_source(bars, adjusted)
    splits = WalkForward(train_window, test_window, horizon=forecaster.settings.horizon)
    splits.folds(frame)  # refuses what can't be walked before anything is measured
    n_cpus = os.cpu_count() or 1
    with status("Looking around"):
        found = environment(n_cpus)
    print_environment(found)
    with status("Measuring"):
        speed = measure_speed(forecaster, frame)
        estimate = estimate_walk_forward(speed, forecaster, splits, frame, n_jobs=jobs)
    print_speed(speed)
    what = bars_span(frame) if bars is not None else f"{len(frame):,} daily bars"
    print_estimate(estimate, what, n_cpus=n_cpus)
    if out_dir is not None:
        _write(out_dir, as_json(found, speed, estimate))


def _write(out_dir: Path, found: dict[str, Any]) -> None:
    from lstm_strategy.support import write_whole

    write_whole(out_dir / DOCTOR_FILE, (json.dumps(found, indent=2) + "\n").encode())
    say(f"Wrote {DOCTOR_FILE} to {out_dir}/.")
