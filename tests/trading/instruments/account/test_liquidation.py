"""Liquidation in a Cerebro with an `InstrumentBroker`, worked by hand on a few bars."""

import math
import pickle

import backtrader as bt
import numpy as np
import pandas as pd
import pytest

from lstm_strategy import BarsFeed, Future, Perpetual, Spot, sample_bars
from lstm_strategy.errors import TradingError
from lstm_strategy.trading.instruments import InstrumentBroker

NAN = math.nan
MODES = {
    "default": {},
    "runonce off": {"runonce": False},
    "preload off": {"preload": False},
    "exactbars 1": {"exactbars": 1},
    "exactbars -1": {"exactbars": -1},
}
# a long from 100 is liquidated at (100 - 50) / 0.8 = 62.5, a short at (100 + 50) / 1.2 = 125
HALF = {"leverage": 2, "maintenance_margin_rate": 0.2, "taker_rate": 0, "funding": None}


def make_bars(*rows, **columns):
    """Bars from rows of open, high, low and close."""
    index = pd.date_range("2024-01-01", periods=len(rows), freq="8h")
    bars = pd.DataFrame(rows, index, columns=["open", "high", "low", "close"], dtype="float64")
    return bars.assign(volume=1.0, **columns)


class Plan(bt.Strategy):
    """Sends the orders of a plan, {bar: [(market, signed units, more)]}, and keeps what it saw."""

    params = (("plan", None),)

    def __init__(self):
        self.equity, self.orders = [], []

    def next(self):
        self.equity.append(self.broker.getvalue())
        for market, size, more in self.p.plan.get(len(self), []):
            send = self.buy if size > 0 else self.sell
            send(self.getdatabyname(market), abs(size), **more)

    def notify_order(self, order):
        if not order.alive():
            is_liquidation = order.info.get("is_liquidation", False)
            self.orders.append((len(self), order.getstatusname(), is_liquidation))


def run(markets, instruments, plan, cash=1_000, **mode):
    cerebro = bt.Cerebro(stdstats=False)
    for name, bars in markets.items():
        cerebro.adddata(BarsFeed(bars), name=name)
    cerebro.broker = InstrumentBroker(instruments, cash=cash)
    cerebro.addstrategy(Plan, plan=plan)
    return cerebro.run(**mode)[0]


def run_btc(bars, plan, cash=1_000, mode=None, **settings):
    orders = {bar: [("BTC", *order, {})] for bar, order in plan.items()}
    instruments = {"BTC": Perpetual(**HALF | settings)}
    return run({"BTC": bars}, instruments, orders, cash, **mode or {})


START = [(100, 100, 100, 100), (100, 100, 90, 90)]


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_a_wick_closes_a_long_at_its_liquidation_price(mode):
    bars = make_bars(*START, (90, 95, 60, 80), (80, 99, 80, 99))
    strategy = run_btc(bars, {1: (10,)}, mode=mode)
    assert strategy.equity == [1_000, 900, 1_000 - 375, 625]
    assert strategy.orders == [(2, "Completed", False), (3, "Completed", True)]
    (only,) = strategy.broker.liquidations
    assert (only.bar, only.symbol, only.size, only.entry) == (3, "BTC", 10, 100)
    assert (only.mark, only.price, only.fee, only.insurance) == (62.5, 62.5, 0, 0)
    assert only.datetime == bars.index[2]


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_a_wick_closes_a_short_at_its_liquidation_price(mode):
    bars = make_bars((100, 100, 100, 100), (100, 110, 100, 110), (110, 130, 105, 120), (120,) * 4)
    strategy = run_btc(bars, {1: (-10,)}, mode=mode)
    assert strategy.equity == [1_000, 900, 1_000 - 250, 750]
    assert [(each.mark, each.price) for each in strategy.broker.liquidations] == [(125, 125)]


def test_a_low_above_the_liquidation_price_closes_nothing():
    strategy = run_btc(make_bars(*START, (90, 95, 62.6, 80)), {1: (10,)})
    assert strategy.equity == [1_000, 900, 800]
    assert strategy.broker.liquidations == []


