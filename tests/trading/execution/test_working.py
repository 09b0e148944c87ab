"""Orders that leave late, and orders that are worked over several bars, worked by hand."""

import math

import backtrader as bt
import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy import (
    BarsFeed,
    BrokerSettings,
    LSTMStrategy,
    Perpetual,
    PortfolioStrategy,
    Spot,
    TargetStrategy,
    run_backtest,
)
from lstm_strategy.errors import TradingError

NAN = math.nan
OPENS = [10.0, 10.0, 11.0, 12.0, 9.0, 10.0]


class Plays(TargetStrategy):
    """Asks for a given list of exposures, bar by bar."""

    params = (("targets", ()),)

    def target_exposure(self):
        bar = len(self.data) - 1
        return self.p.targets[bar] if bar < len(self.p.targets) else NAN


class HoldsAll(PortfolioStrategy):
    """The same exposure in each market."""

    def target_exposures(self):
        return dict.fromkeys(self.live_markets, 0.25)


class SendsItself(bt.Strategy):
    """A strategy of somebody's own, which sends its orders as it likes."""


def bars_of(opens, *, closes=None, volume=1_000.0, index=None):
    index = pd.date_range("2024-01-01", periods=len(opens)) if index is None else index
    flat = [10.0] * (len(opens) - 1) + [10.5]  # prices that never move are refused
    bars = pd.DataFrame({"open": opens, "close": closes or flat}, index=index)
    bars["high"], bars["low"] = bars.max(axis=1), bars.min(axis=1)
    return bars.assign(volume=volume)


def fills_of(targets, bars=None, *, settings=None, **params):
    bars = bars_of(OPENS) if bars is None else bars
    terms = {"cash": 10_000, "commission_rate": 0, "slippage_rate": 0, "lot_size": 1}
    terms |= {"reserve": 0.5} | (settings or {})
    if "instrument" in terms:
        terms.pop("commission_rate")
    result = run_backtest(
        Plays, bars, broker=BrokerSettings(**terms), targets=tuple(targets), **params
    )
    numbers = bars.index.get_indexer(result.fills.index)
    fills = zip(numbers, result.fills["size"], result.fills["price"], strict=True)
    return [(int(bar), float(size), float(price)) for bar, size, price in fills], result


def test_an_order_leaves_so_many_bars_after_its_decision():
    fills, _ = fills_of([0.4, 0.0], settings={"latency_bars": 2})
    # decided at the closes of bars 0 and 1, sent at those of 2 and 3, filled at opens 3 and 4
    assert fills == [(3, 400.0, 12.0), (4, -400.0, 9.0)]


def test_an_order_is_sized_at_the_close_at_which_it_leaves():
    bars = bars_of([10.0] * 5, closes=[10.0, 20.0, 20.0, 20.0, 20.0])
    fills, _ = fills_of([0.4], bars.assign(high=20.0), latency_bars=1)
    assert fills == [(2, 200.0, 10.0)]


def test_a_stop_comes_late_as_well():
    bars = bars_of([10.0] * 9, closes=[10.0] * 5 + [5.0] * 4)
    stop = {"stop_loss_atr": 1.0, "atr_length": 1, "band": 0.3}
    bars = bars.assign(high=bars["high"] + 0.5, low=bars["low"] - 0.5)
    at_once, _ = fills_of([NAN, 0.4, 0.4, 0.4], bars, **stop)
    late, _ = fills_of([NAN, 0.4, 0.4, 0.4], bars, latency_bars=2, **stop)
    assert [fill[0] for fill in at_once] == [2, 6]
    assert [fill[0] for fill in late] == [4, 8]


def test_the_mean_price_of_equal_slices_is_that_of_the_opens():
    fills, _ = fills_of([0.4], settings={"execution_bars": 4})
    assert fills == [(1, 100.0, 10.0), (2, 100.0, 11.0), (3, 100.0, 12.0), (4, 100.0, 9.0)]
    assert sum(size * price for _, size, price in fills) / 400 == (10 + 11 + 12 + 9) / 4


def test_another_decision_takes_the_place_of_what_is_left():
    fills, _ = fills_of([0.4, NAN, 0.0], settings={"execution_bars": 3}, lot_size=1)
    # 400 in slices of 133, 133 and 134; after two of them all 266 are sold in slices
    assert [(bar, size) for bar, size, _ in fills] == [
        (1, 133.0),
        (2, 133.0),
        (3, -89.0),
        (4, -89.0),
        (5, -88.0),
    ]


