"""The forecasts of completed trials, one file each in the folder of a search."""

import logging
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
from optuna.trial import FrozenTrial, TrialState

from lstm_strategy.errors import TrainingError
from lstm_strategy.learning.search.storage import FORECASTS_FOLDER
from lstm_strategy.support import frame_from_parquet, read_whole, write_whole

_LARGEST_FILE = 2**30

log = logging.getLogger(__name__)


def write_forecasts(folder: Path, number: int, forecasts: pd.DataFrame) -> None:
    """Keep the forecasts of a trial, whole or not at all."""
    write_whole(_forecasts_file(folder, number), forecasts.to_parquet())


def read_forecasts(folder: Path, finished: Iterable[FrozenTrial]) -> dict[int, pd.DataFrame]:
    """Read the forecasts of the completed trials by number; those in other folders are missing."""
    completed = [trial.number for trial in finished if trial.state == TrialState.COMPLETE]
    files = {number: _forecasts_file(folder, number) for number in completed}
    missing = [number for number, file in files.items() if not file.exists()]
    if missing:
        log.warning(
            "The forecasts of %d of %d trials are in other folders, so they count as trials but "
            "not in the correlations. Let all processes share one folder.",
            len(missing),
            len(files),
        )
    return {n: read_kept(file) for n, file in files.items() if n not in missing}


def read_kept(file: Path) -> pd.DataFrame:
    """Read forecasts that a search kept.

    Raises:
        TrainingError: If the file is damaged.
    """
    try:
        return frame_from_parquet(read_whole(file, largest=_LARGEST_FILE))
    except (OSError, ValueError) as error:
        raise TrainingError(
            f"{file} can't be read: {error}. Restore it, or begin the search in another folder."
        ) from None


def _forecasts_file(folder: Path, number: int) -> Path:
    return folder / FORECASTS_FOLDER / f"trial-{number:05d}.parquet"