@pytest.mark.parametrize(
    ("opened", "left", "insurance"),
    [pytest.param(55, 550, 0, id="some margin left"), pytest.param(40, 500, 100, id="none left")],
)
def test_a_gap_closes_at_the_open_and_takes_the_margin_at_most(opened, left, insurance):
    bars = make_bars(*START, (opened, 95, 30, 95), (95,) * 4)
    # the order of bar 2 to buy more is cancelled before it could fill
    strategy = run_btc(bars, {1: (10,), 2: (5,)})
    assert strategy.equity == [1_000, 900, left, left]
    assert strategy.orders == [
        (2, "Completed", False),
        (3, "Canceled", False),
        (3, "Completed", True),
    ]
    (only,) = strategy.broker.liquidations
    assert (only.price, only.insurance) == (opened, insurance)


def test_fees_come_out_of_the_margin_before_the_insurance_pays():
    bars = make_bars(*START, (55, 95, 30, 95), (95,) * 4)
    strategy = run_btc(bars, {1: (10,)}, liquidation_fee_rate=0.1)
    # a loss of 450 and a fee of 55 against a margin of 500
    (only,) = strategy.broker.liquidations
    assert (only.fee, only.insurance) == pytest.approx((55, 5), abs=1e-9)
    assert strategy.equity[-1] == pytest.approx(500, abs=1e-9)
    filled = strategy.broker.orders[-1].executed
    assert filled.comm == pytest.approx(50, abs=1e-9)


def test_the_taker_fee_of_closing_moves_the_liquidation_price():
    bars = make_bars(*START, (90, 95, 60, 80))
    strategy = run_btc(bars, {1: (10,)}, taker_rate=0.01)
    (only,) = strategy.broker.liquidations
    assert only.mark == pytest.approx(50 / 0.79)
    assert only.fee == pytest.approx(0.01 * 10 * 50 / 0.79)
    assert strategy.equity[-1] == pytest.approx(1_000 - 10 - 10 * (100 - 50 / 0.79) - only.fee)


def test_liquidation_goes_by_the_mark_and_fills_at_the_price_of_that_moment():
    # the mark stays a quarter above the price: 60 is a mark of 75
    bars = make_bars(*START, (90, 95, 60, 80), mark=[125, 112.5, 100])
    assert run_btc(bars, {1: (10,)}).broker.liquidations == []
    # it is a fifth below: the mark gets to 62.5 as the price gets to 78.125
    bars = make_bars(*START, (90, 95, 75, 80), mark=[80, 72, 64])
    (only,) = run_btc(bars, {1: (10,)}).broker.liquidations
    assert (only.mark, only.price) == (62.5, 78.125)


def test_columns_of_the_marks_range_count_where_they_are():
    rows = (*START, (90, 95, 60, 80))
    columns = {"mark": [100, 90, 80], "mark_low": [100, 90, 63], "mark_high": [100, 100, 95]}
    assert run_btc(make_bars(*rows, **columns), {1: (10,)}).broker.liquidations == []
    columns["mark_low"][2] = 62
    assert len(run_btc(make_bars(*rows, **columns), {1: (10,)}).broker.liquidations) == 1


def test_a_stop_of_ones_own_comes_first():
    bars = make_bars(*START, (90, 95, 60, 80))
    stop = {"exectype": bt.Order.Stop, "price": 70}
    plan = {1: [("BTC", 10, {})], 2: [("BTC", -10, stop)]}
    strategy = run({"BTC": bars}, {"BTC": Perpetual(**HALF)}, plan)
    assert strategy.equity[-1] == 700
    assert strategy.broker.liquidations == []


def test_an_isolated_loss_leaves_the_rest_of_the_account_alone():
    falls, rises = make_bars(*START, (40, 40, 40, 40)), make_bars(*START, (100,) * 4)
    plan = {1: [("BTC", 10, {}), ("ETH", 8, {})]}
    strategy = run({"BTC": falls, "ETH": rises}, Perpetual(**HALF), plan)
    # the margin of 500 is gone, 100 of loss is the insurance fund's, ETH is back at its price
    assert strategy.equity == [1_000, 1_000 - 100 - 80, 500]
    assert [each.symbol for each in strategy.broker.liquidations] == ["BTC"]


