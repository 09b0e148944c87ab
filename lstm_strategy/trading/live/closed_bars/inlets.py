"""Where `ClosedBars` gets its bars: a feed of backtrader, an iterator, or a `BarSource`."""

import datetime as dt
import queue
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from lstm_strategy.errors import TradingError
from lstm_strategy.trading.clock import dates_from_day_numbers
from lstm_strategy.trading.live.closed_bars.moments import moment_of, moments_of

_NEEDED = ("datetime", "open", "high", "low", "close")
_N_READ_AHEAD = 64
_SECONDS_TO_STOP = 0.2


@dataclass(frozen=True)
class Arrival:
    """A bar as a source hands it over.

    Attributes:
        moment: Its time in milliseconds since 1970, UTC.
        values: In the order of the names that were asked for; NaN for one that isn't there.
        is_closed: Whether the source says that it is over; None where it says nothing.
    """

    moment: int
    values: tuple[float, ...]
    is_closed: bool | None


class EndOfBarsError(Exception):
    """Raised by an inlet that has no more bars; it never leaves the room."""


class Inlet(Protocol):
    """Where bars come from."""

    def pull(self, wait: float) -> Arrival | None:
        """Return the next bar, None where there is none yet.

        Args:
            wait: Seconds for which it may be waited for.

        Raises:
            EndOfBarsError: If there are no more.
        """


class FeedInlet:
    """The bars of a backtrader feed.

    Args:
        feed: The feed, started.
        names: Of its lines.
    """

    def __init__(self, feed: Any, names: Sequence[str], *, is_closed: bool | None) -> None:
        self._feed, self._is_closed = feed, is_closed
        self._lines = [getattr(feed.lines, name, None) for name in names]

    def pull(self, wait: float) -> Arrival | None:
        """Let the feed load a bar, with its filters and its timezone."""
        loaded = self._feed.load()
        if loaded is None:
            return None
        if not loaded:
            raise EndOfBarsError
        number = np.array([self._feed.lines.datetime[0]])
        moment = moments_of(dates_from_day_numbers(number))[0]
        values = tuple(np.nan if line is None else float(line[0]) for line in self._lines)
        return Arrival(moment, values, self._is_closed)


class MappingInlet:
    """The bars of an iterator of mappings; one that has none yet gives None.

    Args:
        bars: The iterator.
        names: What is taken of each mapping.
        is_closed: What is true of bars that don't say whether they are closed.
        has_zone: Whether the history has a timezone; None without a history.
    """

    def __init__(
        self,
        bars: Iterable[Any],
        names: Sequence[str],
        *,
        is_closed: bool | None,
        has_zone: bool | None,
    ) -> None:
        self._bars = iter(bars)
        self._names, self._is_closed, self._has_zone = names, is_closed, has_zone

    def pull(self, wait: float) -> Arrival | None:
        """Ask the iterator, which may take its time."""
        try:
            bar = next(self._bars)
        except StopIteration:
            raise EndOfBarsError from None
        return None if bar is None else self._read(bar)

    def _read(self, bar: Any) -> Arrival:
        lacking = [name for name in _NEEDED if not isinstance(bar, Mapping) or name not in bar]
        if lacking:
            raise TradingError(
                "ClosedBars takes bars as mappings with datetime, open, high, low, close and "
                f"volume, and {lacking[0]!r} isn't in {str(bar)[:200]}. Name its fields so."
            )
        closed = bar.get("closed")
        values = tuple(_read_number(bar.get(name)) for name in self._names)
        moment = self._read_time(bar["datetime"])
        return Arrival(moment, values, self._is_closed if closed is None else bool(closed))

    def _read_time(self, value: Any) -> int:
        if isinstance(value, (pd.Timestamp, dt.datetime, np.datetime64, str)):
            time = pd.Timestamp(value)
            if time.tz is None and self._has_zone:
                raise TradingError(
                    f"the bar of {time} has no timezone, and the bars of the history have one. "
                    "Give both one, such as pd.Timestamp(milliseconds, unit='ms', tz='UTC')."
                )
            return moment_of(time)
        raise TradingError(
            f"the datetime of a bar must be a date with its time, got {value!r}. Write "
            "pd.Timestamp(milliseconds, unit='ms', tz='UTC')."
        )


class ThreadInlet:
    """The bars of another inlet, for which a thread waits.

    So Cerebro goes on meanwhile: it hears of what the broker says, and can be stopped.

    Args:
        inlet: One whose `pull` may wait for long.
    """

    def __init__(self, inlet: Inlet) -> None:
        self._inlet = inlet
        self._arrivals: queue.Queue[Any] = queue.Queue(_N_READ_AHEAD)
        self._is_stopped = False
        threading.Thread(target=self._read, name="bars of a source", daemon=True).start()

    def pull(self, wait: float) -> Arrival | None:
        """Return the next bar that has come, or raise what the other inlet raised."""
        try:
            found = self._arrivals.get(timeout=wait) if wait > 0 else self._arrivals.get_nowait()
        except queue.Empty:
            return None
        if isinstance(found, BaseException):
            self._arrivals.put(found)  # there is nothing more, however often it is asked for
            raise found
        arrival: Arrival | None = found
        return arrival

    def stop(self) -> None:
        """Let the thread end once the other inlet gives it the chance."""
        self._is_stopped = True

    def _read(self) -> None:
        found: Any = None
        while not self._is_stopped and not isinstance(found, BaseException):
            try:
                found = self._inlet.pull(0.0)
            except BaseException as error:  # raised where the bars are pulled
                found = error
            self._put(found)

    def _put(self, found: Any) -> None:
        while not self._is_stopped:
            try:
                self._arrivals.put(found, timeout=_SECONDS_TO_STOP)
                return
            except queue.Full:
                continue


def _read_number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return np.nan  # refused as a price, unknown in any other column
