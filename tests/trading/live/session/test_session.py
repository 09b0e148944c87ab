"""A live session does what a backtest of the same bars does, and goes on after any end."""

import itertools
import json
import math
from importlib import import_module

import backtrader as bt
import numpy as np
import pandas as pd
import pytest
from made_up import ConstantForecaster, RememberingForecaster, random_walk
from made_up_sources import FrameSource, run_session, what_happened

from lstm_strategy import (
    BASELINES,
    BrokerSettings,
    LSTMStrategy,
    Perpetual,
    TargetStrategy,
    run_backtest,
)
from lstm_strategy.errors import JournalError, TradingError
from lstm_strategy.trading.baselines import SMACross
from lstm_strategy.trading.live import LiveSession, LiveState, read_journal

BARS = random_walk(100, seed=3)
HOURLY = random_walk(120, seed=4, freq="h").assign(
    funding_rate=np.where(np.arange(120) % 8, np.nan, 0.001)
)


class TradesByLimits(bt.Strategy):
    """Buys below the market and sells above it: orders that wait, expire and are withdrawn."""

    def __init__(self):
        self.heard = []
        self.waiting = None

    def notify_order(self, order):
        self.heard.append((order.getstatusname(), order.executed.size))

    def next(self):
        if self.waiting is not None and self.waiting.alive():
            self.cancel(self.waiting)
        close = self.data.close[0]
        if self.position:
            self.waiting = self.sell(size=5, price=1.004 * close, exectype=bt.Order.Limit)
        else:
            self.waiting = self.buy(size=5, price=0.996 * close, exectype=bt.Order.Limit)


class BuysOnce(bt.Strategy):
    """Sends its only order where strategies begin."""

    def nextstart(self):
        self.buy(size=10)


def assert_same(tables, others):
    for name, table in tables.items():
        other = others[name]
        if name in ("bars", "is_live"):
            assert table.equals(other), name
        else:
            pd.testing.assert_frame_equal(table, other, rtol=1e-12, obj=name)


@pytest.mark.parametrize(
    ("strategy", "bars", "arguments"),
    [
        pytest.param(
            LSTMStrategy, BARS, {"model": RememberingForecaster(), "band": 0.02}, id="model"
        ),
        pytest.param(BASELINES["SMA cross"], BARS, {"fast": 2, "slow": 7}, id="baseline"),
        pytest.param(TradesByLimits, BARS, {}, id="orders that wait"),
        pytest.param(BuysOnce, BARS, {}, id="an order at the first bar"),
        pytest.param(
            LSTMStrategy,
            HOURLY,
            {
                "model": ConstantForecaster(-0.5),
                "broker": BrokerSettings(instrument=Perpetual(taker_rate=0.0005, leverage=2)),
            },
            id="funding",
        ),
        pytest.param(
            BASELINES["Volatility target"],
            BARS.tz_localize("America/New_York"),
            {"broker": BrokerSettings(cash=5_000.0, lot_size=1.0), "bars_per_year": 252.0},
            id="zone",
        ),
    ],
)
def test_a_live_run_does_what_a_backtest_of_the_same_bars_does(strategy, bars, arguments, tmp_path):
    state = run_session(strategy, bars, tmp_path, **arguments)
    backtest = run_backtest(strategy, bars, start=bars.index[40], **arguments)
    content = read_journal(tmp_path)
    assert content.bars[list(bars)].equals(bars.rename_axis("datetime"))
    assert len(content.fills) == len(backtest.fills) > 0
    for column in ("size", "price", "commission"):
        np.testing.assert_allclose(content.fills[column], backtest.fills[column], rtol=1e-9)
    assert content.fills.index.equals(backtest.fills.index)
    np.testing.assert_allclose(content.accounts["equity"], backtest.equity, rtol=1e-9)
    assert state.account.equity == content.accounts["equity"].iloc[-1]
    assert state.status == "stopped"


def test_idle_rounds_between_bars_change_nothing(tmp_path):
    def come():
        for time, row in BARS.iloc[40:].iterrows():
            yield from [None, None, {"datetime": time, **row, "closed": True}, None]

    for number, source in enumerate([come(), FrameSource(BARS, 40)]):
        arguments = {"history": BARS.iloc[:40]} if number == 0 else {}
        LiveSession(TradesByLimits, source, tmp_path / str(number), **arguments).run()
    assert_same(what_happened(tmp_path / "0"), what_happened(tmp_path / "1"))