def test_in_cross_margin_the_whole_account_backs_a_position():
    # 15 from 100: cash 250 and margin 750, so (100 - 1000 / 15) / 0.8
    bars = make_bars(*START, (90, 95, 42, 80), (80, 80, 41, 60))
    strategy = run_btc(bars, {1: (15,)}, margin_mode="cross")
    (only,) = strategy.broker.liquidations
    assert (only.bar, only.mark) == (4, pytest.approx((100 - 1_000 / 15) / 0.8))
    assert strategy.equity[-1] == pytest.approx(1_000 - 15 * (100 - only.price), abs=1e-9)


def test_in_cross_margin_a_gain_elsewhere_backs_a_loss_and_all_are_closed_together():
    cross = Perpetual(**HALF | {"margin_mode": "cross"})
    falls = make_bars(*START, (90, 90, 50, 50), (50, 50, 20, 20))
    rises = make_bars((100,) * 4, (100, 110, 100, 110), (110, 120, 110, 120), (120,) * 4)
    plan = {1: [("BTC", 15, {}), ("ETH", 5, {})]}
    strategy = run({"BTC": falls, "ETH": rises}, cross, plan)
    # ETH spares 250 + 100 - 0.2 * 600 = 230; with cash 0 and the margin of 750 that is 980:
    # BTC is closed at (100 - 980 / 15) / 0.8 = 43.333, ETH at its close of 120
    assert strategy.equity[:3] == [1_000, 900, 1_000 - 750 + 100]
    first, second = strategy.broker.liquidations
    assert (first.symbol, first.mark) == ("BTC", pytest.approx((100 - 980 / 15) / 0.8))
    assert (second.symbol, second.price) == ("ETH", 120)
    assert strategy.equity[3] == pytest.approx(1_000 - 15 * (100 - first.price) + 100, abs=1e-9)


def test_in_cross_margin_the_insurance_bears_what_the_account_cant():
    bars = make_bars(*START, (20, 20, 20, 20))
    strategy = run_btc(bars, {1: (15,)}, margin_mode="cross")
    (only,) = strategy.broker.liquidations
    assert (only.price, only.insurance, strategy.equity[-1]) == (20, 200, 0)


def test_funding_beyond_the_cash_comes_out_of_the_margin():
    # margin 1_000, cash 0; the settlement takes 100: liquidated at (100 - 900 / 20) / 0.8 = 68.75
    bars = make_bars(
        *START,
        (90, 95, 69, 80),
        (80, 80, 68, 70),
        funding_rate=[NAN, NAN, 0.1, NAN],
        mark=[100, 50, 80, 70],
    )
    bars.loc[bars.index[1], "mark"] = 90.0
    bars["funding_rate"] *= 5 / 9  # of a value of 1_800
    strategy = run_btc(bars, {1: (20,)}, funding="funding_rate")
    (only,) = strategy.broker.liquidations
    assert (only.bar, only.mark) == (4, pytest.approx(68.75))
    assert strategy.equity[-1] == pytest.approx(1_000 - 100 - 20 * 31.25, abs=1e-9)


def test_tiers_decide_by_the_value_at_the_mark():
    # above a value of 500 the rate is 0.4 less an amount of 100: 10 * P - 500 = 4 * P - 100
    tiers = ((0, 0.2), (500, 0.4))
    bars = make_bars(*START, (90, 95, 66, 80))
    (only,) = run_btc(bars, {1: (10,)}, maintenance_margin_rate=tiers).broker.liquidations
    assert only.mark == pytest.approx(400 / 6)


