"""What the commands work on, made from what the user wrote: bars, rules, folders, workers, logs."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pandas as pd

from lstm_strategy.bars import Panel, describe_span, slice_bars, slice_panel, span_dates
from lstm_strategy.cli.output import tell
from lstm_strategy.cli.reading import MarketsOptions, ReadingOptions
from lstm_strategy.errors import SettingsError
from lstm_strategy.learning.forecaster import Forecaster
from lstm_strategy.support import count_of, refuse_day
from lstm_strategy.trading.baselines import PORTFOLIO_BASELINES
from lstm_strategy.trading.cerebro import trades_one_market

_MOST_NOTES = 20


def load_bars(source: str, reading: ReadingOptions) -> pd.DataFrame:
    """The bars of a source; what was repaired, dropped or left out is reported in one line.

    Raises:
        SettingsError: If an option isn't written as it must be.
        BarsError: If the source can't be read.
    """
    bars, notes = reading.read(source)
    if notes:
        tell(f"{source}: {'; '.join(notes)}.")
    return bars


def load_markets(source: str, reading: MarketsOptions) -> pd.DataFrame | Panel:
    """The bars of one market, or of several; what was done is reported in one line.

    Raises:
        SettingsError: If an option isn't written as it must be, or goes with another.
        BarsError: If the source can't be read, or a market is bad or shares no date with the
            others.
    """
    bars, notes = reading.read_markets(source)
    if notes:
        more = f"; and {len(notes) - _MOST_NOTES} notes more" if len(notes) > _MOST_NOTES else ""
        shown = [note.removeprefix(f"{Path(source)}: ") for note in notes[:_MOST_NOTES]]
        tell(f"{source}: {'; '.join(shown)}{more}.")
    return bars


def slice_markets(
    bars: pd.DataFrame | Panel, start: str | None, end: str | None
) -> pd.DataFrame | Panel:
    """The bars of one market or of several from --start to --end.

    Raises:
        SettingsError: If one of them isn't a date.
        TradingError: If no bar lies in between.
    """
    if isinstance(bars, pd.DataFrame):
        return slice_by_options(bars, start, end)
    _check_dates(bars[bars.symbols[0]], start, end)
    return slice_panel(bars, start, end)


def load_markets_for(strategy: type, source: str, reading: MarketsOptions) -> pd.DataFrame | Panel:
    """The bars of one market or of several, for a strategy that may trade one of them only.

    Raises:
        SettingsError: As `load_markets` raises it, or naming the market to choose for such a
            strategy.
        BarsError: As `load_markets` raises it.
    """
    if not trades_one_market(strategy):
        return load_markets(source, reading)
    if not reading.is_about_several:
        return load_bars(source, reading)
    bars = load_markets(source, reading)
    if isinstance(bars, Panel) and len(bars) > 1:
        raise SettingsError(
            f"{strategy.__name__} trades one market, and was given {len(bars)}. Choose one: "
            f"--symbol {bars.symbols[0]}. Or take a strategy that decides for all of them, such as "
            f"{next(iter(PORTFOLIO_BASELINES))}."
        )
    return bars


def check_model_takes(forecaster: Forecaster, bars: pd.DataFrame | Panel) -> None:
    """Refuse several markets for a model of one.

    Raises:
        SettingsError: Naming a market to choose.
    """
    if isinstance(bars, Panel) and len(bars) > 1 and not forecaster.takes_panels:
        raise SettingsError(
            f"The model of --model was trained on one market, and BARS holds {len(bars)}. Choose "
            f"one, such as --symbol {bars.symbols[0]}, or train a model on all of them."
        )


def describe_markets(bars: pd.DataFrame | Panel) -> str:
    """How many bars there are, and of how many markets, in words."""
    if isinstance(bars, pd.DataFrame):
        return describe_span(bars)
    n_bars = sum(map(len, bars.values()))
    first, last = span_dates(bars.dates)
    return f"{count_of(len(bars), 'market')} with {n_bars:,} bars from {first} to {last}"


def describe_source(source: str) -> str:
    """What is traded, for a title: the name of the file without its ending, or the source."""
    file = Path(source)
    return file.stem if file.is_file() else source


def rules_from_options(long_only: bool) -> dict[str, bool]:
    """The parameters that hold for every strategy."""
    return {"long_only": True} if long_only else {}


def choose_workers(
    engine: str, address: str | None, jobs: int | None
) -> AbstractContextManager[None]:
    """A context in which the tasks run on a cluster, or wherever the command itself decides.

    Raises:
        SettingsError: If an address is given without a cluster, or Ray isn't installed.
        WorkersDiedError: If the cluster can't be reached.
    """
    if engine == "ray":
        from lstm_strategy.support import workers  # loads joblib

        return workers("ray", address=address, n_jobs=jobs)
    if address is not None:
        raise SettingsError(f"--address {address} is the address of a cluster. Add --engine ray.")
    return nullcontext()


def check_apart(tensorboard: Path | None, model: Path | None) -> None:
    """Refuse logs in the folder of a model that is to be saved, which must hold nothing else.

    Raises:
        SettingsError: If they would lie there.
    """
    if tensorboard is None or model is None:
        return
    if model.resolve() in (tensorboard.resolve(), *tensorboard.resolve().parents):
        raise SettingsError(
            f"--tensorboard {tensorboard} lies in the folder of the model, {model}. Choose a "
            "folder elsewhere."
        )


def tensorboard_callbacks(tensorboard: Path | None) -> list[Any]:
    """A callback that logs a training for TensorBoard; none without a folder."""
    if tensorboard is None:
        return []
    from lstm_strategy.tracking import TensorBoardLogs

    return [TensorBoardLogs(tensorboard)]


def fold_callbacks(tensorboard: Path | None) -> Any:
    """A function that gives such a callback for each fold; None without a folder."""
    if tensorboard is None:
        return None
    from lstm_strategy.tracking import FoldTensorBoardLogs

    return FoldTensorBoardLogs(tensorboard.absolute())  # a worker may have another working folder


def slice_by_options(bars: pd.DataFrame, start: str | None, end: str | None) -> pd.DataFrame:
    """The bars from --start to --end.

    Raises:
        SettingsError: If one of them isn't a date.
        TradingError: If no bar lies in between.
    """
    _check_dates(bars, start, end)
    return slice_bars(bars, start=start, end=end)


def _check_dates(bars: pd.DataFrame, start: str | None, end: str | None) -> None:
    for option, date in (("--start", start), ("--end", end)):
        try:
            bars.loc[date:]
        except (ValueError, TypeError, KeyError):
            missing = refuse_day(date)
            if missing:
                raise SettingsError(
                    f"{option} must be a date that exists, got {date!r}. {missing}"
                ) from None
            raise SettingsError(
                f"{option} must be a date such as 2013, 2013-05 or 2013-05-02, got {date!r}."
            ) from None