def test_what_the_model_said_is_in_the_journal(tmp_path):
    model = RememberingForecaster()
    run_session(LSTMStrategy, BARS, tmp_path, model=model)
    frame = model.forecast(BARS).iloc[40:]
    pd.testing.assert_frame_equal(
        read_journal(tmp_path).forecasts, frame, check_names=False, check_freq=False
    )


class KilledError(BaseException):
    """Stands for the end of the process at some write."""


def kill_at(monkeypatch, n_writes, *, share):
    """Let the process die at a write, of which a share reaches the disk."""
    whole = import_module("lstm_strategy.support.files.whole")
    journal = import_module("lstm_strategy.trading.live.journal.journal")
    own_write, own_state, left = journal._write, whole._write_part, [n_writes]

    def die(write):
        def written(where, content, **options):
            left[0] -= 1
            if left[0] == 0 and write is own_write:
                write(where, content[: int(share * len(content))])
            if left[0] <= 0:
                raise KilledError
            return write(where, content, **options)

        return written

    monkeypatch.setattr(journal, "_write", die(own_write))
    monkeypatch.setattr(whole, "_write_part", die(own_state))


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_session_that_is_killed_at_any_write_goes_on_to_the_same_end(
    share, tmp_path, monkeypatch
):
    arguments = {"model": RememberingForecaster(), "band": 0.02}
    bars = BARS.iloc[:60]
    run_session(LSTMStrategy, bars, tmp_path / "whole", **arguments)
    expected = what_happened(tmp_path / "whole")
    n_kills = 0
    while True:
        with monkeypatch.context() as patch:
            kill_at(patch, 3 + n_kills % 7, share=share)
            try:
                run_session(LSTMStrategy, bars, tmp_path / "killed", **arguments)
                break
            except KilledError:
                n_kills += 1
    assert n_kills > 5
    assert_same(expected, what_happened(tmp_path / "killed"))


# the other shares take as long again, and one kill of each share is tried above
@pytest.mark.parametrize(
    "share",
    [pytest.param(0.0, marks=pytest.mark.slow), 0.5, pytest.param(1.0, marks=pytest.mark.slow)],
)
def test_a_session_that_is_killed_twice_at_its_start_goes_on_to_the_same_end(
    share, tmp_path, monkeypatch
):
    arguments = {"fast": 2, "slow": 9}
    bars = BARS.iloc[:44]
    run_session(BASELINES["SMA cross"], bars, tmp_path / "whole", **arguments)
    expected = what_happened(tmp_path / "whole")
    # the first line, the history, the start, and the first bar
    for kills in itertools.product(range(1, 5), repeat=2):
        folder = tmp_path / f"killed at {kills}"
        for n_writes in kills:
            with monkeypatch.context() as patch:
                kill_at(patch, n_writes, share=share)
                with pytest.raises(KilledError):
                    run_session(BASELINES["SMA cross"], bars, folder, **arguments)
        run_session(BASELINES["SMA cross"], bars, folder, **arguments)
        assert_same(expected, what_happened(folder))


def test_the_state_is_written_again_where_a_killed_session_wrote_the_journal_alone(
    tmp_path,
):
    run_session(BuysOnce, BARS, tmp_path, n_bars=10)
    behind = (tmp_path / "state.json").read_bytes()
    run_session(BuysOnce, BARS, tmp_path, n_bars=1)
    written = json.loads((tmp_path / "state.json").read_bytes())
    (tmp_path / "state.json").write_bytes(behind)
    run_session(BuysOnce, BARS.iloc[:51], tmp_path)  # no bar comes after the eleventh
    again = json.loads((tmp_path / "state.json").read_bytes())
    assert again == written | {"reason": "the end"}
    assert written["n_bars"] == 11


def test_a_session_is_started_again_at_every_bar_and_goes_on(tmp_path):
    arguments = {"model": RememberingForecaster(), "band": 0.02}
    run_session(LSTMStrategy, BARS, tmp_path / "whole", **arguments)
    for n_bars in (1, 2, 30, 1, 25, None):
        state = run_session(LSTMStrategy, BARS, tmp_path / "parts", n_bars=n_bars, **arguments)
    assert state.n_bars == 60
    assert_same(what_happened(tmp_path / "whole"), what_happened(tmp_path / "parts"))
    runs = read_journal(tmp_path / "parts").runs
    assert runs["event"].tolist() == ["start", "stop"] * 6
    assert runs["reason"].iloc[1] == "1 bar came in this run, as asked"


