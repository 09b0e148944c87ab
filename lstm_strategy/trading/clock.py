"""Time as backtrader keeps it: days since the year 1 as floats in UTC, shown in a timezone."""

import datetime as dt
import math
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from lstm_strategy.trading.backtrader_internals import index_behind, zone_shown_by

_MICROSECONDS_A_DAY = 86_400_000_000
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

    A day number of our time is a float that resolves ten microseconds. The roundest date that has
    it is the one that was meant: a whole millisecond, else one that ends in 100 or 10 microseconds.
    """
    exact = np.rint((numbers - _DAY_NUMBER_OF_1970) * _MICROSECONDS_A_DAY).astype("int64")
    dates = exact
    for step in (10, 100, 1_000):
        rounder = np.rint(exact / step).astype("int64") * step
        is_meant = day_numbers(_dates_from_microseconds(rounder)) == numbers
        dates = np.where(is_meant, rounder, dates)
    return _dates_from_microseconds(dates)


def _dates_from_microseconds(microseconds: np.ndarray) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(microseconds.astype("datetime64[us]"), name="datetime")


class FeedClock:
    """The times of a feed's bars as the user's own bars have them: exactly, in their timezone.

    backtrader keeps time in UTC and to ten microseconds. Where the feed was made of a frame, its
    index tells what was meant; bars of another feed have the timezone that it shows.

    Args:
        feed: A data feed that has been started.

    Example:
        >>> import backtrader as bt
        >>> from lstm_strategy import BarsFeed, sample_bars
        >>> feed = BarsFeed(sample_bars().iloc[:5].tz_localize("America/New_York"))
        >>> FeedClock(feed).times(day_numbers(pd.DatetimeIndex(["2024-07-01 13:30"])))
        DatetimeIndex(['2024-07-01 09:30:00-04:00'], dtype='datetime64[us, America/New_York]',
                      name='datetime', freq=None)
    """

    def __init__(self, feed: Any) -> None:
        self._index = index_behind(feed)
        if self._index is None:
            zone = zone_shown_by(feed)
            self._zone = zone.zone if isinstance(zone, ShownZone) else zone
        else:
            self._zone, self._numbers = self._index.tz, day_numbers(self._index)

    def times(self, numbers: np.ndarray) -> pd.DatetimeIndex:
        """Return the times of bars.

        Args:
            numbers: The feed's day numbers, shape (n_bars,), none lower than the one before.
        """
        if self._index is not None and len(self._index):
            places = np.searchsorted(self._numbers, numbers)
            # of bars within ten microseconds of each other, the first comes first
            places += np.arange(len(numbers)) - np.searchsorted(numbers, numbers)
            places = places.clip(max=len(self._index) - 1)
            if np.array_equal(self._numbers[places], numbers):
                return self._index[places].rename("datetime")
        dates = dates_from_day_numbers(numbers)
        return dates if self._zone is None else dates.tz_localize("UTC").tz_convert(self._zone)

    def time_after(self, number: float, last: pd.Timestamp | None) -> pd.Timestamp:
        """Return the time of one bar: of bars within ten microseconds, the first after the last.

        Args:
            number: The feed's day number.
            last: The time of the bar before; None where there is none.

        Returns:
            A time that isn't later than `last` where no bar of that number is.
        """
        if self._index is not None:
            first, end = np.searchsorted(self._numbers, [number, math.nextafter(number, math.inf)])
            if last is not None and end - first > 1:
                later = self._index[first:end].searchsorted(last, side="right")
                first = min(first + later, end - 1)
            if first < end:
                return pd.Timestamp(self._index[first])
        return pd.Timestamp(self.times(np.array([number]))[0])


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
