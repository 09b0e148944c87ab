"""What the commands work on: bars, models and places to run, made from what the user wrote."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pandas as pd

from lstm_strategy.bars import span_dates
from lstm_strategy.errors import SettingsError
from lstm_strategy.learning.forecaster import CARD_FILE
from lstm_strategy.support import workers


def rules_from_options(long_only: bool) -> dict[str, bool]:
    """The parameters that hold for every strategy."""
    return {"long_only": True} if long_only else {}


def check_model_folder(folder: Path) -> None:
    """Refuse before the training what `LSTMForecaster.save` would refuse after it."""
    if folder.is_dir() and any(folder.iterdir()) and not (folder / CARD_FILE).exists():
        raise SettingsError(
            f"--out {folder} holds other files than a saved model, so it isn't overwritten. "
            "Choose another folder."
        )


def workers_from_options(
    engine: str, address: str | None, jobs: int | None
) -> AbstractContextManager[None]:
    """Where the tasks of a command run: on a cluster, or where the command itself decides."""
    if engine == "ray":
        return workers("ray", address=address, n_jobs=jobs)
    if address is not None:
        raise SettingsError(f"--address {address} is that of a cluster: add --engine ray.")
    return nullcontext()


def tensorboard_callbacks(tensorboard: Path | None) -> list[Any]:
    """The callback that logs a training for TensorBoard, if a folder is given."""
    if tensorboard is None:
        return []
    from lstm_strategy.tracking import TensorBoardLogs

    return [TensorBoardLogs(tensorboard)]


def fold_callbacks(tensorboard: Path | None) -> Any:
    """The same for each training of a walk forward."""
    if tensorboard is None:
        return None
    from lstm_strategy.tracking import FoldTensorBoardLogs

    return FoldTensorBoardLogs(tensorboard.absolute())  # a worker may be at home elsewhere


def slice_bars(bars: pd.DataFrame, start: str | None, end: str | None) -> pd.DataFrame:
    """The bars from start to end, or one clear error."""
    for option, date in (("--start", start), ("--end", end)):
        try:
            bars.loc[date:]
        except (ValueError, TypeError, KeyError):
            raise SettingsError(
                f"{option} must be a date such as 2013, 2013-05 or 2013-05-02, got {date!r}."
            ) from None
    chosen = bars.loc[start:end]
    if chosen.empty:
        raise SettingsError(
            f"No bar lies between {start or 'the beginning'} and {end or 'the end'}; there are "
            f"{describe_span(bars)}. Choose other dates."
        )
    return chosen


def describe_span(bars: pd.DataFrame) -> str:
    """How many bars, from when to when, in words."""
    first, last = span_dates(bars.index)
    return f"{len(bars):,} bars from {first} to {last}"