def test_a_strategy_that_decides_otherwise_than_the_journal_is_told_where(tmp_path):
    class Changed(TradesByLimits):
        def next(self):
            self.buy(size=1)

    Changed.__name__ = "TradesByLimits"
    run_session(TradesByLimits, BARS, tmp_path, n_bars=20)
    with pytest.raises(JournalError, match=r"another account at 2001-02-\d\d .* position is"):
        run_session(Changed, BARS, tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            {"fast": 4},
            "parameter of the strategy, fast: 3 when it was begun, 4 now",
            id="parameter",
        ),
        pytest.param(
            {"broker": BrokerSettings(cash=5.0)},
            "setting of the broker, cash: .* when it was begun, 5.0 now",
            id="terms",
        ),
    ],
)
def test_a_folder_is_gone_on_with_by_the_same_run_only(change, message, tmp_path):
    arguments = {"fast": 3, "slow": 9}
    run_session(BASELINES["SMA cross"], BARS, tmp_path, n_bars=5, **arguments)
    with pytest.raises(JournalError, match=message):
        run_session(BASELINES["SMA cross"], BARS, tmp_path, **(arguments | change))


def test_another_history_is_said_to_count_in_a_new_folder_only(tmp_path):
    for n_history in (30, 30, 20):
        session = LiveSession(
            BASELINES["SMA cross"], FrameSource(BARS, 40), tmp_path, n_history=n_history, slow=9
        )
        session.run(n_bars=2)
    content = read_journal(tmp_path)
    assert content.n_history == 30
    assert content.notes["text"].tolist() == [
        "The run goes on with the history that it was begun with, of 30 bars. The 20 bars asked "
        "for now count in a new folder."
    ]


def test_a_run_that_goes_on_is_starting_until_its_first_bar(tmp_path):
    file, seen = tmp_path / "state.json", []

    class Looks(SMACross):
        def start(self):
            super().start()
            seen.append(json.loads(file.read_bytes()) if file.exists() else None)

    run_session(Looks, BARS, tmp_path, n_bars=2, slow=9)
    stopped = json.loads(file.read_bytes())
    run_session(Looks, BARS, tmp_path, n_bars=2, slow=9)
    assert stopped["status"] == "stopped"
    assert seen == [None, stopped | {"status": "starting", "reason": ""}]


def test_bars_that_come_too_late_are_seen_and_not_traded(tmp_path):
    class Alternates(TargetStrategy):
        def target_exposure(self):
            return len(self.data) % 2

    def tell_time():
        """The end of the bar that comes next; hours later after the tenth, for twenty bars."""
        time = HOURLY.index[39] if session.state.time is None else session.state.time
        is_late = 10 <= session.state.n_bars < 30
        return time + pd.Timedelta(hours=9 if is_late else 2)

    for n_bars in (3, 15, None):
        source = FrameSource(HOURLY, 40)
        session = LiveSession(Alternates, source, tmp_path, clock=tell_time)
        session.run(n_bars=n_bars)
    content = read_journal(tmp_path)
    late = HOURLY.index[50:70]
    assert content.is_live[~content.is_live].index[40:].equals(late)
    sent = content.orders[content.orders["status"] == "sent"]
    assert len(sent) == 60 and not sent.index.isin(late).any()
    assert content.notes["text"].tolist() == [
        f"The bar of {late[0]} came more than one bar late by the clock; bars so late are seen, "
        "not traded on."
    ]
    stops = [record["counts"] for record in content.records if record.get("event") == "stop"]
    assert [counts["delayed"] for counts in stops] == [0, 20, 0]


def test_a_session_without_a_history_says_what_to_give(tmp_path):
    with pytest.raises(TradingError, match="Give history=load_bars"):
        LiveSession(BuysOnce, iter([]), tmp_path).run()


def test_a_simulated_broker_is_no_account_of_a_store(tmp_path):
    with pytest.raises(TradingError, match="Leave it out for a paper account"):
        LiveSession(BuysOnce, FrameSource(BARS, 40), tmp_path, account=bt.brokers.BackBroker())