def test_a_position_that_its_tier_doesnt_allow_is_refused_with_the_date(caplog):
    # a margin of half the value is more than 0.8 of it less 600 below a value of 2_000
    bars = make_bars(*[(100,) * 4] * 4, (101,) * 4)
    tiers = ((0, 0.2), (1_000, 0.8))
    plan = {1: (15,), 2: (10,), 3: (4,)}
    strategy = run_btc(bars, plan, cash=5_000, maintenance_margin_rate=tiers)
    assert [status for _, status, _ in strategy.orders] == ["Completed", "Margin", "Completed"]
    assert [record.getMessage() for record in caplog.records] == [
        "BTC at 2024-01-01 16:00:00: the order is refused, since it would bring the position to "
        "2,500.00, and with a leverage of 2 the maintenance tiers allow less than 2,000.00. Lower "
        "the leverage, or hold less."
    ]


@pytest.mark.parametrize("side", [1, -1])
def test_margin_is_asked_of_both_sides(side):
    bars = make_bars(*START, (90,) * 4)
    assert run_btc(bars, {1: (21 * side,)}).orders == [(2, "Margin", False)]
    assert run_btc(bars, {1: (20 * side,)}).orders == [(2, "Completed", False)]


def test_limit_orders_that_had_to_wait_pay_the_maker_fee():
    bars = make_bars((100,) * 4, (100, 100, 90, 95), (95, 105, 95, 100))
    buy = {"exectype": bt.Order.Limit, "price": 92}
    sell = {"exectype": bt.Order.Limit, "price": 90}  # below the open: it fills at once
    plan = {1: [("BTC", 1, buy)], 2: [("BTC", -1, sell)]}
    fees = {"taker_rate": 0.01, "maker_rate": -0.001}
    strategy = run({"BTC": bars}, Perpetual(**HALF | fees), plan)
    filled = [order.executed.comm for order in strategy.broker.orders]
    assert filled == pytest.approx([-0.092, 0.95], abs=1e-9)


def test_settlements_within_a_bar_are_paid_after_its_fills():
    bars = make_bars(*START, (90,) * 4, funding_rate=NAN, funding_payment=[0, 0.2, -0.1])
    strategy = run_btc(bars, {1: (10,)}, funding="funding_rate")
    assert strategy.equity == pytest.approx([1_000, 900 - 2, 900 - 1], abs=1e-9)
    paid = [(each.bar, each.size, each.amount) for each in strategy.broker.payments]
    assert paid == [(2, 10, pytest.approx(2)), (3, 10, pytest.approx(-1))]
    assert all(each.is_within for each in strategy.broker.payments)


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_a_mark_before_is_known_in_every_mode(mode):
    bars = make_bars(*START, (90,) * 4, funding_rate=[0, 0, 0.01], mark=[100, 88, 90])
    strategy = run_btc(bars, {1: (10,)}, mode=mode, funding="funding_rate")
    assert strategy.equity[-1] == pytest.approx(900 - 8.8, abs=1e-9)
    (only,) = strategy.broker.payments
    assert (only.mark, only.rate, only.datetime) == (88, 0.01, bars.index[2])
    assert not only.is_within


def test_a_future_is_settled_at_every_close_and_closed_below_its_maintenance_margin():
    future = Future(
        multiplier=5, initial_margin=400, maintenance_margin=300, commission_per_contract=2
    )
    # 2 contracts, 10 a point: 996 less 600 of maintenance lasts 39.6 points
    bars = make_bars(*START, (90, 90, 61, 70), (70, 70, 60, 60))
    strategy = run({"ES": bars}, {"ES": future}, {1: [("ES", 2, {})]})
    assert strategy.equity == pytest.approx([1_000, 896, 696, 996 - 396 - 4], abs=1e-9)
    (only,) = strategy.broker.liquidations
    assert (only.bar, only.mark, only.fee, only.insurance) == (4, pytest.approx(60.4), 4, 0)
    bars = make_bars(*START, (90, 90, 61, 70), (-0.0 + 5, 5, 5, 5))
    strategy = run({"ES": bars}, {"ES": future}, {1: [("ES", -2, {})]})
    assert strategy.equity == pytest.approx([1_000, 1_096, 1_296, 1_946], abs=1e-9)


