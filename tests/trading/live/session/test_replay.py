"""A live run is repeated as a backtest, and each difference has a cause."""

import json
from pathlib import Path

import backtrader as bt
import numpy as np
import pandas as pd
import pytest
from made_up import ConstantForecaster, RememberingForecaster, random_walk
from made_up_sources import run_session

from lstm_strategy import BASELINES, BrokerSettings, LSTMStrategy, Perpetual, TargetStrategy
from lstm_strategy.errors import BarsError, JournalError, TradingError
from lstm_strategy.trading.live import (
    LiveSession,
    TradingLimits,
    read_journal,
    replay_journal,
)

BARS = random_walk(100, seed=3).assign(mood=1.0)
HOURLY = random_walk(120, seed=4, freq="h")
FAST = {"fast": 2, "slow": 7}
SMA = BASELINES["SMA cross"]
FIRST = BARS.index[40]


def edit_journal(folder, change):
    """Rewrite the records of a journal, as another run or a stranger would have written them."""
    file = Path(folder) / "journal.jsonl"
    records = [json.loads(line) for line in file.read_text().splitlines()]
    change(records)
    file.write_text("".join(json.dumps(record) + "\n" for record in records))


def first_of(records, kind):
    return next(record for record in records if record.get("kind") == kind)


def edit_first(folder, kind, **fields):
    edit_journal(folder, lambda records: first_of(records, kind).update(fields))


def causes_of(found):
    return {(row.what, row.cause) for row in found.differences.itertuples()}


@pytest.mark.parametrize(
    ("strategy", "bars", "arguments"),
    [
        pytest.param(SMA, BARS, FAST, id="baseline"),
        pytest.param(SMA, BARS.tz_localize("America/New_York"), FAST, id="zone"),
        pytest.param(LSTMStrategy, BARS, {"model": RememberingForecaster()}, id="model"),
        pytest.param(
            LSTMStrategy,
            HOURLY.assign(funding_rate=np.where(np.arange(120) % 8, np.nan, 0.001)),
            {
                "model": ConstantForecaster(-0.5),
                "broker": BrokerSettings(instrument=Perpetual(taker_rate=0.0005, leverage=2)),
            },
            id="funding",
        ),
    ],
)
def test_a_run_that_nothing_disturbed_is_a_backtest(strategy, bars, arguments, tmp_path):
    run_session(strategy, bars, tmp_path, **arguments)
    assert len(read_journal(tmp_path).fills) > 0
    needed = {name: arguments[name] for name in ("model", "broker") if name in arguments}
    for known in (None, bars, bars.iloc[20:]):
        found = replay_journal(tmp_path, bars=known, **needed)
        assert found.differences.empty
        assert found.summary.endswith("A backtest does the same to nine digits: no difference.")
    assert found.n_bars == len(bars) - 40


def test_bars_that_were_missed_corrected_or_invented_explain_what_follows(tmp_path):
    run_session(SMA, BARS, tmp_path, **FAST)
    known = BARS.copy()
    known.loc[BARS.index[60], "volume"] += 1.0
    extra = BARS.index[70] + pd.Timedelta(hours=12)
    known = pd.concat([known, BARS.iloc[[70]].set_axis([extra])]).sort_index()
    known = known.drop(BARS.index[80])
    found = replay_journal(tmp_path, bars=known).differences
    bars = found[found["what"] == "bar"]
    assert list(zip(bars["time"], bars["cause"], strict=True)) == [
        (BARS.index[60], "corrected"),
        (extra, "missed"),
        (BARS.index[80], "invented"),
    ]
    assert bars["live"].iloc[0].startswith("volume ")
    others = found[found["what"] != "bar"]
    assert set(others["cause"]) == {"follows"}
    assert others["time"].min() >= BARS.index[60]
    assert "the bar was missed" in others["why"].iloc[0]


def test_a_bar_that_came_too_late_explains_the_order_that_wasnt_sent(tmp_path):
    times = {"now": BARS.index[40]}
    late = BARS.index[45:60]

    def come():
        for time, row in BARS.iloc[40:].iterrows():
            times["now"] = time + pd.Timedelta(days=9 if time in late else 1)
            yield {"datetime": time, **row, "closed": True}

    LiveSession(
        SMA,
        come(),
        tmp_path,
        history=BARS.iloc[:40],
        clock=lambda: times["now"].tz_localize("UTC"),
        **FAST,
    ).run()
    assert list(read_journal(tmp_path).is_live[~read_journal(tmp_path).is_live].index[40:]) == list(
        late
    )
    found = replay_journal(tmp_path)
    assert causes_of(found) >= {("bar", "late"), ("order", "late"), ("fill", "follows")}
    assert set(found.counts) == {"late", "follows"}
    assert f"{found.counts['late']}: the bar came too late to trade on" in found.summary
    assert "Unexplained: none." in found.summary