def test_two_sessions_never_share_a_folder(tmp_path):
    class Rival(BuysOnce):
        def nextstart(self):
            run_session(BuysOnce, BARS, tmp_path)

    Rival.__name__ = "BuysOnce"
    with pytest.raises(JournalError, match="Another session writes to"):
        run_session(Rival, BARS, tmp_path)


def test_the_state_is_kept_beside_the_journal_and_must_agree_with_it(tmp_path):
    state = run_session(BuysOnce, BARS, tmp_path, n_bars=10)
    path = tmp_path / "state.json"
    text = path.read_text()
    assert f'"position": {state.account.position}' in text
    assert state.gained == pytest.approx(state.account.equity / 100_000 - 1)
    assert state.holding_gained == BARS["close"].iloc[49] / BARS["close"].iloc[40] - 1
    assert math.isnan(LiveState("made up").gained)
    path.write_text(text.replace('"position": 10', '"position": 11'))
    with pytest.raises(JournalError, match="position is 10 instead of 11"):
        run_session(BuysOnce, BARS, tmp_path)
    path.write_text("{")
    with pytest.raises(JournalError, match=r"state.json can't be read: .* delete it"):
        run_session(BuysOnce, BARS, tmp_path)
    path.unlink()
    assert run_session(BuysOnce, BARS, tmp_path).n_bars == 60


def test_the_account_beside_the_journal_is_compared_in_each_number(tmp_path):
    state = run_session(BuysOnce, BARS, tmp_path, n_bars=10)
    path = tmp_path / "state.json"
    written = json.loads(path.read_bytes())
    for name in ("cash", "equity"):
        account = written["account"] | {name: written["account"][name] + 1.0}
        path.write_text(json.dumps(written | {"account": account}))
        with pytest.raises(JournalError, match=f"{name} is .* instead of"):
            run_session(BuysOnce, BARS, tmp_path)
    path.write_text(json.dumps(written | {"account": None}))
    assert run_session(BuysOnce, BARS, tmp_path, n_bars=1).n_bars == state.n_bars + 1


def test_a_bar_that_was_dropped_is_told_of_though_no_later_one_comes(tmp_path):
    clock_is_back = HOURLY.index[39] - pd.Timedelta(days=3)
    session = LiveSession(
        BuysOnce, FrameSource(HOURLY.iloc[:43], 40), tmp_path, clock=lambda: clock_is_back
    )
    state = session.run()
    said = [
        f"The bar of {time} is dated after the source's clock; it was dropped."
        for time in HOURLY.index[40:43]
    ]
    notes = read_journal(tmp_path).notes
    assert notes["about"].tolist() == ["misdated"] * 3
    assert notes["text"].tolist() == list(state.notes) == said
    written = json.loads((tmp_path / "state.json").read_bytes())
    assert written["notes"] == said
    assert written["counts"]["misdated"] == state.counts["misdated"] == 3


def test_what_is_wrong_with_a_bar_is_in_the_journal_before_the_next_bar_comes(tmp_path):
    seen = []

    def come():
        yield {"datetime": BARS.index[40], **BARS.iloc[40], "closed": True}
        yield {"datetime": BARS.index[41], **BARS.iloc[41], "close": 0.0, "closed": True}
        seen.append(read_journal(tmp_path).notes["about"].tolist())

    session = LiveSession(BuysOnce, come(), tmp_path, history=BARS.iloc[:40])
    session.run()
    assert seen == [["invalid"]]


def test_the_state_beside_the_journal_says_when_a_run_has_ended(tmp_path):
    def read_state():
        written = json.loads((tmp_path / "state.json").read_bytes())
        return written["status"], written["reason"], written["n_bars"]

    class Fails(BuysOnce):
        def next(self):
            if len(self.data) == 55:
                raise RuntimeError("no luck")

    Fails.__name__ = "BuysOnce"
    run_session(BuysOnce, BARS, tmp_path, n_bars=10)
    assert read_state() == ("stopped", "10 bars came in this run, as asked", 10)
    with pytest.raises(RuntimeError):
        run_session(Fails, BARS, tmp_path)
    assert read_state() == ("stopped", "RuntimeError: no luck", 14)
    run_session(BuysOnce, BARS, tmp_path)
    assert read_state() == ("stopped", "the end", 60)
