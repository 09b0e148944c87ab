"""A strategy on bars as they come, with a paper account or through a user's store."""

import datetime as dt
import json
import logging
import math
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import backtrader as bt
import pandas as pd

from lstm_strategy.bars import check_bars, has_contract
from lstm_strategy.errors import JournalError, TradingError
from lstm_strategy.learning.serving import open_forecaster
from lstm_strategy.support import count_of, library_versions, name_zone
from lstm_strategy.trading.backtrader_internals import declared_params
from lstm_strategy.trading.cerebro import BrokerSettings, complete_params, cut_to_run
from lstm_strategy.trading.live.closed_bars import ClosedBars
from lstm_strategy.trading.live.journal import Journal, JournalContent, read_journal
from lstm_strategy.trading.live.session.bookkeeper import (
    Bookkeeper,
    verdicts_of,
    withdrawals_of,
)
from lstm_strategy.trading.live.session.feed import SessionBars
from lstm_strategy.trading.live.session.gate import LiveGate
from lstm_strategy.trading.live.session.guard import OrderGuard, OrderNews
from lstm_strategy.trading.live.session.limits import TradingLimits
from lstm_strategy.trading.live.session.paper import hold_between_bars
from lstm_strategy.trading.live.session.reconcile import (
    list_open_orders,
    reconcile_account,
    tells_open_orders,
)
from lstm_strategy.trading.live.session.recorder import SessionRecorder
from lstm_strategy.trading.live.session.state import (
    STATE_FILE,
    Account,
    LiveState,
    mark_status,
    read_account,
    write_state,
)

log = logging.getLogger(__name__)

_N_NOTES = 20


