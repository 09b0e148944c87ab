"""Orders in two and three markets worked by hand, in a plain Cerebro with its default broker."""

import logging
import math

import backtrader as bt
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from lstm_strategy.errors import TradingError
from lstm_strategy.trading.execution.portfolio.strategy import PortfolioStrategy

NAN = math.nan
FLAT = (10, 11, 9, 10)


class Plays(PortfolioStrategy):
    """Asks for given exposures, date by date, and keeps what happened."""

    params = (("targets", ()),)

    def __init__(self):
        super().__init__()
        self.asked, self.fills, self.cash, self.live = [], [], {}, []
        self.n_sent = 0

    def target_exposures(self):
        self.asked.append(day_of(self))
        self.live.append("".join(self.live_markets))
        number = len(self) - 1
        return self.p.targets[min(number, len(self.p.targets) - 1)] if self.p.targets else {}

    def next(self):
        super().next()
        self.cash[day_of(self)] = self.broker.getcash()

    def notify_order(self, order):
        super().notify_order(order)
        name = {id(data): name for name, data in self.markets.items()}[id(order.data)]
        for fill in order.executed.iterpending():
            self.fills.append((order.data.datetime.date(0).day, name, fill.size, fill.price))

    def buy(self, **kwargs):
        self.n_sent += 1
        return super().buy(**kwargs)

    def sell(self, **kwargs):
        self.n_sent += 1
        return super().sell(**kwargs)


def day_of(strategy):
    return strategy.datas[0].num2date(strategy.lines.datetime[0]).day


def bars_of(rows, days):
    index = pd.to_datetime([f"2024-01-{day:02}" for day in days])
    bars = pd.DataFrame(rows, index, columns=["open", "high", "low", "close"], dtype=float)
    return bars.assign(volume=1.0)


def flat(days, price=10):
    return bars_of([(price, price + 1, price - 1, price)] * len(days), days)


def cerebro_for(panel, *, cash=1000.0, commission=0.0, slippage=0.0, **modes):
    cerebro = bt.Cerebro(stdstats=False, **modes)
    for name, bars in panel.items():
        cerebro.adddata(bt.feeds.PandasData(dataname=bars), name=name)
    cerebro.broker.setcash(cash)
    cerebro.broker.setcommission(commission=commission)
    cerebro.broker.set_slippage_perc(slippage)
    return cerebro


def played(panel, targets, *, broker=None, modes=None, **params):
    cerebro = cerebro_for(panel, **(broker or {}), **(modes or {}))
    cerebro.addstrategy(Plays, targets=targets, **{"lot_size": 1, **params})
    return cerebro.run()[0]


DAYS = range(1, 7)
TWO = {"A": flat(DAYS), "B": flat(DAYS, price=20)}


# One budget


def test_two_halves_are_bought_with_the_collar_kept_in_cash():
    run = played(TWO, [{"A": 0.5, "B": 0.5}], broker={"commission": 0.01})
    # 50 and 25 units cost 50 * 10.10 * 1.01 + 25 * 20.20 * 1.01 = 1020.10 at most: 98.03 % of both.
    assert run.fills == [(2, "A", 49, 10.0), (2, "B", 24, 20.0)]
    assert run.cash[6] == pytest.approx(1000 - (490 + 480) * 1.01)


def test_a_long_and_a_short_of_three_markets_leave_the_third_alone():
    panel = TWO | {"C": flat(DAYS, price=5)}
    run = played(panel, [{"A": 0.5, "B": -0.5}])
    # The short is sent first.
    assert run.fills == [(2, "B", -25, 20.0), (2, "A", 50, 10.0)]
    assert run.cash[6] == pytest.approx(1000)


