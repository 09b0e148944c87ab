"""Bars read from a file, a frame or a sample: assembled, repaired and checked."""

import importlib.util
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from lstm_strategy.bars.assemble import assemble_bars, find_assemblies
from lstm_strategy.bars.columns import SeveralMarketsError
from lstm_strategy.bars.files import Table, read_table, table_from_frame
from lstm_strategy.bars.futures import add_years_to_carry
from lstm_strategy.bars.oddities import find_oddities
from lstm_strategy.bars.repair import repair_bars
from lstm_strategy.bars.table_reader import Assembly
from lstm_strategy.bars.validation import (
    BAR_COLUMNS,
    PRICE_COLUMNS,
    BadBarError,
    describe_near_columns,
    validate_bars,
)
from lstm_strategy.errors import BarsError
from lstm_strategy.support import refuse_choice, spell

_SAMPLES = ("sp500", "nasdaq")
_ROUNDING = 1e-4  # of prices with two digits, as a share


@dataclass(frozen=True)
class Wishes:
    """The arguments of `load_bars`."""

    adjusted: bool = False
    symbol: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    repair: bool = False


class LoadedBars(NamedTuple):
    """Bars, and what was done to get them.

    Attributes:
        bars: What `load_bars` returns.
        notes: What was repaired, dropped, reversed or left out, and what is odd about the bars;
            sentences without a full stop.
    """

    bars: pd.DataFrame
    notes: tuple[str, ...]


def read_file(path: str | os.PathLike[str], wishes: Wishes) -> LoadedBars:
    """The bars of a file.

    Raises:
        BarsError: If it can't be read, or its bars can't be trusted.
    """
    table = _read_table(Path(path), wishes.symbol)
    return _build_bars(
        table, str(path), replace(wishes, symbol=None) if table.is_chosen else wishes
    )


def read_frame(frame: pd.DataFrame, wishes: Wishes, *, name: str = "") -> LoadedBars:
    """The bars of a frame, which is left as it is.

    Args:
        frame: The frame.
        wishes: How it is read.
        name: What errors call it; "" for nothing.

    Raises:
        BarsError: If its bars can't be trusted.
    """
    return _build_bars(table_from_frame(frame), name, wishes)


class MarketReaders(NamedTuple):
    """The markets of a file or a frame, each read when it is called for.

    Attributes:
        readers: What reads each market, by its name; nothing where the source names no markets.
        notes: What was done for all of them; sentences without a full stop.
    """

    readers: Mapping[str, Callable[[], LoadedBars]]
    notes: tuple[str, ...]


def find_markets(
    source: Path | pd.DataFrame,
    *,
    adjusted: bool = False,
    columns: Mapping[str, str] | None = None,
    repair: bool = False,
) -> MarketReaders:
    """Find the markets of a file or a frame that holds several.

    Args:
        source: A path or a frame.
        adjusted: As in `load_bars`.
        columns: As in `load_bars`.
        repair: As in `load_bars`.

    Raises:
        BarsError: As `load_bars` raises it.
    """
    wishes = Wishes(adjusted, None, dict(columns or {}), repair)
    if isinstance(source, pd.DataFrame):
        table, name = table_from_frame(source), ""
    else:
        name = str(source)
        try:
            table = _read_table(source)
        except SeveralMarketsError as error:  # the files of an archive
            readers = {
                market: partial(read_file, source, replace(wishes, symbol=market))
                for market in error.markets
            }
            return MarketReaders(readers, ())
    try:
        found = find_assemblies(table, wishes.columns)
    except BarsError as error:
        _name_source(error, name)
        raise
    readers = {
        symbol: partial(_check_assembly, assemble, name, wishes)
        for symbol, assemble in found.assemble.items()
    }
    return MarketReaders(readers, tuple(_keep_printable(note) for note in found.notes))


