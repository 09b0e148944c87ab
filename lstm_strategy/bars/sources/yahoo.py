"""Prices of Yahoo Finance, by yfinance."""

import logging
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd

from lstm_strategy.bars.sources.download import DownloadedSource, UnreachableError
from lstm_strategy.bars.sources.options import read_switch, split_options
from lstm_strategy.errors import BarsError
from lstm_strategy.support import naive_utc

_log = logging.getLogger(__name__)
_COLUMNS = ["open", "high", "low", "close", "volume"]
# how far back Yahoo goes, less a day
_DAYS_BACK = {"1m": 7, "2m": 59, "5m": 59, "15m": 59, "30m": 59, "1h": 729, "1d": None}
_DELAY = pd.Timedelta(minutes=20)  # of prices from some exchanges


class YahooPrices(DownloadedSource):
    """A `BarSource` of a market at Yahoo Finance.

    All prices are adjusted for splits and dividends (yfinance's `auto_adjust`), so that a return
    from close to close is what a holder earned; the last ones are those traded. After a dividend
    the past is adjusted anew, and the history is fetched whole again.

    Daily bars are stamped with their day, without a timezone, as in files of Yahoo; bars within the
    day with the time at which they open, in the timezone of the exchange. A daily bar has closed
    20 minutes after its session, since some prices come late.

    Args:
        name: What the source is called: `yahoo:SYMBOL` or `yahoo:SYMBOL:INTERVAL`.
        symbol: As Yahoo writes it, such as `SPY`, `^GSPC`, `BTC-USD` or `ES=F`.
        interval: `1d`, or 1m, 2m, 5m, 15m, 30m or 1h, of which Yahoo has 7 to 729 days.
        refresh: Whether to fetch the history anew that is kept.
    """

    def __init__(
        self, name: str, symbol: str, interval: str = "1d", *, refresh: bool = False
    ) -> None:
        super().__init__(name, refresh=refresh)
        self._symbol, self._interval = symbol, interval
        self._yfinance = _load_yfinance()
        self._ticker = self._yfinance.Ticker(symbol)

    @classmethod
    def open(cls, text: str) -> "YahooPrices":
        """The source that `yahoo:SYMBOL[:INTERVAL]` names; the network isn't asked yet."""
        path, options = split_options(text, {"refresh": read_switch})
        found = re.fullmatch(r"yahoo:([^:\s/]+)(?::(\w+))?", path)
        if found is None:
            raise BarsError(
                "a market of Yahoo is written yahoo:SYMBOL or yahoo:SYMBOL:INTERVAL, got "
                f"{text!r}. Write for instance yahoo:SPY or yahoo:BTC-USD:1h."
            )
        interval = found[2] or "1d"
        if interval not in _DAYS_BACK:
            raise BarsError(
                f"{text}: Yahoo has no interval {interval!r} here. Known: {', '.join(_DAYS_BACK)}."
            )
        return cls(text, found[1], interval, **options)

    @property
    def spacing(self) -> pd.Timedelta:
        """The interval; a day for daily bars, also over a weekend."""
        return pd.Timedelta(self._interval.replace("m", "min").replace("d", "D"))

    @property
    def _is_daily(self) -> bool:
        return self._interval == "1d"

    def now(self) -> pd.Timestamp:
        """The time on the clock of this machine, in UTC."""
        return pd.Timestamp.now("UTC")

    def _on_clock(self, moment: pd.Timestamp) -> pd.Timestamp:
        return naive_utc(moment).normalize() if self._is_daily else super()._on_clock(moment)

    def _earliest(self, start: pd.Timestamp | None, n_bars: int | None) -> pd.Timestamp | None:
        days = _DAYS_BACK[self._interval]
        if days is None:
            return None  # all days are one answer
        return (self.now() - pd.Timedelta(days=days)).normalize()

    def _fetch(self, since: pd.Timestamp | None) -> pd.DataFrame:
        earliest = self._earliest(None, None)
        if since is not None and earliest is not None:
            since = max(since, earliest)
        span = {"period": "max"} if since is None else {"start": since}
        found = self._patience.insist(
            lambda: _ask(self._symbol, lambda: self._download(span)), forever=self._is_live
        )
        bars = self._keep_closed(found)
        return bars if since is None else bars[bars.index >= self._on_index(bars, since)]

    def _download(self, span: dict[str, Any]) -> pd.DataFrame:
        with _raising(self._yfinance), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of yfinance, about pandas
            found: pd.DataFrame = self._ticker.history(
                **span, interval=self._interval, auto_adjust=True, actions=False
            )
        return found.rename(columns=str.lower)

    def _keep_closed(self, found: pd.DataFrame) -> pd.DataFrame:
        index = pd.DatetimeIndex(found.index).as_unit("us")
        now = self.now()
        if self._is_daily:
            is_closed = index.tz_localize(None).normalize() < self._open_day(index, now)
            index = index.tz_localize(None).normalize()
        else:
            is_closed = index + self.spacing <= now
        bars = found[_COLUMNS].astype("float64").set_axis(index.rename("datetime"))[is_closed]
        return bars[~bars.index.duplicated(keep="last")].sort_index()

    def _open_day(self, index: pd.DatetimeIndex, now: pd.Timestamp) -> pd.Timestamp:
        """The first day that isn't over: today at the exchange, or tomorrow after its session."""
        today = now.tz_convert(index.tz).tz_localize(None).normalize()
        meta = self._ticker.history_metadata or {}
        ends = _session_end(meta)
        if ends is not None and ends + _DELAY <= now and _day_of(ends, index.tz) == today:
            return today + pd.Timedelta(days=1)
        return today

    def _on_index(self, bars: pd.DataFrame, moment: pd.Timestamp) -> pd.Timestamp:
        zone = pd.DatetimeIndex(bars.index).tz
        if zone is None:
            return moment if moment.tz is None else moment.tz_localize(None)
        return moment.tz_localize("UTC") if moment.tz is None else moment


