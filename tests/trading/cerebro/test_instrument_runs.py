"""Runs of perpetuals and futures, worked by hand on a few bars."""

import pickle

import numpy as np
import pandas as pd
import pytest

from lstm_strategy.errors import TradingError
from lstm_strategy.trading.cerebro import BrokerSettings, run_cerebro
from lstm_strategy.trading.execution import PortfolioStrategy, TargetStrategy
from lstm_strategy.trading.instruments import Future, InstrumentScheme, Perpetual, Spot

NAN = float("nan")
FREE = {"cash": 1000.0, "slippage_rate": 0.0, "reserve": 0.0, "lot_size": 1}


class Plays(TargetStrategy):
    params = (("targets", ()),)

    def target_exposure(self):
        bar = len(self.data) - 1
        return self.p.targets[bar] if bar < len(self.p.targets) else NAN


class Holds(PortfolioStrategy):
    params = (("targets", None),)

    def target_exposures(self):
        return self.p.targets


def bars_of(closes, *, opens=None, rates=None, marks=None, freq="8h", **columns):
    closes = np.array(closes, dtype=float)
    closes[-1] += 1e-9  # prices that never move are refused
    opens = np.r_[closes[0], closes[:-1]] if opens is None else np.array(opens, dtype=float)
    index = pd.date_range("2024-01-01", periods=len(closes), freq=freq)
    frame = {
        "open": opens,
        "high": np.maximum(opens, closes),
        "low": np.minimum(opens, closes),
        "close": closes,
        "volume": 1.0,
    }
    frame["funding_rate"] = 0.0 if rates is None else rates
    frame["mark"] = closes if marks is None else marks
    return pd.DataFrame(frame | columns, index)


def played(bars, targets, instrument, *, terms=FREE, **params):
    broker = BrokerSettings(instrument=instrument, **terms)
    return run_cerebro(Plays, bars, broker=broker, targets=targets, **params)


@pytest.mark.parametrize(("side", "sign"), [(2.0, 1), (-2.0, -1)], ids=["long", "short"])
def test_longs_pay_a_positive_rate_and_shorts_are_paid(side, sign):
    bars = bars_of([10] * 5, rates=[0.01, 0.01, 0.01, NAN, 0.01], marks=[10, 10, 11, 10, 10])
    run = played(bars, [side], Perpetual(leverage=4, taker_rate=0), max_leverage=2)
    # 200 units from the open of bar 1 on: they pay as bars 2 and 4 open, not as bar 1 does.
    paid = sign * np.array([0, 0, 200 * 10 * 0.01, 20, 20 + 200 * 10 * 0.01])
    assert run.fills["size"].tolist() == [sign * 200]
    assert run.equity.tolist() == pytest.approx(1000 - paid)
    assert run.funding["amount"].tolist() == pytest.approx([sign * 20, sign * 20])
    assert run.funding.index.tolist() == [bars.index[2], bars.index[4]]
    assert run.funding_paid == pytest.approx(sign * 40)
    assert run.trades["funding"].tolist() == pytest.approx([sign * 40])
    assert run.trades["pnl"].tolist() == pytest.approx([-sign * 40])


def test_each_trade_pays_the_funding_of_its_own_bars():
    bars = bars_of([10] * 7, rates=[0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07])
    run = played(bars, [1.0, 1.0, -1.0, -1.0, 0.0], Perpetual(leverage=4, taker_rate=0))
    # 100 long into bars 2 and 3; then, of an equity of 970 at bar 2, 97 short into bars 4 and 5.
    assert run.trades["size"].tolist() == [100, -97]
    assert run.trades["funding"].tolist() == pytest.approx([1000 * 0.07, -970 * 0.11])
    assert run.funding_paid == pytest.approx(run.trades["funding"].sum())


def test_a_contract_is_worth_its_multiplier():
    bars = bars_of([100, 100, 110, 90])
    contract = Future(multiplier=5, initial_margin=50, commission_per_contract=1)
    run = played(bars, [4.0], contract, max_leverage=4)
    # 4,000 of value are 8 contracts of 500, and pay 8 of commission.
    assert run.fills["size"].tolist() == [8]
    assert run.equity.tolist() == pytest.approx([1000, 992, 992 + 8 * 50, 992 - 8 * 50])
    assert run.exposure.tolist() == pytest.approx([0, 4000 / 992, 4400 / 1392, 3600 / 592])
    assert run.fills["value"].tolist() == pytest.approx([4000])
    assert run.trades["pnl"].iloc[0] == pytest.approx(-408)
    assert run.trades["return"].iloc[0] == pytest.approx(-408 / 4000)


