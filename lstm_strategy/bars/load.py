"""Bars from a CSV or Parquet file, a DataFrame or an embedded sample, under the usual names."""

import csv
import importlib
import logging
import os
import re
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from lstm_strategy.bars.date_parsing import index_by_date
from lstm_strategy.bars.validate import BAR_COLUMNS, PRICE_COLUMNS, validate_bars
from lstm_strategy.errors import BarsError

_log = logging.getLogger(__name__)

_SAMPLES = ("sp500", "nasdaq")

# The parser of pandas 2 is off in the last digit unless told otherwise; pandas 3 never is.
_EXACT_FLOATS: dict[str, Any] = (
    {"float_precision": "round_trip"} if int(pd.__version__.split(".")[0]) < 3 else {}
)

# Spellings after _snake_case, most trusted first.
_SPELLINGS = {
    "open": ("open_price", "opening_price", "o"),
    "high": ("high_price", "h"),
    "low": ("low_price", "l"),
    "close": ("close_price", "closing_price", "close_last", "c", "last", "price"),
    "volume": ("vol", "v", "base_volume", "tick_volume", "tickvol"),
    "adj_close": ("adjusted_close", "adjclose", "adj_close_price", "close_adj", "adjusted"),
}


def load_bars(
    source: str | os.PathLike[str] | pd.DataFrame, *, adjusted: bool = False
) -> pd.DataFrame:
    """Return validated bars from a file, a frame or ``"sample:sp500"`` / ``"sample:nasdaq"``.

    The result has float64 columns ``open high low close volume``, then the extra numeric
    columns in snake_case (NaN allowed), on a DatetimeIndex named ``datetime`` that rises. Each
    row is known at the close of its bar.

    Files end in ``.csv``, ``.txt`` or ``.tsv`` (separated by comma, semicolon, tab or bar) or in
    ``.parquet`` or ``.pq``, with the dates in the index or in a column. The usual spellings of
    column names are known: ``Date``, ``Open time``, ``o``, ``Adj Close``, ``Vol.``,
    ``Volume BTC`` … Dates may be ISO, one of the other usual formats, or the seconds or
    milliseconds of the Unix epoch, which become UTC; dates with changing UTC offsets become UTC
    as well; other dates keep the timezone they have, or none. A file whose newest bar comes
    first is turned round, and its columns of mere text (a symbol) are left out.

    Args:
        source: a path, a DataFrame (never changed) or the name of a sample.
        adjusted: scale open, high, low and close by ``Adj Close / Close``, so that splits and
            dividends don't look like price moves. The adjusted close itself is always left out.

    Raises:
        BarsError: the source can't be read, or ``validate_bars`` refuses the bars.

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
        return _bars(source, adjusted=adjusted, label="bars")
    if not isinstance(source, str | os.PathLike):
        raise BarsError(
            f"bars come from a path, a DataFrame or a sample's name, got {type(source).__name__}. "
            'Pass for instance "prices.csv" or "sample:sp500".'
        )
    # Two letters at least: C:\prices.csv is a path.
    scheme = re.match(r"([A-Za-z]\w+):", str(source))
    if scheme:
        return _bars(_frame_of_scheme(str(source), scheme[1]), adjusted=adjusted, label=str(source))
    path = Path(source)
    frame = _frame_in_file(path)
    return _bars(frame, adjusted=adjusted, label=str(source), is_file=True)


def sample_bars(name: str = "sp500") -> pd.DataFrame:
    """Return real daily bars that come with the package, 1999 to 2018.

    ``"sp500"`` and ``"nasdaq"`` are the two indexes' 5,031 days from ``arch.data``, on an index
    without a timezone; each row is known at the close of its day.

    Raises:
        BarsError: there is no sample of that name.

    Example:
        >>> sample_bars("sp500").shape
        (5031, 5)
    """
    return _bars(_sample_frame(name), adjusted=False, label=f"sample:{name}")


def _frame_of_scheme(source: str, scheme: str) -> pd.DataFrame:
    if scheme != "sample":
        raise BarsError(
            f"the source scheme must be sample:, got {scheme}: in {source!r}. "
            "Save those prices to a CSV or Parquet file first and pass its path."
        )
    return _sample_frame(source.removeprefix("sample:"))


def _sample_frame(name: str) -> pd.DataFrame:
    if name not in _SAMPLES:
        raise BarsError(f"the sample must be {' or '.join(_SAMPLES)}, got {name!r}. Choose one.")
    return importlib.import_module(f"arch.data.{name}").load()


def _bars(
    frame: pd.DataFrame, *, adjusted: bool, label: str, is_file: bool = False
) -> pd.DataFrame:
    try:
        named = index_by_date(_with_usual_names(frame))
        if is_file:
            named = _oldest_first(_without_text_columns(named))
        if adjusted:
            named = _adjusted(named)
    except BarsError as error:
        raise BarsError(f"{label}: {error}") from error
    return validate_bars(named.drop(columns="adj_close", errors="ignore"), source=label)


def _adjusted(bars: pd.DataFrame) -> pd.DataFrame:
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


def _with_usual_names(frame: pd.DataFrame) -> pd.DataFrame:
    columns = frame.columns
    if columns.nlevels > 1:
        # yfinance answers for one asset with (Price, Ticker) columns.
        assets = list(columns.get_level_values(-1).unique())
        if len(assets) > 1:
            raise BarsError(
                f"the frame holds {len(assets)} assets ({assets[0]}, {assets[1]} …). "
                f"Choose one: frame.xs({assets[0]!r}, axis=1, level=-1)."
            )
        columns = columns.get_level_values(0)
    return frame.set_axis(_usual_names([_snake_case(str(name)) for name in columns]), axis=1)


def _usual_names(names: list[str]) -> list[str]:
    """Replace the most trusted spelling of each column by its usual name."""
    names = list(names)
    for usual, spellings in _SPELLINGS.items():
        if usual in names:
            continue
        found = [spelling for spelling in spellings if spelling in names]
        if usual == "volume":
            found += [name for name in names if re.match(r"vol(ume)?_", name)]
        if found:
            names[names.index(found[0])] = usual
    return names


def _snake_case(name: str) -> str:
    """Write ``Volume BTC``, ``adjClose``, ``<OPEN>`` and ``1. open`` the same plain way."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    plain = re.sub(r"[^0-9a-zA-Z]+", "_", words).strip("_").lower()
    return re.sub(r"^\d+_", "", plain) or plain


