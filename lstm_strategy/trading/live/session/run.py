"""One run of a session in Cerebro: the journal's bars first, then those that come."""

import datetime as dt
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import backtrader as bt
import pandas as pd

from lstm_strategy.errors import JournalError
from lstm_strategy.support import count_of
from lstm_strategy.trading.cerebro import BrokerSettings
from lstm_strategy.trading.live.journal import Journal, JournalContent
from lstm_strategy.trading.live.session.board import StateBoard
from lstm_strategy.trading.live.session.bookkeeper import Bookkeeper, verdicts_of, withdrawals_of
from lstm_strategy.trading.live.session.feed import SessionBars
from lstm_strategy.trading.live.session.orders import (
    LiveGate,
    OrderGuard,
    OrderNews,
    TradingLimits,
)
from lstm_strategy.trading.live.session.paper import hold_between_bars
from lstm_strategy.trading.live.session.reconcile import list_open_orders, reconcile_account
from lstm_strategy.trading.live.session.recorder import SessionRecorder
from lstm_strategy.trading.live.session.state import Account, read_account


@dataclass(frozen=True, eq=False)
class SessionSetup:
    """What is traded, with what account, and within which limits.

    Attributes:
        strategy: The class.
        source: Where bars come from.
        folder: The folder of the run.
        terms: What trading costs.
        limits: What no order may break.
        account: The broker of a store; None for a paper account.
        adopts_account: Whether to go on from what that broker holds, whatever the journal says.
        clock: Tells the time; None where the end of the present bar is it.
        feed_settings: What `ClosedBars` takes beside.
    """

    strategy: type[bt.Strategy]
    source: Any
    folder: Path
    terms: BrokerSettings
    limits: TradingLimits
    account: Any
    adopts_account: bool
    clock: Callable[[], pd.Timestamp] | None
    feed_settings: Mapping[str, Any]

    @property
    def is_paper(self) -> bool:
        """Whether the account is simulated."""
        return self.account is None


