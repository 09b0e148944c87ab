"""A DatetimeIndex from columns of dates in the many ways that files write them."""

import re
from datetime import date, datetime
from itertools import product
from typing import NoReturn

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
_ZONE_AT_END = re.compile(r"[T ]\d\d.*([Zz]|[+-]\d\d:?(\d\d)?)$")
_ROWS_TO_SEE_A_FORMAT = 1000
_TIME_FORMATS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p", " %I-%p")


def index_by_date(frame: pd.DataFrame) -> pd.DataFrame:
    """Put a frame on its column of dates; a DatetimeIndex stays as it is.

    The columns of dates and times leave the frame, and the order of the rows stays.

    Args:
        frame: Columns named in snake_case.

    Raises:
        BarsError: If there is no column of dates, one of them can't be read (the first is named),
            they can be read in more than one way, or some have a timezone and others none.
    """
    if isinstance(frame.index, pd.DatetimeIndex):
        return frame
    found = [name for name in _TIME_SPELLINGS if name in frame.columns]
    if not found:
        if frame.index.inferred_type in ("string", "date"):
            return frame.set_axis(_parse_dates(frame.index.to_series()), axis=0)
        if isinstance(frame.index, pd.RangeIndex):
            raise BarsError(
                "there is no column of dates such as Date, Datetime or Timestamp "
                f"(found: {', '.join(frame.columns)}). Add one, or set a DatetimeIndex."
            )
        return frame
    texts = frame[found[0]]
    if found[0] == "date" and "time" in found:
        texts = _join_days_and_times(texts, frame["time"])
    index = _parse_dates(texts)
    return frame.drop(columns=[*found, *_OTHER_TIMES], errors="ignore").set_axis(index, axis=0)


def _join_days_and_times(days: pd.Series, times: pd.Series) -> pd.Series:
    """One column of dates from the two that MetaTrader and Stooq write."""
    if pd.api.types.is_numeric_dtype(times):
        digits = times.astype(str).str.zfill(4 if times.max() < 2_400 else 6)
        times = digits.str[:2] + ":" + digits.str[2:4] + ":" + digits.str[4:].str.zfill(2)
    if pd.api.types.is_numeric_dtype(days):
        read = pd.to_datetime(days.astype(str), format="%Y%m%d", errors="coerce")
        _refuse_unread(days, read.isna() & days.notna())
        days = read.dt.strftime("%Y-%m-%d")
    return days.astype(str) + " " + times.astype(str)


def _parse_dates(values: pd.Series) -> pd.DatetimeIndex:
    if pd.api.types.is_datetime64_any_dtype(values):
        return pd.DatetimeIndex(values)
    is_given = values.notna()
    given = values[is_given]
    # A look at the first one spares a million texts the attempt to be numbers.
    if _are_numbers(given.iloc[:1]) and _are_numbers(given):
        dates = pd.Series(_parse_numbers(pd.to_numeric(given)), np.flatnonzero(is_given))
        # A missing date becomes NaT, which the validation of the bars names.
        return pd.DatetimeIndex(dates.reindex(range(len(values))))
    if isinstance(given.iloc[0], datetime | date):
        return _parse_objects(values)
    return _parse_texts(values)


def _are_numbers(values: pd.Series) -> bool:
    return bool(pd.to_numeric(values, errors="coerce").notna().all())


def _parse_objects(values: pd.Series) -> pd.DatetimeIndex:
    dates = [v for v in values if isinstance(v, datetime | date) and pd.notna(v)]
    zoned = [getattr(value, "tzinfo", None) is not None for value in dates]
    if len(set(zoned)) > 1:
        _refuse_mixed_zones([str(value) for value in dates], zoned)
    # Aware timestamps differ in zone, or they would not be in an object column.
    read = pd.to_datetime(values, utc=zoned[0], errors="coerce")
    _refuse_unread(values, read.isna() & values.notna())
    return pd.DatetimeIndex(read).as_unit("us")


def _parse_numbers(numbers: pd.Series) -> pd.DatetimeIndex:
    """Dates from yyyymmdd, or from seconds to nanoseconds of the Unix epoch."""
    values = numbers.to_numpy(dtype="float64")
    if ((values >= 1900_01_01) & (values <= 2100_12_31)).all():
        texts = numbers.astype("int64").astype(str)
        days = pd.to_datetime(texts, format="%Y%m%d", errors="coerce")
        # Of seconds in the summer of 1970 one in thirty looks like a day.
        if days.notna().mean() > 0.5:
            _refuse_unread(texts, days.isna())
            return pd.DatetimeIndex(days)
    # Exchanges have changed from seconds to milliseconds inside one file.
    size = np.abs(values)
    microseconds_a_unit = np.select([size < 1e11, size < 1e14, size < 1e17], [1e6, 1e3, 1], 1e-3)
    microseconds = np.round(values * microseconds_a_unit).astype("int64")
    return pd.DatetimeIndex(microseconds.view("datetime64[us]")).tz_localize("UTC")