def test_a_rotation_sells_before_it_buys_at_one_open_and_cash_is_never_short():
    run = played(TWO, [{"B": 1.0}] * 2 + [{"A": 1.0}], broker={"commission": 0.01})
    # 49 B at 20: cash 1000 - 989.80 = 10.20. They bring 49 * 19.80 * 0.99 = 960.50 at the least,
    # so with 10.20 in cash 970.70 / (10.10 * 1.01) = 95.2 A can be paid.
    assert run.fills == [(2, "B", 49, 20.0), (4, "B", -49, 20.0), (4, "A", 95, 10.0)]
    assert run.cash[4] == pytest.approx(10.2 + 980 * 0.99 - 950 * 1.01)
    assert run.order_counts["margin"] == run.order_counts["cut"] == 0


def test_a_sale_that_opens_far_below_its_close_cuts_the_buy_to_the_cash(caplog):
    fallen = bars_of([(20, 21, 19, 20)] * 3 + [(10, 11, 9, 10)] * 3, DAYS)
    run = played({"A": flat(DAYS), "B": fallen}, [{"B": 1.0}] * 2 + [{"A": 1.0}])
    # 49 B are bought for 980 and sold at 10: cash 20 + 490 pays 510 / 10.10 = 50.5 A.
    assert run.fills == [(2, "B", 49, 20.0), (4, "B", -49, 10.0), (4, "A", 50, 10.0)]
    assert run.cash[4] == pytest.approx(10)
    assert run.order_counts["cut"] == run.order_counts_by_market["A"]["cut"] == 1
    assert run.order_counts["margin"] == 0
    assert "market A: the buy of 98 was cut to 50" in caplog.text


def test_the_sum_of_exposures_is_scaled_to_the_gross_limit():
    run = played(TWO, [{"A": 2.0, "B": -2.0}])
    assert run.fills == [(2, "B", -25, 20.0), (2, "A", 50, 10.0)]


def test_a_larger_gross_limit_holds_more_long_and_short():
    run = played(TWO, [{"A": 0.9, "B": -0.8}], max_gross=1.7)
    assert run.fills == [(2, "B", -40, 20.0), (2, "A", 90, 10.0)]


def test_longs_are_never_bought_with_what_a_short_costs_to_cover():
    dearer = bars_of([FLAT] * 3 + [(10.1, 11, 9, 10)] * 3, DAYS)
    targets = [{"A": -0.7, "B": 1.0}] * 2 + [{"B": 1.0}]
    run = played({"A": dearer, "B": flat(DAYS, price=20)}, targets, max_gross=1.7)
    # 70 A bring 693 at the least and cost 707 at the most: of 1000, 986 / 20.20 = 48.8 B. That
    # leaves 740, and 50 B would have left 700 for a cover of 707.
    assert run.fills == [(2, "A", -70, 10.0), (2, "B", 48, 20.0), (4, "A", 70, 10.1)]
    assert run.cash[6] == pytest.approx(740 - 707)


def test_a_short_that_costs_more_than_the_cash_is_covered_once_longs_are_sold(caplog):
    jump = bars_of([FLAT] * 3 + [(14, 15, 13, 14)] * 3, DAYS)
    targets = [{"A": -0.5, "B": 0.9}] * 2 + [{"B": 0.9}]
    run = played({"A": jump, "B": flat(DAYS, price=20)}, targets, max_gross=1.7)
    # Cash 1000 + 500 - 900 = 600 pays 42 of 50 A at 14 and leaves 12. At that close the equity is
    # 12 + 900 - 8 * 14 = 800: B holds 900 of it and is brought down to 720.
    assert run.fills[2:] == [(4, "A", 42, 14.0), (5, "B", -9, 20.0), (5, "A", 8, 14.0)]
    assert run.cash[6] == pytest.approx(12 + 180 - 112)
    assert run.order_counts["cut"] == 1
    assert "market A: the buy of 50 was cut to 42" in caplog.text


def test_longs_on_credit_are_sold_whatever_the_band():
    jump = bars_of([FLAT] * 2 + [(10.8, 12, 10, 10.8)] * 4, DAYS)
    panel = {"A": jump, "B": flat(DAYS, price=20)}
    run = played(panel, [{"A": -0.5, "B": 0.98}], max_gross=2.0, band=0.5, lot_size=0.01)
    # At 10.8 the shorts cost 40 more: the equity is 960, B 980. 0.98 of 960 is 940.80.
    assert run.fills == [
        (2, "A", -50, 10.0),
        (2, "B", 49, 20.0),
        (4, "B", pytest.approx(-1.96), 20.0),
    ]


