"""How exporters write files of bars: their layout, the names of their columns, numbers as text."""

import csv
import logging
import re
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from lstm_strategy.bars.validate import BAR_COLUMNS
from lstm_strategy.errors import BarsError

_log = logging.getLogger(__name__)

# The parser of pandas 2 is off in the last digit unless told otherwise; pandas 3 never is.
_EXACT_FLOATS: dict[str, Any] = (
    {"float_precision": "round_trip"} if int(pd.__version__.split(".")[0]) < 3 else {}
)

# Spellings after _to_snake_case, most trusted first.
_SPELLINGS = {
    "open": ("open_price", "opening_price", "o"),
    "high": ("high_price", "h"),
    "low": ("low_price", "l"),
    "close": ("close_price", "closing_price", "close_last", "c", "last", "price"),
    "volume": ("vol", "v", "base_volume", "tick_volume", "tickvol"),
    "adj_close": ("adjusted_close", "adjclose", "adj_close_price", "close_adj", "adjusted"),
}
_UNITS = {"": 1, "K": 1e3, "M": 1e6, "B": 1e9}


def read_file(path: Path) -> pd.DataFrame:
    """The table in a CSV or Parquet file, its columns named and ordered as they are there.

    Raises:
        BarsError: If there is no such file, or it can't be read.
    """
    suffix = path.suffix.lower()
    try:
        if suffix in (".parquet", ".pq"):
            return pd.read_parquet(path)
        if suffix in (".csv", ".txt", ".tsv"):
            return _read_csv(path)
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


def rename_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with its columns in snake_case, and those of a bar under their usual names.

    Raises:
        BarsError: If the columns are those of several assets.
    """
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
    names = [_to_snake_case(str(name)) for name in columns]
    for usual, spellings in _SPELLINGS.items():
        spelling = _find_spelling(names, usual, spellings)
        if spelling:
            names[names.index(spelling)] = usual
    return frame.set_axis(names, axis=1)


def parse_numbers(bars: pd.DataFrame) -> pd.DataFrame:
    """Read numbers out of text such as `$1,234.50` or `1.2M`, and leave out columns of words.

    A column of a bar stays whatever it holds, and so does an extra column that holds a number.
    """
    columns = {}
    for place, name in enumerate(bars.columns):
        column = bars.iloc[:, place]
        if not pd.api.types.is_numeric_dtype(column):
            column = column.map(_parse_number, na_action="ignore").astype(object)
        is_words = column.notna().any() and all(isinstance(v, str) for v in column.dropna())
        if is_words and name not in BAR_COLUMNS:
            _log.info("left out column %s: it holds text such as %r", name, column.dropna().iloc[0])
            continue
        columns[place] = column
    kept = pd.concat(list(columns.values()), axis=1)
    return kept.set_axis([bars.columns[place] for place in columns], axis=1)


def put_oldest_first(bars: pd.DataFrame) -> pd.DataFrame:
    """The rows in the order of their dates where the newest of all came first."""
    is_newest_first = len(bars) > 1 and bars.index.is_monotonic_decreasing
    return bars.iloc[::-1] if is_newest_first else bars


class _Layout(NamedTuple):
    separator: str
    header_line: int
    decimal: str


def _read_csv(path: Path) -> pd.DataFrame:
    layout = _find_layout(path)
    frame: pd.DataFrame = pd.read_csv(
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
    return frame


def _find_layout(path: Path) -> _Layout:
    """The header line, which some exchanges put under a line with their address, and its signs."""
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


def _find_spelling(names: list[str], usual: str, spellings: tuple[str, ...]) -> str | None:
    """The most trusted spelling of a usual name; None where there is none or it isn't needed."""
    if usual in names:
        return None
    found = [spelling for spelling in spellings if spelling in names]
    if usual == "volume":
        found += [name for name in names if re.match(r"vol(ume)?_", name)]
    return found[0] if found else None


def _to_snake_case(name: str) -> str:
    """Write `Volume BTC`, `adjClose`, `<OPEN>` and `1. open` the same plain way."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    plain = re.sub(r"[^0-9a-zA-Z]+", "_", words).strip("_").lower()
    return re.sub(r"^\d+_", "", plain) or plain


def _parse_number(text: str) -> float | str:
    match = re.fullmatch(r"\$?(-?[\d,]*\.?\d+(?:[eE][-+]?\d+)?)([KMB]?)", text.strip())
    return float(match[1].replace(",", "")) * _UNITS[match[2]] if match else text
