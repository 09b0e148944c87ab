"""A backtrader feed that hands on closed bars only, whatever its source does."""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import backtrader as bt
import numpy as np
import pandas as pd

from lstm_strategy.bars import CheckedBars, bar_spacing, check_bars
from lstm_strategy.errors import TradingError
from lstm_strategy.trading.backtrader_internals import (
    check_filters,
    feed_name,
    keep_two_bars,
    shown_zone_of,
    start_feed,
)
from lstm_strategy.trading.clock import ShownZone, shown_zone
from lstm_strategy.trading.feed import (
    class_with_extras,
    timeframe_and_compression,
    usable_extras,
)
from lstm_strategy.trading.live.closed_bars.inlets import (
    EndOfBarsError,
    FeedInlet,
    Inlet,
    MappingInlet,
    ThreadInlet,
)
from lstm_strategy.trading.live.closed_bars.moments import day_number_of, moment_of, moments_of
from lstm_strategy.trading.live.closed_bars.sequence import BarNote, BarSequence, ClosedBar

log = logging.getLogger(__name__)

_MOST_NOTES = 10_000
_MINUTES = {
    bt.TimeFrame.Seconds: 1 / 60,
    bt.TimeFrame.Minutes: 1.0,
    bt.TimeFrame.Days: 1_440.0,
    bt.TimeFrame.Weeks: 7 * 1_440.0,
    bt.TimeFrame.Months: 30.44 * 1_440,
    bt.TimeFrame.Years: 365.25 * 1_440,
}