def test_a_decision_within_the_band_of_the_one_at_work_changes_nothing():
    wavering, _ = fills_of([0.4, 0.45, 0.35, 0.42], settings={"execution_bars": 4})
    steady, _ = fills_of([0.4], settings={"execution_bars": 4})
    assert wavering == steady


def test_a_slice_that_did_not_fill_is_shared_by_the_later_ones():
    bars = bars_of(OPENS, closes=[10.0, 10.0, 10.0, 12.0, 10.0, 10.0])
    fills, result = fills_of([0.4], bars, settings={"execution_bars": 4, "reserve": 0.15})
    # the bar that opens at 12 is above the collar of 11.5, so its slice is left to the next one
    assert [(bar, size) for bar, size, _ in fills] == [(1, 100.0), (2, 100.0), (4, 200.0)]
    assert result.order_counts["expired"] == 1


def test_an_order_is_called_off_before_any_of_it_has_filled():
    fills, result = fills_of([0.4, 0.0], settings={"execution_bars": 4, "lot_size": 150})
    assert fills == []
    assert not any(result.order_counts.values())


def test_a_slice_of_less_than_a_lot_waits_until_there_is_one():
    fills, _ = fills_of([0.4], settings={"execution_bars": 4, "lot_size": 150})
    # 300 in lots of 150: 75 are none, 100 are none, half of 300 is one
    assert [(bar, size) for bar, size, _ in fills] == [(3, 150.0), (4, 150.0)]


def test_a_slice_below_the_smallest_order_value_waits_until_it_is_worth_it():
    spot = Spot(commission_rate=0, min_order_value=1_300.0)
    fills, result = fills_of([0.4], settings={"execution_bars": 4, "instrument": spot})
    # 100 units are worth 1,000, 133 are 1,330, half of 267 is 1,330 again
    assert [(bar, size) for bar, size, _ in fills] == [(2, 133.0), (3, 133.0), (4, 134.0)]
    assert result.order_counts["too_small"] == 0


def test_slices_go_short_and_stay_within_the_margin():
    perpetual = Perpetual(taker_rate=0, leverage=2, funding=None)
    settings = {"execution_bars": 2, "instrument": perpetual, "reserve": 0.01}
    fills, _ = fills_of([-1.5], bars_of([10.0] * 6), settings=settings, max_leverage=2)
    assert [(bar, size) for bar, size, _ in fills] == [(1, -750.0), (2, -750.0)]


def test_four_slices_of_a_large_order_move_the_price_half_as_much():
    closes = [10.0, 11.0] * 4
    bars = bars_of([10.0] * 8, closes=closes, volume=400.0)
    settings = {"instrument": Spot(commission_rate=0, impact=1), "lot_size": 4}
    # the price changes by 1 a bar: 400 units of 400 move it by 1, 100 of 400 by a half
    whole, at_once = fills_of([NAN, NAN, 0.44], bars, settings=settings)
    parts, sliced = fills_of([NAN, NAN, 0.44], bars, settings=settings | {"execution_bars": 4})
    assert [size for _, size, _ in whole] == [440.0]
    assert [size for _, size, _ in parts] == [108.0, 108.0, 112.0, 112.0]
    assert at_once.fills["commission"].sum() == pytest.approx(440 * math.sqrt(440 / 400))
    by_hand = sum(size * math.sqrt(size / 400) for size in (108, 108, 112, 112))
    assert sliced.fills["commission"].sum() == pytest.approx(by_hand)
    assert sliced.fills["impact"].to_list() == pytest.approx(sliced.fills["commission"].to_list())


def test_slices_follow_the_volume_of_the_same_times_of_the_day_before():
    times = [f"2024-01-0{day} {hour:02d}:00" for day in (1, 2) for hour in (9, 12, 15)]
    volume = [100.0, 10.0, 30.0, 999.0, 999.0, 999.0]  # what the second day brings isn't known
    bars = bars_of([10.0] * 6, index=pd.to_datetime(times)).assign(volume=volume)
    settings = {"execution_bars": 2, "execution": "vwap"}
    fills, _ = fills_of([NAN, NAN, NAN, 0.4], bars, settings=settings)
    # at 9:00, a quarter of the volume of the next two bars is expected at 12:00
    assert fills == [(4, 100.0, 10.0), (5, 300.0, 10.0)]


