"""Candles and funding of more than a hundred exchanges, by ccxt."""

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from lstm_strategy.bars.frequency import bar_spacing
from lstm_strategy.bars.funding import add_funding
from lstm_strategy.bars.sources.download import DownloadedSource, UnreachableError
from lstm_strategy.bars.sources.exchange_access import (
    ask_exchange,
    check_timeframe,
    make_exchange,
    make_pushing,
)
from lstm_strategy.bars.sources.options import read_date, read_switch, split_options
from lstm_strategy.bars.sources.pushes import CandlePushes
from lstm_strategy.errors import BarsError
from lstm_strategy.support import suggest_names

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
_COLUMNS = ["open", "high", "low", "close", "volume"]
_CANDLES_A_PAGE = 1000
_RATES_A_PAGE = 100  # no exchange refuses so many
_FIRST_CANDLE = pd.Timestamp("2009-01-03", tz="UTC")  # Bitcoin's first block
_LONGEST_FUNDING = pd.Timedelta(hours=8)
_TIMES_ASKED_FOR_FUNDING, _FUNDING_WAIT = 5, 10.0
_TIMES_ASKED_FOR_CANDLE, _CANDLE_WAIT = 5, 0.2


class ExchangeCandles(DownloadedSource):
    """A `BarSource` of a market at an exchange that ccxt knows.

    Bars are stamped with the time at which they open, in UTC. A bar has closed once the clock of
    the exchange has passed its end. Minutes without a trade have no bar at most exchanges.
    Perpetuals have `funding_rate`, as `add_funding` joins it to them.

    Args:
        name: What the source is called: `ccxt:EXCHANGE:SYMBOL:TIMEFRAME`.
        exchange: An object of ccxt.
        symbol: The market as ccxt writes it, such as `BTC/USDT` or `BTC/USDT:USDT`.
        timeframe: Such as `1h`.
        start: The first bar that is downloaded; None for the first that the exchange has.
        refresh: Whether to fetch the history anew that is kept.
        push: Whether live bars are asked for when the exchange says, over its websocket, that
            the next candle has begun, rather than a second after the end of each.
    """

    def __init__(
        self,
        name: str,
        exchange: Any,
        symbol: str,
        timeframe: str,
        *,
        start: pd.Timestamp | None = None,
        refresh: bool = False,
        push: bool = False,
    ) -> None:
        super().__init__(name, refresh=refresh)
        self._exchange, self._symbol, self._timeframe = exchange, symbol, timeframe
        self._start = start
        self._pushing = make_pushing(exchange.id) if push else None
        self._pushes: CandlePushes | None = None
        self._clock_ahead: pd.Timedelta | None = None
        self._is_perpetual = False
        self._market_is_known = False
        self._page_size = _CANDLES_A_PAGE

    @classmethod
    def open(cls, text: str) -> "ExchangeCandles":
        """The source that `ccxt:EXCHANGE:SYMBOL:TIMEFRAME` names; the network isn't asked yet."""
        path, options = split_options(
            text, {"start": read_date, "refresh": read_switch, "push": read_switch}
        )
        found = re.fullmatch(r"ccxt:(\w+):(.+):(\w+)", path)
        if found is None:
            raise BarsError(
                f"a market of an exchange is written ccxt:EXCHANGE:SYMBOL:TIMEFRAME, got {text!r}. "
                "Write for instance ccxt:binance:BTC/USDT:USDT:1h."
            )
        exchange = make_exchange(found[1])
        check_timeframe(exchange, found[3], text)
        return cls(text, exchange, found[2], found[3], **options)

    @property
    def spacing(self) -> pd.Timedelta:
        """The length of a candle."""
        return pd.Timedelta(seconds=self._exchange.parse_timeframe(self._timeframe))

    def now(self) -> pd.Timestamp:
        """The time on the clock of the exchange, in UTC."""
        ahead = pd.Timedelta(0) if self._clock_ahead is None else self._clock_ahead
        return pd.Timestamp.now("UTC") + ahead

    def live(self, after: pd.Timestamp | None = None) -> Iterator[Mapping[str, Any]]:
        """Hand over each bar once it has closed, as `BarSource.live` says.

        Raises:
            BarsError: If the exchange has no such market.
        """
        try:
            yield from super().live(after)
        finally:
            if self._pushes is not None:
                self._pushes.close()
                self._pushes = None

    def close(self) -> None:
        """End `live`, also while it waits, and let the connections go."""
        super().close()
        self._exchange.session.close()

    def _earliest(self, start: pd.Timestamp | None, n_bars: int | None) -> pd.Timestamp | None:
        starts = [self._start] if self._start is not None else []
        if start is not None:
            starts.append(start.tz_localize("UTC") if start.tz is None else start)
        elif n_bars is not None:
            if self._clock_ahead is None:
                self._read_clock()
            # twice as long: exchanges leave out candles without trades
            since = self.now() - (2 * n_bars + 1) * self.spacing
            starts.append(since.floor(self.spacing))
        return max(starts, default=None)

    def _fetch(self, since: pd.Timestamp | None) -> pd.DataFrame:
        self._find_market()
        self._read_clock()
        first = self._find_first() if since is None else since
        rows = [row for page in self._page_candles(first) for row in page]
        return self._keep_closed(_order_rows(rows), first)

    def _keep_closed(self, bars: pd.DataFrame, first: pd.Timestamp) -> pd.DataFrame:
        ends = pd.DatetimeIndex(bars.index) + self.spacing
        return bars[(ends <= self.now()) & (bars.index >= first)]

    def _page_candles(self, since: pd.Timestamp) -> Iterator[list[list[Any]]]:
        """The pages of candles from a time until now; an empty one is stepped over."""
        step, moment = self.spacing, since
        while moment + step <= self.now():
            page = self._ask_candles(moment)
            if page:
                yield page
            newest = max((_time_of(row[0]) for row in page), default=None)
            if newest is None or newest < moment:
                moment += step * self._page_size
            else:
                moment = newest + step

    def _ask_candles(self, since: pd.Timestamp) -> list[list[Any]]:
        def ask() -> list[list[Any]]:
            page: list[list[Any]] = self._exchange.fetch_ohlcv(
                self._symbol, self._timeframe, since=_milliseconds(since), limit=self._page_size
            )
            if not all(_is_candle(row) for row in page):
                raise UnreachableError(f"{self._exchange.id} answers with what are no candles")
            return page

        return self._insist(ask)

    def _find_first(self) -> pd.Timestamp:
        """From when on the exchange has candles: it may have none to show for times before."""
        page = self._ask_candles(_FIRST_CANDLE)
        if page:
            return min(_time_of(row[0]) for row in page)
        length = self.spacing * self._page_size
        empty, full = _FIRST_CANDLE, self.now() - length
        while full - empty > length:
            middle = empty + (full - empty) / 2
            if self._ask_candles(middle):
                full = middle
            else:
                empty = middle
        return empty.floor("D")

    def _find_market(self) -> None:
        if self._market_is_known:
            return
        markets = self._insist(self._exchange.load_markets)
        if self._symbol not in markets:
            nearest = suggest_names(self._symbol.upper(), markets) if markets else ""
            if nearest.startswith("Known"):
                nearest = f"Its markets are written as {next(iter(markets))} is."
            raise BarsError(
                f"{self._name}: {self._exchange.id} has no market {self._symbol}. {nearest}"
            )
        self._is_perpetual = bool(
            markets[self._symbol].get("swap") and self._exchange.has.get("fetchFundingRateHistory")
        )
        most = self._exchange.feature_value(self._symbol, "fetchOHLCV", "limit")
        self._page_size = min(int(most or _CANDLES_A_PAGE), _CANDLES_A_PAGE)
        self._market_is_known = True

    def _read_clock(self) -> None:
        """Find out how far the clock of the exchange is ahead of this machine's."""
        if self._exchange.has.get("fetchTime"):
            time = self._insist(self._exchange.fetch_time)
            self._clock_ahead = _time_of(time) - pd.Timestamp.now("UTC")

    def _add_columns(self, bars: pd.DataFrame, since: pd.Timestamp | None) -> pd.DataFrame:
        if not self._is_perpetual:
            return bars
        rates = self._cache_of("funding").extend(
            lambda moment: self._fetch_rates(bars.index[0] if moment is None else moment), since
        )
        return _join_funding(bars, rates)

    def _fetch_live(self, known: pd.Timestamp) -> pd.DataFrame:
        if self._pushing is not None and self._pushes is None:
            self._pushes = self._listen(self._pushing)
        bars = super()._fetch_live(known)
        for _ in range(_TIMES_ASKED_FOR_CANDLE):
            if self._pushes is None or _is_as_pushed(bars, self._pushes.closed):
                break
            self._patience.wait(_CANDLE_WAIT)
            bars = super()._fetch_live(known)
        return bars

    def _listen(self, pushing: Any) -> CandlePushes:
        self._find_market()
        pushing.set_markets(self._exchange.markets)
        return CandlePushes(
            self._name, pushing, self._symbol, self._timeframe, self._patience.nudge
        )

    def _live_rows(self, last: pd.DataFrame) -> pd.DataFrame:
        if not self._is_perpetual or not np.isfinite(last.to_numpy()).all():
            return last
        opened = last.index[-1]
        for _ in range(_TIMES_ASKED_FOR_FUNDING):
            rates = self._fetch_rates(last.index[0] - 3 * _LONGEST_FUNDING)
            if not _lacks_settlement(rates, opened):
                break
            self._patience.wait(_FUNDING_WAIT)
        else:
            _log.warning("%s: the funding rate due by %s isn't known yet", self._name, opened)
        return _join_funding(last, rates)

    def _fetch_rates(self, since: pd.Timestamp) -> pd.DataFrame:
        """The funding rates from a time until now, on the times at which they settled."""
        records: dict[int, float] = {}
        moment, now = _milliseconds(since), _milliseconds(self.now())
        step = round(_LONGEST_FUNDING.total_seconds() * 1000) * _RATES_A_PAGE
        while moment <= now:
            page = self._ask_rates(moment)
            new = {time: rate for time, rate in page if time not in records and time >= moment}
            records.update(new)
            moment = max(new) + 1 if new else moment + step
        times = sorted(time for time in records if time >= _milliseconds(since))
        rates = [records[time] for time in times]
        return pd.DataFrame({"rate": rates}, _index_of(times), dtype="float64")

    def _ask_rates(self, since: int) -> list[tuple[int, float]]:
        def ask() -> list[tuple[int, float]]:
            page = self._exchange.fetch_funding_rate_history(
                self._symbol, since=since, limit=_RATES_A_PAGE
            )
            return [(int(record["timestamp"]), float(record["fundingRate"])) for record in page]

        return self._insist(ask)

    def _insist(self, request: Callable[[], _T]) -> _T:
        return self._patience.insist(
            lambda: ask_exchange(self._exchange, self._name, request), forever=self._is_live
        )


