"""Dates with and without a timezone on one clock: one without counts as UTC."""

import pandas as pd


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