class LiveSession:
    """Run a strategy on bars as they come, with a paper account or through a user's store.

    The strategy first sees a history, which warms its indicators and its model, and then each bar
    as it closes. It decides on bars that come live only. Everything is kept in the journal of a
    folder, and a session that is started on the same folder again goes on where the last one was,
    however that one ended: the journal's bars lead to the same account, orders and forecasts.

    A paper account is backtrader's own simulated broker on the terms of `broker`, as in
    `run_backtest`, so that a live run does what a backtest of the same bars does. With `account`, a
    broker of a store, the journal's bars only warm the model; position and cash are compared with
    the broker's at the start, and a difference stops the session.

    Args:
        strategy: A strategy class of one market.
        source: A `BarSource` such as `open_source` gives; or, with `history`, whatever `ClosedBars`
            takes, such as the live feed of a store. Bars are dated when they open.
        folder: Where journal and state are kept, one folder a run.
        history: The bars before, all of them over; by default the last `n_history` of the source.
        n_history: How many bars of history a source is asked for.
        broker: What trading costs; `BrokerSettings()` by default. With `account` only what sizes
            orders counts: the band, the reserve and the lots.
        limits: What no order may break; `TradingLimits()` by default.
        account: The broker of a store, such as `store.getbroker()`; None for a paper account.
        adopt_account: Whether to go on from what the broker of a store holds, where it differs
            from the journal, and beside orders that wait there.
        clock: The time, in UTC; by default that of the source where it has one. A source without
            any, such as a played file, is always on time.
        closed_only: Whether the source hands over bars only once they are over; see `ClosedBars`.
        on_gap: "report" says when bars are missing; "stop" ends the session there.
        on_change: Called with the state whenever something has happened.
        **params: Parameters of the strategy.

    Attributes:
        state: What the session knows; see `LiveState`.

    Raises:
        TradingError: If an argument can't be used.

    Example:
        >>> import tempfile
        >>> from lstm_strategy import BASELINES, open_source, run_backtest, sample_bars
        >>> folder = Path(tempfile.mkdtemp())
        >>> bars = sample_bars("sp500")[:300]
        >>> bars.to_csv(folder / "index.csv")
        >>> source = open_source(f"play:{folder}/index.csv?history=200&pace=0")
        >>> session = LiveSession(BASELINES["SMA cross"], source, folder / "run", fast=5, slow=20)
        >>> live = session.run()
        >>> backtest = run_backtest(
        ...     BASELINES["SMA cross"], bars, start=bars.index[200], fast=5, slow=20
        ... )
        >>> round(float(live.account.equity - backtest.equity.iloc[-1]), 6)
        0.0
    """

    def __init__(
        self,
        strategy: type[bt.Strategy],
        source: Any,
        folder: str | Path,
        *,
        history: pd.DataFrame | None = None,
        n_history: int = 2_000,
        broker: BrokerSettings | None = None,
        limits: TradingLimits | None = None,
        account: Any = None,
        adopt_account: bool = False,
        clock: Callable[[], pd.Timestamp] | None = None,
        closed_only: bool | None = None,
        on_gap: Literal["report", "stop"] = "report",
        on_change: Callable[[LiveState], None] | None = None,
        **params: Any,
    ) -> None:
        if not (isinstance(strategy, type) and issubclass(strategy, bt.Strategy)):
            raise TradingError(
                f"strategy must be a class derived from backtrader.Strategy, got {strategy!r}. "
                "Pass the class itself, and its parameters by name."
            )
        if isinstance(source, ClosedBars):
            raise TradingError(
                "LiveSession puts its bars in order itself, got ClosedBars. Pass the source "
                "that is inside, and history=..."
            )
        if isinstance(account, bt.brokers.BackBroker):
            raise TradingError(
                "account is the broker of a store, got backtrader's simulated one. Leave it out "
                "for a paper account on the terms of broker=BrokerSettings(...)."
            )
        self._strategy_class, self._source, self._folder = strategy, source, Path(folder)
        self._history, self._n_history = history, n_history
        self._terms, self._limits = broker or BrokerSettings(), limits or TradingLimits()
        self._account, self._adopts = account, adopt_account
        self._clock = clock or getattr(source, "now", None)
        self._feed_settings: dict[str, Any] = {"closed_only": closed_only, "on_gap": on_gap}
        self._on_change = on_change
        self._params = dict(params)
        self._notes: deque[str] = deque(maxlen=_N_NOTES)
        self._cerebro: Any = None
        self._feed: Any = None
        self._is_state_ours = False
        self._reason, self._most_bars = "", math.inf
        self._n_live = 0
        self.state = LiveState(market=_name_of(source), limits=self._shown_limits())

    def run(self, *, n_bars: int | None = None) -> LiveState:
        """Trade until the source ends, `stop` is called, or so many bars have come live.

        Args:
            n_bars: How many bars to wait for; None for as many as come.

        Returns:
            The last state.

        Raises:
            JournalError: If the folder holds another run, a damaged one, or one in use.
            TradingError: If the strategy can't be run, or the account of a store holds something
                else than the journal says, or has an open order.
            BarsError: If the source can't be reached.
        """
        self._most_bars = math.inf if n_bars is None else n_bars
        begun = self._read_earlier()
        history = self._load_history() if begun is None else begun.bars.iloc[: begun.n_history]
        params = self._complete(history)
        with Journal.open(
            self._folder,
            model=_fingerprint_of(params),
            settings=self._describe_settings(params),
            zone=_zone_of(history),
        ) as journal:
            self._begin_journal(journal, history)
            try:
                self._run_cerebro(journal, read_journal(self._folder), params)
            except BaseException as error:
                self._end_journal(journal, f"{type(error).__name__}: {error}")
                raise
            self._end_journal(journal, self._reason or self._feed.stopped_because or "the end")
        return self.state

    def stop(self, reason: str = "asked to") -> None:
        """End the run after the bar at hand, from any thread or from a signal's handler.

        Args:
            reason: Why, for the journal.
        """
        self._reason = self._reason or reason
        if self._cerebro is not None:
            self._cerebro.runstop()
        close = getattr(self._source, "close", None)
        if callable(close) and not isinstance(self._source, bt.feed.AbstractDataBase):
            close()

    def _read_earlier(self) -> JournalContent | None:
        """What the folder holds of this run; None where it is yet to be begun."""
        try:
            content = read_journal(self._folder)
        except JournalError:
            if any(self._folder.glob("journal.jsonl")) and _is_begun(self._folder):
                raise
            return None
        return content if content.n_history else None

    def _load_history(self) -> pd.DataFrame:
        bars = self._history
        if bars is None:
            if not callable(getattr(self._source, "history", None)):
                raise TradingError(
                    f"{type(self._source).__name__} has no history to warm the strategy up with. "
                    "Give history=load_bars(...)."
                )
            bars = self._source.history(n_bars=self._n_history)
        frame = check_bars(bars).frame
        if has_contract(frame):
            raise TradingError(
                "The history is a continuous future, and live bars are those of one contract. Give "
                "the bars of the contract alone, without the columns contract and contract_price."
            )
        return frame

    def _complete(self, history: pd.DataFrame) -> dict[str, Any]:
        """The parameters, with what the strategy leaves to the terms and to the history."""
        params = dict(self._params)
        if params.get("model") is not None and "model" in declared_params(self._strategy_class):
            params["model"] = open_forecaster(params["model"])
        bars, _ = cut_to_run(history, start=None, end=None)
        self._terms.check_markets(bars.markets)
        bars = bars.with_instruments(self._terms.instrument_of)
        return complete_params(self._strategy_class, params, self._terms, bars)

    def _describe_settings(self, params: Mapping[str, Any]) -> dict[str, Any]:
        settings = {
            "market": self.state.market,
            "strategy": self._strategy_class.__name__,
            "params": {name: _plain(value) for name, value in params.items()},
            "broker": self._terms.readable_settings(),
            "account": "paper" if self._account is None else type(self._account).__name__,
        }
        plain: dict[str, Any] = json.loads(json.dumps(settings, default=str))
        return plain

    def _begin_journal(self, journal: Journal, history: pd.DataFrame) -> None:
        journal.append(
            "run",
            event="start",
            at=self._now().isoformat(),
            limits=self.state.limits,
            versions=library_versions(),
            n_history=self._n_history if self._history is None else None,
        )
        self._note_other_history(journal)
        if not journal.content.n_history:
            journal.append_history(history)
        if journal.n_cut:
            text = f"{journal.n_cut} bytes that a killed session left unfinished were cut off."
            self._take_note(journal, "cut", text)
        if self._account is not None and not tells_open_orders(self._account):
            text = (
                f"{type(self._account).__name__} has no get_orders_open: whether an order of an "
                "earlier session still waits at the broker wasn't checked."
            )
            self._take_note(journal, "open_orders", text)
        journal.commit()
        mark_status(self._folder, "starting")

    def _note_other_history(self, journal: Journal) -> None:
        """Say that a run that is begun keeps its history, whatever is asked for now."""
        starts = (each for each in journal.content.records if each["kind"] == "run")
        asked = next(starts, {}).get("n_history")
        if self._history is not None or asked in (None, self._n_history):
            return
        text = (
            f"The run goes on with the history that it was begun with, of {asked:,} bars. The "
            f"{self._n_history:,} bars asked for now count in a new folder."
        )
        journal.append("note", at=self._now().isoformat(), about="history", text=text)
        self._say(text)

    def _take_note(self, journal: Journal, about: str, text: str) -> None:
        journal.append("note", at=self._now().isoformat(), about=about, text=text)
        self._say(text)

    def _run_cerebro(
        self, journal: Journal, content: JournalContent, params: Mapping[str, Any]
    ) -> None:
        is_paper = self._account is None
        self._feed = feed = SessionBars(
            self._source,
            history=content.bars,
            clock=self._clock,
            **self._feed_settings,
        )
        feed.came_live = content.is_live.to_numpy() & is_paper
        broker = self._terms.build([""]) if is_paper else self._account
        self._books = Bookkeeper(
            journal, content, feed, now=self._now, is_paper=is_paper, on_note=self._say
        )
        feed.on_note = self._books.write_bar_note
        self._guard = OrderGuard(
            broker,
            feed,
            limits=self._limits,
            folder=self._folder,
            now=self._now,
            tell=self._hear_of_order,
            day_return=self._measure_day,
            verdicts=verdicts_of(content) if is_paper else {},
        )
        self._withdrawals = withdrawals_of(content) if is_paper else {}
        self._written_account = read_account(self._folder) if is_paper else None
        self._content, self._day_began_with = content, math.nan
        self._day: dt.date | None = None
        # fills of a real broker come between bars
        cerebro = bt.Cerebro(stdstats=False, quicknotify=not is_paper)
        cerebro.broker = broker
        cerebro.adddata(feed)
        cerebro.addstrategy(self._strategy_class, **params)
        cerebro.addanalyzer(LiveGate, may_decide=lambda: feed.may_trade)
        cerebro.addanalyzer(
            SessionRecorder, begin=self._begin, order=self._hear_of_fill, bar=self._end_bar
        )
        if is_paper:
            hold_between_bars(broker, feed)
        self._cerebro = cerebro
        if not self._reason:
            cerebro.run()

    def _begin(self, strategy: Any) -> None:
        """The broker has started: what it holds is compared with the journal."""
        self._strategy = strategy
        if self._account is None or self._adopts:
            return
        scheme = self._account.getcommissioninfo(self._feed)
        reconcile_account(
            self._read_account(),
            self._content.records,
            multiplier=float(scheme.p.mult),
            is_paid_in_full=bool(scheme.stocklike),
            open_orders=list_open_orders(self._account, self._feed.p.dataname),
        )

    def _read_account(self) -> Account:
        broker = self._cerebro.broker
        position = broker.getposition(self._feed)
        return Account(float(broker.getcash()), float(broker.getvalue()), float(position.size))

    def _hear_of_order(self, news: OrderNews) -> None:
        self._books.begin_bar(self._strategy)
        self._books.write_order(news)
        self._books.commit()

    def _hear_of_fill(self, strategy: Any, order: Any) -> None:
        self._books.begin_bar(strategy)
        self._books.write_notified(order, self._guard)
        self._books.commit()

    def _end_bar(self, strategy: Any) -> None:
        """A bar is over, and so is what the strategy did on it."""
        self._books.begin_bar(strategy)
        if not self._books.n_bars:  # of the history
            return
        for number, reason in self._withdrawals.get(self._books.n_bars, ()):
            self._guard.withdraw(number, reason)
        is_known = self._books.is_known
        if not is_known and self._guard.is_killed:
            self._guard.withdraw_all("the kill switch is there")
        account = self._read_account()
        self._measure_day()
        self._books.end_bar(account)
        self._check_state(account)
        self._show_bar(account)
        if is_known:
            if self._books.is_last_known and self._account is None:
                self._write_state()  # a killed session may have come no further
            return
        self._write_state()
        self._n_live += self._feed.may_trade
        if self._n_live >= self._most_bars:
            self.stop(f"{count_of(self._n_live, 'bar')} came in this run, as asked")

    def _measure_day(self) -> float:
        """What the equity has gained since the end of the day before, a fraction."""
        equity = float(self._cerebro.broker.getvalue())
        assert self._books.time is not None
        day = self._books.time.date()
        if day != self._day:
            before = self.state.account
            self._day, self._day_began_with = day, equity if before is None else before.equity
        return equity / self._day_began_with - 1.0

    def _check_state(self, account: Account) -> None:
        """Compare the account at the bar of `state.json` with what it says."""
        if self._written_account is None or self._written_account[0] != self._books.n_bars:
            return
        difference = account.find_difference(self._written_account[1])
        self._written_account = None
        if difference:
            raise JournalError(
                f"state.json of {self._folder} doesn't agree with the journal beside it: by the "
                f"journal, {difference}. Restore both from one copy, or delete state.json to go by "
                "the journal."
            )

    def _show_bar(self, account: Account) -> None:
        feed, state = self._feed, self.state
        if feed.may_trade and math.isnan(state.first_close):
            state = state.updated(begun_with=account.equity, first_close=float(feed.close[0]))
        n_missing = max(self._strategy._minperiod - len(self._strategy), 0)
        status = "live" if feed.may_trade else "waiting for live bars"
        state = state.updated(
            status="warming up" if n_missing else status,
            n_missing=n_missing,
            time=self._books.time,
            n_bars=self._books.n_bars,
            spacing=feed.spacing,
            close=float(feed.close[0]),
            account=account,
            forecast=dict(self._books.forecast),
            open_orders=tuple(map(_size_and_price, self._guard.open_orders)),
            n_orders=self._guard.n_sent,
            n_refused=self._guard.n_refused,
            counts=feed.counts,
        )
        if self._books.is_known:
            self.state = state  # what has happened before isn't news
        else:
            self._show(state)

    def _show(self, state: LiveState) -> None:
        self.state = state
        if self._on_change is not None:
            self._on_change(state)

    def _say(self, text: str) -> None:
        log.warning("%s: %s", self.state.market, text)
        self._notes.append(text)
        counts = self._feed.counts if self._feed is not None else {}
        self._show(self.state.updated(notes=tuple(self._notes), counts=counts))

    def _end_journal(self, journal: Journal, reason: str) -> None:
        counts = self._feed.counts if self._feed is not None else {}
        self._show(self.state.updated(status="stopped", reason=reason, counts=counts))
        journal.drop()
        journal.append(
            "run", event="stop", at=self._now().isoformat(), reason=reason, counts=counts
        )
        journal.commit()
        if self._is_state_ours or not (self._folder / STATE_FILE).exists():
            self._write_state()
        else:  # one that disagrees, or is further on, keeps its account
            mark_status(self._folder, "stopped", reason)

    def _write_state(self) -> None:
        write_state(self._folder, self.state)
        self._is_state_ours = True

    def _now(self) -> pd.Timestamp:
        """The time in UTC: of the clock, else the end of the present bar."""
        if self._clock is not None:
            now = pd.Timestamp(self._clock())
            return now.tz_localize("UTC") if now.tz is None else now.tz_convert("UTC")
        time, spacing = self.state.time, self.state.spacing
        if hasattr(self, "_books") and len(self._feed):
            time, spacing = self._books.time, self._feed.spacing
        if time is None or spacing is None:
            return pd.Timestamp.now(tz="UTC")
        utc = time.tz_localize("UTC") if time.tz is None else time.tz_convert("UTC")
        return utc + spacing

    def _shown_limits(self) -> dict[str, Any]:
        return {name: each for name, each in self._limits.model_dump().items() if each is not None}