class SessionRun:
    """Leads a strategy over bars, and keeps journal and state bar by bar.

    Args:
        setup: What is traded, and how.
        params: The parameters of the strategy, complete.
        journal: The journal, open.
        content: What it holds.
        board: Where the state is shown.
        most_bars: After how many live bars the run ends.

    Attributes:
        feed: The bars.
        reason: Why the run was asked to stop; "" while it wasn't.
    """

    def __init__(
        self,
        setup: SessionSetup,
        params: Mapping[str, Any],
        journal: Journal,
        content: JournalContent,
        board: StateBoard,
        *,
        most_bars: float,
    ) -> None:
        self.reason = ""
        self._setup, self._content, self._board = setup, content, board
        self._most_bars, self._n_live = most_bars, 0
        self._day: dt.date | None = None
        self._day_began_with = math.nan
        is_paper = setup.is_paper
        self.feed = board.feed = SessionBars(
            setup.source, history=content.bars, clock=setup.clock, **setup.feed_settings
        )
        self.feed.came_live = content.is_live.to_numpy() & is_paper
        self._books = Bookkeeper(
            journal, content, self.feed, now=self.now, is_paper=is_paper, on_note=board.say
        )
        self.feed.on_note = self._books.write_bar_note
        self._broker = setup.terms.build([""]) if is_paper else setup.account
        self._guard = OrderGuard(
            self._broker,
            self.feed,
            limits=setup.limits,
            folder=setup.folder,
            now=self.now,
            tell=self._hear_of_order,
            day_return=self._measure_day,
            verdicts=verdicts_of(content) if is_paper else {},
        )
        self._withdrawals = withdrawals_of(content) if is_paper else {}
        self._written_account = read_account(setup.folder) if is_paper else None
        self._cerebro = self._build_cerebro(params)

    def run(self) -> str:
        """Run to the end, and return why it ended.

        Raises:
            JournalError: If the bars lead to another account than journal or state say.
            TradingError: If the account of a store holds something else than the journal says.
        """
        self._cerebro.run()
        return self.reason or self.feed.stopped_because or "the end"

    def stop(self, reason: str) -> None:
        """End the run after the bar at hand.

        Args:
            reason: Why; the first one counts.
        """
        self.reason = self.reason or reason
        self._cerebro.runstop()

    def now(self) -> pd.Timestamp:
        """The time in UTC: of the clock, else the end of the present bar."""
        if self._setup.clock is not None:
            return in_utc(pd.Timestamp(self._setup.clock()))
        state = self._board.state
        time, spacing = state.time, state.spacing
        if len(self.feed):
            time, spacing = self._books.time, self.feed.spacing
        if time is None or spacing is None:
            return pd.Timestamp.now(tz="UTC")
        return in_utc(time) + spacing

    def _build_cerebro(self, params: Mapping[str, Any]) -> bt.Cerebro:
        is_paper, feed = self._setup.is_paper, self.feed
        # fills of a real broker come between bars
        cerebro = bt.Cerebro(stdstats=False, quicknotify=not is_paper)
        cerebro.broker = self._broker
        cerebro.adddata(feed)
        cerebro.addstrategy(self._setup.strategy, **params)
        cerebro.addanalyzer(LiveGate, may_decide=lambda: feed.may_trade)
        cerebro.addanalyzer(
            SessionRecorder, begin=self._begin, order=self._hear_of_fill, bar=self._end_bar
        )
        if is_paper:
            hold_between_bars(self._broker, feed)
        return cerebro

    def _begin(self, strategy: Any) -> None:
        """The broker has started: what it holds is compared with the journal."""
        self._strategy = strategy
        if self._setup.is_paper or self._setup.adopts_account:
            return
        scheme = self._broker.getcommissioninfo(self.feed)
        reconcile_account(
            self._read_account(),
            self._content.records,
            multiplier=float(scheme.p.mult),
            is_paid_in_full=bool(scheme.stocklike),
            open_orders=list_open_orders(self._broker, self.feed.p.dataname),
        )

    def _read_account(self) -> Account:
        broker = self._broker
        position = broker.getposition(self.feed)
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
        books, guard = self._books, self._guard
        books.begin_bar(strategy)
        if not books.n_bars:  # of the history
            return
        for number, reason in self._withdrawals.get(books.n_bars, ()):
            guard.withdraw(number, reason)
        is_known = books.is_known
        if not is_known and guard.is_killed:
            guard.withdraw_all("the kill switch is there")
        account = self._read_account()
        self._measure_day()
        books.end_bar(account)
        self._check_state(account)
        self._show_bar(strategy, account)
        if is_known:
            if books.is_last_known and self._setup.is_paper:
                self._board.write()  # a killed session may have come no further
            return
        self._board.write()
        self._n_live += self.feed.may_trade
        if self._n_live >= self._most_bars:
            self.stop(f"{count_of(self._n_live, 'bar')} came in this run, as asked")

    def _measure_day(self) -> float:
        """What the equity has gained since the end of the day before, a fraction."""
        equity = float(self._broker.getvalue())
        assert self._books.time is not None
        day = self._books.time.date()
        if day != self._day:
            before = self._board.state.account
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
                f"state.json of {self._setup.folder} doesn't agree with the journal beside it: by "
                f"the journal, {difference}. Restore both from one copy, or delete state.json to "
                "go by the journal."
            )

    def _show_bar(self, strategy: Any, account: Account) -> None:
        feed, state = self.feed, self._board.state
        if feed.may_trade and math.isnan(state.first_close):
            state = state.updated(begun_with=account.equity, first_close=float(feed.close[0]))
        n_missing = max(strategy._minperiod - len(strategy), 0)
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
            self._board.state = state  # what has happened before isn't news
        else:
            self._board.show(state)


def in_utc(time: pd.Timestamp) -> pd.Timestamp:
    """Return a time in UTC; one without a timezone is in UTC already."""
    return time.tz_localize("UTC") if time.tz is None else time.tz_convert("UTC")


def _size_and_price(order: Any) -> tuple[float, float | None]:
    is_market = order.exectype == bt.Order.Market
    return float(order.executed.remsize), None if is_market else float(order.created.price)
