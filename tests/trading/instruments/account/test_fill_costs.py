"""Spread, impact, shares of the volume, borrow fees and ticks, worked by hand."""

import backtrader as bt
import pandas as pd
import pytest

from lstm_strategy import BarsFeed, Future, Perpetual, Spot
from lstm_strategy.trading.instruments import InstrumentBroker

FREE = {"commission_rate": 0.0}


def flat_bars(*closes, volume=100.0):
    """Daily bars that open at the close before."""
    close = pd.Series(closes, pd.date_range("2024-01-01", periods=len(closes)), dtype="float64")
    opened = close.shift().fillna(close.iloc[0])
    sides = pd.concat([opened, close], axis=1)
    return pd.DataFrame(
        {
            "open": opened,
            "high": sides.max(axis=1),
            "low": sides.min(axis=1),
            "close": close,
            "volume": volume,
        }
    )


class Plan(bt.Strategy):
    """Sends orders {bar: [(units, more)]} and keeps equity, position and fills."""

    params = (("plan", None),)

    def __init__(self):
        self.equity, self.sizes, self.prices = [], [], []

    def notify_order(self, order):
        self.prices += [fill.price for fill in order.executed.iterpending()]

    def next(self):
        self.equity.append(self.broker.getvalue())
        self.sizes.append(self.position.size)
        for size, more in self.p.plan.get(len(self), []):
            (self.buy if size > 0 else self.sell)(size=abs(size), **more)


def run(bars, instrument, plan, **params):
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(BarsFeed(bars), name="A")
    cerebro.broker = InstrumentBroker({"A": instrument}, cash=10_000, **params)
    cerebro.addstrategy(Plan, plan=plan)
    return cerebro.run()[0]


def test_what_fills_at_once_pays_half_of_the_spread():
    spot = Spot(commission_rate=0.001, half_spread_rate=0.002)
    assert spot.cost_rate_at(50) == 0.003
    assert spot.commission_info().getcommission(10, 100.0) == 3.0
    future = Future(multiplier=5, initial_margin=100, commission_per_contract=2, half_spread=0.25)
    assert future.commission_info().getcommission(-4, 100.0) == 4 * 2 + 4 * 5 * 0.25
    assert future.cost_rate_at(65.0) == pytest.approx(3.25 / 325)


def test_limits_that_had_to_wait_dont_cross_the_spread():
    spot = Spot(commission_rate=0.001, half_spread_rate=0.002)
    waits = {"exectype": bt.Order.Limit, "price": 95.0}
    strategy = run(flat_bars(100, 100, 90, 90), spot, {1: [(10, {})], 2: [(10, waits)]})
    assert [(fill.price, fill.fee, fill.spread) for fill in strategy.broker.fills] == [
        (100, pytest.approx(1.0), pytest.approx(2.0)),
        (95, pytest.approx(0.95), 0),
    ]
    assert strategy.equity[-1] == pytest.approx(10_000 - 100 - 50 - 3 - 0.95)


def test_a_large_order_pays_the_root_of_its_share():
    # changes of 4 and -4 points; 25 of a volume of 100 move the price by 4 * sqrt(0.25) = 2
    bars = flat_bars(100, 104, 100, 100, 100)
    strategy = run(bars, Spot(**FREE, impact=1), {3: [(25, {})]})
    (only,) = strategy.broker.fills
    assert (only.bar, only.price, only.impact) == (4, 100, pytest.approx(50))
    assert strategy.equity[-1] == pytest.approx(10_000 - 50)
    future = Future(multiplier=5, initial_margin=100, impact=0.5)
    (only,) = run(bars, future, {3: [(-25, {})]}).broker.fills
    assert only.impact == pytest.approx(0.5 * 2 * 25 * 5)


