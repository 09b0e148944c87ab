"""Bars from a CSV or Parquet file, a DataFrame or an embedded sample, under the usual names."""

import importlib
import os
import re
from pathlib import Path

import pandas as pd

from lstm_strategy.bars.date_parsing import index_by_date
from lstm_strategy.bars.layouts import parse_numbers, put_oldest_first, read_file, rename_columns
from lstm_strategy.bars.validate import PRICE_COLUMNS, validate_bars
from lstm_strategy.errors import BarsError

_SAMPLES = ("sp500", "nasdaq")


def load_bars(
    source: str | os.PathLike[str] | pd.DataFrame, *, adjusted: bool = False
) -> pd.DataFrame:
    """Load bars from a file, a frame or a sample, and check them.

    Files end in `.csv`, `.txt` or `.tsv` (separated by comma, semicolon, tab or bar) or in
    `.parquet` or `.pq`, with the dates in the index or in a column. The usual spellings of
    column names are known: `Date`, `Open time`, `o`, `Adj Close`, `Vol.`, `Volume BTC` … Dates
    may be ISO, one of the other usual formats, or the seconds or milliseconds of the Unix epoch,
    which become UTC; dates with changing UTC offsets become UTC as well; other dates keep the
    timezone they have, or none. A file whose newest bar comes first is turned round, and its
    columns of mere text (a symbol) are left out.

    Args:
        source: A path, a DataFrame (never changed) or a sample: `"sample:sp500"` or
            `"sample:nasdaq"`.
        adjusted: Whether to scale open, high, low and close by `Adj Close / Close`, so that splits
            and dividends don't look like price moves. The adjusted close is left out either way.

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
    if isinstance(source, pd.DataFrame):
        return _build_bars(source, source="bars", adjusted=adjusted)
    if not isinstance(source, str | os.PathLike):
        raise BarsError(
            f"bars come from a path, a DataFrame or a sample's name, got {type(source).__name__}. "
            'Pass for instance "prices.csv" or "sample:sp500".'
        )
    # Two letters at least: C:\prices.csv is a path.
    scheme = re.match(r"([A-Za-z]\w+):", str(source))
    if scheme is None:
        frame = read_file(Path(source))
        return _build_bars(frame, source=str(source), adjusted=adjusted, is_file=True)
    if scheme[1] != "sample":
        raise BarsError(
            f"the source scheme must be sample:, got {scheme[0]} in {str(source)!r}. "
            "Save those prices to a CSV or Parquet file first and pass its path."
        )
    frame = _read_sample(str(source).removeprefix("sample:"))
    return _build_bars(frame, source=str(source), adjusted=adjusted)


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
    return _build_bars(_read_sample(name), source=f"sample:{name}", adjusted=False)


def _read_sample(name: str) -> pd.DataFrame:
    if name not in _SAMPLES:
        raise BarsError(f"the sample must be {' or '.join(_SAMPLES)}, got {name!r}. Choose one.")
    sample: pd.DataFrame = importlib.import_module(f"arch.data.{name}").load()
    return sample


def _build_bars(
    frame: pd.DataFrame, *, source: str, adjusted: bool, is_file: bool = False
) -> pd.DataFrame:
    try:
        bars = index_by_date(rename_columns(frame))
        if is_file:
            bars = put_oldest_first(parse_numbers(bars))
        if adjusted:
            bars = _adjust_prices(bars)
    except BarsError as error:
        raise BarsError(f"{source}: {error}") from error
    return validate_bars(bars.drop(columns="adj_close", errors="ignore"), source=source)


def _adjust_prices(bars: pd.DataFrame) -> pd.DataFrame:
    if "adj_close" not in bars.columns:
        raise BarsError(
            "adjusted=True needs a column of adjusted closes such as Adj Close, "
            f"found: {', '.join(bars.columns)}. Load with adjusted=False, or add that column."
        )
    # Validated first, so that text and missing prices are named instead of failing here.
    prices = validate_bars(bars)
    prices[list(PRICE_COLUMNS)] = prices[list(PRICE_COLUMNS)].mul(
        prices["adj_close"] / prices["close"], axis=0
    )
    return prices
