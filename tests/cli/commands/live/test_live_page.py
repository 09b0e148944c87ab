"""What a live run says of itself: a page on a terminal, a line a bar elsewhere."""

import io
import math

import pandas as pd
import pytest
from rich.console import Console

from lstm_strategy.cli.commands.live import page
from lstm_strategy.cli.commands.live.page import (
    build_page,
    describe_bar,
    describe_end,
    describe_state,
    show_run,
)
from lstm_strategy.trading.live import Account, LiveState

# 2 units bought at 10,000 with 100,000 of cash, worth 11,000 each: 2% up, holding gained 10%
LIVE = LiveState(
    "play:prices.csv",
    status="live",
    time=pd.Timestamp("2024-01-02 10:00"),
    n_bars=3,
    spacing=pd.Timedelta(hours=1),
    close=11_000.0,
    account=Account(cash=80_000.0, equity=102_000.0, position=2.0),
    begun_with=100_000.0,
    first_close=10_000.0,
    forecast={"forecast": 0.625, "uncertainty": math.nan},
    open_orders=((1.0, None), (-0.5, 12_000.0)),
    n_orders=4,
    n_refused=1,
    counts={"late": 2, "torn": 0},
    limits={
        "max_order_value": 5000.0,
        "max_daily_loss": 0.05,
        "max_orders_per_minute": 3,
        "kill_switch": "STOP",
        "lines": 7,
    },
    notes=("first", "second"),
)


def test_the_page_of_a_live_bar_worked_by_hand():
    now = pd.Timestamp("2024-01-02 11:30", tz="UTC")
    assert describe_state(LIVE, now) == [
        ("market", "play:prices.csv"),
        ("status", "live"),
        ("last bar", "2024-01-02 10:00:00, close 11,000"),
        ("next bar due", "2024-01-02 12:00 UTC, in 00:30:00"),
        ("forecast", "forecast 0.6250  uncertainty n/a"),
        ("position", "2"),
        ("equity", "102,000.00 (+2.00%; holding +10.00%)"),
        ("open orders", "+1, -0.5 at 12,000"),
        ("orders", "4 sent, 1 refused"),
        (
            "limits",
            "order 5,000, loss of a day 5.0%, 3 orders a minute, kill switch STOP, lines 7",
        ),
        ("bad bars", "2 late"),
    ]


@pytest.mark.parametrize(
    ("state", "now", "due"),
    [
        (LIVE, None, "as it is played"),
        (LIVE.updated(spacing=None), pd.Timestamp("2024-01-02", tz="UTC"), "as it is played"),
        (
            LIVE,
            pd.Timestamp("2024-01-02 12:00:05", tz="UTC"),
            "2024-01-02 12:00 UTC, late by 00:00:05 if the market is open",
        ),
        (
            LIVE.updated(time=pd.Timestamp("2024-01-02 10:00", tz="Europe/Berlin")),
            pd.Timestamp("2024-01-02 11:00", tz="UTC"),
            "2024-01-02 11:00 UTC, in 00:00:00",
        ),
    ],
    ids=["played", "unknown spacing", "late", "zone"],
)
def test_when_the_next_bar_is_due(state, now, due):
    assert dict(describe_state(state, now))["next bar due"] == due


def test_before_the_first_bar_there_is_nothing_but_the_market_and_why_it_ended():
    state = LiveState("yahoo:SPY", status="stopped", reason="Ctrl+C")
    assert describe_state(state) == [("market", "yahoo:SPY"), ("status", "stopped: Ctrl+C")]
    assert describe_end(state) == "Stopped after 0 bars: Ctrl+C. No bar came."


def test_without_model_orders_or_bad_bars_it_says_so():
    bare = LIVE.updated(forecast={}, open_orders=(), counts={}, begun_with=math.nan)
    lines = dict(describe_state(bare))
    assert "forecast" not in lines
    assert (lines["open orders"], lines["bad bars"]) == ("none", "none")
    assert lines["equity"] == "102,000.00 (no live bar yet)"
    over = dict(describe_state(LIVE.updated(status="stopped")))
    assert "next bar due" not in over


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {},
            "2024-01-02 10:00:00  close 11,000  forecast 0.6250  uncertainty n/a  position 2  "
            "equity 102,000.00 (+2.00%; holding +10.00%)",
        ),
        (
            {"forecast": {}, "account": None, "status": "warming up", "n_missing": 1_630},
            "2024-01-02 10:00:00  close 11,000  "
            "warming up: 1,630 more bars until its first decision",
        ),
    ],
    ids=["live", "warming up"],
)
def test_a_bar_is_one_line(changes, line):
    assert describe_bar(LIVE.updated(**changes)) == line


def test_elsewhere_each_note_and_each_bar_is_told_once(monkeypatch):
    told = []
    monkeypatch.setattr(page, "tell", told.append)
    monkeypatch.setattr(page, "tell_note", told.append)
    with show_run(is_played=True) as show:
        for state in (LIVE, LIVE, LIVE, LIVE.updated(n_bars=4), LIVE.updated(status="stopped")):
            show(state)
    assert told == ["second", describe_bar(LIVE), describe_bar(LIVE)]


def test_on_a_terminal_the_page_is_drawn_with_the_last_five_notes(monkeypatch):
    drawing = io.StringIO()
    screen = Console(file=drawing, force_terminal=True, width=100, color_system=None)
    monkeypatch.setattr(page, "out", screen)
    notes = tuple(f"note {number}" for number in range(7))
    with show_run(is_played=False) as show:
        show(LIVE.updated(notes=notes))
    drawn = drawing.getvalue()
    assert "play:prices.csv" in drawn and "late by" in drawn
    assert "note 6" in drawn and "note 2" in drawn and "note 1" not in drawn
    assert "Ctrl+C ends it; the same command goes on." in drawn


def print_page(state, width, now=None):
    printed = io.StringIO()
    Console(file=printed, width=width).print(build_page(state, now))
    return printed.getvalue()


def test_the_page_keeps_to_a_narrow_terminal():
    drawn = print_page(LIVE, 40, pd.Timestamp("2024-01-02 12:01:05", tz="UTC"))
    assert "late by 00:01:05 if the market is open" in " ".join(drawn.split())
    assert max(map(len, drawn.splitlines())) <= 40


def test_a_page_that_is_over_waits_for_nothing_and_no_longer_says_how_to_end_it():
    drawn = print_page(LIVE.updated(status="stopped", reason="the end"), 100)
    assert "stopped: the end" in drawn
    assert "next bar" not in drawn and "Ctrl+C" not in drawn


def test_quiet_runs_show_nothing(monkeypatch):
    told = []
    monkeypatch.setattr(page, "is_quiet", lambda: True)
    monkeypatch.setattr(page, "tell", told.append)
    with show_run(is_played=True) as show:
        show(LIVE)
    assert told == []