def test_an_order_beyond_its_share_of_the_volume_is_carried_over():
    spot = Spot(**FREE, participation=0.1, lot_size=1)
    strategy = run(flat_bars(100, 101, 102, 103, 104, volume=109.0), spot, {1: [(25, {})]})
    assert strategy.sizes == [0, 10, 20, 25, 25]
    assert [fill.price for fill in strategy.broker.fills] == [100, 101, 102]
    assert strategy.equity[-1] == pytest.approx(10_000 + 10 * 4 + 10 * 3 + 5 * 2)


def test_orders_share_the_volume_of_a_bar_and_none_fills_without_any():
    spot = Spot(**FREE, participation=0.1)
    bars = flat_bars(100, 101, 102, 103, volume=[100.0, 100.0, 0.0, 100.0])
    strategy = run(bars, spot, {1: [(6, {}), (7, {})]})
    assert [(fill.bar, fill.size) for fill in strategy.broker.fills] == [(2, 6), (2, 4), (4, 3)]


def test_each_part_of_an_order_pays_for_its_own_share():
    perpetual = Perpetual(taker_rate=0, funding=None, impact=1, participation=0.25)
    bars = flat_bars(100, 104, 100, 104, 100)
    strategy = run(bars, perpetual, {3: [(40, {})]})
    assert [(fill.size, fill.impact) for fill in strategy.broker.fills] == [
        (25, pytest.approx(50)),
        (15, pytest.approx(15 * 4 * 0.15**0.5)),
    ]


@pytest.mark.parametrize("broker", ["plain", "ours"])
def test_a_short_pays_for_what_it_borrows_by_the_day(broker):
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(BarsFeed(flat_bars(100, 100, 90, 110)), name="A")
    spot = Spot(**FREE, borrow_rate=0.365)
    if broker == "ours":
        cerebro.broker = InstrumentBroker(spot)
    else:
        cerebro.broker.addcommissioninfo(spot.commission_info())
    cerebro.broker.setcash(10_000)
    cerebro.addstrategy(Plan, plan={1: [(-10, {})]})
    # sold for 1_000 on the second day: 1 a day from the third on
    assert cerebro.run()[0].equity == pytest.approx([10_000, 10_000, 10_099, 9_898])


def test_fills_are_whole_ticks_against_whoever_trades_and_limits_no_worse():
    spot = Spot(**FREE, tick_size=0.5)
    bars = flat_bars(100, 100, 90, 90, 101)
    slips = {"slip_perc": 0.003, "slip_open": True}
    limit = {"exectype": bt.Order.Limit, "price": 95.7}
    strategy = run(bars, spot, {2: [(-1, {}), (1, limit)], 4: [(1, {})]}, **slips)
    # sold at 99.7, which is 99.5 in ticks; the limit is 95.5; bought at 90.27, which is 90.5
    assert strategy.prices == [99.5, 95.5, 90.5]


def test_limits_that_fill_at_a_slipped_open_do_so_in_ticks_up_to_the_limit():
    bars = flat_bars(100, 100, 100, 101).assign(high=110.0, low=90.0)
    slips = {"slip_perc": 0.003, "slip_open": True, "slip_limit": True, "slip_match": True}

    def filled(size, **limit):
        spot = Spot(**FREE, tick_size=0.5)
        (price,) = run(bars, spot, {2: [(size, limit)]}, **slips).prices
        return price

    # bought or sold on day 3, whose open of 100 slips to 100.3 or 99.7
    limit, stop = {"exectype": bt.Order.Limit}, {"exectype": bt.Order.StopLimit, "price": 100.0}
    assert filled(1, price=103.2, **limit) == 100.5
    assert filled(-1, price=97.0, **limit) == 99.5
    assert filled(1, price=100.2, **limit) == 100.0
    assert filled(1, plimit=103.2, **stop) == 100.5
    assert filled(1, plimit=100.2, **stop) == 100.0


def test_what_costs_nothing_extra_needs_no_broker_of_ours():
    assert not Spot(half_spread_rate=0.001, borrow_rate=0.01).needs_broker
    assert Spot(impact=1).needs_broker
    assert Spot(participation=0.1).needs_broker
    assert Perpetual().needs_broker
    assert Future(multiplier=1, initial_margin=1).needs_broker
