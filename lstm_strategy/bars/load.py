"""Bars from a file, a DataFrame or an embedded sample, under the usual names."""

import importlib.util
import logging
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
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
from lstm_strategy.bars.validation import PRICE_COLUMNS, BadBarError, validate_bars
from lstm_strategy.errors import BarsError
from lstm_strategy.support import spell

_log = logging.getLogger(__name__)
_SAMPLES = ("sp500", "nasdaq")


@dataclass(frozen=True)
class _Wishes:
    """The arguments of `load_bars`."""

    adjusted: bool
    symbol: str | None
    columns: Mapping[str, str]
    repair: bool


class LoadedBars(NamedTuple):
    """Bars, and what was done to get them.

    Attributes:
        bars: What `load_bars` returns.
        notes: What was repaired, dropped, reversed or left out, and what is odd about the bars;
            sentences without a full stop.
    """

    bars: pd.DataFrame
    notes: tuple[str, ...]


def load_bars(
    source: str | os.PathLike[str] | pd.DataFrame,
    *,
    adjusted: bool = False,
    symbol: str | None = None,
    columns: Mapping[str, str] | None = None,
    repair: bool = False,
) -> pd.DataFrame:
    """Load bars from a file, a frame or a sample, and check them.

    Files end in `.csv`, `.txt` or `.tsv`, in `.parquet`, `.pq`, `.feather` or `.json`, with `.gz`,
    `.xz`, `.bz2` or `.zip` after that if they are compressed. Text may be separated by commas,
    semicolons, tabs or pipes, in any usual encoding, with names of columns in many languages or,
    in the layouts of exchanges, with none. Dates may be ISO, one of the other usual formats, digits
    such as `202401020930`, or counts of the Unix epoch, which become UTC. Whatever can't be read
    unambiguously is refused; what is repaired, dropped, reversed or left out is logged (`read_bars`
    returns it).

    A continuous future has a column `price` with the raw price of its contract beside
    back-adjusted prices, which may then be below 0 (see `validate_bars`). How they were adjusted is
    found out and said; of months in `contract` and `carry_contract`, such as 202403, follows
    `years_to_carry` where it isn't there.

    An archive may hold the files of several markets, and JSON their rows by symbol.

    A market without volume has 0 on every bar, and features that read volume are refused for it.

    Args:
        source: A path, a DataFrame (never changed) or a sample: `"sample:sp500"` or
            `"sample:nasdaq"`. The same data gives the same bars from each of them.
        adjusted: Whether to scale open, high, low and close by `Adj Close / Close`, so that splits
            and dividends don't look like price moves. The adjusted close is left out either way.
        symbol: The market to choose from a file of several.
        columns: Where to find a column that has no usual name, such as `{"open": "open_perp"}`; the
            column of dates is called `datetime`. Where there are closes alone, give them for open,
            high, low and close.
        repair: Whether to repair more than rows without prices, rows that come twice and
            prices at most 0.005% outside high and low: to sort the rows, drop those that aren't
            bars, fill gaps in the volume with 0, and widen high and low by up to 1%.

    Returns:
        Shape (n_bars, 5 + n_extras), float64: `open high low close volume`, then the extra numeric
        columns in snake_case, on a DatetimeIndex named `datetime` that rises. NaN is allowed in
        extra columns only. Each row is known at the close of its bar.

    Raises:
        BarsError: If the source can't be read, or `validate_bars` refuses the bars.

    Example:
        >>> frame = pd.DataFrame(
        ...     {"Date": ["2024-01-02", "2024-01-03"], "Open": [10, 11], "High": [12, 13],
        ...      "Low": [9, 10], "Close": [11, 12], "Vol.": [500, 400]})
        >>> load_bars(frame)  # doctest: +NORMALIZE_WHITESPACE
                    open  high   low  close  volume
        datetime
        2024-01-02  10.0  12.0   9.0   11.0   500.0
        2024-01-03  11.0  13.0  10.0   12.0   400.0
    """
    name = "bars" if isinstance(source, pd.DataFrame) else str(source)
    loaded = read_bars(source, adjusted=adjusted, symbol=symbol, columns=columns, repair=repair)
    if loaded.notes:
        _log.warning("%s: %s", name, "; ".join(loaded.notes))
    return loaded.bars