def test_what_is_lost_on_a_future_beyond_the_account_is_owed():
    future = Future(multiplier=5, initial_margin=400)
    strategy = run({"ES": make_bars(*START, (0.5,) * 4)}, {"ES": future}, {1: [("ES", 2.4, {})]})
    assert strategy.equity[-1] == pytest.approx(1_000 - 12 * 99.5, abs=1e-9)


def test_a_short_that_loses_more_than_its_value_is_still_counted_right():
    bars = make_bars((100,) * 4, (100,) * 4, (100, 300, 100, 300), (300, 300, 290, 290))
    cross = {"margin_mode": "cross", "leverage": 1}
    strategy = run_btc(bars, {1: (-2,)}, **cross)
    assert strategy.equity == pytest.approx([1_000, 1_000, 600, 620], abs=1e-9)
    assert strategy.broker.liquidations == []


def test_a_market_without_a_bar_is_closed_at_its_next_one():
    btc = make_bars(*START, (90,) * 4, (90,) * 4)
    eth = make_bars(*START, (90,) * 4, (20,) * 4).iloc[[0, 1, 3]]
    plan = {1: [("ETH", 10, {})]}
    strategy = run({"BTC": btc, "ETH": eth}, Perpetual(**HALF), plan)
    assert strategy.equity == [1_000, 900, 900, 500]
    assert [each.datetime for each in strategy.broker.liquidations] == [eth.index[2]]


def test_a_spot_trades_as_ever():
    bars = make_bars(*START, (90, 120, 90, 110), (110, 130, 110, 120))
    plan = {1: [("SPY", 5, {})], 2: [("SPY", 2, {})], 3: [("SPY", -7, {})]}
    ours = run({"SPY": bars}, Spot(commission_rate=0.002), plan)
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(BarsFeed(bars), name="SPY")
    cerebro.broker.setcash(1_000)
    cerebro.broker.setcommission(commission=0.002)
    cerebro.addstrategy(Plan, plan=plan)
    assert ours.equity == cerebro.run()[0].equity


def test_a_margin_scheme_on_top_of_an_instrument_is_refused():
    broker = InstrumentBroker({"BTC": Perpetual()})
    with pytest.raises(TradingError, match="BTC trades as Perpetual, and a second commission"):
        broker.setcommission(margin=500, mult=10, name="BTC")
    broker.setcommission(commission=0.001, name="SPY")
    with pytest.raises(TradingError, match=r"trades instruments, got 0\.001 for 'BTC'"):
        InstrumentBroker({"BTC": 0.001})


@pytest.mark.parametrize("n_feeds", [1, 2], ids=["none is left for it", "it is for the other"])
def test_a_commission_without_a_name_is_refused_where_every_feed_has_an_instrument(n_feeds):
    bars = sample_bars("sp500")["2018-12":]
    cerebro = bt.Cerebro()
    cerebro.broker = InstrumentBroker({"BTC": Spot()})
    cerebro.broker.setcommission(margin=1000, mult=5)
    for name in ("BTC", "ES")[:n_feeds]:
        cerebro.adddata(BarsFeed(bars), name=name)
    cerebro.addstrategy(bt.Strategy)
    if n_feeds == 2:
        cerebro.run()
        return
    with pytest.raises(TradingError, match="without a name is for feeds that have no instrument"):
        cerebro.run()


def test_a_cerebro_that_runs_again_begins_anew():
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(BarsFeed(make_bars(*START, (90, 95, 60, 80))), name="BTC")
    cerebro.broker = InstrumentBroker(Perpetual(**HALF), cash=1_000)
    cerebro.addstrategy(Plan, plan={1: [("BTC", 10, {})]})
    first, second = cerebro.run()[0], cerebro.run()[0]
    assert first.equity == second.equity == [1_000, 900, 625]
    assert len(second.broker.liquidations) == 1


