"""Dates written as digits: calendar days, calendar days with times, or a count since 1970.

Nothing else that consists of digits is a date: no row number, no Excel day, no yymmdd.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd

_FIRST_YEAR, _LAST_YEAR = 1700, 2261
# A second before March 1973 has as many digits as a calendar day.
_FEWEST_SECONDS, _MOST_SECONDS = 10**8, 4_200_000_000
_UNITS = (1, 10**3, 10**6, 10**9)
# Nobody wrote nanoseconds before 1995; ticks of .NET and Windows would be 1974 and 1990.
_FEWEST_NANOSECONDS = 788_918_400 * 10**9
# A count of 1970 is believed only from a column that is named as one.
_FEWEST_NAMED_SECONDS = 10**7

Integers: TypeAlias = np.ndarray


@dataclass(frozen=True, eq=False)
class DigitDates:
    """Digits read as dates.

    Attributes:
        dates: The dates; NaT for those that can't be read. In UTC where digits count from 1970.
        is_unread: Whether each can't be read though most can.
        has_times: Whether they say more than the day.
    """

    dates: pd.DatetimeIndex
    is_unread: np.ndarray
    has_times: bool


def read_digits(numbers: np.ndarray, *, is_named_epoch: bool = False) -> DigitDates | None:
    """Read numbers as dates where there is one way to.

    Args:
        numbers: Shape (n,), int64 or float64, none missing, at least one.
        is_named_epoch: Whether the column's name says that it counts from 1970.

    Returns:
        The dates, or None for digits that aren't dates or may mean more than one.
    """
    if not np.isfinite(numbers).all():
        return None
    is_whole = numbers.dtype.kind == "i" or bool((numbers == np.floor(numbers)).all())
    if not is_whole or (np.abs(numbers) >= 2**62).any():
        return _read_epoch(numbers, is_named_epoch)
    whole = numbers.astype("int64")
    calendar = _read_calendar(whole) or _read_months(whole)
    if calendar is not None and not calendar.is_unread.any():
        return calendar
    # of the seconds of 1970 one in thirty looks like a day
    return _read_epoch(whole, is_named_epoch) or (None if is_named_epoch else calendar)


def describe_digits(numbers: np.ndarray) -> str:
    """What digits that can't be read as dates may be, for a message; may be empty."""
    low, high = numbers.min(), numbers.max()
    if (np.diff(numbers) == 1).all() and low in (0, 1):
        return " (row numbers?)"
    if low >= 20_000 and high < 80_000:
        return " (days as Excel counts them?)"
    if low >= 10_000 and high <= 999_999:
        return " (yymmdd or yyyymm?)"
    if low >= 10**17 and high < _FEWEST_NANOSECONDS:
        return " (ticks of .NET or of Windows?)"
    if low >= 1700 and high <= 2261:
        return " (years?)"
    return " (hours or minutes of a day?)" if low >= 0 and high < 2400 else ""


def _read_calendar(whole: Integers) -> DigitDates | None:
    """Dates from yyyymmdd followed by hours, minutes, seconds and milliseconds, or some of them."""
    for n_digits_behind in (0, 2, 4, 6, 9):
        some = whole[:: max(1, len(whole) // 1000)] // 10**n_digits_behind
        if days_of_calendar(some)[1].mean() < 0.5 or (n_digits_behind and some.min() < 1900_01_01):
            continue
        day, behind = np.divmod(whole, 10**n_digits_behind)
        days, is_day = days_of_calendar(day)
        time, is_time = times_of_clock(behind, n_digits_behind)
        is_read = is_day & is_time
        if is_read.mean() >= 0.5:
            dates = np.where(is_read, days.astype("M8[us]") + time, np.datetime64("NaT"))
            return DigitDates(pd.DatetimeIndex(dates), ~is_read, n_digits_behind > 0)
    return None


def _read_months(whole: Integers) -> DigitDates | None:
    """The first days of months written yyyymm, unless they can be yymmdd as well."""
    year, month = np.divmod(whole, 100)
    if not ((year >= 1900) & (year <= 2100) & (month >= 1) & (month <= 12)).all():
        return None
    _, is_day = days_of_calendar(whole + 20_000_000)
    if is_day.all():
        return None
    days, _ = days_of_calendar(whole * 100 + 1)
    return DigitDates(pd.DatetimeIndex(days.astype("M8[us]")), np.zeros(len(whole), bool), False)


def days_of_calendar(day: Integers) -> tuple[np.ndarray, np.ndarray]:
    """Days from numbers yyyymmdd, and whether each of them is in the calendar."""
    is_day = (day >= _FIRST_YEAR * 10_000) & (day < (_LAST_YEAR + 1) * 10_000)
    safe = np.where(is_day, day, 2000_01_01)
    months = (safe // 10_000 - 1970) * 12 + safe // 100 % 100 - 1
    first = months.astype("M8[M]")
    days = first.astype("M8[D]") + (safe % 100 - 1)
    is_day &= (safe // 100 % 100 >= 1) & (safe // 100 % 100 <= 12)
    return days, is_day & (days.astype("M8[M]") == first)


def times_of_clock(digits: Integers, n_digits: int) -> tuple[np.ndarray, np.ndarray]:
    """Times of day from hhmmssmmm or its first digits, and whether each is one."""
    clock = digits * 10 ** (9 - n_digits)
    hours, minutes = clock // 10**7, clock // 10**5 % 100
    seconds, milliseconds = clock // 1000 % 100, clock % 1000
    is_time = (clock >= 0) & (hours < 24) & (minutes < 60) & (seconds < 60)
    total = ((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds
    return np.where(is_time, total, 0).astype("m8[ms]"), is_time


def _read_epoch(numbers: np.ndarray, is_named_epoch: bool) -> DigitDates | None:
    size = np.abs(numbers)
    fewest = _FEWEST_NAMED_SECONDS if is_named_epoch else _FEWEST_SECONDS
    # exchanges have changed from milliseconds to microseconds inside one file
    units = np.zeros(len(numbers), dtype="int64")
    for unit in _UNITS:
        units[(size >= fewest * unit) & (size <= _MOST_SECONDS * unit)] = unit
    if not units.all():
        largest = next((unit for unit in _UNITS if size.max() <= _MOST_SECONDS * unit), 0)
        steps = np.diff(numbers)
        is_ordered = (steps >= 0).all() or (steps <= 0).all()
        # days around 1970 are few seconds, and known by the days before and after
        if not largest or not is_ordered or size.max() < _FEWEST_SECONDS * largest:
            return None
        units[:] = largest
    if (size[units == 10**9] < _FEWEST_NANOSECONDS).any() and not is_named_epoch:
        return None
    instants = _to_instants(numbers, units)
    dates = pd.DatetimeIndex(instants).tz_localize("UTC")
    return DigitDates(dates, np.zeros(len(numbers), bool), True)


def _to_instants(numbers: np.ndarray, units: Integers) -> np.ndarray:
    if numbers.dtype.kind == "f":
        microseconds = np.round(numbers * (10**6 / units)).astype("int64")
    elif units.max() == 10**9 and (numbers[units == 10**9] % 1000).any():
        return np.asarray(numbers * (10**9 // units)).view("M8[ns]")
    else:
        scale = 10**6 // np.minimum(units, 10**6)
        microseconds = numbers // np.maximum(units // 10**6, 1) * scale
    return np.asarray(microseconds).view("M8[us]")