def test_an_order_that_a_limit_refused_is_told_with_its_reason(tmp_path):
    limits = TradingLimits(max_order_value=50_000.0)
    run_session(SMA, BARS, tmp_path, limits=limits, **FAST)
    found = replay_journal(tmp_path)
    refused = found.differences[found.differences["cause"] == "refused"]
    assert set(found.counts) == {"refused", "follows"}
    assert "a limit refused the order: " in refused["why"].iloc[0]
    assert "max_order_value" in refused["why"].iloc[0]
    assert found.differences["cause"].iloc[0] == "refused"


class WaitsForALowPrice(bt.Strategy):
    """Asks at its first bar for five units, below anything that is paid in the next 20 bars."""

    def next(self):
        if len(self) == 41:
            price = BARS["low"].iloc[40:61].min() * 0.999
            self.buy(size=5, exectype=bt.Order.Limit, price=price)


def test_an_order_that_the_kill_switch_withdrew_is_told_with_what_it_would_have_bought(tmp_path):
    switch = tmp_path / "STOP"
    falls = BARS["low"].to_numpy() < BARS["low"].iloc[40:61].min() * 0.999
    filled = BARS.index[61 + int(np.argmax(falls[61:]))]
    assert falls[61:].any()

    def come():
        for number, (time, row) in enumerate(BARS.iloc[40:].iterrows()):
            if number == 10:
                switch.touch()
            elif number == 12:
                switch.unlink()
            yield {"datetime": time, **row, "closed": True}

    LiveSession(WaitsForALowPrice, come(), tmp_path, history=BARS.iloc[:40]).run()
    assert read_journal(tmp_path).fills.empty
    found = replay_journal(tmp_path, strategy=WaitsForALowPrice)
    assert causes_of(found) == {
        ("order", "withdrawn"),
        ("order", "follows"),
        ("fill", "follows"),
        ("account", "follows"),
    }
    assert found.counts["withdrawn"] == 1
    withdrawn = found.differences.iloc[0]
    assert (withdrawn["time"], withdrawn["backtest"]) == (BARS.index[50], "")
    assert withdrawn["why"] == "the kill switch withdrew the order: the kill switch is there"
    fill = found.differences[found.differences["what"] == "fill"].iloc[0]
    assert (fill["time"], fill["live"]) == (filled, "")
    assert "Unexplained: none." in found.summary


def test_another_model_explains_its_forecasts(tmp_path):
    run_session(LSTMStrategy, BARS, tmp_path, model=RememberingForecaster())
    edit_journal(tmp_path, lambda records: records[0].update(model="f00d"))
    found = replay_journal(tmp_path, model=ConstantForecaster(1.0))
    assert ("forecast", "other model") in causes_of(found)
    assert set(found.counts) == {"other model", "follows"}
    assert "its fingerprint is f00d" in found.differences["why"].iloc[0]


def edit_forecasts(folder, change):
    def change_all(records):
        for record in records:
            if record.get("kind") == "forecast":
                change(record)

    edit_journal(folder, change_all)


def test_a_novelty_that_the_model_doesnt_give_again_is_a_difference(tmp_path):
    run_session(LSTMStrategy, BARS, tmp_path, model=RememberingForecaster())
    edit_first(tmp_path, "forecast", novelty=7.0)
    found = replay_journal(tmp_path, model=RememberingForecaster())
    assert found.counts == {"unexplained": 1}
    row = found.differences.iloc[0]
    assert (row["what"], row["live"]) == ("forecast", "novelty 7")
    assert row["backtest"].startswith("novelty 1.")


def test_a_journal_of_before_there_was_a_novelty_has_no_difference_in_it(tmp_path):
    run_session(LSTMStrategy, BARS, tmp_path, model=RememberingForecaster())
    edit_forecasts(tmp_path, lambda record: record.pop("novelty"))
    assert replay_journal(tmp_path, model=RememberingForecaster()).counts == {}