class AtRandom(bt.Strategy):
    """Stops, limits, flips and market orders, whatever comes."""

    params = (("seed", 0),)

    def __init__(self):
        self.random = np.random.default_rng(self.p.seed)
        self.equity, self.explained = [], []
        self.spent = 0.0

    def notify_order(self, order):
        for fill in order.executed.iterpending():
            multiplier = self.broker.getcommissioninfo(order.data).instrument.multiplier
            self.spent += fill.size * fill.price * multiplier + fill.comm

    def next(self):
        held = sum(
            self.getposition(data).size
            * data.close[0]
            * self.broker.getcommissioninfo(data).instrument.multiplier
            for data in self.datas
        )
        paid = sum(self.broker.d_credit.values())
        self.equity.append(self.broker.getvalue())
        self.explained.append(1_000 - self.spent - paid + held)
        for data in self.datas:
            size = self.random.normal(0, 15)
            kind = self.random.choice([bt.Order.Market, bt.Order.Limit, bt.Order.Stop])
            price = data.close[0] * self.random.normal(1, 0.05)
            more = {} if kind == bt.Order.Market else {"exectype": kind, "price": price}
            if self.random.random() < 0.3:
                (self.buy if size > 0 else self.sell)(data, abs(size), **more)


def random_bars(seed, n_bars=100):
    random = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(random.standard_t(3, n_bars) * 0.04))
    opened = np.r_[100, close[:-1]] * np.exp(random.normal(0, 0.02, n_bars))
    spread = np.exp(np.abs(random.normal(0, 0.03, (2, n_bars))))
    high, low = np.maximum(opened, close) * spread[0], np.minimum(opened, close) / spread[1]
    columns = {
        "mark": np.where(random.random(n_bars) < 0.1, NAN, close * random.normal(1, 0.01, n_bars)),
        "funding_rate": np.where(random.random(n_bars) < 0.5, NAN, random.normal(0, 1e-3, n_bars)),
        "funding_payment": random.normal(0, 0.05, n_bars),
    }
    return make_bars(*zip(opened, high, low, close, strict=True), **columns)


@pytest.mark.parametrize("mode", ["isolated", "cross"])
def test_fills_funding_and_moves_explain_every_equity(mode):
    n_liquidated = 0
    for seed in range(6):
        random = np.random.default_rng(seed)
        perpetual = Perpetual(
            leverage=random.uniform(1, 12),
            margin_mode=mode,
            liquidation_fee_rate=0.01,
            maintenance_margin_rate=((0, 0.01), (2_000, 0.05)),
        )
        future = Future(multiplier=0.5, initial_margin=15, commission_per_contract=0.01)
        cerebro = bt.Cerebro(stdstats=False)
        spot = Spot(half_spread_rate=0.001, borrow_rate=0.1, impact=0.5)
        markets = {"BTC": perpetual, "ETH": perpetual, "ES": future, "SPY": spot}
        for number, name in enumerate(markets):
            cerebro.adddata(BarsFeed(random_bars(100 * seed + number)), name=name)
        cerebro.broker = InstrumentBroker(markets, cash=1_000, int2pnl=False)
        cerebro.addstrategy(AtRandom, seed=seed)
        strategy = cerebro.run()[0]
        assert strategy.equity == pytest.approx(strategy.explained, abs=1e-8)
        n_liquidated += len(strategy.broker.liquidations)
    assert n_liquidated > 8


class Watchful(AtRandom):
    """Looks, after every bar, whether what it holds could have been held through it."""

    def __init__(self):
        super().__init__()
        self.n_held = 0

    def next(self):
        held, data = self.position, self.data
        if held.size and self.broker.getcash() >= 0:
            perpetual = self.broker.instruments[None]
            premium = data.mark[0] / data.close[0] if data.mark[0] > 0 else 1.0
            worst = premium * (data.low[0] if held.size > 0 else data.high[0])
            left = abs(held.size) * held.price / perpetual.leverage + held.size * (
                worst - held.price
            )
            fee = perpetual.taker_rate * abs(held.size) * worst
            assert left > perpetual.maintenance_margin_of(held.size, worst) + fee
            self.n_held += 1
        super().next()


