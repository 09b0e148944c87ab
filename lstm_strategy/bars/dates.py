"""Columns of dates in the many ways that files write them → a DatetimeIndex."""

from datetime import date, datetime
from itertools import product

import numpy as np
import pandas as pd

from lstm_strategy.errors import BarsError

_TIME_SPELLINGS = (
    "datetime",
    "date_time",
    "timestamp",
    "date",
    "open_time",
    "time",
    "gmt_time",
    "time_utc",
    "unix",
    "unix_time",
    "unix_timestamp",
    "t",
    "index",
    "unnamed_0",
)
_OTHER_TIMES = ("close_time",)
_DATE_FORMATS = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%m-%d-%Y",
    "%d-%m-%Y",
    "%d.%m.%Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d %b %Y",
    "%d-%b-%Y",
    "%m/%d/%y",
    "%d/%m/%y",
)
_TIME_FORMATS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p", " %I-%p")


def with_dates_as_index(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame on its column of dates; a DatetimeIndex stays as it is.

    The columns of dates and times leave the frame, whose column names are in snake_case. The
    order of the rows stays.

    Raises:
        BarsError: there is no column of dates, or it can't be read in one way only.
    """
    if isinstance(frame.index, pd.DatetimeIndex):
        return frame
    found = [name for name in _TIME_SPELLINGS if name in frame.columns]
    if not found:
        if frame.index.inferred_type in ("string", "date"):
            return frame.set_axis(_dates(frame.index.to_series()), axis=0)
        if isinstance(frame.index, pd.RangeIndex):
            raise BarsError(
                "there is no column of dates such as Date, Datetime or Timestamp "
                f"(found: {', '.join(frame.columns)}). Add one, or set a DatetimeIndex."
            )
        return frame
    texts = frame[found[0]]
    if found[0] == "date" and "time" in found:
        texts = _joined(texts, frame["time"])
    index = _dates(texts)
    return frame.drop(columns=[*found, *_OTHER_TIMES], errors="ignore").set_axis(index, axis=0)


def _joined(days: pd.Series, times: pd.Series) -> pd.Series:
    """Join a column of days and one of times of day, as MetaTrader and Stooq write them."""
    if pd.api.types.is_numeric_dtype(times):
        digits = times.astype(str).str.zfill(4 if times.max() < 2_400 else 6)
        times = digits.str[:2] + ":" + digits.str[2:4] + ":" + digits.str[4:].str.zfill(2)
    if pd.api.types.is_numeric_dtype(days):
        days = pd.to_datetime(days.astype(str), format="%Y%m%d").dt.strftime("%Y-%m-%d")
    return days.astype(str) + " " + times.astype(str)


def _dates(values: pd.Series) -> pd.DatetimeIndex:
    if pd.api.types.is_datetime64_any_dtype(values):
        return pd.DatetimeIndex(values)
    numbers = pd.to_numeric(values, errors="coerce")
    if numbers.notna().all():
        return _dates_from_numbers(numbers)
    first = values.dropna().iloc[0] if values.notna().any() else None
    if isinstance(first, datetime | date):
        # Aware timestamps differ in zone, or they would not be in an object column.
        is_aware = getattr(first, "tzinfo", None) is not None
        return pd.DatetimeIndex(pd.to_datetime(values, utc=is_aware)).as_unit("us")
    return _dates_from_text(values)


def _dates_from_numbers(numbers: pd.Series) -> pd.DatetimeIndex:
    """Read yyyymmdd, or seconds, milliseconds, microseconds or nanoseconds of the Unix epoch."""
    values = numbers.to_numpy(dtype="float64")
    if ((values >= 1900_01_01) & (values <= 2100_12_31)).all():
        try:
            days = numbers.astype("int64").astype(str)
            return pd.DatetimeIndex(pd.to_datetime(days, format="%Y%m%d"))
        except ValueError:
            pass  # Not a calendar: seconds in the summer of 1970.
    # Exchanges have changed from seconds to milliseconds inside one file.
    size = np.abs(values)
    microseconds_a_unit = np.select([size < 1e11, size < 1e14, size < 1e17], [1e6, 1e3, 1], 1e-3)
    microseconds = np.round(values * microseconds_a_unit).astype("int64")
    return pd.DatetimeIndex(microseconds.view("datetime64[us]")).tz_localize("UTC")


def _dates_from_text(values: pd.Series) -> pd.DatetimeIndex:
    texts = values.astype(object).where(values.notna(), None)
    iso = _parsed(texts, "ISO8601")
    if iso is not None:
        return iso
    first = next(text for text in texts if text is not None)
    formats = [day + time for day, time in product(_DATE_FORMATS, _TIME_FORMATS)]
    readings = [_parsed(texts, form) for form in formats if _fits(first, form)]
    possible = [reading for reading in readings if reading is not None]
    # 01/02/2020 may be in January or in February; only one of them is in order, as a rule.
    ordered = [dates for dates in possible if _is_monotonic(dates)] or possible
    if not ordered:
        raise BarsError(
            f"the dates can't be read, the first is {first!r}. Write them as YYYY-MM-DD HH:MM:SS."
        )
    if any(not ordered[0].equals(other) for other in ordered[1:]):
        raise BarsError(
            f"dates such as {first!r} can be read as month/day and as day/month. "
            "Write them as YYYY-MM-DD."
        )
    return ordered[0]


def _fits(text: str, form: str) -> bool:
    try:
        return bool(datetime.strptime(str(text), form))
    except ValueError:
        return False


def _parsed(texts: pd.Series, form: str) -> pd.DatetimeIndex | None:
    try:
        return pd.DatetimeIndex(pd.to_datetime(texts, format=form))
    except ValueError as error:
        if "Mixed timezones" in str(error) or "utc=True" in str(error):
            return pd.DatetimeIndex(pd.to_datetime(texts, format=form, utc=True))
        return None


def _is_monotonic(dates: pd.DatetimeIndex) -> bool:
    return dates.is_monotonic_increasing or dates.is_monotonic_decreasing
