"""No order leaves that breaks a limit, and each that is refused is in the journal."""

import backtrader as bt
import pandas as pd
import pytest
from made_up import random_walk
from made_up_sources import FrameSource, run_session, what_happened

from lstm_strategy import BrokerSettings, Future
from lstm_strategy.errors import TradingError
from lstm_strategy.trading.live import LiveSession, TradingLimits, read_journal

BARS = random_walk(60, seed=3)
FLAT = BARS.assign(open=100.0, high=100.0, low=100.0, close=100.0)
FLAT.iloc[0, :4] = 101.0  # prices that never move are refused
FREE = BrokerSettings(cash=100_000.0, commission_rate=0.0, slippage_rate=0.0)


def orders_by_plan(plan):
    """A strategy that sends so many units at the live bars of these numbers, counted from 0."""

    class ByPlan(bt.Strategy):
        def __init__(self):
            self.heard = heard

        def notify_order(self, order):
            self.heard.append((len(self) - 41, order.size, order.getstatusname()))

        def next(self):
            for size in plan.get(len(self) - 41, ()):
                order = self.buy(size=size) if size > 0 else self.sell(size=-size)
                assert order is not None

    heard = []
    return ByPlan, heard


def trade(tmp_path, plan, bars=FLAT, broker=FREE, n_bars=None, **limits):
    strategy, heard = orders_by_plan(plan)
    state = run_session(
        strategy, bars, tmp_path, broker=broker, n_bars=n_bars, limits=TradingLimits(**limits)
    )
    return state, read_journal(tmp_path), heard


def sizes(content, status):
    return content.orders.loc[content.orders["status"] == status, "size"].tolist()


def test_an_order_worth_too_much_is_refused_and_the_strategy_is_told(tmp_path):
    plan = {0: [31], 1: [30], 3: [-31], 4: [-30]}
    state, content, heard = trade(tmp_path, plan, max_order_value=3_000.0)
    assert sizes(content, "refused") == [31.0, -31.0]
    assert sizes(content, "completed") == [30.0, -30.0]
    assert content.notes["about"].tolist() == ["limit", "limit"]
    assert content.notes["text"].iloc[0] == (
        "the order for 31 was refused: it is worth 3,100.00, and max_order_value is 3,000.00."
    )
    assert (1, 31, "Rejected") in heard
    assert (state.n_orders, state.n_refused) == (2, 2)
    assert state.notes == tuple(content.notes["text"])


def test_orders_on_their_way_count_in_the_position(tmp_path):
    plan = {0: [20, 20, 11], 1: [11, 10, -60], 2: [-40], 3: [-1]}
    _, content, _ = trade(tmp_path, plan, max_position_value=5_000.0)
    assert sizes(content, "refused") == [11.0, 11.0, -1.0]
    assert sizes(content, "completed") == [20.0, 20.0, 10.0, -60.0, -40.0]


def test_after_the_loss_of_a_day_the_position_may_only_shrink_until_the_next(tmp_path):
    hours = pd.date_range("2024-01-01 00:00", periods=60, freq="h", name="datetime")
    bars = FLAT.set_axis(hours)
    falling = [101.0] + [100.0] * 42 + [90.0] * 17  # on the second day, at 19:00
    bars = bars.assign(low=falling, close=falling, open=[101.0] + [100.0] * 43 + falling[44:])
    plan = {0: [500], 4: [1, -100, -401], 8: [1]}
    _, content, _ = trade(tmp_path, plan, bars=bars, max_daily_loss=0.05)
    assert sizes(content, "refused") == [1.0, -401.0]
    assert sizes(content, "completed") == [500.0, -100.0, 1.0]
    assert "the day has lost 5.00% of the equity" in content.notes["text"].iloc[0]


def test_so_many_orders_leave_within_a_minute(tmp_path):
    plan = {0: [1, 1, 1, -1], 1: [1, 1, 1]}
    _, content, _ = trade(tmp_path, plan, max_orders_per_minute=2)
    assert sizes(content, "sent") == [1.0, 1.0, 1.0, 1.0]
    assert len(sizes(content, "refused")) == 3