def test_a_liquidation_is_counted_dated_and_never_takes_more_than_the_margin():
    bars = bars_of([10, 10, 10, 4, 4], rates=NAN)
    run = played(bars, [1.0, NAN], Perpetual(leverage=2, taker_rate=0), terms=FREE)
    # 100 units for a margin of 500: (10 - 5) / (1 - 0.005) = 5.0251 within the bar from 10 to 4.
    assert run.liquidations.index.tolist() == [bars.index[3]]
    assert run.liquidations["price"].iloc[0] == pytest.approx(5 / 0.995)
    assert run.liquidations["size"].tolist() == [100]
    assert run.order_counts["liquidated"] == 1
    assert run.equity.iloc[-1] == pytest.approx(1000 - 100 * (10 - 5 / 0.995))
    assert run.exposure.iloc[-1] == 0


def test_what_the_insurance_fund_bears_is_no_commission():
    bars = bars_of([10, 10, 10, 4, 4], opens=[10, 10, 10, 4, 4], rates=NAN)
    run = played(bars, [1.0, NAN], Perpetual(leverage=2, taker_rate=0.001), terms=FREE)
    fill = run.fills.iloc[-1]  # opened at 4, beyond the price at which the margin was gone
    assert fill["price"] == 4
    assert fill["insurance"] == pytest.approx(100 + fill["commission"])
    assert run.trades["pnl"].iloc[0] == pytest.approx(-500 - run.fills["commission"].iloc[0])
    assert run.costs == pytest.approx(run.fills["commission"].sum())


def test_an_exposure_up_to_the_leverage_ends_neither_in_margin_nor_in_silence():
    bars = bars_of([10, 10, 11, 10, 9, 10], rates=0.005, opens=[10, 10.2, 10.4, 11, 10, 9])
    for side in (3.0, -3.0):
        run = played(bars, [side, side, -side, side, side], Perpetual(leverage=3), max_leverage=3)
        assert run.order_counts["margin"] == 0
        assert len(run.fills) >= 3
        assert run.exposure.abs().max() > 2.5


def test_an_order_whose_cash_went_as_funding_is_cut_and_counted():
    bars = bars_of([10] * 4, rates=[NAN, NAN, 0.019, NAN])
    run = played(bars, [1.5, 3.0], Perpetual(leverage=3, taker_rate=0), max_leverage=3)
    # 150 units, then 150 more for the other 500 of cash, of which funding takes 28.50 first.
    assert run.fills["size"].tolist() == [150, 141]
    assert run.order_counts["cut"] == 1


@pytest.mark.parametrize(
    ("instrument", "largest", "message"),
    [
        (Spot(), 2.0, "gives no credit"),
        (Perpetual(leverage=2), 3.0, "is 3, and the Perpetual allows 2 at most"),
        (None, 1.5, "gives no credit"),
    ],
    ids=["spot", "perpetual", "no instrument"],
)
def test_a_largest_exposure_that_nothing_allows_is_refused(instrument, largest, message):
    with pytest.raises(TradingError, match=message):
        played(bars_of([10] * 3), [1.0], instrument, max_leverage=largest)


def test_a_leverage_that_the_tiers_do_not_allow_for_the_account_is_refused():
    tiered = Perpetual(leverage=10, maintenance_margin_rate=((0, 0.01), (5_000, 0.2)))
    with pytest.raises(TradingError, match=r"may be worth 10,000\.00.*leverage of 10 below 9,500"):
        played(bars_of([10] * 3), [1.0], tiered, max_leverage=10)


def test_a_position_that_grows_beyond_its_tier_is_cut():
    tiered = Perpetual(leverage=2, taker_rate=0, maintenance_margin_rate=((0, 0.01), (1_500, 0.9)))
    run = played(bars_of([10, 10, 20, 20, 20], rates=NAN), [1.0, 1.0, 1.0], tiered)
    assert run.order_counts["cut"] == 0
    rising = bars_of([10, 10, 20, 20, 20, 20], rates=NAN)
    run = played(rising, [1.5, 1.5, 1.5, 2.0, 2.0], tiered, max_leverage=2)
    assert run.order_counts["cut"] >= 1
    assert run.order_counts["margin"] == 0


