"""A frame of bars as a backtrader feed, extra columns included."""

import datetime as dt
import zlib
from array import array
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import backtrader as bt
import numpy as np
import pandas as pd

from lstm_strategy.bars import bar_spacing, validate_bars
from lstm_strategy.errors import BarsError

_MICROSECONDS_A_DAY = 86_400_000_000
_ORDINAL_OF_1970 = 719_163
_LARGEST_ROUNDING_ERROR = dt.timedelta(microseconds=10)
_FEED_OF_EXTRAS: dict[tuple[type, tuple[str, ...]], type] = {}


class _FeedWithExtras(bt.feed.MetaAbstractDataBase):
    """Gives a feed one more line for each extra column of its bars.

    backtrader fixes the lines of a feed in its class, so bars with extra columns get a subclass.
    """

    def doprenew(cls, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 (a metaclass)
        if args:
            kwargs["dataname"], args = args[0], args[1:]
        given: Any = kwargs.get("dataname")
        bars = kwargs["dataname"] = validate_bars(given)
        extras = tuple(name for name in bars.columns if name not in cls.lines.getlinealiases())
        return super(_FeedWithExtras, _feed_class(cls, extras)).doprenew(*args, **kwargs)


def _feed_class(base: Any, extras: tuple[str, ...]) -> Any:
    """Return the one subclass of ``base`` that has these extra lines."""
    if not extras:
        return base
    if (base, extras) not in _FEED_OF_EXTRAS:
        for name in extras:
            _check_line_name(name)
        # A name that depends on the columns alone lets another process rebuild the class.
        name = f"{base.__name__}_{zlib.crc32(repr(extras).encode()):08x}"
        body = {"lines": extras, "base_and_extras": (base, extras), "__module__": base.__module__}
        _FEED_OF_EXTRAS[base, extras] = type(base)(name, (base,), body)
    return _FEED_OF_EXTRAS[base, extras]


def _check_line_name(name: Any) -> None:
    taken = hasattr(bt.feed.DataBase, str(name)) or hasattr(bt.lineseries.Lines, str(name))
    if taken or not isinstance(name, str) or not name.isidentifier() or name.startswith("_"):
        raise BarsError(
            f"an extra column becomes a line, so its name must be a word that backtrader doesn't "
            f"use itself, got {name!r}. Rename it: bars.rename(columns={{{name!r}: 'my_column'}})."
        )


def _unpickled_feed(base: Any, extras: tuple[str, ...]) -> Any:
    feed_class = _feed_class(base, extras)
    return feed_class.__new__(feed_class)


class BarsFeed(bt.feed.DataBase, metaclass=_FeedWithExtras):
    """Feed validated bars to Cerebro, with a line for every extra column.

    ``BarsFeed(bars)`` and ``BarsFeed(dataname=bars)`` are the same; the other arguments are
    backtrader's own (``name``, ``fromdate``, ``todate``, ``sessionend`` …). ``timeframe`` and
    ``compression`` come from the median spacing of the bars when left out. Works in every
    Cerebro mode and in ``optstrategy``'s process pools, and gives the same lines in all of them.

    Lines hold float64; a missing ``openinterest`` is NaN, as are missing values of extras. An
    extra column ``funding_rate`` is ``data.funding_rate`` and ``data.lines.funding_rate``.
    Through ``resampledata`` and ``replaydata`` backtrader carries its seven standard lines only:
    extras are NaN or stale there, so aggregate them in pandas before feeding.

    Time: lines hold UTC, so that feeds of different zones line up. ``data.datetime.datetime(0)``
    is the naive wall-clock time in the timezone of the bars' index (of the index as it is, when
    it has none), and ``data.datetime.datetime(0, tz=zone)`` the wall-clock time in ``zone``;
    ``naive=False`` keeps the zone. ``tz=`` names another zone to show. ``fromdate`` and
    ``todate`` without a zone are wall-clock times in the zone shown; both ends are included.
    backtrader stores days as floats, which resolve about ten microseconds, and with an explicit
    ``tz=zone`` its rounding can be an hour off on the very bar where summer time begins or ends.

    Raises:
        BarsError: the bars aren't valid (see ``validate_bars``), or an extra column has a name
            that backtrader uses itself.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> cerebro = bt.Cerebro()
        >>> feed = cerebro.adddata(BarsFeed(sample_bars("sp500")))
        >>> cerebro.addstrategy(bt.Strategy)
        0
        >>> strategy = cerebro.run()[0]
        >>> len(strategy.data), strategy.data.datetime.date(0).isoformat()
        (5031, '2018-12-31')
    """

    params = (("timeframe", None), ("compression", None))

    if TYPE_CHECKING:
        # The metaclass takes these before __init__ is called.
        def __init__(self, dataname: pd.DataFrame, **settings: Any) -> None: ...

    def __init__(self) -> None:  # type: ignore[no-redef]
        super().__init__()
        bars = self.p.dataname
        self._columns = _line_columns(bars, self.getlinealiases())
        self._n_bars = len(bars)
        self._position = 0
        timeframe, compression = _timeframe(bars.index)
        if self.p.timeframe is None:
            self.p.timeframe = timeframe
            self.p.compression = self.p.compression or compression
        self.p.compression = self.p.compression or 1
        self.p.tz = self.p.tz or bars.index.tz

    def __reduce__(self) -> tuple:
        # Only the class itself counts: a user's subclass is importable by its own name.
        base, extras = vars(type(self)).get("base_and_extras", (type(self), ()))
        return _unpickled_feed, (base, extras), self.__dict__

    def start(self) -> None:
        """Go back to the first bar; Cerebro calls it at the start of a run."""
        super().start()
        self._position = 0

    def preload(self) -> None:
        """Hold all bars from ``fromdate`` to ``todate``, as if they were loaded one by one."""
        if not self._can_fill_lines_at_once():
            super().preload()
            return
        dates = np.array(self._columns[self.getlinealiases().index("datetime")])
        first = int(np.searchsorted(dates, self.fromdate, side="left"))
        end = int(np.searchsorted(dates, self.todate, side="right"))
        for line, column in zip(self.lines.lines, self._columns, strict=True):
            line.array = column[first:end]
        self._position = self._n_bars
        self.home()

    def _can_fill_lines_at_once(self) -> bool:
        """Filters, timezone input and Cerebro's lookahead change bars while they load."""
        plain_lines = all(
            line.mode == line.UnBounded and not line.extension and not line.bindings
            for line in self.lines.lines
        )
        waiting = self._barstack or self._barstash
        return plain_lines and not (self._filters or waiting or self._tzinput)

    def _load(self) -> bool:
        """Write the next bar into the lines; False after the last one."""
        position = self._position
        if position >= self._n_bars:
            return False
        self._position = position + 1
        for line, column in zip(self.lines.lines, self._columns):  # noqa: B905 (hot loop)
            line[0] = column[position]
        return True

    def _gettz(self) -> "_ShownZone | None":
        return _shown_zone(self.p.tz)

    def _gettzinput(self) -> "_ShownZone | None":
        return _shown_zone(self.p.tzinput)


def day_numbers(index: pd.DatetimeIndex) -> np.ndarray:
    """Return the dates as backtrader stores them: days since 0001-01-01, plus one, in UTC.

    Shape (n_bars,), float64, equal to ``bt.date2num`` of every date; a date without a timezone
    counts as it is. Nanoseconds are cut off.

    Example:
        >>> day_numbers(pd.DatetimeIndex(["2024-01-02 12:00"]))
        array([738887.5])
    """
    microseconds = index.as_unit("us").asi8
    days, rest = np.divmod(microseconds, _MICROSECONDS_A_DAY)
    return (days + _ORDINAL_OF_1970) + rest / _MICROSECONDS_A_DAY


def _line_columns(bars: pd.DataFrame, line_names: tuple[str, ...]) -> list[array]:
    columns = {name: bars[name].to_numpy() for name in bars.columns}
    columns["datetime"] = day_numbers(pd.DatetimeIndex(bars.index))
    absent = np.full(len(bars), np.nan)
    return [array("d", columns.get(name, absent).tobytes()) for name in line_names]


def _timeframe(index: pd.DatetimeIndex) -> tuple[int, int]:
    """Return backtrader's timeframe and compression for the median spacing of the bars."""
    if len(index) < 2:
        return bt.TimeFrame.Days, 1
    spacing = bar_spacing(index)
    days = spacing / pd.Timedelta(days=1)
    for days_a_unit, shortest, timeframe in (
        (365.25, 350, bt.TimeFrame.Years),
        (30.44, 26, bt.TimeFrame.Months),
        (7, 5, bt.TimeFrame.Weeks),
        (1, 1, bt.TimeFrame.Days),
        (1 / 1_440, 1 / 1_440, bt.TimeFrame.Minutes),
        (1 / 86_400, 1 / 86_400, bt.TimeFrame.Seconds),
    ):
        if days >= shortest:
            return timeframe, max(1, round(days / days_a_unit))
    return bt.TimeFrame.MicroSeconds, max(1, round(spacing / pd.Timedelta(microseconds=1)))


class _ShownZone(dt.tzinfo):
    """A timezone of any library with the ``localize`` that backtrader asks for.

    backtrader adds ``localize`` to the zone itself, which ZoneInfo and datetime.timezone refuse.
    """

    def __init__(self, zone: Any) -> None:
        self.zone = zone

    def __getinitargs__(self) -> tuple:
        return (self.zone,)

    def localize(self, when: dt.datetime) -> dt.datetime:
        if when.tzinfo is not None:
            return when
        if hasattr(self.zone, "localize"):
            return self.zone.localize(when)
        return when.replace(tzinfo=self.zone)

    def fromutc(self, when: dt.datetime) -> dt.datetime:
        # A stored hour may come out as 06:59:59.999995, which backtrader rounds up only after
        # the conversion: an hour off when the clocks change at 07:00. So round before it.
        missing = dt.timedelta(microseconds=1_000_000 - when.microsecond)
        if missing >= _LARGEST_ROUNDING_ERROR:
            missing = dt.timedelta(0)
        return (when + missing).replace(tzinfo=dt.UTC).astimezone(self.zone) - missing

    def utcoffset(self, when: dt.datetime | None) -> dt.timedelta | None:
        return self._local(when).utcoffset() if when else None

    def dst(self, when: dt.datetime | None) -> dt.timedelta | None:
        return self._local(when).dst() if when else None

    def tzname(self, when: dt.datetime | None) -> str | None:
        return self._local(when).tzname() if when else str(self.zone)

    def _local(self, when: dt.datetime) -> dt.datetime:
        return self.localize(when.replace(tzinfo=None))


def _shown_zone(zone: Any) -> _ShownZone | None:
    if zone is None or isinstance(zone, _ShownZone):
        return zone
    return _ShownZone(ZoneInfo(zone) if isinstance(zone, str) else zone)