def test_the_net_limit_shrinks_the_larger_side():
    run = played(TWO, [{"A": 0.6, "B": -0.2}], max_net=0.1)
    # Net 0.4 is 0.3 too much: A holds 0.3.
    assert run.fills == [(2, "B", -10, 20.0), (2, "A", pytest.approx(30), 10.0)]


@pytest.mark.parametrize("cap", [0.2, {"A": 0.2}], ids=["for all", "by market"])
def test_a_cap_limits_one_market(cap):
    run = played(TWO, [{"A": -0.6, "B": 0.2}], max_exposure=cap)
    assert run.fills == [(2, "A", -20, 10.0), (2, "B", 10, 20.0)]


def test_long_only_turns_shorts_into_cash():
    run = played(TWO, [{"A": 0.5, "B": -0.5}], long_only=True)
    assert run.fills == [(2, "A", 50, 10.0)]


def test_the_band_is_a_fraction_of_an_equal_share():
    targets = [{"A": 0.4}, {"A": 0.44}, {"A": 0.36}, {"A": 0.34}]
    run = played(TWO, targets)
    # 0.1 / 2 markets: a difference of 0.04 stays, and one of 0.06 is traded.
    assert run.fills == [(2, "A", 40, 10.0), (5, "A", -6, 10.0)]


def test_a_market_that_is_left_out_is_sold_and_nan_keeps_it():
    run = played(TWO, [{"A": 0.5, "B": 0.2}, {"A": NAN}])
    assert run.fills == [(2, "A", 50, 10.0), (2, "B", 10, 20.0), (3, "B", -10, 20.0)]


def test_the_last_answer_stands_between_two_decisions():
    run = played(TWO, [{"A": 0.5}, {"B": 0.5}, {"A": 0.1}, {"B": 0.5}], rebalance_bars=3)
    assert run.asked == [1, 4]
    assert run.fills == [(2, "A", 50, 10.0), (5, "A", -50, 10.0), (5, "B", 25, 20.0)]


def test_an_answer_of_one_holds_an_equal_share_at_the_target_volatility():
    closes = [10.0, 11.0, 10.0, 11.0, 10.0]
    moves = bars_of([(close, close + 1, close - 1, close) for close in closes], range(1, 6))
    panel = {"A": moves, "B": moves}
    run = played(
        panel, [{"A": 1.0, "B": -0.5}], target_volatility=0.05, volatility_span=2, bars_per_year=1
    )
    # Log returns of ±0.09531 with weights 1 and 1/3 (span 2): a deviation of 0.1348 on day 3, when
    # both have three bars. A: 0.05 / 0.1348 / 2 = 0.1855 of 1000 at 10 is 18 units, B half of it.
    assert run.fills[:2] == [(4, "B", -9, 11.0), (4, "A", 18, 10.1)]
    # With four bars a year instead of one, A moves twice as much in a year.
    run = played(
        panel,
        [{"A": 1.0, "B": -0.5}],
        target_volatility=0.05,
        volatility_span=2,
        bars_per_year=1,
        bars_per_year_by_market={"A": 4},
    )
    assert run.fills[:2] == [(4, "B", -9, 11.0), (4, "A", 9, 10.1)]


# Calendars


def test_a_late_starter_does_not_hold_up_the_others():
    run = played({"A": flat(DAYS), "B": flat([4, 5, 6], price=20)}, [{"A": 0.4, "B": 0.4}])
    assert run.live == ["A", "A", "A", "AB", "AB", "AB"]
    assert run.fills == [(2, "A", 40, 10.0), (5, "B", 20, 20.0)]


class AveragesOfThree(Plays):
    """Has an indicator that needs three bars of each market."""

    def __init__(self):
        super().__init__()
        self.averages = {n: bt.ind.SMA(data, period=3) for n, data in self.markets.items()}