def _load_yfinance() -> Any:
    try:
        import yfinance
    except ImportError as error:
        raise BarsError(
            "markets of Yahoo come by yfinance, which isn't installed. "
            'Run pip install "lstm-strategy[yahoo]".'
        ) from error
    return yfinance


@contextmanager
def _raising(yfinance: Any) -> Iterator[None]:
    """Let yfinance raise what it would log, and keep its log quiet."""
    debug, log = yfinance.config.debug, logging.getLogger("yfinance")
    hides, level = debug.hide_exceptions, log.level
    debug.hide_exceptions = False
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        debug.hide_exceptions = hides
        log.setLevel(level)


def _ask(symbol: str, request: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """What Yahoo answers; each kind of failure as an error of ours."""
    from yfinance import exceptions

    try:
        found = request()
    except exceptions.YFRateLimitError as error:
        raise UnreachableError("Yahoo answers that there are too many requests") from error
    except exceptions.YFTickerMissingError as error:
        raise BarsError(
            f"yahoo: there is no market {symbol}, or it has no bars there ({error.rationale}). "
            f"{_suggest(symbol)}"
        ) from error
    except (OSError, exceptions.YFDataException) as error:
        raise UnreachableError(f"Yahoo can't be reached ({type(error).__name__})") from error
    except (TypeError, KeyError, IndexError, ValueError, AttributeError) as error:
        raise UnreachableError("the answer of Yahoo can't be read") from error
    return found


def _suggest(symbol: str) -> str:
    """The symbols that Yahoo's own search finds; it is no matter if it doesn't answer."""
    from yfinance import Search

    try:
        found = [str(quote["symbol"]) for quote in Search(symbol, max_results=5).quotes]
    except Exception:
        found = []
    return f"Did you mean {', '.join(found)}?" if found else "Check the symbol."


def _session_end(meta: dict[str, Any]) -> pd.Timestamp | None:
    try:
        end = meta["currentTradingPeriod"]["regular"]["end"]
    except (KeyError, TypeError):
        return None
    moment = pd.Timestamp(end, unit="s") if isinstance(end, int | float) else pd.Timestamp(end)
    return moment.tz_localize("UTC") if moment.tz is None else moment


def _day_of(moment: pd.Timestamp, zone: Any) -> pd.Timestamp:
    return moment.tz_convert(zone).tz_localize(None).normalize()
