"""Bars as a source hands them over, put in order: each once, and none before it is over."""

import datetime as dt
import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from lstm_strategy.bars import check_bar
from lstm_strategy.errors import BarsError
from lstm_strategy.trading.live.closed_bars.gaps import UsualTimes
from lstm_strategy.trading.live.closed_bars.moments import moment_of

KINDS = (
    "repeated",
    "corrected",
    "late",
    "out_of_order",
    "missing",
    "unfinished",
    "misdated",
    "invalid",
    "delayed",
)
"""What can be wrong with a bar; `ClosedBars` says what each means."""

_N_REMEMBERED = 5_000
_FAR_AHEAD = pd.Timedelta(days=30)
_TIMES_AS_FAR = 30
_TOLERATED_AHEAD = 2
_LONGEST_STEADY = pd.Timedelta(days=7)

Values = tuple[float, ...]


@dataclass(frozen=True)
class BarNote:
    """What was wrong with a bar, and what became of it.

    Attributes:
        kind: One of the kinds that `ClosedBars.counts` has.
        time: The time of the bar, as the history has times; of missing bars, that of the bar after
            them.
        text: A sentence.
    """

    kind: str
    time: pd.Timestamp
    text: str


@dataclass(frozen=True)
class ClosedBar:
    """A bar that is over.

    Attributes:
        moment: Its time in milliseconds since 1970, UTC.
        values: In the order of the names.
        n_missing: How many bars are missing before it.
        is_history: Whether it came with the history.
    """

    moment: int
    values: Values
    n_missing: int = 0
    is_history: bool = False


@dataclass
class _Held:
    moment: int
    values: Values
    is_closed: bool | None
    is_history: bool = False