@pytest.mark.parametrize(
    "modes",
    [{}, {"runonce": False}, {"preload": False, "runonce": False}],
    ids=str,
)
def test_a_market_is_live_from_the_bar_that_its_own_indicators_need(modes):
    cerebro = cerebro_for({"A": flat(DAYS), "B": flat([4, 5, 6], price=20)}, **modes)
    cerebro.addstrategy(AveragesOfThree, targets=[{"A": 0.4, "B": 0.4}], lot_size=1)
    run = cerebro.run()[0]
    assert run.live == ["A", "A", "A", "AB"]
    assert run.fills == [(4, "A", 40, 10.0)]
    assert run.order_counts_by_market["B"]["unfilled_at_end"] == 1


def test_a_hole_in_one_calendar_leaves_its_order_waiting_for_its_next_bar():
    run = played({"A": flat(DAYS), "B": flat([1, 4, 5, 6], price=20)}, [{"A": 0.4, "B": 0.4}])
    # B has no bar on days 2 and 3: its order of day 1 fills on day 4, and isn't decided again.
    assert run.fills == [(2, "A", 40, 10.0), (4, "B", 20, 20.0)]
    assert run.order_counts["expired"] == 0


def test_what_waits_in_a_closed_market_counts_in_the_budget():
    panel = {"A": flat(DAYS), "B": flat([1, 5, 6], price=20)}
    run = played(panel, [{"B": -0.6}, {"A": -0.6, "B": 0.0}])
    # On day 2 a short of 0.6 is on its way to B, so that A can have 0.4. B opens on day 5, and is
    # only then told to close.
    assert run.fills[:2] == [(3, "A", -40, 10.0), (5, "B", -30, 20.0)]
    assert run.fills[2:] == [(6, "A", -20, 10.0), (6, "B", 30, 20.0)]


def test_what_an_order_would_sell_counts_until_it_is_sold():
    panel = {"A": flat(range(1, 7)), "B": flat([1, 2, 3], price=20)}
    run = played(panel, [{"B": 0.6}] * 2 + [{"A": -0.6}])
    # B ends with its sale on the way: it may come or not, so 0.4 is left for A.
    assert run.fills == [(2, "B", 30, 20.0), (4, "A", -40, 10.0)]


def test_an_order_of_a_market_that_ended_is_withdrawn(caplog):
    panel = {"A": flat(range(1, 17)), "B": flat([1, 2, 3], price=20)}
    run = played(panel, [{}, {}, {"B": -0.6}, {"A": -0.6}])
    # From day 14 on nobody waits for B any more.
    assert run.fills == [(5, "A", -40, 10.0), (15, "A", -20, 10.0)]
    assert run.order_counts_by_market["B"]["expired"] == 1
    assert run.order_counts["unfilled_at_end"] == run.order_counts["stranded"] == 0
    assert "market B: the order for -30 was withdrawn" in caplog.text


def test_a_short_is_cut_where_the_market_that_covers_has_no_bar(caplog):
    panel = {"A": flat(DAYS), "B": flat([1, 2, 3, 5, 6], price=20)}
    run = played(panel, [{"B": -0.6}] * 2 + [{"A": -0.7}])
    # B's short of 0.6 covers on day 5 only, so that A gets 0.4 on day 4 and the rest on day 6.
    assert run.fills == [
        (2, "B", -30, 20.0),
        (4, "A", -40, 10.0),
        (5, "B", 30, 20.0),
        (6, "A", -30, 10.0),
    ]
    assert run.order_counts_by_market["A"]["cut"] == 1
    assert "market A: the order for -70 was cut to -40" in caplog.text


