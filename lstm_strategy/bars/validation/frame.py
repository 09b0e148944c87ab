"""The first offence of a frame of bars: its columns, its dates, its numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from lstm_strategy.bars.validation.contracts import check_contracts
from lstm_strategy.bars.validation.near_names import near_column
from lstm_strategy.bars.validation.offences import (
    BAR_COLUMNS,
    BadBarError,
    count_rows,
    format_date,
    refuse,
)
from lstm_strategy.bars.validation.values import check_extras, check_prices, check_volume
from lstm_strategy.errors import BarsError

# Smaller numbers are those of rows, or days, and no time since 1970.
_FEWEST_SECONDS = 1e8


@dataclass(frozen=True, eq=False)
class CheckedBars:
    """Bars that have passed `validate_bars`, so that nobody need check them a second time.

    Make one with `check_bars`.

    Attributes:
        frame: The bars as `validate_bars` returns them, shape (n_bars, 5 + n_extras), float64.
            Whoever holds it must not change it.
    """

    frame: pd.DataFrame


def check_bars(bars: pd.DataFrame | CheckedBars, *, source: str = "bars") -> CheckedBars:
    """Check bars once: a frame is validated, checked bars are returned as they are.

    Args:
        bars: What `validate_bars` takes, or bars that have been checked already.
        source: Where the bars came from; named in front of a message.

    Returns:
        The checked bars; the frame in them is a copy of the caller's.

    Raises:
        BarsError: With the first offence, its date, the number of rows and the remedy.

    Example:
        >>> days = pd.to_datetime(["2024-01-02", "2024-01-03"])
        >>> prices = {"open": [10, 11], "high": [12, 13], "low": [9, 10], "close": [11, 12]}
        >>> checked = check_bars(pd.DataFrame({**prices, "volume": [500, 400]}, days))
        >>> checked.frame["close"].tolist()
        [11.0, 12.0]
        >>> check_bars(checked) is checked
        True
    """
    return (
        bars if isinstance(bars, CheckedBars) else CheckedBars(validate_bars(bars, source=source))
    )


def validate_bars(
    bars: pd.DataFrame, *, source: str = "bars", may_stand_still: bool = False
) -> pd.DataFrame:
    """Check that bars can be trusted, or name the first thing that is wrong with them.

    Prices must be finite and positive, volume finite and not negative, the high the highest and
    the low the lowest price of its bar (up to a relative 1e-9), and dates must rise.

    A column `price` is the raw price of a futures contract, above 0, whose back-adjusted series the
    bars are: then open, high, low and close may be 0 or below, and must move as it does within a
    contract, by difference or by ratio. A column `contract` of months (202403) must not go back.

    Args:
        bars: Columns `open high low close volume` and any others of numbers, on a DatetimeIndex;
            left as it is.
        source: Where the bars came from, for instance a file; named in front of a message.
        may_stand_still: Whether the close may be the same on every bar, as on a part of a feed
            while the market is halted; a whole feed of such bars is refused by default.

    Returns:
        A float64 copy, shape (n_bars, 5 + n_extras): `open high low close volume` first, then the
        extra columns in the order given, on the same dates under the name `datetime`. NaN is
        allowed in extra columns only. Each row is known at the close of its bar.

    Raises:
        BarsError: With the first offence, its date, the number of rows and the remedy.

    Example:
        >>> days = pd.to_datetime(["2024-01-02", "2024-01-03"])
        >>> prices = {"open": [10, 11], "high": [12, 13], "low": [9, 10], "close": [11, 12]}
        >>> frame = pd.DataFrame({**prices, "volume": [500, 400]}, days)
        >>> validate_bars(frame)  # doctest: +NORMALIZE_WHITESPACE
                    open  high   low  close  volume
        datetime
        2024-01-02  10.0  12.0   9.0   11.0   500.0
        2024-01-03  11.0  13.0  10.0   12.0   400.0
    """
    try:
        _check_shape(bars)
        _check_index(bars.index)
        extras = [name for name in bars.columns if name not in BAR_COLUMNS]
        numbers = {name: _to_floats(bars, name) for name in (*BAR_COLUMNS, *extras)}
        valid = pd.DataFrame(numbers, index=bars.index.rename("datetime"), dtype="float64")
        check_prices(valid)
        if not may_stand_still:
            _check_moves(valid)
        check_volume(valid)
        check_extras(valid)
        check_contracts(valid)
    except BarsError as error:
        if source == "bars":
            raise
        raise BarsError(f"{source}: {error}") from error
    return valid


def _check_shape(bars: Any) -> None:
    if isinstance(bars, Mapping) and bars:
        symbols = [str(symbol) for symbol in bars]
        raise BarsError(
            f"bars must be those of one market, got a panel of {len(symbols)} "
            f"({', '.join(symbols[:3])}{', …' if len(symbols) > 3 else ''}). Pass one of them, "
            f"such as panel[{symbols[0]!r}]."
        )
    if not isinstance(bars, pd.DataFrame):
        raise BarsError(
            f"bars must be a pandas DataFrame, got {type(bars).__name__}. "
            "Use load_bars to read a file or a sample."
        )
    if bars.columns.nlevels > 1:
        raise BarsError(
            f"columns must have one level, got {bars.columns.nlevels}. "
            "Choose one asset, or use load_bars when there is only one."
        )
    repeated = bars.columns[bars.columns.duplicated()]
    if len(repeated):
        raise BarsError(f"column {repeated[0]} occurs more than once. Drop or rename the others.")
    missing = [name for name in BAR_COLUMNS if name not in bars.columns]
    if missing:
        found = ", ".join(str(name) for name in bars.columns) or "no columns"
        near = near_column(missing[0], bars.columns)
        is_misspelt = near is not None and near.lower() != missing[0]
        rename = f", bars.rename(columns={ {near: missing[0]} })" if is_misspelt else ""
        raise BarsError(
            f"column {missing[0]} is missing (found: {found}). "
            f"Add it, or rename the column that holds it{rename}; "
            "load_bars does that for the usual spellings only."
        )
    if bars.empty:
        raise BarsError("there are no bars: 0 rows. Load at least one bar.")


def _check_index(index: pd.Index) -> None:
    if not isinstance(index, pd.DatetimeIndex):
        _refuse_index(index)
    if index.hasnans:
        missing = np.asarray(index.isna())
        count = count_rows(missing.sum())
        raise BadBarError(
            f"the date of row {missing.argmax()} is missing (NaT; {count}). "
            "Drop those rows: bars[bars.index.notna()].",
            int(missing.argmax()),
            f"the date is missing ({count}). Drop those rows.",
        )
    refuse(
        index.asi8 < _first_moment(index.unit),
        lambda row: f"the date of row {row} lies before the year 1",
        "Correct it.",
    )
    steps = np.diff(index.asi8)
    refuse(
        np.append(False, steps < 0),
        lambda row: (
            f"the date goes back to {format_date(index, row)} after {format_date(index, row - 1)}"
        ),
        "Sort the bars.",
        "bars.sort_index()",
    )
    refuse(
        np.append(False, steps == 0),
        lambda row: f"the date is repeated at {format_date(index, row)}",
        "Keep one bar per date.",
        'bars[~bars.index.duplicated(keep="last")]',
    )


def _refuse_index(index: pd.Index) -> NoReturn:
    rows = [row for row, date in enumerate(index) if hasattr(date, "tzinfo") and date is not pd.NaT]
    zones = {str(index[row].tzinfo) for row in rows}
    if "None" in zones and len(zones) > 1:
        has_zone = index[rows[0]].tzinfo is not None
        other = next(row for row in rows if (index[row].tzinfo is not None) != has_zone)
        raise BarsError(
            f"the index mixes dates with and without a timezone: {index[other]} of row {other} "
            f"has {'none' if has_zone else 'one'}, {index[rows[0]]} of row {rows[0]} "
            f"has {'one' if has_zone else 'none'}. Give all of them a timezone, or none."
        )
    if len(zones) > 1:
        raise BarsError(
            f"the index mixes timezones: {', '.join(sorted(zones))}. "
            "Convert it: bars.index = pd.to_datetime(bars.index, utc=True)."
        )
    raise BarsError(
        f"the index must be a DatetimeIndex, got {type(index).__name__} ({index.dtype}) "
        f"that starts with {index[0]!r}. {_remedy_for(index)}"
    )


def _remedy_for(index: pd.Index) -> str:
    """How to make an index one of dates; pandas would date row numbers in 1970."""
    if isinstance(index, pd.PeriodIndex):
        return "Convert it: bars.index = bars.index.to_timestamp()."
    if not pd.api.types.is_numeric_dtype(index):
        return "Convert it: bars.index = pd.to_datetime(bars.index)."
    if np.abs(index.to_numpy(dtype="float64", na_value=0)).max() < _FEWEST_SECONDS:
        return 'Put the column of dates there: bars = bars.set_index("date"), or use load_bars.'
    return (
        "Say what it counts since 1970, for instance seconds: "
        'bars.index = pd.to_datetime(bars.index, unit="s").'
    )


def _to_floats(bars: pd.DataFrame, name: str) -> np.ndarray:
    """A column as float64; missing values of any kind become NaN."""
    column = bars[name]
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_complex_dtype(column):
        return column.to_numpy(dtype="float64", na_value=np.nan, copy=True)
    objects = column.astype(object).where(column.notna(), np.nan).to_numpy()
    refuse(
        np.array([not _is_number(value) for value in objects]),
        lambda row: f"{_describe_value(name, objects[row])} at {format_date(bars.index, row)}",
        f"Drop it: bars.drop(columns={name!r})."
        if name not in BAR_COLUMNS
        else "Turn them into numbers, or drop those rows.",
    )
    return objects.astype("float64")


def _is_number(value: Any) -> bool:
    # Decimal isn't a Real, yet it is what databases hand out for prices.
    return isinstance(value, Real | Decimal | np.bool_)


def _describe_value(name: str, value: Any) -> str:
    kind = "the string" if isinstance(value, str) else f"the {type(value).__name__}"
    if name in BAR_COLUMNS:
        return f"{name} holds {kind} {value!r}"
    return f"extra column {name} is not numeric: it holds {kind} {value!r}"


def _check_moves(bars: pd.DataFrame) -> None:
    close = bars["close"].to_numpy()
    if len(close) > 1 and (close == close[0]).all():
        raise BarsError(
            f"close is {close[0]:.15g} on every bar from {format_date(bars.index, 0)} to "
            f"{format_date(bars.index, -1)} ({count_rows(len(close))}). Load prices that move."
        )


def _first_moment(unit: str) -> int:
    """When the year 1 begins, in so many units since 1970; nanoseconds don't reach back to it."""
    if unit == "ns":
        return int(np.iinfo(np.int64).min)
    return int(np.array("0001-01-01", f"M8[{unit}]").astype(np.int64))