class BarSequence:
    """Takes bars as they come, and gives those that are over, in the order of time.

    Args:
        names: Of the values of a bar: open, high, low, close, volume and whatever else.
        spacing: The time from bar to bar.
        stamp: Whether times are those at which bars "open" or "close".
        zone: The timezone of the market; None for UTC.

    Attributes:
        ready: The bars that are over and haven't been fetched; whoever fetches one removes it.
        counts: How often each kind of fault came.
    """

    def __init__(
        self,
        names: Sequence[str],
        spacing: pd.Timedelta,
        *,
        stamp: str,
        zone: dt.tzinfo | None = None,
        note: Callable[[BarNote], None],
    ) -> None:
        self._names, self._spacing = tuple(names), spacing
        self._step = max(1, round(spacing / pd.Timedelta(milliseconds=1)))
        self._has_open_stamp, self._zone = stamp == "open", zone
        self._note_down = note
        self._known: dict[int, Values] = {}
        self._usual = UsualTimes(self._step, zone)
        self._held: _Held | None = None
        self._last: int | None = None
        self._is_delayed = False
        self.ready: deque[ClosedBar] = deque()
        self.counts = dict.fromkeys(KINDS, 0)

    def remember(self, moments: Sequence[int], rows: Sequence[Values]) -> None:
        """Take bars for known that have been handed on already.

        Args:
            moments: In milliseconds since 1970, UTC; they rise.
            rows: The values of each bar.
        """
        for moment, values in zip(moments, rows, strict=True):
            self._remember(moment, values)

    def hold_last_of_history(self, moment: int, values: Values) -> None:
        """Take the last bar of the history, which may not be over yet."""
        self._held = _Held(moment, values, is_closed=None, is_history=True)

    def take(
        self, moment: int, values: Values, is_closed: bool | None = None, now: int | None = None
    ) -> None:
        """Take a bar from the source.

        Args:
            moment: Its time in milliseconds since 1970, UTC.
            values: In the order of the names.
            is_closed: Whether the source says that it is over; None where it says nothing.
            now: What the source's clock says, in milliseconds; None without one.
        """
        if now is not None:
            if moment > now + _TOLERATED_AHEAD * self._step:
                self._note("misdated", moment, "is dated after the source's clock; it was dropped")
                return
            if is_closed is None:
                is_closed = self.is_over(moment, now)
        if is_closed is not False and not self._is_valid(moment, values):
            return
        if self._last is not None and moment <= self._last:
            self._meet_again(moment, values, is_closed)
        elif self._held is None or moment > self._held.moment:
            self._end_held()
            self._begin(moment, values, is_closed)
        elif moment == self._held.moment:
            self._renew(self._held, values, is_closed)
        elif self._is_far_ahead(self._held.moment):
            self._note("misdated", self._held.moment, "came before earlier ones; it was dropped")
            self._held = None
            self._begin(moment, values, is_closed)
        elif is_closed is False:
            self.counts["unfinished"] += 1
        else:
            self.counts["out_of_order"] += 1
            self._hand_on(moment, values)

    def is_over(self, moment: int, now: int) -> bool | None:
        """Whether a bar is over by the clock; None for bars whose length varies too much.

        Args:
            moment: The time of the bar in milliseconds.
            now: That of the clock.
        """
        if not self._has_open_stamp:
            return moment <= now
        if self._spacing > _LONGEST_STEADY:
            return None
        days, rest = divmod(self._spacing, pd.Timedelta(days=1))
        if self._zone is None or rest:
            return moment + self._step <= now
        # on the market's clock, since a day may have 23 or 25 hours
        end = self.time_of(moment).tz_localize(None) + pd.Timedelta(days=days)
        located = end.tz_localize(self._zone, ambiguous=False, nonexistent="shift_forward")
        return moment_of(located) <= now

    def count_if_delayed(self, moment: int, now: int | None) -> bool:
        """Whether a bar ended more than one spacing before the clock; False without a clock.

        Such a bar is counted, and the first of several in a row is told of.

        Args:
            moment: The time of the bar in milliseconds.
            now: That of the clock.
        """
        was_delayed = self._is_delayed
        self._is_delayed = now is not None and bool(self.is_over(moment + self._step, now))
        self.counts["delayed"] += self._is_delayed
        if self._is_delayed and not was_delayed:
            what = "came more than one bar late by the clock; bars so late are seen, not traded on"
            self._write_about("delayed", moment, what)
        return self._is_delayed

    def finish(self) -> None:
        """The source has ended: a bar that wasn't shown to be over is lost."""
        held, self._held = self._held, None
        if held is None or held.is_history:
            return
        if held.is_closed:
            self._note("misdated", held.moment, "has a date that no later bar confirmed")
            return
        self.counts["unfinished"] += held.is_closed is None  # otherwise it is counted already
        self._write_about("unfinished", held.moment, "wasn't over when the source ended")

    def time_of(self, moment: int) -> pd.Timestamp:
        """The time of a bar as the history has times.

        Args:
            moment: In milliseconds since 1970, UTC.
        """
        time = pd.Timestamp(moment, unit="ms")
        return time if self._zone is None else time.tz_localize("UTC").tz_convert(self._zone)

    def _begin(self, moment: int, values: Values, is_closed: bool | None) -> None:
        """A bar later than all before."""
        if is_closed and not self._is_far_ahead(moment):
            self._hand_on(moment, values)
            return
        if is_closed is False:
            self.counts["unfinished"] += 1
        self._held = _Held(moment, values, is_closed)

    def _renew(self, held: _Held, values: Values, is_closed: bool | None) -> None:
        """The bar that is held came again."""
        is_same = _are_same(held.values, values)
        if is_closed is False:
            self.counts["unfinished"] += 1
        elif is_same and held.is_closed is not False:
            self.counts["repeated"] += 1
        elif held.is_closed is None:
            self.counts["unfinished"] += 1  # what was held was a half candle
        if is_closed is False and held.is_closed is not False:
            return  # a half candle that came after the whole one
        held.values, held.is_closed = values, is_closed
        if is_closed and not self._is_far_ahead(held.moment):
            self._held = None
            self._hand_on(held.moment, values)

    def _end_held(self) -> None:
        """A later bar has begun, so that the one that is held is over."""
        held, self._held = self._held, None
        if held is None:
            return
        if held.is_closed is False:
            self._write_about("unfinished", held.moment, "never came whole; it was dropped")
            return
        self._hand_on(held.moment, held.values, is_history=held.is_history)

    def _hand_on(self, moment: int, values: Values, *, is_history: bool = False) -> None:
        n_missing = 0
        if self._last is not None and not is_history:
            n_missing = self._usual.count_between(self._last, moment)
        if n_missing:
            self.counts["missing"] += n_missing
            bars = "1 bar is" if n_missing == 1 else f"{n_missing:,} bars are"
            self._write(
                "missing",
                moment,
                f"{bars} missing between {self.time_of(self._last or 0)} and "
                f"{self.time_of(moment)}.",
            )
        self._remember(moment, values)
        self.ready.append(ClosedBar(moment, values, n_missing, is_history))

    def _remember(self, moment: int, values: Values) -> None:
        self._last = moment
        self._known[moment] = values
        self._usual.add(moment)
        if len(self._known) > _N_REMEMBERED:
            del self._known[next(iter(self._known))]

    def _meet_again(self, moment: int, values: Values, is_closed: bool | None) -> None:
        """A bar that isn't later than the last one that was handed on."""
        known = self._known.get(moment)
        if is_closed is False:
            self.counts["unfinished"] += 1
        elif known is None and moment >= next(iter(self._known)):
            self._known[moment] = values  # so that its repeats count as such
            self._note("late", moment, "came after later ones; it was dropped")
        elif known is None or _are_same(known, values):
            self.counts["repeated"] += 1
        else:
            changes = ", ".join(
                f"{name} {old:g} → {new:g}"
                for name, old, new in zip(self._names, known, values, strict=True)
                if not _are_same((old,), (new,))
            )
            self._known[moment] = values
            self._note("corrected", moment, f"was corrected after it had closed: {changes}")

    def _is_far_ahead(self, moment: int) -> bool:
        """Whether a date is so far after the last bar that the next bar has to confirm it."""
        far = max(_FAR_AHEAD / pd.Timedelta(milliseconds=1), _TIMES_AS_FAR * self._step)
        return self._last is not None and moment - self._last > far

    def _is_valid(self, moment: int, values: Values) -> bool:
        bar = dict(zip(self._names, values, strict=True))
        if not bar["volume"] >= 0.0:
            bar["volume"] = 0.0  # unknown: NaN, or -1 as some brokers send it
        try:
            check_bar(bar, self.time_of(moment))
        except BarsError as error:
            self.counts["invalid"] += 1
            self._write("invalid", moment, f"{str(error).partition(' (')[0]}; it was dropped.")
            return False
        return True

    def _note(self, kind: str, moment: int, what: str) -> None:
        self.counts[kind] += 1
        self._write_about(kind, moment, what)

    def _write_about(self, kind: str, moment: int, what: str) -> None:
        self._write(kind, moment, f"The bar of {self.time_of(moment)} {what}.")

    def _write(self, kind: str, moment: int, text: str) -> None:
        self._note_down(BarNote(kind, self.time_of(moment), text))


def _are_same(known: Values, values: Values) -> bool:
    """Whether a bar came again with the same values; those that aren't known now don't count."""
    return all(old == new or math.isnan(new) for old, new in zip(known, values, strict=True))