def _is_candle(row: Any) -> bool:
    return (
        isinstance(row, list)
        and len(row) >= 6
        and isinstance(row[0], int)
        and all(value is None or isinstance(value, int | float) for value in row[1:6])
    )


def _is_as_pushed(bars: pd.DataFrame, pushed: list[Any] | None) -> bool:
    """Whether the candle that closed last, as it was pushed, is among the bars already."""
    if pushed is None:
        return True
    moment = _time_of(pushed[0])
    if moment not in bars.index:
        return bool(len(bars)) and moment < bars.index[0]
    return bool(np.allclose(bars.loc[moment, _COLUMNS].to_numpy(), pushed[1:6], rtol=1e-9, atol=0))


def _order_rows(rows: list[list[Any]]) -> pd.DataFrame:
    """Rows on rising times; of several of one time the last, which is the newest answer."""
    newest = {row[0]: row[1:6] for row in rows}
    times = sorted(newest)
    return pd.DataFrame(
        [newest[time] for time in times], _index_of(times), _COLUMNS, dtype="float64"
    )


def _join_funding(bars: pd.DataFrame, rates: pd.DataFrame) -> pd.DataFrame:
    """The bars with their funding, of which there may be none."""
    times = pd.DatetimeIndex(rates.index)
    minutes = times.round("min")  # exchanges stamp settlements some milliseconds late
    times = times.where(np.abs(times - minutes) > pd.Timedelta(seconds=10), minutes)
    index = pd.DatetimeIndex(bars.index)
    if len(index) < 2:
        return bars.assign(funding_rate=np.nan)
    is_inside = (times >= index[0]) & (times < index[-1] + bar_spacing(index))
    if not is_inside.any():
        return bars.assign(funding_rate=np.nan)
    return add_funding(bars, rates["rate"].set_axis(times)[is_inside])


def _lacks_settlement(rates: pd.DataFrame, opened: pd.Timestamp) -> bool:
    """Whether the rhythm of the last settlements has one due by the open of a bar."""
    if len(rates) < 2:
        return False
    last, before = rates.index[-1].round("min"), rates.index[-2].round("min")
    return bool(last + (last - before) <= opened)


def _index_of(times: list[int]) -> pd.DatetimeIndex:
    stamps = pd.to_datetime(times, unit="ms", utc=True)
    return pd.DatetimeIndex(stamps, name="datetime").as_unit("us")


def _time_of(milliseconds: int) -> pd.Timestamp:
    return pd.Timestamp(milliseconds, unit="ms", tz="UTC")


def _milliseconds(moment: pd.Timestamp) -> int:
    return round(moment.timestamp() * 1000)