def test_what_only_shrinks_a_position_is_never_cut():
    panel = {"A": flat(DAYS), "B": flat([1, 2, 3, 5, 6], price=20)}
    run = played(panel, [{"A": 0.3, "B": -0.6}] * 2 + [{"A": -0.7}])
    # On day 4 A sells the 30 it holds, and 40 more, since B still has its short of 0.6.
    assert run.fills[2:4] == [(4, "A", -70, 10.0), (5, "B", 30, 20.0)]
    assert run.fills[4:] == [(6, "A", -30, 10.0)]


def test_a_buy_shrinks_where_the_market_that_sells_has_no_bar():
    panel = {"A": flat(DAYS), "B": flat([1, 2, 3, 5, 6], price=20)}
    run = played(panel, [{"B": 1.0}] * 2 + [{"A": 1.0}])
    # 49 B are sold at the close of day 3, and fill on day 5; the 20 of cash pay one A on day 4.
    assert run.fills == [
        (2, "B", 49, 20.0),
        (4, "A", 1, 10.0),
        (5, "B", -49, 20.0),
        (6, "A", 98, 10.0),
    ]
    assert run.order_counts["margin"] == 0
    # On day 4, when the sale may still fail, no more is asked for.
    assert run.order_counts["cut"] == 1
    assert min(run.cash.values()) >= 0


def test_a_position_in_a_market_that_ended_is_noted(caplog):
    run = played({"A": flat(DAYS), "B": flat([1, 2, 3], price=20)}, [{"A": 0.4, "B": 0.4}])
    assert run.order_counts["stranded"] == run.order_counts_by_market["B"]["stranded"] == 1
    assert "Plays at 2024-01-03 00:00:00: market B: it ended on that date with 20 units" in (
        caplog.text
    )
    assert run.broker.getvalue() == pytest.approx(1000)


@pytest.mark.parametrize(("last", "n_stranded"), [(6, 0), (7, 0), (8, 1)])
def test_shares_have_not_ended_on_a_weekend_on_which_a_coin_goes_on(last, n_stranded):
    # 2024-01-01 is a Monday
    panel = {"A": flat(range(1, last + 1)), "B": flat(range(1, 6), price=20)}
    run = played(panel, [{"A": 0.4, "B": 0.4}])
    assert run.order_counts["stranded"] == n_stranded


def test_a_market_that_ended_flat_is_no_trouble(caplog):
    run = played({"A": flat(DAYS), "B": flat([1, 2, 3])}, [{"B": 0.4}, {"A": 0.4}])
    assert [fill[:3] for fill in run.fills] == [(2, "B", 40), (3, "B", -40), (3, "A", 40)]
    assert not any(run.order_counts[kind] for kind in run.order_kinds if kind != "completed")
    assert caplog.records == []


def test_a_market_that_pauses_for_long_is_not_live():
    days = [1, 2, 3, 20, 21, 22]
    run = played({"A": flat(range(1, 23)), "B": flat(days)}, [{"A": 0.4}])
    # Its last bar of day 3 is more than ten days old from day 14 on.
    assert run.live == ["AB"] * 13 + ["A"] * 6 + ["AB"] * 3


class LeavesBOut(Plays):
    def __init__(self):
        super().__init__()
        self.leave_out("B")


def test_a_market_that_is_left_out_is_never_traded():
    cerebro = cerebro_for(TWO)
    cerebro.addstrategy(LeavesBOut, targets=[{"A": 0.4, "B": 0.4}], lot_size=1)
    run = cerebro.run()[0]
    assert run.live == ["A"] * 6
    assert run.fills == [(2, "A", 40, 10.0)]


class WaitsForB(Plays):
    def __init__(self):
        super().__init__()
        self.wait_for_bars("B", 3)


def test_a_market_is_live_from_the_bar_that_the_strategy_waits_for():
    cerebro = cerebro_for(TWO)
    cerebro.addstrategy(WaitsForB, targets=[{"A": 0.4, "B": 0.4}], lot_size=1)
    run = cerebro.run()[0]
    assert run.live == ["A"] * 2 + ["AB"] * 4
    assert run.fills == [(2, "A", 40, 10.0), (4, "B", 20, 20.0)]


