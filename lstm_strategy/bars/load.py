"""Bars from a file, a DataFrame, an embedded sample or a source, under the usual names."""

import logging
import os
from collections.abc import Mapping
from contextlib import closing

import pandas as pd

from lstm_strategy.bars.read import LoadedBars, Wishes, read_file, read_frame, read_sample
from lstm_strategy.bars.sources import open_source, scheme_of
from lstm_strategy.errors import BarsError
from lstm_strategy.support import explain_arguments, spell

_log = logging.getLogger(__name__)
_NEEDS_NO_ADJUSTING = {
    "yahoo": "prices of Yahoo are adjusted for splits and dividends already",
    "ccxt": "candles of an exchange have neither splits nor dividends",
    "play": "play: hands over the prices of a file as they stand",
}


@explain_arguments(BarsError)
def load_bars(
    source: str | os.PathLike[str] | pd.DataFrame,
    *,
    adjusted: bool = False,
    symbol: str | None = None,
    columns: Mapping[str, str] | None = None,
    repair: bool = False,
) -> pd.DataFrame:
    """Load bars from a file, a frame, a sample or a source with history, and check them.

    Files end in `.csv`, `.txt` or `.tsv`, in `.parquet`, `.pq`, `.feather` or `.json`, with `.gz`,
    `.xz`, `.bz2` or `.zip` after that if they are compressed. Text may be separated by commas,
    semicolons, tabs or pipes, in any usual encoding, with names of columns in many languages or,
    in the layouts of exchanges, with none. Dates may be ISO, one of the other usual formats, digits
    such as `202401020930`, or counts of the Unix epoch, which become UTC. Whatever can't be read
    unambiguously is refused; what is repaired, dropped, reversed or left out is logged (`read_bars`
    returns it).

    A continuous future has a column `price` with the raw price of its contract beside
    back-adjusted prices, which may then be below 0 (see `validate_bars`). How they were adjusted is
    found out and reported; of months in `contract` and `carry_contract`, such as 202403, follows
    `years_to_carry` where it isn't there.

    An archive may hold the files of several markets, and JSON their rows by symbol.

    A market without volume has 0 on every bar, and features that read volume are refused for it.

    Args:
        source: A path, a DataFrame (never changed), a sample: `"sample:sp500"` or
            `"sample:nasdaq"`, or a source that `open_source` takes, for its history. The same data
            gives the same bars from each of them.
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
    wishes = Wishes(adjusted, symbol, dict(columns or {}), repair)
    if isinstance(source, pd.DataFrame):
        return read_frame(source, wishes)
    if not isinstance(source, str | os.PathLike):
        raise BarsError(
            f"bars come from a path, a DataFrame or a sample's name, got {type(source).__name__}. "
            'Pass for instance "prices.csv" or "sample:sp500".'
        )
    name = str(source)
    scheme = scheme_of(name)
    if scheme is None:
        return read_file(source, wishes)
    if scheme == "sample":
        return read_frame(read_sample(name.removeprefix("sample:")), wishes, name=name)
    if adjusted and scheme in _NEEDS_NO_ADJUSTING:
        raise BarsError(
            f"{spell('adjusted', True)} is for files with a column such as Adj Close, and "
            f"{_NEEDS_NO_ADJUSTING[scheme]}, got {name!r}. Leave {spell('adjusted', True)} out."
        )
    return read_frame(_read_history(name), wishes, name=name)


def _read_history(name: str) -> pd.DataFrame:
    with closing(open_source(name)) as source:
        return source.history()


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
    return load_bars(read_sample(name))