def test_slices_are_equal_where_a_day_has_one_bar():
    bars = bars_of(OPENS).assign(volume=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    by_volume, _ = fills_of([NAN, NAN, 0.4], bars, execution_bars=3, execution="vwap")
    by_time, _ = fills_of([NAN, NAN, 0.4], bars, execution_bars=3)
    assert by_volume == by_time


def test_the_orders_of_a_portfolio_leave_late():
    panel = {"A": bars_of(OPENS), "B": bars_of(OPENS)}
    terms = BrokerSettings(commission_rate=0, slippage_rate=0, reserve=0.5, latency_bars=2)
    result = run_backtest(HoldsAll, panel, broker=terms)
    dates = panel["A"].index
    assert result.fills.groupby("symbol").apply(lambda rows: rows.index[0]).to_dict() == {
        "A": dates[3],
        "B": dates[3],
    }


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"latency_bars": -1}, "latency_bars must be at least 0, got -1"),
        ({"execution_bars": 0}, "execution_bars must be at least 1, got 0"),
        ({"execution": "market"}, "execution must be 'twap' or 'vwap', got 'market'"),
        ({"execution": "vwap"}, "execution_bars is 1. Give the number of bars, such as 4."),
    ],
    ids=["a look ahead", "no bar", "another kind", "a volume of one bar"],
)
def test_settings_that_mean_nothing_are_refused(settings, words):
    with pytest.raises(TradingError, match=words):
        BrokerSettings(**settings)
    with pytest.raises(TradingError, match=words):
        run_backtest(Plays, bars_of(OPENS), targets=(0.4,), **settings)


def test_what_a_strategy_cannot_do_is_refused():
    panel = {"A": bars_of(OPENS), "B": bars_of(OPENS)}
    with pytest.raises(
        TradingError, match="SendsItself sends its orders by itself, so latency_bars of 1"
    ):
        run_backtest(SendsItself, bars_of(OPENS), broker=BrokerSettings(latency_bars=1))
    with pytest.raises(TradingError, match="so execution_bars of 4 wouldn't change them"):
        run_backtest(HoldsAll, panel, broker=BrokerSettings(execution_bars=4))
    with pytest.raises(TradingError, match="execution_bars works the orders of one market"):
        run_backtest(LSTMStrategy, panel, broker=BrokerSettings(execution_bars=4), model=object())


@pytest.mark.parametrize("seed", range(12))
def test_no_slice_is_refused_and_the_account_is_the_sum_of_its_fills(seed):
    draw = np.random.default_rng(seed)
    bars = random_walk(60, seed=seed).assign(volume=draw.uniform(1_000, 9_000, 60))
    leverage = [1.0, 3.0][seed % 2]
    instrument = [Spot(impact=1, participation=0.3), Perpetual(leverage=3, funding=None)][seed % 2]
    targets = leverage * draw.choice([-1.0, -0.5, 0.0, 0.5, 1.0, NAN], 60, p=[0.1] * 5 + [0.5])
    terms = BrokerSettings(
        cash=10_000,
        instrument=instrument,
        latency_bars=seed % 3,
        execution_bars=2 + seed % 4,
        execution=["twap", "vwap"][seed // 2 % 2],
    )
    run = run_backtest(
        Plays, bars, broker=terms, targets=tuple(targets), max_leverage=leverage, stop_loss_atr=2
    )
    assert run.order_counts["margin"] == run.order_counts["rejected"] == 0
    by_bar = run.fills.assign(
        paid=run.fills["size"] * run.fills["price"]
        + run.fills["commission"]
        - run.fills["insurance"]
    ).groupby(level=0)
    held, paid = (
        by_bar[column].sum().reindex(bars.index, fill_value=0.0).cumsum()
        for column in ("size", "paid")
    )
    by_hand = (10_000 - paid + held * bars["close"]).reindex(run.equity.index)
    assert run.equity.to_list() == pytest.approx(by_hand.to_list(), abs=1e-6)


@pytest.mark.parametrize(
    "modes", [{"runonce": False}, {"exactbars": 1}, {"preload": False}], ids=str
)
def test_every_mode_of_cerebro_sends_the_same_slices(modes):
    times = pd.date_range("2024-01-01", periods=40, freq="6h")
    bars = random_walk(40).set_axis(times).assign(volume=np.arange(40.0) % 7 + 1.0)
    targets = (*[NAN] * 20, 1.0, *[NAN] * 6, -1.0)

    def equity_in(**given):
        cerebro = bt.Cerebro(stdstats=False, **given)
        cerebro.adddata(BarsFeed(bars))
        terms = {"latency_bars": 1, "execution_bars": 4, "execution": "vwap"}
        cerebro.addstrategy(Plays, targets=targets, **terms)
        strategy = cerebro.run()[0]
        return cerebro.broker.getvalue(), strategy.order_counts

    assert equity_in(**modes) == equity_in()
    assert equity_in()[1]["completed"] == 8
