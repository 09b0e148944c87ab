"""Keeps the journal of a session bar by bar, and checks what it holds already."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import pandas as pd

from lstm_strategy.errors import JournalError
from lstm_strategy.trading.clock import FeedClock
from lstm_strategy.trading.live.closed_bars import BarNote
from lstm_strategy.trading.live.journal import Journal, JournalContent
from lstm_strategy.trading.live.session.orders import OrderGuard, OrderNews, describe_end_of_order
from lstm_strategy.trading.live.session.state import Account
from lstm_strategy.trading.lstm import LSTMIndicator


class Bookkeeper:
    """Writes what happens on each bar that the journal lacks, and checks those that it has.

    Args:
        journal: The journal, open.
        content: What it holds.
        feed: The bars of the session.
        now: Tells the time.
        is_paper: Whether the account is simulated, so that the journal's bars lead to the journal's
            account.
        on_note: Called with what happens beside, in words.

    Attributes:
        n_bars: How many bars have come since the run was begun.
        forecast: What the model says at the present bar, by line.
    """

    def __init__(
        self,
        journal: Journal,
        content: JournalContent,
        feed: Any,
        *,
        now: Callable[[], pd.Timestamp],
        is_paper: bool,
        on_note: Callable[[str], None],
    ) -> None:
        self._journal, self._content, self._feed = journal, content, feed
        self._now, self._is_paper, self._on_note = now, is_paper, on_note
        self._columns = [name for name in content.bars if hasattr(feed.lines, str(name))]
        self._n_begun = 0
        self._last: pd.Timestamp | None = None
        self._clock: FeedClock | None = None
        self.forecast: dict[str, float] = {}

    @property
    def n_bars(self) -> int:
        """How many bars have come since the run was begun."""
        return max(0, len(self._feed) - self._content.n_history)

    @property
    def is_known(self) -> bool:
        """Whether the journal has the present bar already."""
        return len(self._feed) <= len(self._content.bars)

    @property
    def is_last_known(self) -> bool:
        """Whether the present bar is the last one that the journal had when it was opened."""
        return len(self._feed) == len(self._content.bars)

    @property
    def time(self) -> pd.Timestamp | None:
        """The date of the present bar; None before the first."""
        self._begin_bar_time()
        return self._last

    def begin_bar(self, strategy: Any) -> None:
        """Take the present bar and its forecast down, unless that was done."""
        if len(self._feed) <= self._n_begun:
            return
        self._begin_bar_time()
        self._n_begun = len(self._feed)
        self.forecast = forecast_of(strategy)
        if self.is_known:
            return
        values = {str(name): getattr(self._feed.lines, str(name))[0] for name in self._columns}
        self._add("bar", is_live=self._feed.may_trade, at=self._now().isoformat(), **values)
        if self.forecast:
            self._add("forecast", **self.forecast)

    def write_order(self, news: OrderNews) -> None:
        """Take down what has become of an order."""
        record = {name: value for name, value in asdict(news).items() if value != ""}
        self._add("order", **record)
        if news.reason:
            what = f"the order for {news.size:g} was {news.status}: {news.reason}"
            self.write_note("limit" if news.status == "refused" else "kill_switch", f"{what}.")

    def write_notified(self, order: Any, guard: OrderGuard) -> None:
        """Take down what a broker says of an order."""
        number = guard.id_of(order)
        for fill in order.executed.iterpending():
            self._add(
                "fill",
                id=number,
                size=float(fill.size),
                price=float(fill.price),
                commission=float(fill.comm),
            )
        news = describe_end_of_order(order, number)
        if news is not None and not guard.is_refused(order):
            self.write_order(news)

    def write_note(self, about: str, text: str) -> None:
        """Take down what happened beside."""
        if not self.is_known:
            self._append_note(about, text)

    def write_bar_note(self, note: BarNote) -> None:
        """Take down, between two bars, what is wrong with one that has come.

        Raises:
            OSError: If the journal can't be written.
        """
        self._append_note(note.kind, note.text)
        self._journal.commit()

    def end_bar(self, account: Account) -> None:
        """Take the account down and write the bar; of one that is known, compare the account.

        Raises:
            JournalError: If the account isn't the journal's.
            OSError: If the journal can't be written.
        """
        if self.is_known:
            self._check(account)
            return
        self._add("account", **asdict(account))
        self._journal.commit()

    def commit(self) -> None:
        """Write what waits, for a broker that won't wait for the end of the bar."""
        if not self._is_paper:
            self._journal.commit()

    def _add(self, kind: str, **fields: Any) -> None:
        if not self.is_known:
            assert self.time is not None
            self._journal.append(kind, datetime=self.time.isoformat(), **fields)

    def _append_note(self, about: str, text: str) -> None:
        self._journal.append("note", at=self._now().isoformat(), about=about, text=text)
        self._on_note(text)

    def _begin_bar_time(self) -> None:
        # while the feed waits for a bar, its lines have a place for it already
        if len(self._feed) > self._n_begun and not math.isnan(self._feed.datetime[0]):
            self._clock = self._clock or FeedClock(self._feed)
            number = len(self._feed) - 1
            if number < len(self._content.bars):
                self._last = pd.Timestamp(self._content.bars.index[number])
            else:
                self._last = self._clock.time_after(self._feed.datetime[0], None)

    def _check(self, account: Account) -> None:
        number = self.n_bars - 1
        if not self._is_paper or number < 0:
            return
        row = self._content.accounts.iloc[number]
        written = Account(row["cash"], row["equity"], row["position"])
        difference = account.find_difference(written)
        if difference:
            raise JournalError(
                f"The journal can't be gone on with: its bars lead to another account at "
                f"{self.time}, whose {difference}. Another version of the strategy or of a library "
                "decides otherwise; `replay` tells where. Begin a new folder."
            )


def verdicts_of(content: JournalContent) -> dict[int, str]:
    """Return of each order in a journal "", or why it was refused, by its number.

    Args:
        content: What the journal holds.
    """
    verdicts: dict[int, str] = {}
    for record in content.records:
        if record["kind"] == "order" and record["status"] in ("sent", "refused"):
            verdicts[int(record["id"])] = str(record.get("reason") or "")
    return verdicts


def withdrawals_of(content: JournalContent) -> Mapping[int, list[tuple[int, str]]]:
    """Return which orders were withdrawn at which bar, counted from 1, and why.

    Args:
        content: What the journal holds.
    """
    found: dict[int, list[tuple[int, str]]] = {}
    n_bars = 0
    for record in content.records:
        n_bars += record["kind"] == "bar"
        if record["kind"] == "order" and record["status"] == "withdrawn":
            order = (int(record["id"]), str(record.get("reason") or ""))
            found.setdefault(n_bars, []).append(order)
    return found


def forecast_of(strategy: Any) -> dict[str, float]:
    """Return what the first model of a strategy says at the present bar, by line.

    Args:
        strategy: The strategy, which runs.
    """
    for indicator in strategy.getindicators():
        if isinstance(indicator, LSTMIndicator):
            names = indicator.lines.getlinealiases()
            return {name: float(getattr(indicator.lines, name)[0]) for name in names}
    return {}