def test_other_settings_are_named(tmp_path):
    run_session(SMA, BARS, tmp_path, **FAST)
    found = replay_journal(tmp_path, slow=9)
    assert set(found.counts) == {"other settings", "follows"}
    assert found.counts["other settings"] == 1
    assert "slow was 7 and is 9" in found.differences["why"].iloc[0]
    terms = BrokerSettings(cash=50_000.0, band=0.05)
    found = replay_journal(tmp_path, broker=terms)
    assert "cash was 100000.0 and is 50000.0, band was 0.1" in found.differences["why"].iloc[0]
    assert "unexplained" not in found.counts


def test_what_a_broker_filled_otherwise_is_told_as_that(tmp_path):
    run_session(SMA, BARS, tmp_path, **FAST)

    def fill_elsewhere(records):
        records[0]["settings"]["account"] = "IBBroker"
        first_of(records, "fill")["price"] += 0.01

    edit_journal(tmp_path, fill_elsewhere)
    found = replay_journal(tmp_path)
    assert found.counts == {"filled elsewhere": 1}
    row = found.differences.iloc[0]
    assert (row["what"], row["live"] != row["backtest"]) == ("fill", True)


def test_another_version_explains_what_only_it_can(tmp_path):
    run_session(SMA, BARS, tmp_path, **FAST)

    def trade_otherwise(records):
        first_of(records, "run")["versions"]["numpy"] = "1.0"
        first_of(records, "fill")["price"] += 0.01

    edit_journal(tmp_path, trade_otherwise)
    found = replay_journal(tmp_path)
    assert found.counts == {"other version": 1}
    assert "numpy was 1.0 and is " in found.differences["why"].iloc[0]


@pytest.mark.parametrize(
    ("kind", "field"), [("fill", "price"), ("order", "size"), ("account", "cash")]
)
def test_what_nothing_explains_is_unexplained(kind, field, tmp_path):
    run_session(SMA, BARS, tmp_path, **FAST)
    read = read_journal(tmp_path)
    value = float(
        {"fill": read.fills, "order": read.orders, "account": read.accounts}[kind][field].iloc[0]
    )
    edit_first(tmp_path, kind, **{field: value * (1 + 1e-7)})
    known = BARS.drop(BARS.index[41])  # a cause that doesn't explain it
    for found in (replay_journal(tmp_path), replay_journal(tmp_path, bars=known)):
        assert found.counts["unexplained"] == 1
        assert "Unexplained: 1." in found.summary


def test_a_run_that_was_stopped_and_started_again_is_repeated_as_one(tmp_path):
    for n_bars in (5, 20, None):
        run_session(SMA, BARS, tmp_path, n_bars=n_bars, **FAST)
    found = replay_journal(tmp_path / "journal.jsonl")
    assert (found.n_bars, found.counts) == (60, {})


class Unknown(TargetStrategy):
    def target_exposure(self):
        return 1.0


def test_what_a_journal_doesnt_keep_is_asked_for(tmp_path):
    run_session(LSTMStrategy, BARS, tmp_path / "a", model=ConstantForecaster(1.0))
    with pytest.raises(TradingError, match="a journal keeps no models"):
        replay_journal(tmp_path / "a")
    run_session(Unknown, BARS, tmp_path / "b")
    with pytest.raises(TradingError, match="Unknown traded in this run"):
        replay_journal(tmp_path / "b")
    assert replay_journal(tmp_path / "b", strategy=Unknown).differences.empty
    run_session(
        SMA,
        HOURLY.assign(funding_rate=0.0),
        tmp_path / "c",
        broker=BrokerSettings(instrument=Perpetual()),
    )
    with pytest.raises(TradingError, match="of which a journal keeps the words alone"):
        replay_journal(tmp_path / "c")
    with pytest.raises(JournalError, match="there is no journal"):
        replay_journal(tmp_path / "none")


@pytest.mark.parametrize(
    ("known", "message"),
    [
        pytest.param(BARS.iloc[50:], "must reach from 2001", id="begins late"),
        pytest.param(BARS.iloc[:-1], "must reach from 2001", id="ends early"),
        pytest.param(BARS.drop(columns="mood"), "no column mood", id="column"),
        pytest.param(BARS.tz_localize("UTC"), "no timezone", id="zone"),
    ],
)
def test_bars_that_dont_fit_the_run_are_refused(known, message, tmp_path):
    run_session(SMA, BARS, tmp_path, **FAST)
    with pytest.raises(BarsError, match=message):
        replay_journal(tmp_path, bars=known)