def test_dates_are_decided_once_even_where_a_strategy_is_called_again():
    run = played(TWO, [{"A": 0.5}])
    assert run.asked == list(DAYS)


def test_every_date_of_any_market_is_asked():
    run = played({"A": flat([1, 3, 5]), "B": flat([2, 3, 6])}, [{}])
    assert run.asked == [1, 2, 3, 5, 6]


# Modes of Cerebro


def wave(days, phase):
    closes = [10 + 2 * math.sin(phase + day) for day in days]
    return bars_of([(c + 0.1, c + 1, c - 1, c) for c in closes], days)


@pytest.mark.parametrize(
    "modes",
    [{"runonce": False}, {"preload": False, "runonce": False}, {"exactbars": -1}],
    ids=str,
)
def test_every_mode_of_cerebro_gives_the_same_fills(modes):
    panel = {
        "A": wave(range(1, 21), 0.0),
        "B": wave([*range(3, 9), *range(11, 19)], 1.0),
        "C": wave(range(5, 29, 2), 2.0),
    }
    targets = [
        {"A": math.sin(day), "B": math.sin(2 * day), "C": math.sin(3 * day)} for day in range(40)
    ]
    params = {"target_volatility": 3.0, "volatility_span": 3, "lot_size": 0.001}

    def run(**modes):
        run = played(panel, targets, broker={"commission": 0.001}, modes=modes, **params)
        fills = [(day, name, round(size, 9), price) for day, name, size, price in run.fills]
        return fills, run.order_counts, run.live

    assert len(run()[0]) > 10
    assert run(**modes) == run()


# Never Margin


@st.composite
def gappy_bars(draw):
    days = sorted(draw(st.sets(st.integers(1, 20), min_size=2, max_size=20)))
    price, rows = draw(st.floats(0.5, 5000)), []
    step = st.floats(-0.6, 0.6)
    for _ in days:
        opened = price * math.exp(draw(step) if draw(st.booleans()) else 0.0)
        price = opened * math.exp(draw(step) / 3)
        spread = 1 + draw(st.floats(0, 0.05))
        rows.append((opened, max(opened, price) * spread, min(opened, price) / spread, price))
    return bars_of(rows, days)


EXPOSURES = [0, 0.2, 0.5, 1, NAN]
SETTINGS = {
    "commission": st.floats(0, 0.01),
    "slippage": st.floats(0, 0.02),
    "lot_size": st.sampled_from([1e-6, 0.1, 1]),
    "reserve": st.sampled_from([0.0, 0.01, 0.05]),
    "max_gross": st.sampled_from([1.0, 2.0]),
    "max_exposure": st.sampled_from([None, 0.4, {"A": 0.1}]),
}


@pytest.mark.parametrize("exposures", [EXPOSURES, [*EXPOSURES, -0.3, -1]], ids=["long", "both"])
@settings(max_examples=40, phases=[Phase.reuse, Phase.generate])
@given(
    panel=st.fixed_dictionaries({name: gappy_bars() for name in "ABC"}),
    data=st.data(),
    params=st.fixed_dictionaries(SETTINGS),
)
def test_portfolios_never_run_out_of_cash(exposures, panel, data, params):
    answers = st.fixed_dictionaries({name: st.sampled_from(exposures) for name in panel})
    targets = data.draw(st.lists(answers, min_size=20, max_size=20))
    broker = {key: params.pop(key) for key in ("commission", "slippage")}
    run = played(panel, targets, broker=broker, **params)
    assert run.order_counts["margin"] == run.order_counts["rejected"] == 0
    # Whoever is ruined gets out at any price.
    assert min(run.cash.values()) >= 0 or run.order_counts["ruined"]
    endings = ("completed", "expired", "unfilled_at_end")
    n_ended = sum(run.order_counts[kind] for kind in endings)
    assert n_ended <= run.n_sent <= n_ended + run.order_counts["cut"]


