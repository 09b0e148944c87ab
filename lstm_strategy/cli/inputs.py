"""What the commands work on: bars, models and settings, made from what the user wrote."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lstm_strategy
from lstm_strategy.cli import config_file as configuration
from lstm_strategy.errors import SettingsError

if TYPE_CHECKING:
    import pandas as pd

    from lstm_strategy.learning.forecaster import Forecaster, LSTMForecaster
    from lstm_strategy.tracking import FoldTensorBoardLogs
    from lstm_strategy.trading.cerebro import BrokerSettings


def forecaster_from_options(config: Path | None, **options: Any) -> "LSTMForecaster":
    """An untrained forecaster; an option that was given overrides the configuration file."""
    given = options | {"units": options.get("units") or None}
    return configuration.build_forecaster(configuration.load_config(config), given)


def broker_from_options(
    config: Path | None, *, cash: float | None, commission: float | None, slippage: float | None
) -> "BrokerSettings":
    """The broker's terms; an option that was given overrides the configuration file."""
    given = {"cash": cash, "commission_rate": commission, "slippage_rate": slippage}
    return configuration.build_broker(configuration.load_config(config), given)


def rules_from_options(long_only: bool) -> dict[str, bool]:
    """The parameters that hold for every strategy."""
    return {"long_only": True} if long_only else {}


def check_model_folder(folder: Path) -> None:
    """Refuse before the training what `LSTMForecaster.save` would refuse after it."""
    from lstm_strategy.learning.forecaster import CARD_FILE

    if folder.is_dir() and any(folder.iterdir()) and not (folder / CARD_FILE).exists():
        raise SettingsError(
            f"--out {folder} holds other files than a saved model, so it isn't overwritten. "
            "Choose another folder."
        )


def workers_from_options(
    engine: str, address: str | None, jobs: int | None
) -> AbstractContextManager[None]:
    """Where the tasks of a command run: on a cluster, or where the command itself decides."""
    from lstm_strategy.support import workers

    if engine == "ray":
        return workers("ray", address=address, n_jobs=jobs)
    if address is not None:
        raise SettingsError(f"--address {address} is that of a cluster: add --engine ray.")
    return nullcontext()


def scalars(tensorboard: Path | None) -> list[Any]:
    """The callback that logs a training for TensorBoard, if a folder is given."""
    if tensorboard is None:
        return []
    from lstm_strategy.tracking import TensorBoardLogs

    return [TensorBoardLogs(tensorboard)]


def fold_scalars(tensorboard: Path | None) -> "FoldTensorBoardLogs | None":
    """The same for each training of a walk forward."""
    if tensorboard is None:
        return None
    from lstm_strategy.tracking import FoldTensorBoardLogs

    return FoldTensorBoardLogs(tensorboard.absolute())  # a worker may be at home elsewhere


def load_source(source: str, adjusted: bool) -> "pd.DataFrame":
    """The bars of a file or a sample, checked."""
    return lstm_strategy.load_bars(source, adjusted=adjusted)


def open_model(folder: Path, engine: str) -> "Forecaster":
    """A trained model, or the models of a walk forward, run by this engine."""
    from lstm_strategy.learning.serving import open_forecaster

    return open_forecaster(folder, engine=engine)


def training_end_of(forecaster: "Forecaster", bars: "pd.DataFrame") -> "pd.Timestamp | None":
    """The last bar that the model has learned from, on the clock of the bars."""
    from lstm_strategy.evaluation.backtests import training_end

    return training_end({"model": forecaster}, bars)


def slice_bars(bars: "pd.DataFrame", start: str | None, end: str | None) -> "pd.DataFrame":
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
            f"{bars_span(bars)}. Choose other dates."
        )
    return chosen


def bars_span(bars: "pd.DataFrame") -> str:
    """How many bars, from when to when, in words."""
    from lstm_strategy.bars import span_dates

    first, last = span_dates(bars.index)
    return f"{len(bars):,} bars from {first} to {last}"
