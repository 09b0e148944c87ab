"""What a change of contract costs whoever holds a future, to the cent on six bars."""

import math

import backtrader as bt
import pandas as pd
import pytest

from lstm_strategy import BASELINES, BarsFeed, BrokerSettings, Future
from lstm_strategy.errors import TradingError
from lstm_strategy.trading.cerebro import run_cerebro
from lstm_strategy.trading.instruments import InstrumentBroker

MODES = {
    "default": {},
    "runonce off": {"runonce": False},
    "preload off": {"preload": False},
    "exactbars 1": {"exactbars": 1},
}
# by the fourth close the contract at 102 is left for one at 110; the new one lost 1
CLOSES = [-11.0, -10.0, -9.0, -10.0, -8.0, -9.0]
PRICES = [100.0, 101.0, 102.0, 110.0, 112.0, 111.0]
TERMS = {"multiplier": 50, "initial_margin": 400, "maintenance_margin": 200, "price": "price"}


def make_bars(closes=CLOSES, prices=PRICES, **columns):
    index = pd.date_range("2024-03-11", periods=len(closes))
    bars = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), closes), index)
    return bars.assign(volume=0.0, price=prices, **columns)


class Plan(bt.Strategy):
    """Orders by the number of the bar, and the equity at each close."""

    params = (("plan", None),)

    def __init__(self):
        self.equity = []

    def next(self):
        self.equity.append(self.broker.getvalue())
        size = self.p.plan.get(len(self), 0)
        if size:
            (self.buy if size > 0 else self.sell)(size=abs(size))


def run(bars, future, plan, *, broker=None, **mode):
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(BarsFeed(bars))
    cerebro.broker = broker or InstrumentBroker(future, cash=10_000)
    cerebro.addstrategy(Plan, plan=plan)
    return cerebro.run(**mode)[0]


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_money_is_right_to_the_cent_over_a_roll(mode):
    future = Future(**TERMS, commission_per_contract=2.5, half_spread=0.1)
    ran = run(make_bars(), future, {1: 2, 5: -2}, **mode)
    # a trade of 2 takes 2 * 2.50 and 2 * 0.1 * 50; the roll takes that twice
    assert ran.equity == pytest.approx([10_000, 9_985, 10_085, 9_955, 10_155, 10_040], abs=1e-9)
    (roll,) = ran.broker.payments
    assert (roll.bar, roll.size, roll.mark, roll.is_roll) == (4, 2, 102, True)
    assert roll.amount == pytest.approx(30)
    assert roll.rate == pytest.approx(30 / (2 * 102 * 50))


def test_a_short_pays_the_roll_as_well():
    future = Future(**TERMS, commission_per_contract=2.5)
    ran = run(make_bars(), future, {1: -1})
    assert ran.equity == pytest.approx([10_000, 9_997.5, 9_947.5, 9_992.5, 9_892.5, 9_942.5])


def test_nobody_pays_who_holds_nothing_or_opens_after_the_roll():
    future = Future(**TERMS, commission_per_contract=2.5)
    assert run(make_bars(), future, {}).broker.payments == []
    assert run(make_bars(), future, {3: 1}).broker.payments == []  # fills as the roll's bar opens
    assert run(make_bars(), future, {1: 1, 2: -1}).broker.payments == []


def test_a_roll_at_one_price_is_known_by_the_month():
    prices = [100.0, 101.0, 102.0, 101.0, 103.0, 102.0]
    bars = make_bars(prices=prices, contract=[202403.0] * 3 + [202406.0] * 3)
    future = Future(**TERMS, commission_per_contract=2.5)
    assert [roll.bar for roll in run(bars, future, {1: 1}).broker.payments] == [4]
    assert run(bars.drop(columns="contract"), future, {1: 1}).broker.payments == []


def test_any_broker_charges_rolls():
    broker = bt.brokers.BackBroker(cash=10_000, int2pnl=False)
    broker.addcommissioninfo(Future(**TERMS, commission_per_contract=2.5).commission_info())
    ran = run(make_bars(), None, {1: 1}, broker=broker)
    assert ran.equity[-1] == pytest.approx(10_000 - 2.5 - 5 + 50)


def test_a_market_that_pauses_pays_its_roll_once():
    future = Future(**TERMS, commission_per_contract=2.5)
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(BarsFeed(make_bars()), name="CORN")
    days = pd.date_range("2024-03-11", periods=6, freq="12h")
    cerebro.adddata(BarsFeed(make_bars().set_axis(days)), name="GOLD")
    cerebro.broker = InstrumentBroker(future, cash=10_000)
    cerebro.addstrategy(Plan, plan={1: 1})
    rolls = cerebro.run()[0].broker.payments
    assert [(roll.symbol, roll.bar) for roll in rolls] == [("CORN", 4)]


def test_a_future_says_what_rolls_cost_on_bars():
    future = Future(**TERMS)
    (said,) = future.notes_on(make_bars())
    assert said.startswith("The bars have 1 change of contract; whoever holds the position then")
    unpriced = Future(**{**TERMS, "price": None})
    (said,) = unpriced.notes_on(make_bars().drop(columns="price"))
    assert said == "Rolls cost nothing: the bars don't say where the contract changes."


def test_a_continuous_series_is_valued_by_the_price_of_its_contract_or_refused():
    unpriced = Future(**{**TERMS, "price": None})
    with pytest.raises(TradingError, match=r'of CORN are a continuous .* Future\(price="price"\)'):
        unpriced.check_bars(make_bars(), symbol="CORN")
    with pytest.raises(TradingError, match="valued by the column 'price', and the bars have none"):
        Future(**TERMS).check_bars(make_bars().drop(columns="price"))
    Future(**TERMS).check_bars(make_bars())


def test_a_series_that_is_adjusted_by_ratio_has_no_points_to_trade():
    moves = [1.01, 0.99, 1.02, 0.98, 1.03]
    closes, prices = [50.0], [100.0]
    for bar, move in enumerate(moves):
        closes.append(closes[-1] * move)
        prices.append(prices[-1] * move * (1.1 if bar == 2 else 1.0))
    with pytest.raises(TradingError, match="adjusted by ratio, so that a point of the close"):
        Future(**TERMS).check_bars(make_bars(closes, prices))
    assert math.isclose(closes[1], 50.5)


def test_a_series_that_is_adjusted_by_ratio_is_traded_in_points():
    moves = [1.01, 0.99, 1.02, 0.98, 1.03]
    closes, prices, points = [50.0], [100.0], [100.0]
    for bar, move in enumerate(moves):
        points.append(points[-1] + prices[-1] * (move - 1))
        closes.append(closes[-1] * move)
        prices.append(prices[-1] * move * (1.1 if bar == 2 else 1.0))
    runs = [
        run_cerebro(
            BASELINES["Buy and hold"],
            make_bars(series, prices),
            broker=BrokerSettings(
                instrument=Future(**TERMS, commission_per_contract=1), lot_size=1, slippage_rate=0
            ),
        )
        for series in (closes, points)
    ]
    by_ratio, by_difference = runs
    assert by_ratio.equity.tolist() == pytest.approx(by_difference.equity.tolist(), abs=1e-6)
    assert len(by_ratio.rolls) == 1
    gained = (by_ratio.fills["size"] * 50 * (points[-1] - by_ratio.fills["price"])).sum()
    assert by_ratio.fills["price"].iloc[0] == pytest.approx(points[1])  # bars of closes alone
    charged = by_ratio.fills["commission"].sum() + by_ratio.rolls["amount"].sum()
    assert by_ratio.equity.iloc[-1] == pytest.approx(100_000 + gained - charged)