def noise(random, n_days):
    """A random walk with holes, which may end early."""
    price, rows, days = 50.0, [], pd.date_range("2024-01-01", periods=n_days)
    for _ in days:
        opened = price * math.exp(random.gauss(0, 0.003))
        price = opened * math.exp(random.gauss(0, 0.02))
        rows.append((opened, max(opened, price) * 1.01, min(opened, price) * 0.99, price))
    bars = pd.DataFrame(rows, days, columns=["open", "high", "low", "close"]).assign(volume=1.0)
    n_bars = random.choice([n_days, n_days // 2])
    return bars.iloc[:n_bars][[random.random() > 0.2 for _ in range(n_bars)]]


class Flips(PortfolioStrategy):
    """Goes long after a rise and short after a fall; keeps its lowest cash and its excesses."""

    lowest_cash, highest_excess, highest_gross = math.inf, -math.inf, 0.0
    prices: dict[str, float] = {}
    before = 0.0

    def target_exposures(self):
        live = self.live_markets.items()
        return {n: 0.5 if data.close[0] > data.open[0] else -0.3 for n, data in live}

    def next(self):
        begun = {name: data for name, data in self.markets.items() if len(data)}
        # at the prices of the decision: what they do until the fill is no order's fault
        sizes = {name: self.getposition(data).size for name, data in begun.items()}
        gross = sum(abs(size) * self.prices.get(name, 0.0) for name, size in sizes.items())
        self.highest_gross = max(self.highest_gross, gross / max(self.p.max_gross, self.before))
        super().next()
        worth = self.broker.getvalue()
        self.prices = {name: data.close[0] / worth for name, data in begun.items()}
        self.before = sum(abs(size) * self.prices[name] for name, size in sizes.items())
        self.lowest_cash = min(self.lowest_cash, self.broker.getcash())
        orders = {id(order.data): order.executed.remsize for order in self.broker.get_orders_open()}
        now, fixed, moved = self.lines.datetime[0], 0.0, 0.0
        for name, data in self.markets.items():
            if not len(data):
                continue
            held = self.getposition(data).size
            then = held + orders.get(id(data), 0.0)
            if data.datetime[0] == now and name in self.live_markets:
                moved += abs(then) * data.close[0]
            else:
                fixed += max(abs(held), abs(then)) * data.close[0]
        most = max(self.p.max_gross * self.broker.getvalue(), fixed)
        self.highest_excess = max(self.highest_excess, fixed + moved - most)


@settings(max_examples=15, phases=[Phase.reuse, Phase.generate])
@given(
    random=st.randoms(use_true_random=True),
    max_gross=st.sampled_from([1.0, 1.7]),
    max_exposure=st.sampled_from([None, {"A": 0.1}]),
)
def test_no_calendar_breaks_the_gross_limit_or_overdraws_the_cash(random, max_gross, max_exposure):
    cerebro = cerebro_for({name: noise(random, 100) for name in "ABCD"})
    cerebro.addstrategy(Flips, max_gross=max_gross, max_exposure=max_exposure, band=0)
    run = cerebro.run()[0]
    assert run.lowest_cash >= 0
    assert run.highest_excess <= 1e-6
    assert run.highest_gross <= 1 + 1e-6
    assert run.order_counts["margin"] == run.order_counts["rejected"] == 0


# Refusals


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (0.5, "must return numbers by market"),
        ({"X": 0.5}, "answered for a market 'X'"),
        ({"A": "1"}, r"returned '1' for A at 2024-01-01.* Return float\("),
        ({"A": math.inf}, "returned inf for A.* division by zero in the model"),
    ],
    ids=["no mapping", "unknown market", "text", "infinite"],
)
def test_an_answer_that_is_no_exposure_by_market_is_refused(answer, words):
    with pytest.raises(TradingError, match=words):
        played(TWO, [answer])


def test_two_datas_of_one_name_are_refused():
    cerebro = cerebro_for({"A": flat(DAYS)})
    cerebro.adddata(bt.feeds.PandasData(dataname=flat(DAYS)), name="A")
    cerebro.addstrategy(Plays)
    with pytest.raises(TradingError, match="two datas are both called 'A'"):
        cerebro.run()


