"""How volume is spread over a day, from the days before."""

from datetime import time

import numpy as np

_DAYS = 5  # that the expected volume is the mean of


class VolumeProfile:
    """What of the volume of the next bars comes at the first of them, as on earlier days.

    Example:
        >>> profile = VolumeProfile()
        >>> for hour, volume in [(9, 100.0), (12, 10.0), (15, 30.0), (9, 200.0)]:
        ...     profile.add(time(hour), volume)
        >>> profile.share_of_next(2)
        0.25
    """

    def __init__(self) -> None:
        self._volumes: list[float] = []
        self._places: dict[time, list[int]] = {}
        self._now = time()

    def add(self, now: time, volume: float) -> None:
        """Take a bar.

        Args:
            now: Its time of the day.
            volume: Its volume; NaN counts as none.
        """
        self._now = now
        self._places.setdefault(now, []).append(len(self._volumes))
        self._volumes.append(volume if volume > 0.0 else 0.0)

    def share_of_next(self, n_bars: int) -> float:
        """Return the share of the next bar in the volume expected of the next ones.

        Args:
            n_bars: How many of them.

        Returns:
            By the bars that followed the same time of the day on the last five days that have so
            many; an equal share where there is no such day, no volume, or one bar a day.
        """
        last = len(self._volumes) - 1 - n_bars
        earlier = self._places.get(self._now, [])[-_DAYS - n_bars :]
        starts = [place for place in earlier if place <= last][-_DAYS:]
        if len(self._places) < 2 or not starts:
            return 1.0 / n_bars
        followed = np.array([self._volumes[place + 1 : place + 1 + n_bars] for place in starts])
        total = float(followed.sum())
        return float(followed[:, 0].sum()) / total if total > 0.0 else 1.0 / n_bars
