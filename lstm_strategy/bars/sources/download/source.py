"""A market that is asked over the network: its history is kept, its live bars are asked for."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from lstm_strategy.bars.repair import repair_bars
from lstm_strategy.bars.sources.download.cache import DownloadCache
from lstm_strategy.bars.sources.download.patience import Patience, StoppedError
from lstm_strategy.bars.sources.source import cut_history, iterate_bars
from lstm_strategy.bars.validation import validate_bars
from lstm_strategy.errors import BarsError, TradingError
from lstm_strategy.support import refuse_day

_log = logging.getLogger(__name__)
_DELAY = 1.0  # seconds that sites take to complete a bar
_SHORTEST_POLL, _LONGEST_POLL = 1.0, 300.0


class DownloadedSource(ABC):
    """A `BarSource` of a site; each site says how its bars are fetched.

    Args:
        name: What the source is called.
        refresh: Whether to fetch the history anew that is kept from earlier downloads.
    """

    def __init__(self, name: str, *, refresh: bool = False) -> None:
        self._name, self._refresh = name, refresh
        self._patience = Patience(name)
        self._is_live = False

    @property
    def name(self) -> str:
        """The text that opened it."""
        return self._name

    @property
    @abstractmethod
    def spacing(self) -> pd.Timedelta:
        """The time from the open of one bar to that of the next while the market is open."""

    @abstractmethod
    def now(self) -> pd.Timestamp:
        """The time on the clock of the site, in UTC."""

    @abstractmethod
    def _fetch(self, since: pd.Timestamp | None) -> pd.DataFrame:
        """The closed bars from a time on, in order, each once; perhaps with values that are bad.

        Raises:
            BarsError: If the site can't be reached or has no such market.
        """

    @abstractmethod
    def _earliest(self, start: pd.Timestamp | None, n_bars: int | None) -> pd.Timestamp | None:
        """From when on bars must be fetched; None for the first that the site has."""

    def _on_clock(self, moment: pd.Timestamp) -> pd.Timestamp:
        """A moment on the clock of the bars; one without a timezone counts as UTC."""
        return moment.tz_localize("UTC") if moment.tz is None else moment.tz_convert("UTC")

    def _cache_of(self, what: str) -> DownloadCache:
        """Where the bars, or another record of the market, are kept."""
        market = self._name.partition("?")[0]
        return DownloadCache(f"{market} {what}", refresh=self._refresh)

    def _add_columns(self, bars: pd.DataFrame, since: pd.Timestamp | None) -> pd.DataFrame:
        """The bars with what the site records beside them."""
        return bars

    def _fetch_live(self, known: pd.Timestamp) -> pd.DataFrame:
        """The closed bars from the one before the last known one on."""
        return self._fetch(known - self.spacing)

    def _live_rows(self, last: pd.DataFrame) -> pd.DataFrame:
        """The same as `_add_columns`, of the last bars, one before them included."""
        return last

    def history(
        self,
        start: pd.Timestamp | str | None = None,
        end: pd.Timestamp | str | None = None,
        *,
        n_bars: int | None = None,
    ) -> pd.DataFrame:
        """The closed bars, as `BarSource.history` says; downloads are kept.

        Rows that come twice or without prices are dropped, as in `load_bars`.

        Raises:
            BarsError: If the site can't be reached after a few tries, or its bars can't be trusted.
            TradingError: If a date isn't one, or there is no bar.
        """
        since = self._earliest(_read_start(start), n_bars)
        fetched = self._cache_of("bars").extend(self._fetch, since)
        if fetched.empty:
            raise BarsError(f"{self._name}: there are no bars. Choose other dates or a market.")
        repaired = repair_bars(fetched.reset_index(), is_bold=False)
        if repaired.notes:
            _log.warning("%s: %s", self._name, "; ".join(repaired.notes))
        bars = self._add_columns(validate_bars(repaired.bars.set_index("datetime")), since)
        return cut_history(bars, start, end, n_bars)

    def live(self, after: pd.Timestamp | None = None) -> Iterator[Mapping[str, Any]]:
        """Hand over each bar once it has closed, as `BarSource.live` says.

        A site that can't be reached is asked again, up to a minute apart, until it can.

        Raises:
            BarsError: If the site has no such market.
        """
        try:
            known = self._last_closed() if after is None else self._on_clock(after)
            while True:
                bars = self._fetch_live(known)
                self._is_live = True  # from the first answer on, the next ones are worth waiting
                index = pd.DatetimeIndex(bars.index)
                is_new = index > known
                if is_new.any():
                    yield from iterate_bars(self._live_rows(bars)[is_new])
                    known = index[-1]
                self._patience.wait_for_news(self._until_next(known))
        except StoppedError:
            return

    def close(self) -> None:
        """End `live`, also while it waits."""
        self._patience.stop()

    def _last_closed(self) -> pd.Timestamp:
        bars = self._fetch(self._earliest(None, 2))
        if bars.empty:
            raise BarsError(f"{self._name}: there are no bars yet. Choose another market.")
        last: pd.Timestamp = bars.index[-1]
        return last

    def _until_next(self, known: pd.Timestamp) -> float:
        """Seconds until the bar after the last one is due, or until it is looked for again."""
        moment = known.tz_localize("UTC") if known.tz is None else known
        due = (moment + 2 * self.spacing - self.now()).total_seconds() + _DELAY
        if due > 0:
            return due
        poll = self.spacing.total_seconds() / 60
        return min(max(poll, _SHORTEST_POLL), _LONGEST_POLL)


def _read_start(start: pd.Timestamp | str | None) -> pd.Timestamp | None:
    try:
        return None if start is None else pd.Timestamp(start)
    except (ValueError, TypeError):
        missing = refuse_day(start)
        if missing:
            raise TradingError(
                f"start must be a date that exists, got {start!r}. {missing}"
            ) from None
        raise TradingError(
            f'start must be a date such as "2013", "2013-05-02" or a Timestamp, got {start!r}.'
        ) from None