def test_orders_below_the_smallest_value_are_counted_and_closing_is_always_allowed():
    perpetual = Perpetual(min_order_value=600, taker_rate=0)
    run = played(bars_of([10] * 6, rates=NAN), [0.3, 0.3, 0.7, 0.5, 0.0], perpetual)
    assert run.fills["size"].tolist() == [70, -20, -50]
    assert run.order_counts["too_small"] == 2


@pytest.mark.parametrize(
    "instrument",
    [Perpetual(tick_size=0.5, lot_size=7), Spot(tick_size=0.5, lot_size=7)],
    ids=["perpetual", "spot"],
)
def test_a_tick_never_makes_a_buy_wait_for_a_price_below_the_open(instrument):
    instrument = instrument.with_cost_rate(0.001, 10.0)
    bars = bars_of([10] * 4, opens=[10, 10.6, 10.4, 10], rates=NAN, high=12.0)
    run = played(bars, [0.5, 0.5], instrument, terms=FREE | {"reserve": 0.08})
    # The collar of 10.8 becomes 11, so the buy pays the open of 10.6 and the taker's fee.
    assert run.fills["price"].tolist() == [10.6]
    assert run.fills["size"].tolist() == [49]
    assert run.fills["commission"].tolist() == pytest.approx([49 * 10.6 * 0.001])


@pytest.mark.parametrize("target", [1.0, -1.0], ids=["long", "short"])
def test_an_order_that_fills_at_a_slipped_open_pays_whole_ticks_and_never_ends_in_margin(target):
    perpetual = Perpetual(tick_size=0.5, leverage=1, taker_rate=0)
    bars = bars_of([10] * 4, rates=NAN, high=11.0, low=9.0)
    terms = FREE | {"reserve": 0.1, "slippage_rate": 0.001}
    run = played(bars, [target], perpetual, terms=terms)
    assert run.fills["price"].tolist() == [10.5 if target > 0 else 9.5]
    assert run.fills["size"].tolist() == [90 if target > 0 else -90]  # paid at up to 11
    assert run.order_counts["margin"] == 0


@pytest.mark.parametrize("instrument", [Perpetual(tick_size=5.0), Spot(tick_size=5.0)], ids=str)
def test_sizes_are_what_cash_pays_at_a_collar_that_was_rounded_up(instrument):
    instrument = instrument.with_cost_rate(0.0, 10.0)
    run = played(bars_of([11] * 4, rates=NAN), [1.0], instrument, terms=FREE | {"reserve": 0.01})
    # the collar of 11.11 becomes 15, and 1000 pay for 66 there
    assert run.fills["size"].tolist() == [66]
    assert run.order_counts["cut"] == run.order_counts["margin"] == 0


def test_a_portfolio_holds_margins_within_its_equity():
    panel = {"A": bars_of([10] * 5, rates=NAN), "B": bars_of([20] * 5, rates=NAN)}
    broker = BrokerSettings(instruments={"A": Perpetual(leverage=4, taker_rate=0)}, **FREE)
    # A takes a quarter of its value and B all of it: 4 / 4 + 0.5 is more than there is.
    run = run_cerebro(
        Holds, panel, broker=broker, targets={"A": -4.0, "B": 0.5}, max_gross=5, max_leverage=1
    )
    last = run.exposure.iloc[-1]
    assert last["A"] == pytest.approx(-4 / 1.5, abs=0.02)
    assert last["B"] == pytest.approx(0.5 / 1.5, abs=0.02)
    assert run.order_counts["margin"] == 0


def test_an_instrument_replaces_the_commission_and_travels_to_other_processes():
    with pytest.raises(TradingError, match="commission_rate and instrument both say"):
        BrokerSettings(instrument=Perpetual(), commission_rate=0.001)
    settings = BrokerSettings(instrument=Perpetual(taker_rate=0.0004), slippage_rate=0.0001)
    assert settings.commission_rate == 0.0004
    assert settings.cost_rate == pytest.approx(0.0005)
    assert pickle.loads(pickle.dumps(settings)) == settings


def test_costs_that_differ_by_market_or_price_are_asked_of_bars():
    panel = {"A": bars_of([10] * 3), "B": bars_of([50, 100, 100])}
    contract = Future(multiplier=2, initial_margin=10, commission_per_contract=1)
    settings = BrokerSettings(instruments={"B": contract}, commission_rate=0.002, slippage_rate=0)
    with pytest.raises(TradingError, match="depends on its market or its price"):
        _ = settings.cost_rate
    assert settings.cost_rate_on(panel) == {"A": 0.002, "B": 0.01}
    changed = settings.with_commission_rate(0.003, panel)
    assert str(changed.instruments["B"]).endswith("commission_per_contract=0.6)")
    assert changed.commission_rate == 0.003