def test_datas_without_a_name_are_numbered():
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(bt.feeds.PandasData(dataname=flat(DAYS)))
    cerebro.adddata(bt.feeds.PandasData(dataname=flat(DAYS)))
    cerebro.addstrategy(Plays, targets=[{"data1": 0.1}], lot_size=1)
    assert cerebro.run()[0].fills == [(2, "data1", 100.0, 10.0)]


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"max_gross": 0}, "max_gross must be greater than 0"),
        ({"max_exposure": {"X": 0.1}}, "max_exposure names a market 'X'"),
        ({"bars_per_year_by_market": {"X": 365}}, "bars_per_year_by_market names a market 'X'"),
        ({"bars_per_day_by_market": {"A": 0}}, "bars_per_day_by_market"),
        ({"max_exposure": -1.0}, "max_exposure"),
        ({"rebalance_bars": 0}, "rebalance_bars must be"),
        ({"volatility_span": 1}, "volatility_span must be"),
    ],
    ids=str,
)
def test_a_parameter_out_of_range_is_named(params, words):
    with pytest.raises(TradingError, match=words):
        played(TWO, [], **params)


def test_margin_is_refused_in_every_market():
    cerebro = cerebro_for(TWO)
    cerebro.broker.setcommission(commission=2.0, margin=1000.0, mult=10.0, name="B")
    cerebro.addstrategy(Plays)
    with pytest.raises(TradingError, match=r"scheme has margin=1000\.0"):
        cerebro.run()


def test_a_mode_in_which_backtrader_loses_bars_is_refused():
    with pytest.raises(TradingError, match="can't run with exactbars=1"):
        played(TWO, [], modes={"exactbars": 1})


def test_replayed_bars_are_refused():
    cerebro = bt.Cerebro(stdstats=False)
    feed = bt.feeds.PandasData(dataname=flat(DAYS))
    cerebro.replaydata(feed, timeframe=bt.TimeFrame.Weeks, name="A")
    cerebro.addstrategy(Plays)
    with pytest.raises(TradingError, match="the bars of market A are replayed"):
        cerebro.run()


def test_two_portfolios_of_one_market_are_said_to_share_it(caplog):
    cerebro = cerebro_for(TWO)
    cerebro.addstrategy(Plays)
    cerebro.addstrategy(Plays)
    cerebro.run()
    (message,) = [record.getMessage() for record in caplog.records]
    assert message.startswith("Plays and Plays trade the same data in one Cerebro")


def test_whoever_owes_money_can_still_sell_what_is_left():
    # 10 B are bought for 200 and 100 A sold for 1000. They cost 4000 to cover: -2200 in cash once
    # that is done, which selling B, without a bar on day 3, doesn't lift above 0.
    panel = {
        "A": bars_of([FLAT] * 2 + [(40, 41, 39, 40)] * 4, DAYS),
        "B": flat([1, 2, 4, 5, 6], price=20),
    }
    run = played(panel, [{"A": -1.0, "B": 0.2}], max_gross=2)
    assert run.order_counts["ruined"] == 1 and run.order_counts["margin"] == 0
    assert run.fills[2:] == [(4, "A", 100, 40.0), (5, "B", -10, 20.0)]
    assert run.cash[5] == pytest.approx(1800 - 4000 + 200)


def test_ruin_closes_everything_for_good(caplog):
    caplog.set_level(logging.WARNING)
    jump = bars_of([FLAT, (10, 25, 9, 25), (26, 27, 25, 26), FLAT, FLAT, FLAT], DAYS)
    run = played({"A": jump, "B": flat(DAYS, price=20)}, [{"A": -1.0}] * 2 + [{"B": 1.0}])
    # Short 100 at 10: cash 2000, equity 2000 - 2500. Covered at 26 for 2600.
    assert run.fills == [(2, "A", -100, 10.0), (3, "A", 100, 26.0)]
    assert run.order_counts["ruined"] == 1
    assert "market A: equity fell to -500.00" in caplog.text
