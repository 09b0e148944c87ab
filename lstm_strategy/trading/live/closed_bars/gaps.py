"""Which bars are missing: those at whose time the market had one in the weeks before."""

import datetime as dt
from collections import deque

import numpy as np
import pandas as pd

_MS_A_DAY = 86_400_000
_DAYS_REMEMBERED = 15
_WEEKS_BACK = (1, 2)
_MOST_PLACES = 1_000_000


class UsualTimes:
    """When a market has bars.

    Nights, weekends and other times at which the market rests are no gaps. A bar is expected at a
    time if the market had one at the same time, by its own clock, one week or two weeks before,
    or if it isn't known that long. Bars longer than a day are all expected.

    Args:
        step: From bar to bar, in milliseconds.
        zone: The timezone of the market; None for UTC.

    Example:
        >>> hour = 3_600_000
        >>> usual = UsualTimes(hour)
        >>> usual.add(0)
        >>> usual.count_between(0, 3 * hour)
        2
    """

    def __init__(self, step: int, zone: dt.tzinfo | None = None) -> None:
        self._step, self._zone = step, zone
        self._times: deque[int] = deque()

    def add(self, moment: int) -> None:
        """Remember a bar; bars come in the order of time.

        Args:
            moment: In milliseconds since 1970, UTC.
        """
        times = self._times
        times.append(moment)
        oldest = moment - _DAYS_REMEMBERED * _MS_A_DAY
        while times[0] < oldest:
            times.popleft()

    def count_between(self, last: int, moment: int) -> int:
        """Return how many bars are missing between two.

        Args:
            last: The time of the last bar, in milliseconds since 1970, UTC.
            moment: That of the one that came after it.
        """
        n_places = round((moment - last) / self._step) - 1
        if n_places <= 0:
            return 0
        if self._step > 1.5 * _MS_A_DAY or n_places > _MOST_PLACES:
            return n_places
        places = self._on_clock(last + self._step * np.arange(1, n_places + 1))
        times = self._on_clock(np.array(self._times))
        is_expected = np.zeros(n_places, bool)
        for weeks in _WEEKS_BACK:
            before = places - 7 * weeks * _MS_A_DAY
            is_expected |= (weeks == 1) & (before < times[0])
            is_expected |= self._has_bar_near(times, before)
        return int(is_expected.sum())

    def _has_bar_near(self, times: np.ndarray, places: np.ndarray) -> np.ndarray:
        after = times.searchsorted(places)
        nearest = np.minimum(
            np.abs(times[after.clip(max=len(times) - 1)] - places),
            np.abs(times[(after - 1).clip(min=0)] - places),
        )
        near: np.ndarray = 2 * nearest < self._step
        return near

    def _on_clock(self, moments: np.ndarray) -> np.ndarray:
        """The times on the clock of the market, as if they were UTC."""
        if self._zone is None:
            return moments
        utc = pd.DatetimeIndex(moments.astype("datetime64[ms]")).tz_localize("UTC")
        local: np.ndarray = utc.tz_convert(self._zone).tz_localize(None).as_unit("ms").asi8
        return local
