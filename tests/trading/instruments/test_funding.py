"""Funding in a plain Cerebro, worked by hand on six bars, in every mode."""

import math

import backtrader as bt
import numpy as np
import pandas as pd
import pytest

from lstm_strategy import BarsFeed, Perpetual
from lstm_strategy.bars import aggregate_bars
from lstm_strategy.errors import TradingError
from lstm_strategy.trading.instruments import InstrumentBroker

NAN = math.nan
MODES = {
    "default": {},
    "runonce off": {"runonce": False},
    "preload off": {"preload": False},
    "exactbars 1": {"exactbars": 1},
    "exactbars -1": {"exactbars": -1},
    "exactbars -2": {"exactbars": -2},
}


def six_bars(zone="UTC", start="2024-01-01", **columns):
    """Eight-hour bars that open and close at round prices; funding settles at each open."""
    close = [100.0, 110.0, 120.0, 110.0, 100.0, 130.0]
    opened = [100.0, *close[:-1]]
    bars = {
        "open": opened,
        "high": [max(pair) for pair in zip(opened, close, strict=True)],
        "low": [min(pair) for pair in zip(opened, close, strict=True)],
        "close": close,
        "volume": 1.0,
        "mark": [101.0, 111.0, 119.0, 109.0, 101.0, 131.0],
        "funding_rate": [0.001, 0.002, -0.003, NAN, 0.004, 0.001],
    }
    index = pd.date_range(start, periods=6, freq="8h", tz=zone)
    return pd.DataFrame({**bars, **columns}, index=index)


class Trades(bt.Strategy):
    """Sends the orders of a plan, {bar: signed units}, and writes the equity down."""

    params = (("plan", None),)

    def __init__(self):
        self.equity = []

    def next(self):
        self.equity.append(self.broker.getvalue())
        size = self.p.plan.get(len(self), 0.0)
        if size:
            (self.buy if size > 0 else self.sell)(size=abs(size))


def run(bars, plan, perpetual, broker="plain", feed=BarsFeed, **mode):
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(feed(bars), name="BTC")
    if broker == "ours":
        cerebro.broker = InstrumentBroker({"BTC": perpetual})
    else:
        cerebro.broker.set_shortcash(broker == "plain")
        cerebro.broker.addcommissioninfo(perpetual.commission_info(), name="BTC")
    cerebro.broker.setcash(1_000)
    cerebro.addstrategy(Trades, plan=plan)
    return cerebro.run(**mode)[0].equity


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
@pytest.mark.parametrize("broker", ["plain", "shortcash off", "ours"])
@pytest.mark.parametrize("side", [1, -1])
def test_whoever_holds_into_a_bar_pays_what_settles_at_its_open(side, broker, mode):
    perpetual = Perpetual(taker_rate=0.001, leverage=3)
    equity = run(six_bars(), {1: side * 10, 4: -side * 10}, perpetual, broker, **mode)
    # Bought at the open of bar 2 (100), which pays nothing for the settlement at that instant.
    # Into bar 3: 10 * 111 * -0.003. Into bar 4 nothing settles. Into bar 5: 10 * 109 * 0.004,
    # before the position is closed at its open (110). Bar 6 is flat.
    fees = [0, 1.0, 1.0, 1.0, 2.1, 2.1]
    funding = [0, 0, -3.33, -3.33, 1.03, 1.03]
    gains = [0, 100, 200, 100, 100, 100]
    expected = [
        1_000 + side * (gain - paid) - fee
        for gain, fee, paid in zip(gains, fees, funding, strict=True)
    ]
    assert equity == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_a_missing_mark_is_the_close_before(mode):
    bars = six_bars(mark=[101.0, NAN, 119.0, NAN, 101.0, 131.0])
    equity = run(bars, {1: 10}, Perpetual(taker_rate=0), **mode)
    # into bar 3 the close of 110 instead of the mark, into bar 5 that of 110
    paid = [0, 0, -3.3, -3.3, -3.3 + 4.4, -3.3 + 4.4 + 10 * 101 * 0.001]
    gains = [0, 100, 200, 100, 0, 300]
    assert equity == pytest.approx(
        [1_000 + gain - cost for gain, cost in zip(gains, paid, strict=True)], abs=1e-9
    )


def test_bars_without_marks_pay_by_the_close_before():
    bars = six_bars()
    without = run(bars.drop(columns="mark"), {1: 10}, Perpetual(leverage=3))
    assert without[-1] != 1_000
    assert without == run(bars.assign(mark=bars["close"]), {1: 10}, Perpetual(leverage=3))


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_settlements_within_the_bar_are_paid_at_the_next_one_where_no_broker_can_earlier(mode):
    bars = six_bars(funding_rate=NAN, funding_payment=[0.01, 0.02, NAN, -0.05, 0.04, 0.03])
    equity = run(bars, {1: 10, 4: -10}, Perpetual(taker_rate=0), **mode)
    # held after the fills of bars 2, 3 and 4: 10 * (0.02 - 0.05), each paid a bar later
    expected = [1_000, 1_100, 1_200 - 0.2, 1_100 - 0.2, 1_100 + 0.3, 1_100 + 0.3]
    assert equity == pytest.approx(expected, abs=1e-9)


