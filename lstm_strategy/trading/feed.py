"""A frame of bars as a backtrader feed, extra columns included."""

import keyword
import logging
import zlib
from array import array
from typing import TYPE_CHECKING, Any

import backtrader as bt
import numpy as np
import pandas as pd

from lstm_strategy.bars import CheckedBars, bar_spacing, check_bars
from lstm_strategy.trading.backtrader_internals import (
    fill_lines,
    keep_two_bars,
    loads_unchanged_bars,
)
from lstm_strategy.trading.clock import ShownZone, day_numbers, shown_zone

_log = logging.getLogger(__name__)
_FEED_OF_EXTRAS: dict[tuple[type, tuple[str, ...]], type] = {}


class _FeedWithExtras(bt.feed.MetaAbstractDataBase):
    """Gives a feed one more line for each extra column of its bars.

    backtrader fixes the lines of a feed in its class, so bars with extra columns get a subclass.
    """

    def doprenew(cls, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 (a metaclass)
        if args:
            kwargs["dataname"], args = args[0], args[1:]
        given: Any = kwargs.get("dataname")
        bars = check_bars(given).frame
        # A strategy can write to the frame of its feed, so checked bars are lent as a copy.
        kwargs["dataname"] = bars.copy() if isinstance(given, CheckedBars) else bars
        extras = tuple(name for name in bars.columns if name not in cls.lines.getlinealiases())
        extras = usable_extras(extras)
        return super(_FeedWithExtras, class_with_extras(cls, extras)).doprenew(*args, **kwargs)


def class_with_extras(base: Any, extras: tuple[str, ...]) -> Any:
    """Return the one subclass of `base` that has these extra lines."""
    if not extras:
        return base
    if (base, extras) not in _FEED_OF_EXTRAS:
        # A name that depends on the columns alone lets another process rebuild the class.
        name = f"{base.__name__}_{zlib.crc32(repr(extras).encode()):08x}"
        body = {"lines": extras, "base_and_extras": (base, extras), "__module__": base.__module__}
        _FEED_OF_EXTRAS[base, extras] = type(base)(name, (base,), body)
    return _FEED_OF_EXTRAS[base, extras]


def usable_extras(extras: tuple[Any, ...]) -> tuple[str, ...]:
    """The extra columns that can be lines; the others are reported once."""
    usable = tuple(name for name in extras if _can_be_line(name))
    for name in extras:
        if name not in usable:
            _log.warning(
                "column %r has a name that can't be a line of a feed, and was left out of it; to "
                "use it there, rename it: bars.rename(columns={%r: 'my_column'})",
                name,
                name,
            )
    return usable


def _can_be_line(name: Any) -> bool:
    """Whether a name is a word that backtrader doesn't use itself."""
    is_taken = hasattr(bt.feed.DataBase, str(name)) or hasattr(bt.lineseries.Lines, str(name))
    is_word = isinstance(name, str) and name.isidentifier() and not keyword.iskeyword(name)
    return is_word and not is_taken and not name.startswith("_")


def _rebuild_feed(base: Any, extras: tuple[str, ...]) -> Any:
    """Return an empty feed for pickle to fill."""
    feed_class = class_with_extras(base, extras)
    return feed_class.__new__(feed_class)


class BarsFeed(bt.feed.DataBase, metaclass=_FeedWithExtras):
    """Feed validated bars to Cerebro, with a line for every extra column.

    Columns whose names can't be lines, such as `52wh` or `size`, are left out with a warning.

    The feed works in every Cerebro mode and in the process pools of `optstrategy`, and gives the
    same lines in all of them. A line holds float64: a missing `openinterest` is NaN, as are the
    missing values of extra columns. The extra column `funding_rate` is `data.funding_rate` and
    `data.lines.funding_rate`. `resampledata` and `replaydata` of backtrader carry its seven
    standard lines only, so make longer bars with `lstm_strategy.bars.aggregate_bars` first.

    Lines hold time in UTC, so that feeds of different zones line up. `data.datetime.datetime(0)`
    is the naive wall-clock time in the timezone of the bars' index (the index as it is, if it has
    none), and `data.datetime.datetime(0, tz=zone)` the wall-clock time in `zone`; `naive=False`
    keeps the zone. backtrader stores days as floats, which resolve about ten microseconds, and
    with an explicit `tz=zone` its rounding can be an hour off on the very bar on which summer
    time begins or ends.

    Args:
        dataname: The bars, also as the first positional argument: a frame, which is validated,
            or `CheckedBars`, which are not validated again. The feed holds a copy.
        timeframe: A `bt.TimeFrame`; by default that of the median spacing of the bars.
        compression: Units of `timeframe` in a bar; by default from the spacing as well.
        tz: Another timezone to show, by name or as an object of any library.
        fromdate: The first date to load, inclusive; without a zone, in the zone shown.
        todate: The last date to load, inclusive, in the same way.
        **settings: Any other argument of backtrader's feeds, such as `name` or `sessionend`.

    Raises:
        BarsError: If the bars aren't valid (see `validate_bars`).

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
        def __init__(self, dataname: pd.DataFrame | CheckedBars, **settings: Any) -> None: ...

    def __init__(self) -> None:  # type: ignore[no-redef]
        super().__init__()
        bars = self.p.dataname
        self._columns = _line_columns(bars, self.getlinealiases())
        self._n_bars = len(bars)
        self._position = 0
        timeframe, compression = timeframe_and_compression(bars.index)
        if self.p.timeframe is None:
            self.p.timeframe = timeframe
            self.p.compression = self.p.compression or compression
        self.p.compression = self.p.compression or 1
        self.p.tz = self.p.tz or bars.index.tz

    def __reduce__(self) -> tuple[Any, ...]:
        # Only the class itself counts: a user's subclass is importable by its own name.
        base, extras = vars(type(self)).get("base_and_extras", (type(self), ()))
        return _rebuild_feed, (base, extras), self.__dict__

    def start(self) -> None:
        """Go back to the first bar; Cerebro calls this at the start of a run."""
        super().start()
        self._position = 0

    def preload(self) -> None:
        """Hold all bars from `fromdate` to `todate`, as if they were loaded one by one."""
        if not loads_unchanged_bars(self):
            super().preload()
            return
        dates = np.array(self._columns[self.getlinealiases().index("datetime")])
        first = int(np.searchsorted(dates, self.fromdate, side="left"))
        end = int(np.searchsorted(dates, self.todate, side="right"))
        self._position = self._n_bars
        fill_lines(self, [column[first:end] for column in self._columns])

    def qbuffer(self, savemem: int = 0, replaying: bool = False) -> None:
        """Keep the last two bars at least, where `exactbars=1` would keep one.

        What settles at the open of a bar goes by the mark price of the one before.
        """
        super().qbuffer(savemem=savemem, replaying=replaying)
        keep_two_bars(self)

    def _load(self) -> bool:
        """Write the next bar into the lines; False after the last one."""
        position = self._position
        if position >= self._n_bars:
            return False
        self._position = position + 1
        for line, column in zip(self.lines.lines, self._columns):  # noqa: B905 (hot loop)
            line[0] = column[position]
        return True

    def _gettz(self) -> ShownZone | None:
        return shown_zone(self.p.tz)

    def _gettzinput(self) -> ShownZone | None:
        return shown_zone(self.p.tzinput)


def _line_columns(bars: pd.DataFrame, line_names: tuple[str, ...]) -> list["array[float]"]:
    columns = {name: bars[name].to_numpy() for name in bars.columns}
    columns["datetime"] = day_numbers(pd.DatetimeIndex(bars.index))
    absent = np.full(len(bars), np.nan)
    return [array("d", columns.get(name, absent).tobytes()) for name in line_names]


def timeframe_and_compression(index: pd.DatetimeIndex) -> tuple[int, int]:
    """Return what backtrader calls the median spacing of the bars."""
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