def test_what_is_held_has_had_its_margin_through_every_bar():
    n_held = n_liquidated = 0
    for seed in range(6):
        cerebro = bt.Cerebro(stdstats=False)
        cerebro.adddata(BarsFeed(random_bars(seed, 200)), name="BTC")
        tiers = ((0, 0.01), (1_500, 0.03))
        perpetual = Perpetual(leverage=5 + seed, maintenance_margin_rate=tiers)
        cerebro.broker = InstrumentBroker(perpetual, cash=3_000)
        cerebro.addstrategy(Watchful, seed=seed)
        strategy = cerebro.run()[0]
        n_held += strategy.n_held
        n_liquidated += len(strategy.broker.liquidations)
        for each in strategy.broker.liquidations:
            bar = strategy.data.p.dataname.iloc[each.bar - 1]
            assert bar["low"] <= each.price <= bar["high"]
            premium = 1.0 if math.isnan(bar["mark"]) else bar["mark"] / bar["close"]
            if each.price not in (bar["open"], bar["low"], bar["high"]):
                assert each.price * premium == pytest.approx(each.mark)
    assert n_held > 100
    assert n_liquidated > 30


def test_isolated_margin_never_owes():
    for seed in range(6):
        cerebro = bt.Cerebro(stdstats=False)
        cerebro.adddata(BarsFeed(random_bars(seed)), name="BTC")
        cerebro.broker = InstrumentBroker(Perpetual(leverage=12), cash=1_000)
        cerebro.addstrategy(AtRandom, seed=seed)
        assert min(cerebro.run()[0].equity) >= -1e-9


def test_an_instrument_for_a_feed_that_isnt_there_is_refused():
    cerebro = bt.Cerebro()
    cerebro.adddata(BarsFeed(make_bars(*START)), name="BTC")
    cerebro.broker = InstrumentBroker({"BTCUSDT": Perpetual(**HALF)})
    cerebro.addstrategy(bt.Strategy)
    with pytest.raises(TradingError, match=r"instrument for 'BTCUSDT', and no .* mean BTC\?"):
        cerebro.run()


def test_the_broker_goes_to_other_processes():
    broker = InstrumentBroker({"BTC": Perpetual(participation=0.1)}, cash=700)
    sent = pickle.loads(pickle.dumps(broker))
    assert (sent.getcash(), sent.instruments) == (700, broker.instruments)


class InPercent(bt.Strategy):
    params = (("targets", None),)

    def __init__(self):
        self.exposures = []

    def next(self):
        value = self.position.size * self.data.close[0]
        self.exposures.append(value / self.broker.getvalue())
        target = self.p.targets[len(self) - 1]
        if target is not None:
            self.order_target_percent(target=target)


@pytest.mark.parametrize("side", [1, -1])
def test_orders_by_percent_count_the_value_of_the_position(side):
    bars = make_bars(*[(100,) * 4] * 2, (100, 110, 100, 110), *[(110,) * 4] * 2)
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(BarsFeed(bars))
    cerebro.broker = InstrumentBroker(Perpetual(**HALF), cash=1_000)
    cerebro.addstrategy(InPercent, targets=[1.5 * side, 1.5 * side, side, side, side])
    exposures = cerebro.run()[0].exposures
    gained = 1_000 + side * 150
    assert exposures == pytest.approx([0, 1.5 * side, side * 1_650 / gained, side, side])


@pytest.mark.parametrize("mode", ["isolated", "cross"])
def test_the_quick_answer_that_nothing_is_near_changes_nothing(mode, monkeypatch):
    def run_all():
        for seed in range(3):
            cerebro = bt.Cerebro(stdstats=False)
            for number, name in enumerate(("BTC", "ETH")):
                cerebro.adddata(BarsFeed(random_bars(100 * seed + number)), name=name)
            perpetual = Perpetual(leverage=6, margin_mode=mode)
            cerebro.broker = InstrumentBroker(perpetual, cash=1_000)
            cerebro.addstrategy(AtRandom, seed=seed)
            yield cerebro.run()[0].equity

    quick = list(run_all())
    monkeypatch.setattr(InstrumentBroker, "_is_all_out_of_reach", lambda broker: False)
    assert quick == list(run_all())