class _FeedOfSource(bt.feed.MetaAbstractDataBase):
    """Gives the feed a line for each extra column of the history, or of the feed inside."""

    def doprenew(cls, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 (a metaclass)
        if args:
            kwargs["dataname"], args = args[0], args[1:]
        source: Any = kwargs.get("dataname")
        kwargs["history"] = _read_history(source, kwargs.get("history"))
        names = [] if kwargs["history"] is None else list(kwargs["history"].columns)
        if _is_feed(source):
            names += source.getlinealiases()
            kwargs.setdefault("name", feed_name(source))
        names = list(dict.fromkeys([*names, *kwargs.get("columns", ())]))
        extras = tuple(name for name in names if name not in cls.lines.getlinealiases())
        feed_class = class_with_extras(cls, usable_extras(extras))
        return super(_FeedOfSource, feed_class).doprenew(*args, **kwargs)


class ClosedBars(bt.feed.DataBase, metaclass=_FeedOfSource):
    """Hand on the bars of a live source once they are over, each once and in order.

    The source is a live feed of a backtrader store, an iterator of bars (mappings with `datetime`,
    `open` … `volume`, any extra columns, and perhaps `closed`; None where there is none yet), or a
    `BarSource`. The history comes first, then the source. Every bar is judged by what the source
    says, never by this machine's clock. What comes is handed on or counted once:

    - `unfinished`: A half candle. It is held back until the source shows that it is over: the bar
      says `closed: True`, or comes again once `clock` has passed its end; without a flag and
      without a clock, a later bar shows it, and the version that came last counts. A bar that was
      known to be a half candle and never came whole is dropped.
    - `repeated`: The same bar again. It is dropped, as is any bar older than the last 5,000.
    - `out_of_order`: A bar that came after a later one which is still held. It takes its place.
    - `late`: A bar that came after a later one was handed on. It is dropped.
    - `corrected`: Other values for a bar that was handed on. The strategy keeps what it saw.
    - `misdated`: A date more than 30 days and 30 bars ahead, before an earlier bar came, or one
      that lies ahead of `clock`. It is dropped.
    - `invalid`: Prices that `validate_bars` refuses. The bar is dropped.

    Beside them, `missing` counts the bars that hadn't come when a later one did. A bar is expected
    at a time at which the market had one a week or two weeks before, so that nights and weekends
    are no gaps, and holidays are. With `on_gap="stop"` trading ends there. And `delayed` counts the
    bars that were handed on, but not to be traded on, since they ended more than one spacing before
    `clock`; the first of several in a row leaves a note.

    Cerebro is told `DELAYED` during the history and `LIVE` with the first bar that came live, as by
    stores; what a store's own feed says is passed on. `may_trade` is True only when live, and the
    strategies of this package don't decide before. Where a wrapped feed belongs to a store, its
    broker finds what it looks for: attributes that this feed lacks are those of the feed inside.

    Args:
        dataname: The source, also as the first positional argument.
        history: The bars before, as `load_bars` returns them; of a `BarSource`, how many bars to
            ask for. They give the extra lines and the timezone; a history without one, and live
            times without one, count as UTC. The last bar of the history may not be over yet,
            unless the source hands over closed bars only: it is held back like any other.
        spacing: From bar to bar, such as "1h"; by default that of the source or of the history.
        stamp: Whether times are those at which bars "open" or "close"; only `clock` needs it.
        closed_only: Whether the source hands over bars only once they are over. Each is then
            handed on at once, without waiting for the next. By default True for a `BarSource`.
        clock: Called for the time of the source, such as that of the exchange's server, whenever a
            bar comes: a Timestamp, in UTC if it has no zone. A bar that ended more than one
            spacing ago is then `DELAYED`. By default `now` of the source, if it has one.
        on_gap: "report" logs missing bars; "stop" ends the run of Cerebro before the bar after
            them, with the reason in `stopped_because`. Open positions stay.
        largest_gap: How many missing bars in a row don't stop trading (0).
        columns: Extra columns of the source beside those of the history.
        tz: Another timezone to show, by name or as an object of any library.
        **settings: Any other argument of backtrader's feeds.

    Attributes:
        source: The feed, iterator or `BarSource` inside.
        counts: How often each kind of fault came.
        stopped_because: Why trading was stopped; "" while it wasn't.
        may_trade: Whether the source is live.

    Raises:
        TradingError: If an argument can't be used, or a bar isn't such a mapping.
        BarsError: If the history isn't valid.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> bars = sample_bars("sp500")[:8]
        >>> live = [dict(datetime=time, **bar) for time, bar in bars[5:].iterrows()]
        >>> feed = ClosedBars([live[0], live[0], *live], history=bars[:5], closed_only=True)
        >>> cerebro = bt.Cerebro()
        >>> _ = cerebro.adddata(feed)
        >>> len(cerebro.run()[0].data), feed.counts["repeated"]
        (8, 2)
    """

    params = (
        ("history", None),
        ("spacing", None),
        ("stamp", "open"),
        ("closed_only", None),
        ("clock", None),
        ("on_gap", "report"),
        ("largest_gap", 0),
        ("columns", ()),
        ("timeframe", None),
        ("compression", None),
        ("qcheck", 0.5),
    )

    if TYPE_CHECKING:
        # The metaclass takes these before __init__ is called.
        def __init__(
            self,
            dataname: Any,
            *,
            history: pd.DataFrame | CheckedBars | int | None = None,
            spacing: pd.Timedelta | str | None = None,
            stamp: Literal["open", "close"] = "open",
            closed_only: bool | None = None,
            clock: Callable[[], pd.Timestamp] | None = None,
            on_gap: Literal["report", "stop"] = "report",
            largest_gap: int = 0,
            columns: Sequence[str] = (),
            **settings: Any,
        ) -> None: ...

    def __init__(self) -> None:  # type: ignore[no-redef]
        super().__init__()
        self._check_choices()
        self.source = self.p.dataname
        self._inner = self.source if _is_feed(self.source) else None
        if self._inner is not None:
            # what the broker of a store asks a feed for
            self.p.dataname, self._dataname = self._inner.p.dataname, self._inner._dataname
        self._names = [name for name in self.getlinealiases() if name != "datetime"]
        self._spacing = self._find_spacing()
        index = pd.DatetimeIndex([pd.Timestamp(0), pd.Timestamp(0) + self._spacing])
        timeframe, compression = timeframe_and_compression(index)
        if self.p.timeframe is None:
            self.p.timeframe = timeframe
            self.p.compression = self.p.compression or compression
        self.p.compression = self.p.compression or 1
        self._zone = None if self.p.history is None else self.p.history.index.tz
        self._notes: deque[BarNote] = deque(maxlen=_MOST_NOTES)
        self._sequence = self._new_sequence()
        self._coming: Iterator[ClosedBar] = iter(())
        self._inlet: Any = None
        self._now: int | None = None
        self._source_status = self.LIVE
        self._is_over = False
        self.stopped_because = ""

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            inner = vars(self).get("_inner")
            if inner is None or name.startswith("_"):
                raise
            return getattr(inner, name)

    @property
    def counts(self) -> dict[str, int]:
        """How often each kind of fault came so far."""
        return dict(self._sequence.counts)

    @property
    def notes(self) -> list[BarNote]:
        """What was wrong with bars, the last 10,000: all but repeated and unfinished ones."""
        return list(self._notes)

    @property
    def may_trade(self) -> bool:
        """Whether the present bar came live, and nothing has stopped trading."""
        return bool(self._laststatus == self.LIVE and not self.stopped_because)

    def take_notes(self) -> list[BarNote]:
        """Return the notes since the last call, and forget them."""
        notes, self._notes = list(self._notes), deque(maxlen=_MOST_NOTES)
        return notes

    def islive(self) -> bool:
        """Return True, so that Cerebro neither preloads nor computes ahead."""
        return True

    def haslivedata(self) -> bool:
        """Return whether there are bars that needn't be waited for."""
        waits = self._inner is not None and self._inner.haslivedata()
        return bool(self._sequence.ready or waits)

    def setenvironment(self, env: Any) -> None:
        """Tell the feed inside, too, which Cerebro it is in: so its store comes in."""
        super().setenvironment(env)
        if self._inner is not None:
            self._inner.setenvironment(env)

    def start(self) -> None:
        """Begin with the history; Cerebro calls this at the start of a run."""
        super().start()
        self._sequence = self._new_sequence()
        self._is_over, self.stopped_because = False, ""
        self._coming = iter(self._begin_with_history())
        if self._inner is not None:
            start_feed(self._inner)
        self._inlet = self._open_inlet()

    def stop(self) -> None:
        """Let go of the source."""
        super().stop()
        if isinstance(self._inlet, ThreadInlet):
            self._inlet.stop()
            self.source.close()
        if self._inner is not None:
            self._inner.stop()

    def qbuffer(self, savemem: int = 0, replaying: bool = False) -> None:
        """Keep the last two bars at least, here and in the feed inside."""
        for feed in filter(None, [super(), self._inner]):
            feed.qbuffer(savemem=savemem, replaying=replaying)
        keep_two_bars(self)
        if self._inner is not None:
            keep_two_bars(self._inner)

    def do_qcheck(self, onoff: bool, qlapse: float) -> None:
        """Say how long a bar may be waited for."""
        super().do_qcheck(onoff, qlapse)
        if self._inner is not None:
            self._inner.do_qcheck(onoff, qlapse)

    def get_notifications(self) -> list[Any]:
        """Return what has been said about the source since the last call."""
        self._pass_on_statuses()
        found: list[Any] = super().get_notifications()
        return found

    def _check(self, forcedata: Any = None) -> None:
        super()._check(forcedata=forcedata)
        if self._inner is not None:
            check_filters(self._inner, forcedata)

    def _timeoffset(self) -> Any:
        return super()._timeoffset() if self._inner is None else self._inner._timeoffset()

    def _load(self) -> bool | None:
        """Write the next bar into the lines; None where there is none yet, False after the last."""
        while True:
            for bar in self._coming:
                return self._give(bar)
            if self._sequence.ready:
                return self._give(self._sequence.ready.popleft())
            if self._is_over:
                return False
            if not self._take_one():
                return None

    def _take_one(self) -> bool:
        """Let the sequence have the source's next bar, if there is one."""
        try:
            arrival = self._inlet.pull(self._qcheck)
        except EndOfBarsError:
            self._is_over = True
            self._sequence.finish()
            self.put_notification(self.DISCONNECTED)
            return True
        except BaseException:
            self.put_notification(self.DISCONNECTED)
            raise
        self._pass_on_statuses()
        if arrival is None:
            return False
        self._now = self._read_clock()
        self._sequence.take(arrival.moment, arrival.values, arrival.is_closed, self._now)
        return True

    def _give(self, bar: ClosedBar) -> bool:
        if self.p.on_gap == "stop" and bar.n_missing > self.p.largest_gap:
            self._stop_trading(bar)
            return False
        if not bar.is_history:
            is_delayed = self._sequence.count_if_delayed(bar.moment, self._now)
            is_live = self._source_status == self.LIVE and not is_delayed
            self.put_notification(self.LIVE if is_live else self.DELAYED)
        for name, value in zip(self._names, bar.values, strict=True):
            getattr(self.lines, name)[0] = value
        self.lines.datetime[0] = day_number_of(bar.moment)
        return True

    def _stop_trading(self, bar: ClosedBar) -> None:
        missing = "1 bar is" if bar.n_missing == 1 else f"{bar.n_missing:,} bars are"
        time = self._sequence.time_of(bar.moment)
        self.stopped_because = f"{missing} missing before the bar of {time}"
        self._is_over = True
        self._sequence.ready.clear()
        log.error("%s: trading is stopped; open positions stay.", self.stopped_because)
        self.put_notification(self.DISCONNECTED, self.stopped_because)
        self.getenvironment().runstop()

    def _pass_on_statuses(self) -> None:
        """Say what the feed inside says; LIVE only comes with the bar that is live."""
        if self._inner is None:
            return
        for status, args, kwargs in self._inner.get_notifications():
            self._source_status = status
            if status != self.LIVE:
                self.put_notification(status, *args, **kwargs)

    def _read_clock(self) -> int | None:
        clock = self.p.clock or getattr(self.source, "now", None)
        if clock is None or (self.p.clock is None and self._inner is not None):
            return None
        return moment_of(pd.Timestamp(clock()))

    def _new_sequence(self) -> BarSequence:
        return BarSequence(
            self._names, self._spacing, stamp=self.p.stamp, zone=self._zone, note=self._note
        )

    def _note(self, note: BarNote) -> None:
        self._notes.append(note)
        count = self._sequence.counts[note.kind]
        is_new = note.kind == "missing" or count == 1
        log.log(logging.WARNING if is_new else logging.DEBUG, "%s: %s", self._title, note.text)

    @property
    def _title(self) -> str:
        return feed_name(self) or type(self).__name__

    def _begin_with_history(self) -> list[ClosedBar]:
        """The bars of the history; the last is held where it may not be over."""
        history = self.p.history
        if history is None or not len(history):
            return []
        self.put_notification(self.DELAYED)
        moments = moments_of(history.index)
        absent = np.full(len(history), np.nan)
        columns = [
            history[name].to_numpy(np.float64) if name in history else absent
            for name in self._names
        ]
        rows = [tuple(map(float, row)) for row in zip(*columns, strict=True)]
        n_over = len(rows) if self._hands_over_closed_bars else len(rows) - 1
        self._sequence.remember(moments[:n_over], rows[:n_over])
        if n_over < len(rows):
            self._sequence.hold_last_of_history(moments[-1], rows[-1])
        return [
            ClosedBar(moment, row, is_history=True)
            for moment, row in zip(moments[:n_over], rows[:n_over], strict=True)
        ]

    @property
    def _hands_over_closed_bars(self) -> bool:
        if self.p.closed_only is None:
            return _is_bar_source(self.source)
        return bool(self.p.closed_only)

    def _open_inlet(self) -> Inlet:
        is_closed = True if self._hands_over_closed_bars else None
        if self._inner is not None:
            return FeedInlet(self._inner, self._names, is_closed=is_closed)
        history = self.p.history
        has_zone = None if history is None else self._zone is not None
        if not _is_bar_source(self.source):
            return MappingInlet(self.source, self._names, is_closed=is_closed, has_zone=has_zone)
        after = None if history is None or not len(history) else history.index[-1]
        bars = self.source.live(after=after)
        return ThreadInlet(MappingInlet(bars, self._names, is_closed=is_closed, has_zone=has_zone))

    def _find_spacing(self) -> pd.Timedelta:
        history = self.p.history
        if self.p.spacing is not None:
            spacing = pd.Timedelta(self.p.spacing)
        elif _is_bar_source(self.source):
            spacing = pd.Timedelta(self.source.spacing)
        elif history is not None and len(history) > 1:
            spacing = bar_spacing(history.index)
        elif self._inner is not None and self._inner._timeframe in _MINUTES:
            minutes = _MINUTES[self._inner._timeframe] * self._inner._compression
            spacing = pd.Timedelta(minutes=minutes)
        else:
            raise TradingError(
                "ClosedBars has to know how often bars come, and has no history to see it in. "
                'Give spacing="1h", or a history.'
            )
        if not spacing > pd.Timedelta(0):
            raise TradingError(f"spacing must be above 0, got {spacing}. Give that of the bars.")
        return spacing

    def _check_choices(self) -> None:
        for name, choices in (("stamp", ("open", "close")), ("on_gap", ("report", "stop"))):
            if getattr(self.p, name) not in choices:
                raise TradingError(
                    f"{name} must be {choices[0]!r} or {choices[1]!r}, got "
                    f"{getattr(self.p, name)!r}. Choose one."
                )
        source = self.p.dataname
        if not (_is_feed(source) or _is_bar_source(source) or isinstance(source, Iterable)):
            raise TradingError(
                "ClosedBars takes a feed of a backtrader store, an iterator of bars or a "
                f"BarSource, got {type(source).__name__}. Pass one of them."
            )
        if isinstance(source, (pd.DataFrame, str, dict)):
            raise TradingError(
                f"ClosedBars takes bars that come live, got a {type(source).__name__}. Pass bars "
                "that are known already as history=..., or feed them with BarsFeed."
            )

    def _gettz(self) -> ShownZone | None:
        if self.p.tz is None and self._zone is None and self._inner is not None:
            return shown_zone(shown_zone_of(self._inner))
        return shown_zone(self.p.tz or self._zone)

    def _gettzinput(self) -> None:
        return None  # times are in UTC already


def _is_feed(source: Any) -> bool:
    return isinstance(source, bt.feed.AbstractDataBase)


def _is_bar_source(source: Any) -> bool:
    return not _is_feed(source) and callable(getattr(source, "live", None))


def _read_history(source: Any, history: Any) -> pd.DataFrame | None:
    """The history as a frame, which a source is asked for where only its length is given."""
    if isinstance(history, int) and not isinstance(history, bool):
        if not _is_bar_source(source):
            raise TradingError(
                f"history must be bars, got {history}: only a BarSource can be asked for a number "
                "of them. Load them and pass the frame."
            )
        history = source.history(n_bars=history) if history > 0 else None
    return None if history is None else check_bars(history).frame