def test_summed_rates_are_paid_within_their_bar_at_its_mark():
    perpetual = Perpetual(taker_rate=0, funding_settles="within")
    equity = run(six_bars(), {1: 10, 2: -10}, perpetual)
    # held after the fills of bar 2 only: 10 * 111 * 0.002, paid at bar 3
    assert equity[-1] == pytest.approx(1_000 + 100 - 2.22, abs=1e-9)


def test_one_settlement_is_paid_once_however_often_the_broker_wakes():
    bars = six_bars()
    often = bars.resample("1h").ffill().drop(columns=["mark", "funding_rate"])
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(BarsFeed(bars), name="BTC")
    cerebro.adddata(BarsFeed(often), name="clock")
    cerebro.broker.setcash(1_000)
    cerebro.broker.addcommissioninfo(Perpetual(taker_rate=0).commission_info(), name="BTC")
    cerebro.addstrategy(BuysOnce)
    strategy = cerebro.run()[0]
    assert strategy.broker.getvalue() == pytest.approx(1_300 - (-3.33 + 4.36 + 1.01), abs=1e-9)


class BuysOnce(bt.Strategy):
    def next(self):
        if len(self.data) == 1 and not self.broker.orders:
            self.buy(self.data, size=10)


def test_the_hour_that_comes_twice_pays_twice():
    bars = six_bars("America/New_York", "2023-11-05 00:00", funding_rate=0.001)
    bars.index = pd.date_range("2023-11-05 00:00", periods=6, freq="h", tz="America/New_York")
    paid = 10 * 0.001 * (111 + 119 + 109 + 101)
    assert run(bars, {1: 10}, Perpetual(taker_rate=0))[-1] == pytest.approx(1_300 - paid)


@pytest.mark.parametrize("mode", [{}, {"exactbars": 1}], ids=str)
def test_a_cerebro_that_runs_again_pays_the_same(mode):
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(BarsFeed(six_bars()), name="BTC")
    cerebro.broker.addcommissioninfo(Perpetual(leverage=2).commission_info())
    cerebro.addstrategy(Trades, plan={1: 10, 2: -5})
    assert cerebro.run(**mode)[0].equity == cerebro.run(**mode)[0].equity


class FeedOfTheUser(bt.feeds.PandasData):
    lines = ("funding_rate", "mark")
    params = (("funding_rate", -1), ("mark", -1))


def feed_of_the_user(bars):
    return FeedOfTheUser(dataname=bars.tz_localize(None))


def test_a_feed_of_ones_own_pays_the_same():
    ours = run(six_bars(), {1: 10}, Perpetual(leverage=3))
    assert run(six_bars(), {1: 10}, Perpetual(leverage=3), feed=feed_of_the_user) == ours


def test_a_feed_that_forgets_the_mark_is_refused():
    with pytest.raises(TradingError, match="With exactbars=1 BTC keeps one bar"):
        run(six_bars(), {1: 10}, Perpetual(leverage=3), feed=feed_of_the_user, exactbars=1)
    bars = {"bars": six_bars(), "plan": {1: 10}, "perpetual": Perpetual(leverage=3)}
    ours = run(**bars, broker="ours", feed=feed_of_the_user, exactbars=1)
    assert ours == run(**bars)


@pytest.mark.parametrize("way", ["resampledata", "replaydata"])
@pytest.mark.parametrize("is_ours", [True, False])
def test_bars_that_backtrader_makes_carry_no_funding_and_are_refused(way, is_ours):
    cerebro = bt.Cerebro(stdstats=False)
    feed = BarsFeed(hours_of_a_week())
    getattr(cerebro, way)(feed, timeframe=bt.TimeFrame.Days, compression=1, name="BTC")
    perpetual = Perpetual(leverage=3)
    if is_ours:
        cerebro.broker = InstrumentBroker({"BTC": perpetual})
    else:
        cerebro.broker.addcommissioninfo(perpetual.commission_info(), name="BTC")
    cerebro.addstrategy(Trades, plan={2: 10})
    with pytest.raises(TradingError, match=r"BTC is resampled or replayed .*aggregate_bars"):
        cerebro.run()


def test_interest_reaches_the_commission_of_the_trade():
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(BarsFeed(six_bars()), name="BTC")
    cerebro.broker.addcommissioninfo(Perpetual(taker_rate=0.001).commission_info())
    cerebro.addstrategy(Trades, plan={1: 10, 4: -10})
    cerebro.addanalyzer(bt.analyzers.TradeAnalyzer, _name="trades")
    net = cerebro.run()[0].analyzers.trades.get_analysis()["pnl"]["net"]["total"]
    assert net == pytest.approx(100 - 2.1 - 1.03, abs=1e-9)


