"""A strategy on bars as they come, with a paper account or through a user's store."""

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import backtrader as bt
import pandas as pd

from lstm_strategy.bars import check_bars, has_contract
from lstm_strategy.errors import JournalError, TradingError
from lstm_strategy.learning.serving import open_forecaster
from lstm_strategy.support import library_versions, name_zone
from lstm_strategy.trading.backtrader_internals import declared_params
from lstm_strategy.trading.cerebro import BrokerSettings, choose_broker, complete_params, cut_to_run
from lstm_strategy.trading.live.closed_bars import ClosedBars
from lstm_strategy.trading.live.journal import Journal, JournalContent, read_journal
from lstm_strategy.trading.live.session.board import StateBoard
from lstm_strategy.trading.live.session.orders import TradingLimits
from lstm_strategy.trading.live.session.reconcile import tells_open_orders
from lstm_strategy.trading.live.session.run import SessionRun, SessionSetup, in_utc
from lstm_strategy.trading.live.session.state import LiveState, mark_status


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
        limits = limits or TradingLimits()
        self._setup = SessionSetup(
            strategy=strategy,
            source=source,
            folder=Path(folder),
            terms=choose_broker(broker),
            limits=limits,
            account=account,
            adopts_account=adopt_account,
            clock=clock or getattr(source, "now", None),
            feed_settings={"closed_only": closed_only, "on_gap": on_gap},
        )
        self._history, self._n_history = history, n_history
        self._params = dict(params)
        self._reason = ""
        self._run: SessionRun | None = None
        state = LiveState(market=_name_of(source), limits=_shown_limits(limits))
        self._board = StateBoard(state, self._setup.folder, on_change)

    @property
    def state(self) -> LiveState:
        """What the session knows."""
        return self._board.state

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
        begun = self._read_earlier()
        history = self._load_history() if begun is None else begun.bars.iloc[: begun.n_history]
        params = self._complete(history)
        with Journal.open(
            self._setup.folder,
            model=_fingerprint_of(params),
            settings=self._describe_settings(params),
            zone=_zone_of(history),
        ) as journal:
            self._begin_journal(journal, history)
            try:
                reason = self._run_to_end(journal, params, math.inf if n_bars is None else n_bars)
            except BaseException as error:
                self._end_journal(journal, f"{type(error).__name__}: {error}")
                raise
            self._end_journal(journal, reason)
        return self.state

    def stop(self, reason: str = "asked to") -> None:
        """End the run after the bar at hand, from any thread or from a signal's handler.

        Args:
            reason: Why, for the journal.
        """
        self._reason = self._reason or reason
        if self._run is not None:
            self._run.stop(reason)
        source = self._setup.source
        close = getattr(source, "close", None)
        if callable(close) and not isinstance(source, bt.feed.AbstractDataBase):
            close()

    def _read_earlier(self) -> JournalContent | None:
        """What the folder holds of this run; None where it is yet to be begun."""
        try:
            content = read_journal(self._setup.folder)
        except JournalError:
            folder = self._setup.folder
            if any(folder.glob("journal.jsonl")) and _is_begun(folder):
                raise
            return None
        return content if content.n_history else None

    def _load_history(self) -> pd.DataFrame:
        bars, source = self._history, self._setup.source
        if bars is None:
            if not callable(getattr(source, "history", None)):
                raise TradingError(
                    f"{type(source).__name__} has no history to warm the strategy up with. Give "
                    "history=load_bars(...)."
                )
            bars = source.history(n_bars=self._n_history)
        frame = check_bars(bars).frame
        if has_contract(frame):
            raise TradingError(
                "The history is a continuous future, and live bars are those of one contract. Give "
                "the bars of the contract alone, without the columns contract and contract_price."
            )
        return frame

    def _complete(self, history: pd.DataFrame) -> dict[str, Any]:
        """The parameters, with what the strategy leaves to the terms and to the history."""
        params, strategy, terms = dict(self._params), self._setup.strategy, self._setup.terms
        if params.get("model") is not None and "model" in declared_params(strategy):
            params["model"] = open_forecaster(params["model"])
        bars, _ = cut_to_run(history, start=None, end=None)
        terms.check_markets(bars.markets)
        bars = bars.with_instruments(terms.instrument_of)
        return complete_params(strategy, params, terms, bars)

    def _describe_settings(self, params: Mapping[str, Any]) -> dict[str, Any]:
        setup = self._setup
        settings = {
            "market": self.state.market,
            "strategy": setup.strategy.__name__,
            "params": {name: _plain(value) for name, value in params.items()},
            "broker": setup.terms.readable_settings(),
            "account": "paper" if setup.is_paper else type(setup.account).__name__,
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
        account = self._setup.account
        if account is not None and not tells_open_orders(account):
            text = (
                f"{type(account).__name__} has no get_orders_open: whether an order of an earlier "
                "session still waits at the broker wasn't checked."
            )
            self._take_note(journal, "open_orders", text)
        journal.commit()
        mark_status(self._setup.folder, "starting")

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
        self._take_note(journal, "history", text)

    def _take_note(self, journal: Journal, about: str, text: str) -> None:
        journal.append("note", at=self._now().isoformat(), about=about, text=text)
        self._board.say(text)

    def _run_to_end(self, journal: Journal, params: Mapping[str, Any], most_bars: float) -> str:
        """Run, and return why it ended."""
        content = read_journal(self._setup.folder)
        self._run = SessionRun(
            self._setup, params, journal, content, self._board, most_bars=most_bars
        )
        return self._reason or self._run.run()

    def _end_journal(self, journal: Journal, reason: str) -> None:
        self._board.show_end(reason)
        journal.drop()
        at, counts = self._now().isoformat(), self._board.counts
        journal.append("run", event="stop", at=at, reason=reason, counts=counts)
        journal.commit()
        self._board.write_end()

    def _now(self) -> pd.Timestamp:
        """The time in UTC."""
        if self._run is not None:
            return self._run.now()
        clock = self._setup.clock
        return pd.Timestamp.now(tz="UTC") if clock is None else in_utc(pd.Timestamp(clock()))


def _shown_limits(limits: TradingLimits) -> dict[str, Any]:
    return {name: each for name, each in limits.model_dump().items() if each is not None}


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