@pytest.mark.parametrize(
    ("bars", "message"),
    [
        (bars_of([10] * 3), "instruments names a market 'BTC', and these are the bars of one"),
        ({"BTH": bars_of([10] * 3)}, r"'BTC', which isn't among the bars\. Did you mean BTH\?"),
    ],
    ids=["one market", "a panel"],
)
def test_instruments_of_markets_that_there_are_not_are_refused(bars, message):
    broker = BrokerSettings(instruments={"BTC": Perpetual()})
    with pytest.raises(TradingError, match=message):
        run_cerebro(Plays, bars, broker=broker)


def test_a_spot_instrument_is_the_commission_itself():
    bars = bars_of(10 + np.sin(np.arange(30)))
    targets = list(np.cos(np.arange(30)))
    terms = {"cash": 1000.0}
    plain = run_cerebro(
        Plays, bars, broker=BrokerSettings(commission_rate=0.002, **terms), targets=targets
    )
    spot = played(bars, targets, Spot(commission_rate=0.002), terms=terms)
    assert spot.equity.tolist() == plain.equity.tolist()
    assert spot.fills.equals(plain.fills)


@pytest.mark.parametrize("level", [-70.0, 900.0], ids=["low", "high"])
def test_the_collar_of_a_buy_is_a_share_of_the_price_of_the_contract(level):
    contract = Future(multiplier=1, initial_margin=50, price="price")
    prices = np.array([100.0, 100.0, 104.0, 106.0, 120.0])

    def first_fill(gap):
        opens = np.r_[prices[0], prices[:-1] + gap] + level
        bars = bars_of(prices + level, opens=opens, price=prices, high=130.0 + level)
        terms = FREE | {"reserve": 0.05, "slippage_rate": 0.01}
        run = played(bars, [0.5, 0.5], contract, terms=terms)
        return run.fills["price"].iloc[0] - level, run.order_counts["expired"]

    # the collar is 5 above the close, and an open of 102 slips by 1% of it
    assert first_fill(2.0) == (pytest.approx(103.02), 0)
    assert first_fill(7.0) == (pytest.approx(105.0), 0)  # waits for a price at the collar


class OwnInterest(InstrumentScheme):
    """Charges 7 a bar for each unit that is held, and tells nobody."""

    def get_credit_interest(self, data, pos, dt):
        del data, dt
        return 7.0 * abs(pos.size)


class Lent(Spot):
    def commission_info(self):
        return OwnInterest(self, commission=0.0)


class OneMore(type(Perpetual().commission_info())):
    """Funding, and 1 a bar beside it."""

    def get_credit_interest(self, data, pos, dt):
        return super().get_credit_interest(data, pos, dt) + 1.0


class Dear(Perpetual):
    def commission_info(self):
        usual = super().commission_info()
        return OneMore(self, usual.terms, commission=0.0, leverage=self.leverage, stocklike=True)


class DearFuture(Future):
    def commission_info(self):
        return OwnInterest(self, margin=self.initial_margin, mult=self.multiplier)


def test_what_a_scheme_of_ones_own_charges_for_holding_is_listed_and_no_breach():
    bars = bars_of([10] * 5, rates=[NAN, NAN, 0.01, 0.01, NAN], marks=10.0)
    run = played(bars, [0.2, NAN, 0.0], Lent())
    assert run.funding["amount"].tolist() == [140.0, 140.0]
    assert run.equity.tolist() == pytest.approx([1000, 1000, 860, 720, 720])
    assert run.trades["pnl"].tolist() == pytest.approx([-280])
    run = played(bars, [0.5], Dear(leverage=4, taker_rate=0))  # 50 units
    assert run.funding["amount"].tolist() == pytest.approx([5, 1, 5, 1, 1])
    assert run.equity.tolist() == pytest.approx([1000, 1000, 994, 988, 987])
    run = played(bars, [0.2], DearFuture(multiplier=5, initial_margin=20))
    assert run.funding["amount"].tolist() == [28.0] * 3
    assert run.funding["rate"].tolist() == pytest.approx([14 / 100] * 3)
    assert run.equity.iloc[-1] == pytest.approx(1000 - 84)