def _parse_texts(values: pd.Series) -> pd.DatetimeIndex:
    texts = values.map(str, na_action="ignore").astype(object).where(values.notna(), None)
    iso = _parse_as(texts, "ISO8601")
    if iso is not None:
        if iso.tz is not None:
            _check_all_have_zones(texts)
        return iso
    first = next(text for text in texts if text is not None)
    formats = [day + time for day, time in product(_DATE_FORMATS, _TIME_FORMATS)]
    readings = [_parse_as(texts, form) for form in formats if _fits(first, form)]
    possible = [reading for reading in readings if reading is not None]
    # 01/02/2020 may be in January or in February; only one of them is in order, as a rule.
    ordered = [dates for dates in possible if _is_monotonic(dates)] or possible
    if not ordered:
        _refuse_unread(texts, _find_unread(texts, ["ISO8601", *formats]))
    if any(not ordered[0].equals(other) for other in ordered[1:]):
        raise BarsError(
            f"dates such as {first!r} can be read as month/day and as day/month. "
            "Write them as YYYY-MM-DD."
        )
    return ordered[0]


def _fits(text: str, form: str) -> bool:
    try:
        return bool(datetime.strptime(text, form))
    except ValueError:
        return False


def _parse_as(texts: pd.Series, form: str) -> pd.DatetimeIndex | None:
    """The dates in a format; None where one of them has another."""
    try:
        return pd.DatetimeIndex(pd.to_datetime(texts, format=form))
    except ValueError as error:
        if any(words in str(error) for words in ("Mixed timezones", "utc=True", "Cannot mix")):
            return pd.DatetimeIndex(pd.to_datetime(texts, format=form, utc=True))
        return None


def _find_unread(texts: pd.Series, forms: list[str]) -> pd.Series:
    """Whether each text is no date in the format that most of the first rows have."""
    first_rows = texts.iloc[:_ROWS_TO_SEE_A_FORMAT]
    form = min(forms, key=lambda form: _is_unread(first_rows, form).sum())
    numbers = pd.to_numeric(texts, errors="coerce")
    unread = _is_unread(texts, form)
    # Text among the seconds of the Unix epoch.
    return min(unread, numbers.isna() & texts.notna(), key=lambda rows: rows.sum())


def _is_unread(texts: pd.Series, form: str) -> pd.Series:
    read = pd.to_datetime(texts.astype("str"), format=form, errors="coerce", utc=True)
    return read.isna() & texts.notna()


def _refuse_unread(values: pd.Series, is_unread: pd.Series) -> None:
    """Name the first date that can't be read, by its row (from 0) and the date before it."""
    unread = is_unread.to_numpy()
    if not unread.any():
        return
    row, count = int(unread.argmax()), int(unread.sum())
    after = f", after {str(values.iloc[row - 1])!r}" if row else ""
    raise BarsError(
        f"the date {str(values.iloc[row])!r} of row {row}{after} can't be read "
        f"({count} {'row' if count == 1 else 'rows'} in all). Write dates as YYYY-MM-DD HH:MM:SS."
    )


def _check_all_have_zones(texts: pd.Series) -> None:
    given = list(texts.dropna())
    zoned = [bool(_ZONE_AT_END.search(text.strip())) for text in given]
    if not all(zoned):
        _refuse_mixed_zones(given, zoned)


def _refuse_mixed_zones(dates: list[str], zoned: list[bool]) -> NoReturn:
    """Name the first date that differs from the one at the top in having a timezone or none."""
    other = zoned.index(not zoned[0])
    has, has_not = (dates[0], dates[other]) if zoned[0] else (dates[other], dates[0])
    raise BarsError(
        f"dates with and without a timezone are mixed, first at {dates[other]!r}: {has!r} has "
        f"one, {has_not!r} has none. Give all of them a timezone, or none."
    )


def _is_monotonic(dates: pd.DatetimeIndex) -> bool:
    return dates.is_monotonic_increasing or dates.is_monotonic_decreasing
