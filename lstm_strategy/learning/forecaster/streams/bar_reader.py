"""One bar of a stream, as people hand it over: its time and its values, checked."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lstm_strategy.bars import CONTRACT_PRICE, check_bar
from lstm_strategy.errors import BarsError
from lstm_strategy.learning.features import BASE_COLUMNS


class BarReader:
    """Reads bars that follow each other.

    A bar of a continuous series has the price of its contract, too; it is NaN for other bars.

    Args:
        columns: What a bar must have besides its time.
        reads_volume: Whether the volume is needed; if not, an unknown one is 0.
        check_value: Says what is wrong with a number in an extra column, None where nothing is;
            takes the name of the column, the number and the time.

    Example:
        >>> reader = BarReader(["open", "high", "low", "close", "volume"], reads_volume=False)
        >>> bar = {"datetime": "2024-05-02", "open": 7, "high": 9, "low": 6, "close": 8}
        >>> time, values = reader.read(bar, None, {})
        >>> str(time.date()), values
        ('2024-05-02', [7.0, 9.0, 6.0, 8.0, 0.0, nan])
    """

    def __init__(
        self,
        columns: Sequence[str],
        *,
        reads_volume: bool,
        check_value: Callable[[str, float, pd.Timestamp], str | None] = lambda *_: None,
    ) -> None:
        self._needed = list(columns)
        self._columns = list(dict.fromkeys((*columns, CONTRACT_PRICE)))
        self._reads_volume = reads_volume
        self._check_value = check_value

    def read(
        self, bar: Mapping[str, Any], last: pd.Timestamp | None, known: Mapping[str, float]
    ) -> tuple[pd.Timestamp, list[float]]:
        """Read one bar.

        Args:
            bar: `datetime` and the columns by name. A NaN in an extra column means "unchanged".
            last: The time of the bar before; None without one.
            known: The last known value of each column.

        Returns:
            The time, in the timezone of the bar before, and the values in the columns' order, with
            the price of the contract at the end if it isn't one of them.

        Raises:
            BarsError: If a column is missing, `validate_bars` would refuse the bar, or it isn't
                later than the one before, or has a timezone and that one has none, or the other
                way round.
        """
        if not self._reads_volume:
            bar = {"volume": 0.0, **bar}
        if CONTRACT_PRICE not in bar and not known.get(CONTRACT_PRICE, np.nan) > 0:
            bar = {**bar, CONTRACT_PRICE: np.nan}
        wanted = ("datetime", *self._needed)
        missing = [name for name in (*wanted, CONTRACT_PRICE) if name not in bar]
        if missing:
            raise BarsError(f"A bar must have {', '.join(wanted)}; {missing[0]} is missing.")
        time = _read_time(bar["datetime"], last)
        values = [self._read_value(name, bar[name], time, known) for name in self._columns]
        check_bar(dict(zip(self._columns, values, strict=True)), time)
        return time, values

    def _read_value(
        self, name: str, given: Any, time: pd.Timestamp, known: Mapping[str, float]
    ) -> float:
        try:
            value = float(given)
        except (TypeError, ValueError):
            raise BarsError(f"{name} must be a number, got {given!r} at {time}.") from None
        if name == "volume" and not value >= 0 and not self._reads_volume:
            value = 0.0
        if name in BASE_COLUMNS and not np.isfinite(value):
            raise BarsError(f"{name} is {value} at {time}. Leave incomplete bars out.")
        offence = None if name in BASE_COLUMNS else self._check_value(name, value, time)
        if offence is not None:
            raise BarsError(offence)
        return known.get(name, value) if np.isnan(value) else value


def _read_time(moment: Any, last: pd.Timestamp | None) -> pd.Timestamp:
    """A moment in the timezone of the bar before, after which it must lie."""
    try:
        time = pd.Timestamp(moment)
        if pd.isna(time):
            raise ValueError("it is empty")
    except (TypeError, ValueError, OverflowError):
        raise BarsError(
            f"datetime must be a moment such as 2024-05-02 16:00, got {moment!r}."
        ) from None
    if last is None:
        return time
    if (time.tz is None) != (last.tz is None):
        raise BarsError(
            f"Bars must share one clock: got {time} after {last}. Give all of them a timezone, "
            "or none."
        )
    if not time > last:
        raise BarsError(
            f"Bars must come in the order of time: got {time} after {last}. Use peek for a bar "
            f"that is still forming; if {last} is wrong, begin a new stream without that bar."
        )
    return time if last.tz is None else time.tz_convert(last.tz)