@pytest.mark.parametrize(
    ("columns", "feed", "message"),
    [
        ({"funding_rate": [0, 0, 0.5, 0, 0, 0]}, BarsFeed, "is 0.5 at 2024-01-01 16:00:00"),
        ({"funding_rate": [0, 0, 0.5, 0, 0, 0]}, feed_of_the_user, "is 0.5 at 2024-01-01 16:00"),
        ({"mark": 0.0}, BarsFeed, "mark of BTC must be a price above 0 or missing, got 0"),
    ],
)
def test_what_cant_be_ends_the_run_with_its_date(columns, feed, message):
    with pytest.raises(TradingError, match=message):
        run(six_bars(**columns), {1: 10}, Perpetual(leverage=3), feed=feed)


def test_a_feed_without_rates_is_refused_unless_funding_is_left_out():
    bars = six_bars().drop(columns="funding_rate")
    with pytest.raises(TradingError, match=r"BTC has no line 'funding_rate'\. Feed bars with"):
        run(bars, {1: 10}, Perpetual(leverage=3))
    equity = run(bars, {1: 10}, Perpetual(funding=None, taker_rate=0))
    assert equity[-1] == pytest.approx(1_300, abs=1e-9)


def test_orders_by_value_buy_fractions_of_a_coin():
    scheme = Perpetual(leverage=3, lot_size=0.01).commission_info()
    assert scheme.getsize(40_000, 1_000) == pytest.approx(0.02)
    assert Perpetual().commission_info().getsize(40_000, 1_000) == 0.025


def test_a_broker_that_doesnt_liquidate_says_so_once(caplog):
    bars = six_bars(mark=[101.0, 111.0, 119.0, 60.0, 60.0, 131.0])
    run(bars, {1: 10}, Perpetual(leverage=3))
    assert [record.getMessage()[:66] for record in caplog.records] == [
        "BTC at 2024-01-02 08:00:00: an exchange would have liquidated the "
    ]


def hours_of_a_week():
    """Hourly bars with funding every eight hours, some marks missing."""
    random = np.random.default_rng(3)
    n_bars = 9 * 24
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.01, n_bars)))
    opened = np.r_[100, close[:-1]]
    mark = np.where(random.random(n_bars) < 0.2, NAN, close * random.normal(1, 0.002, n_bars))
    rates = np.where(np.arange(n_bars) % 8 == 0, random.normal(0, 1e-3, n_bars), NAN)
    return pd.DataFrame(
        {
            "open": opened,
            "high": np.maximum(opened, close),
            "low": np.minimum(opened, close),
            "close": close,
            "volume": 1.0,
            "mark": mark,
            "funding_rate": rates,
        },
        index=pd.date_range("2024-01-01", periods=n_bars, freq="h", tz="UTC"),
    )


@pytest.mark.parametrize("broker", ["plain", "ours"])
@pytest.mark.parametrize("side", [1, -1])
def test_the_same_days_pay_the_same_through_bars_of_any_length(side, broker):
    hours = hours_of_a_week()
    ends = []
    for length in (1, 4, 8, 24):
        bars = hours if length == 1 else aggregate_bars(hours, f"{length}h")
        first, last = 2 * 24 // length, 7 * 24 // length  # orders fill at the next open: a midnight
        plan = {first: side * 2, last: -side * 2}
        ends.append(run(bars, plan, Perpetual(taker_rate=0), broker)[-1])
    settled = hours["funding_rate"].iloc[2 * 24 + 1 : 7 * 24 + 1].dropna()
    marks = hours["mark"].fillna(hours["close"]).shift()[settled.index]
    moves = hours["open"].iloc[7 * 24] - hours["open"].iloc[2 * 24]
    by_hand = 1_000 + side * 2 * (moves - (settled * marks).sum())
    assert ends == pytest.approx([by_hand] * 4, abs=1e-9)


def test_a_few_extreme_days_within_longer_bars_are_no_percents():
    hours = pd.date_range("2024-01-01", periods=24 * 60, freq="h", tz="UTC")
    closes = 100.0 + np.arange(len(hours)) % 7
    columns = dict.fromkeys(("open", "high", "low", "close"), closes)
    bars = pd.DataFrame({**columns, "volume": 1.0, "funding_rate": NAN}, hours)
    bars.loc[hours[::8], "funding_rate"] = 0.0001
    bars.loc[hours[480:624:2], "funding_rate"] = -0.01  # every two hours, for six days
    longer = aggregate_bars(bars, "8h")
    Perpetual().check_bars(longer)
    in_percent = aggregate_bars(bars.assign(funding_rate=bars["funding_rate"] * 100), "1D")
    with pytest.raises(TradingError, match="Divide the column by 100"):
        Perpetual().check_bars(in_percent)
