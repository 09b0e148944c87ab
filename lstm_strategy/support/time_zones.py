"""Dates with and without a timezone on one clock, and the names of timezones in files.

A date without a timezone counts as UTC.
"""

import re
from datetime import timezone, tzinfo

import pandas as pd

# of `dateutil//etc/passwd`, as of all that begin so, pandas would open the file
_NAME = re.compile(r"(?!dateutil)[A-Za-z][\w+:-]*(/[\w+-]+)*")
_LONGEST_NAME = 100


def naive_utc_index(index: pd.Index) -> pd.DatetimeIndex:
    """The dates on the clock of UTC, without a timezone, as backtrader keeps time.

    Args:
        index: Dates in any timezone; those without one count as UTC.

    Example:
        >>> naive_utc_index(pd.DatetimeIndex(["2024-07-01 02:00"], tz="Europe/Paris"))[0]
        Timestamp('2024-07-01 00:00:00')
    """
    times = pd.DatetimeIndex(index)
    return times if times.tz is None else times.tz_convert("UTC").tz_localize(None)


def naive_utc(moment: pd.Timestamp) -> pd.Timestamp:
    """A moment on the clock of UTC, without a timezone.

    Args:
        moment: In any timezone; one without counts as UTC.

    Example:
        >>> naive_utc(pd.Timestamp("2024-07-01 02:00", tz="Europe/Paris"))
        Timestamp('2024-07-01 00:00:00')
    """
    return moment if moment.tz is None else moment.tz_convert("UTC").tz_localize(None)


def on_clock_of(index: pd.Index, moment: pd.Timestamp) -> pd.Timestamp:
    """A moment on the clock of an index: in its timezone, or without one if it has none.

    Args:
        index: The dates whose clock is meant.
        moment: In any timezone; one without counts as UTC.

    Example:
        >>> on_clock_of(pd.DatetimeIndex(["2024-07-01"]), pd.Timestamp("2024-07-01 02:00+02:00"))
        Timestamp('2024-07-01 00:00:00')
    """
    zone, utc = pd.DatetimeIndex(index).tz, naive_utc(moment)
    return utc if zone is None else utc.tz_localize("UTC").tz_convert(zone)


def check_zone(name: object) -> str:
    """Return the name of a timezone that stands in a file, if it is one.

    Args:
        name: What stands there.

    Raises:
        ValueError: If pandas knows no timezone of that name, or would open a file that it names.

    Example:
        >>> check_zone("Europe/Berlin")
        'Europe/Berlin'
        >>> check_zone("dateutil//etc/passwd")
        Traceback (most recent call last):
        ValueError: 'dateutil//etc/passwd' is no timezone
    """
    if isinstance(name, str) and len(name) <= _LONGEST_NAME and _NAME.fullmatch(name):
        try:
            pd.Timestamp(0, tz=name)
            return name
        except (LookupError, ValueError, TypeError, OSError):
            pass  # a folder of zones, such as America, isn't one either
    raise ValueError(f"{name!r:.100} is no timezone")


def name_zone(zone: tzinfo) -> str:
    """Return the name by which pandas knows a timezone again.

    Args:
        zone: Of any library.

    Raises:
        ValueError: If it has none.

    Example:
        >>> from datetime import timedelta
        >>> name_zone(timezone(timedelta(hours=2)))
        'UTC+02:00'
    """
    names = [str(zone)]
    offset = zone.utcoffset(None)  # of a zone that is always as far from UTC
    if offset is not None:
        names.append(str(timezone(offset)))
    for name in names:
        try:
            return check_zone(name)
        except ValueError:
            continue
    raise ValueError(f"the timezone {zone!r:.60} has no name that a file could keep")