class _Layout(NamedTuple):
    separator: str
    header_line: int
    decimal: str


def _frame_in_file(path: Path) -> pd.DataFrame:
    suffix = path.suffix.lower()
    try:
        if suffix in (".parquet", ".pq"):
            return pd.read_parquet(path)
        if suffix in (".csv", ".txt", ".tsv"):
            return _frame_in_csv(path)
    except FileNotFoundError as error:
        raise BarsError(f"there is no file {path}. Check the path.") from error
    except BarsError:
        raise
    except (OSError, ValueError) as error:
        raise BarsError(
            f"{path} can't be read ({error}). Check that it is a whole {suffix} file."
        ) from error
    raise BarsError(
        f"a file of bars must end in .csv, .txt, .tsv, .parquet or .pq, got {path.name!r}. "
        "Convert it, or pass a DataFrame."
    )


def _frame_in_csv(path: Path) -> pd.DataFrame:
    layout = _csv_layout(path)
    return pd.read_csv(
        path,
        sep=layout.separator,
        skiprows=layout.header_line,
        decimal=layout.decimal,
        encoding="utf-8-sig",
        skipinitialspace=True,
        index_col=False,
        low_memory=False,
        **_EXACT_FLOATS,
    )


def _csv_layout(path: Path) -> _Layout:
    """Find the header line, which some exchanges put under a line with their address."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = list(islice(file, 20))
    for number, line in enumerate(lines):
        separator = max(",;\t|", key=line.count)
        if line.count(separator) >= 4:
            _check_header(path, next(csv.reader([line], delimiter=separator)))
            first_row = lines[number + 1] if number + 1 < len(lines) else ""
            has_decimal_comma = separator != "," and re.search(r"\d,\d", first_row)
            return _Layout(separator, number, "," if has_decimal_comma else ".")
    raise BarsError(
        f"{path} has no line of at least five column names. "
        "Add one such as Date,Open,High,Low,Close,Volume."
    )


def _check_header(path: Path, names: list[str]) -> None:
    plain = [name.strip() for name in names if name.strip()]
    for name in plain:
        if plain.count(name) > 1:
            raise BarsError(f"{path}: column {name} occurs more than once. Rename the others.")


def _oldest_first(bars: pd.DataFrame) -> pd.DataFrame:
    is_newest_first = len(bars) > 1 and bars.index.is_monotonic_decreasing
    return bars.iloc[::-1] if is_newest_first else bars


def _without_text_columns(bars: pd.DataFrame) -> pd.DataFrame:
    """Read numbers out of text such as ``$1,234.50`` or ``1.2M``; leave out columns of words."""
    columns = {}
    for place, name in enumerate(bars.columns):
        column = bars.iloc[:, place]
        if not pd.api.types.is_numeric_dtype(column):
            column = column.map(_number_or_text, na_action="ignore").astype(object)
        is_words = column.notna().any() and all(isinstance(v, str) for v in column.dropna())
        if is_words and name not in BAR_COLUMNS:
            _log.info("left out column %s: it holds text such as %r", name, column.dropna().iloc[0])
            continue
        columns[place] = column
    kept = pd.concat(list(columns.values()), axis=1)
    return kept.set_axis([bars.columns[place] for place in columns], axis=1)


def _number_or_text(text: str) -> float | str:
    match = re.fullmatch(r"\$?(-?[\d,]*\.?\d+(?:[eE][-+]?\d+)?)([KMB]?)", text.strip())
    if not match:
        return text
    return float(match[1].replace(",", "")) * {"": 1, "K": 1e3, "M": 1e6, "B": 1e9}[match[2]]
