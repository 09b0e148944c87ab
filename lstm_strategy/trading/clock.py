"""Time as backtrader keeps it: days since the year 1 as floats in UTC, shown in a timezone."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

_MICROSECONDS_A_DAY = 86_400_000_000
_MILLISECONDS_A_DAY = 86_400_000
_DAY_NUMBER_OF_1970 = 719_163
_LARGEST_ROUNDING_ERROR = dt.timedelta(microseconds=10)


def day_numbers(index: pd.DatetimeIndex) -> np.ndarray:
    """Return dates as backtrader stores them: days since 0001-01-01, plus one, in UTC.

    Args:
        index: The dates; those without a timezone count as they are. Nanoseconds are cut off.

    Returns:
        Shape (n_dates,), float64, equal to `bt.date2num` of every date.

    Example:
        >>> day_numbers(pd.DatetimeIndex(["2024-01-02 12:00"]))
        array([738887.5])
    """
    microseconds = index.as_unit("us").asi8
    days, rest = np.divmod(microseconds, _MICROSECONDS_A_DAY)
    return (days + _DAY_NUMBER_OF_1970) + rest / _MICROSECONDS_A_DAY


def dates_from_day_numbers(numbers: np.ndarray) -> pd.DatetimeIndex:
    """Return the dates of backtrader's day numbers in UTC, without a timezone.

    A day number of our time is a float that resolves ten microseconds, hence milliseconds.
    """
    milliseconds = np.rint((numbers - _DAY_NUMBER_OF_1970) * _MILLISECONDS_A_DAY).astype("int64")
    return pd.DatetimeIndex(milliseconds.astype("datetime64[ms]"), name="datetime").as_unit("us")


class ShownZone(dt.tzinfo):
    """A timezone of any library with the `localize` that backtrader asks for.

    backtrader adds `localize` to the zone itself, which ZoneInfo and datetime.timezone refuse.
    """

    def __init__(self, zone: Any) -> None:
        self.zone = zone

    def __getinitargs__(self) -> tuple[Any]:
        return (self.zone,)

    def localize(self, when: dt.datetime) -> dt.datetime:
        """Return a naive wall-clock time with this zone attached."""
        if when.tzinfo is not None:
            return when
        if hasattr(self.zone, "localize"):
            located: dt.datetime = self.zone.localize(when)
            return located
        return when.replace(tzinfo=self.zone)

    def fromutc(self, when: dt.datetime) -> dt.datetime:
        """Return the wall-clock time of a moment in UTC."""
        # A stored hour may come out as 06:59:59.999995, which backtrader rounds up only after
        # the conversion: an hour off when the clocks change at 07:00. So round before it.
        missing = dt.timedelta(microseconds=1_000_000 - when.microsecond)
        if missing >= _LARGEST_ROUNDING_ERROR:
            missing = dt.timedelta(0)
        return (when + missing).replace(tzinfo=dt.UTC).astimezone(self.zone) - missing

    def utcoffset(self, when: dt.datetime | None) -> dt.timedelta | None:
        """Return how far the wall clock is ahead of UTC."""
        return self._local(when).utcoffset() if when else None

    def dst(self, when: dt.datetime | None) -> dt.timedelta | None:
        """Return how far summer time puts the wall clock forward."""
        return self._local(when).dst() if when else None

    def tzname(self, when: dt.datetime | None) -> str | None:
        """Return the abbreviation that the zone has at that time."""
        return self._local(when).tzname() if when else str(self.zone)

    def _local(self, when: dt.datetime) -> dt.datetime:
        return self.localize(when.replace(tzinfo=None))


def shown_zone(zone: Any) -> ShownZone | None:
    """Return a timezone, or the name of one, in the form that backtrader can use."""
    if zone is None or isinstance(zone, ShownZone):
        return zone
    return ShownZone(ZoneInfo(zone) if isinstance(zone, str) else zone)