def _is_begun(folder: Path) -> bool:
    """Whether a journal has more than the beginning of its first line."""
    return b"\n" in (folder / "journal.jsonl").read_bytes()[:1_000_000]


def _name_of(source: Any) -> str:
    """What a source is called, its options left out."""
    name = getattr(source, "name", "") or getattr(source, "_name", "") or type(source).__name__
    return str(name).partition("?")[0]


def _fingerprint_of(params: Mapping[str, Any]) -> str:
    return str(getattr(params.get("model"), "fingerprint", None) or "")


def _plain(value: Any) -> Any:
    is_plain = value is None or isinstance(value, str | bool | int | float)
    return value if is_plain else type(value).__name__


def _size_and_price(order: Any) -> tuple[float, float | None]:
    is_market = order.exectype == bt.Order.Market
    return float(order.executed.remsize), None if is_market else float(order.created.price)


def _zone_of(bars: pd.DataFrame) -> str | None:
    """The timezone of bars, as a journal keeps it."""
    zone = pd.DatetimeIndex(bars.index).tz
    try:
        return None if zone is None else name_zone(zone)
    except ValueError:
        raise TradingError(
            f"The history is in the timezone {zone!r:.60}, which has no name that a journal could "
            "keep. Give it in one such as Europe/Berlin, or in UTC."
        ) from None