def read_sample(name: str) -> pd.DataFrame:
    """The rows of a sample as they are stored.

    Raises:
        BarsError: If there is none of that name, or arch isn't there.
    """
    if name not in _SAMPLES:
        raise BarsError(refuse_choice("the sample", name, _SAMPLES))
    spec = importlib.util.find_spec("arch")  # a second to import, and it is only asked for its file
    if spec is None or spec.origin is None:
        raise BarsError("the samples are part of arch, which isn't installed: pip install arch.")
    path = Path(spec.origin).parent / "data" / name / f"{name}.csv.gz"
    return pd.read_csv(path, index_col="Date", parse_dates=["Date"])


def _read_table(path: Path, market: str | None = None) -> Table:
    try:
        return read_table(path, market)
    except BarsError as error:
        _name_source(error, str(path))
        raise


def _name_source(error: BarsError, source: str) -> None:
    """Name the file in front of the error, unless it names it already."""
    message = _keep_printable(str(error))
    is_named = not source or source in message or Path(source).name in message
    error.args = (message if is_named else f"{source}: {message}",)


def _keep_printable(text: str) -> str:
    """Text of a stranger's file without the signs that a terminal obeys."""
    return "".join(sign if sign.isprintable() else "�" for sign in text)


def _build_bars(table: Table, source: str, wishes: Wishes) -> LoadedBars:
    assemble = partial(assemble_bars, table, symbol=wishes.symbol, columns=wishes.columns)
    return _check_assembly(assemble, source, wishes)


def _check_assembly(assemble: Callable[[], Assembly], source: str, wishes: Wishes) -> LoadedBars:
    """The bars that are assembled, repaired and checked."""
    try:
        assembly = assemble()
        repaired = repair_bars(assembly.frame, is_bold=wishes.repair)
        notes = [*assembly.notes, *repaired.notes]
        frame = _put_oldest_first(repaired.bars, notes)
        bars = _validate(frame, assembly, is_repaired=wishes.repair)
        if wishes.adjusted:
            bars = _adjust_prices(bars)
        elif _are_unadjusted(bars):
            notes.append(
                "the prices aren't adjusted for dividends and splits as the column of adjusted "
                f"closes is; {spell('adjusted', True)} scales them by it"
            )
    except BarsError as error:
        _name_source(error, source)
        raise
    bars = add_years_to_carry(bars.drop(columns="adj_close", errors="ignore"))
    notes += describe_near_columns(bars.columns[len(BAR_COLUMNS) :])
    said = (*notes, *find_oddities(bars, lambda row: assembly.rows.name(int(frame.index[row]))))
    return LoadedBars(bars, tuple(_keep_printable(note) for note in said))


def _put_oldest_first(frame: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    dates = frame["datetime"]
    if not dates.is_monotonic_decreasing or dates.is_monotonic_increasing:
        return frame
    notes.append("the newest bar came first; the order was reversed")
    return frame.iloc[::-1]


def _validate(frame: pd.DataFrame, assembly: Assembly, *, is_repaired: bool) -> pd.DataFrame:
    """The valid bars; the error that refuses them says where the bad one stands."""
    try:
        return validate_bars(frame.set_index("datetime"))
    except BadBarError as error:
        where = assembly.rows.name(int(frame.index[error.row]))
        offer = "" if is_repaired else f" Or let {spell('repair', True)} do it."
        raise BarsError(f"{where}: {error.in_words}{offer}") from error


def _are_unadjusted(bars: pd.DataFrame) -> bool:
    """Whether a column of adjusted closes differs from the closes by more than its rounding."""
    if "adj_close" not in bars.columns:
        return False
    return bool((bars["adj_close"] / bars["close"] - 1).abs().max() > _ROUNDING)


def _adjust_prices(bars: pd.DataFrame) -> pd.DataFrame:
    if "adj_close" not in bars.columns:
        raise BarsError(
            f"{spell('adjusted', True)} needs a column of adjusted closes such as Adj Close, "
            f"found: {', '.join(bars.columns)}. Leave it out, or add that column."
        )
    bars[list(PRICE_COLUMNS)] = bars[list(PRICE_COLUMNS)].mul(
        bars["adj_close"] / bars["close"], axis=0
    )
    return validate_bars(bars)