def test_minutes_are_those_of_the_clock(tmp_path):
    strategy, _ = orders_by_plan({0: [1], 1: [1], 2: [1]})
    times = iter(pd.date_range("2024-01-01", periods=10_000, freq="1s"))
    session = LiveSession(
        strategy,
        FrameSource(FLAT, 40),
        tmp_path,
        clock=lambda: FLAT.index[41] + (next(times) - pd.Timestamp("2024-01-01")),
        limits=TradingLimits(max_orders_per_minute=2),
    )
    session.run(n_bars=3)
    assert len(sizes(read_journal(tmp_path), "refused")) == 1


def test_what_a_unit_is_worth_counts(tmp_path):
    emini = Future(multiplier=50.0, initial_margin=1_000.0)
    broker = BrokerSettings(cash=100_000.0, slippage_rate=0.0, instrument=emini)
    _, content, _ = trade(tmp_path, {0: [2], 1: [1]}, broker=broker, max_order_value=5_000.0)
    assert (sizes(content, "refused"), sizes(content, "sent")) == ([2.0], [1.0])


def test_the_kill_switch_stops_and_withdraws_orders_and_is_remembered(tmp_path):
    class Waits(bt.Strategy):
        def next(self):
            n_live = len(self) - 40
            if n_live == 1:
                self.buy(size=5)
                self.buy(size=7, price=1.0, exectype=bt.Order.Limit)
            elif n_live == 3:
                switch.touch()
            elif n_live in (4, 9):
                self.sell(size=5)
            elif n_live == 6:
                switch.unlink(missing_ok=True)

    switch = tmp_path / "STOP"
    run_session(Waits, BARS, tmp_path, n_bars=7)
    content = read_journal(tmp_path)
    assert sizes(content, "withdrawn") == [7.0]
    assert sizes(content, "refused") == [-5.0]
    assert content.accounts["position"].iloc[-1] == 5.0
    before = what_happened(tmp_path)["orders"]
    run_session(Waits, BARS, tmp_path)
    after = what_happened(tmp_path)["orders"]
    assert after.iloc[: len(before)].equals(before)
    assert sizes(read_journal(tmp_path), "completed") == [5.0, -5.0]


def test_limits_may_change_from_start_to_start_and_past_verdicts_stay(tmp_path):
    plan = {0: [31], 1: [30], 6: [31]}
    trade(tmp_path, plan, n_bars=5, max_order_value=3_000.0)
    _, content, _ = trade(tmp_path, plan)
    assert sizes(content, "refused") == [31.0]
    assert sizes(content, "completed") == [30.0, 31.0]
    assert content.runs["limits"].iloc[0] == {"kill_switch": "STOP", "max_order_value": 3000.0}


def test_the_stop_of_a_bracket_leaves_with_its_parent_and_not_without(tmp_path):
    class Brackets(bt.Strategy):
        def next(self):
            if len(self) in (41, 43):
                size = 50 if len(self) == 41 else 5
                self.buy_bracket(size=size, price=100.0, stopprice=90.0, limitprice=110.0)

    run_session(
        Brackets, FLAT, tmp_path, broker=FREE, limits=TradingLimits(max_position_value=1_000.0)
    )
    content = read_journal(tmp_path)
    assert sizes(content, "refused") == [50.0, -50.0, -50.0]
    assert sizes(content, "sent") == [5.0, -5.0, -5.0]
    assert content.accounts["position"].iloc[-1] == 5.0


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        pytest.param({"max_order_value": 0.0}, "max_order_value must be greater than 0", id="zero"),
        pytest.param({"max_daily_loss": 5.0}, "max_daily_loss must be at most 1", id="percent"),
        pytest.param({"max_orders": 5}, "has no setting 'max_orders'", id="unknown"),
    ],
)
def test_limits_that_can_not_be_meant_are_refused(limits, message):
    with pytest.raises(TradingError, match=message):
        TradingLimits(**limits)