def read_bars(
    source: str | os.PathLike[str] | pd.DataFrame,
    *,
    adjusted: bool = False,
    symbol: str | None = None,
    columns: Mapping[str, str] | None = None,
    repair: bool = False,
) -> LoadedBars:
    """Load bars as `load_bars` does, and return what was done instead of logging it.

    Args:
        source: As in `load_bars`.
        adjusted: As in `load_bars`.
        symbol: As in `load_bars`.
        columns: As in `load_bars`.
        repair: As in `load_bars`.

    Returns:
        The bars and the notes.

    Raises:
        BarsError: As `load_bars` raises it.

    Example:
        >>> frame = pd.DataFrame(
        ...     {"Date": ["2024-01-03", "2024-01-02"], "Open": [11, 10], "High": [13, 12],
        ...      "Low": [10, 9], "Close": [12, 11], "Volume": [400, 500], "Symbol": ["SPY"] * 2})
        >>> read_bars(frame).notes
        ('left out the column Symbol', 'the newest bar came first; the order was reversed')
    """
    wishes = _Wishes(adjusted, symbol, dict(columns or {}), repair)
    if isinstance(source, pd.DataFrame):
        return _build_bars(table_from_frame(source), "", wishes)
    if not isinstance(source, str | os.PathLike):
        raise BarsError(
            f"bars come from a path, a DataFrame or a sample's name, got {type(source).__name__}. "
            'Pass for instance "prices.csv" or "sample:sp500".'
        )
    # Two letters at least: C:\prices.csv is a path.
    scheme = re.match(r"([A-Za-z]\w+):", str(source))
    if scheme is None:
        table = _read_file(Path(source), symbol)
        return _build_bars(
            table, str(source), replace(wishes, symbol=None) if table.is_chosen else wishes
        )
    if scheme[1] != "sample":
        raise BarsError(
            f"the source scheme must be sample:, got {scheme[0]} in {str(source)!r}. "
            "Save those prices to a CSV or Parquet file first and pass its path."
        )
    sample = _read_sample(str(source).removeprefix("sample:"))
    return _build_bars(table_from_frame(sample), str(source), wishes)


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
    wishes = _Wishes(adjusted, None, dict(columns or {}), repair)
    if isinstance(source, pd.DataFrame):
        table, name = table_from_frame(source), ""
    else:
        name = str(source)
        try:
            table = _read_file(source)
        except SeveralMarketsError as error:  # the files of an archive
            readers = {
                market: partial(
                    read_bars,
                    source,
                    adjusted=adjusted,
                    symbol=market,
                    columns=columns,
                    repair=repair,
                )
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


def sample_bars(name: str = "sp500") -> pd.DataFrame:
    """Load real daily bars that come with the package, 1999 to 2018.

    Args:
        name: `"sp500"` or `"nasdaq"`, the indexes' 5,031 days from `arch.data`.

    Returns:
        Shape (5031, 5), float64, without NaN, on an index without a timezone. Each row is known at
        the close of its day.

    Raises:
        BarsError: If there is no sample of that name.

    Example:
        >>> sample_bars("sp500").shape
        (5031, 5)
    """
    return load_bars(_read_sample(name))


def _read_sample(name: str) -> pd.DataFrame:
    if name not in _SAMPLES:
        raise BarsError(f"the sample must be {' or '.join(_SAMPLES)}, got {name!r}. Choose one.")
    spec = importlib.util.find_spec("arch")  # a second to import, and it is only asked for its file
    if spec is None or spec.origin is None:
        raise BarsError("the samples are part of arch, which isn't installed: pip install arch.")
    path = Path(spec.origin).parent / "data" / name / f"{name}.csv.gz"
    return pd.read_csv(path, index_col="Date", parse_dates=["Date"])


def _read_file(path: Path, market: str | None = None) -> Table:
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


def _build_bars(table: Table, source: str, wishes: _Wishes) -> LoadedBars:
    assemble = partial(assemble_bars, table, symbol=wishes.symbol, columns=wishes.columns)
    return _check_assembly(assemble, source, wishes)


def _check_assembly(assemble: Callable[[], Assembly], source: str, wishes: _Wishes) -> LoadedBars:
    """The bars that are assembled, repaired and checked."""
    try:
        assembly = assemble()
        repaired = repair_bars(assembly.frame, is_bold=wishes.repair)
        notes = [*assembly.notes, *repaired.notes]
        frame = _put_oldest_first(repaired.bars, notes)
        bars = _validate(frame, assembly, is_repaired=wishes.repair)
        if wishes.adjusted:
            bars = _adjust_prices(bars)
    except BarsError as error:
        _name_source(error, source)
        raise
    bars = add_years_to_carry(bars.drop(columns="adj_close", errors="ignore"))
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
