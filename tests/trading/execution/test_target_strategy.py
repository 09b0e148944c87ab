"""Orders worked by hand in a plain Cerebro with backtrader's default broker."""

import datetime as dt
import logging
import math

import backtrader as bt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_strategy.errors import TradingError
from lstm_strategy.trading import minimum_period
from lstm_strategy.trading.execution.target_strategy import TargetStrategy

NAN = math.nan
FLAT_10 = [(10, 11, 9, 10)] * 6


class Plays(TargetStrategy):
    """Asks for a given list of exposures, bar by bar, and keeps what happened."""

    params = (("targets", ()),)

    def __init__(self):
        super().__init__()
        self.sent, self.fills, self.cash, self.sizes = [], [], [], []

    def target_exposure(self):
        bar = len(self.data) - 1
        return self.p.targets[bar] if bar < len(self.p.targets) else NAN

    def next(self):
        super().next()
        self.cash.append(self.broker.getcash())
        self.sizes.append(self.position.size)

    def notify_order(self, order):
        super().notify_order(order)
        for fill in order.executed.iterpending():
            self.fills.append((len(self.data) - 1, fill.size, fill.price))

    def buy(self, **kwargs):
        self.sent.append(super().buy(**kwargs))
        return self.sent[-1]

    def sell(self, **kwargs):
        self.sent.append(super().sell(**kwargs))
        return self.sent[-1]


class FeeWithMinimum(bt.CommInfoBase):
    params = (("stocklike", True), ("commtype", bt.CommInfoBase.COMM_PERC), ("percabs", True))

    def _getcommission(self, size, price, pseudoexec):
        return max(5.0, abs(size) * price * self.p.commission)


def frame(rows, freq="D"):
    index = pd.date_range("2024-01-01", periods=len(rows), freq=freq)
    bars = pd.DataFrame(rows, index, columns=["open", "high", "low", "close"], dtype=float)
    return bars.assign(volume=1.0)


def cerebro_for(rows, *, cash=1000.0, commission=0.0, slippage=None, **modes):
    cerebro = bt.Cerebro(stdstats=False, **modes)
    cerebro.adddata(bt.feeds.PandasData(dataname=frame(rows)))
    cerebro.broker.setcash(cash)
    cerebro.broker.setcommission(commission=commission)
    cerebro.broker.set_slippage_perc(**(slippage or {"perc": 0.0}))
    return cerebro


def played(rows, targets, *, modes=None, broker=None, **params):
    cerebro = cerebro_for(rows, **(broker or {}), **(modes or {}))
    cerebro.addstrategy(Plays, targets=targets, **params)
    return cerebro.run()[0]


# Fills and cash, worked by hand


def test_a_full_buy_keeps_the_collar_and_the_commission_in_cash():
    run = played(FLAT_10, [1.0], broker={"commission": 0.01}, lot_size=1)
    # Collar 10 * 1.01 = 10.10; 1000 / (10.10 * 1.01) = 98.03 units; paid 98 * 10 * 1.01 = 989.80.
    assert run.fills == [(1, 98, 10.0)]
    assert run.cash == pytest.approx([1000.0] + [10.2] * 5)


def test_a_partial_buy_is_sized_at_the_close_of_its_decision():
    run = played(FLAT_10, [0.5], lot_size=1)
    assert run.fills == [(1, 50, 10.0)]


def test_fractional_lots_use_the_cash_to_the_last_millionth():
    run = played(FLAT_10, [1.0], broker={"commission": 0.01})
    assert run.fills == [(1, pytest.approx(98.029604, abs=1e-9), 10.0)]


@pytest.mark.parametrize(
    ("fill_bar", "price"),
    [
        pytest.param((10, 11, 9, 10), 10.05, id="open plus slippage"),
        pytest.param((10, 10.02, 9, 10), 10.02, id="capped at the high"),
        pytest.param((10.08, 11, 9, 10), 10.10, id="capped at the collar"),
    ],
)
def test_a_buy_slips_from_the_open_up_to_the_collar(fill_bar, price):
    rows = [(10, 11, 9, 10), fill_bar, (10, 11, 9, 10)]
    run = played(rows, [1.0], broker={"commission": 0.01, "slippage": {"perc": 0.005}}, lot_size=1)
    assert run.fills == [(1, 98, pytest.approx(price))]
    assert run.cash[-1] == pytest.approx(1000 - 98 * price * 1.01)


@pytest.mark.parametrize("slip_out", [False, True])
@pytest.mark.parametrize("slip_match", [False, True])
@pytest.mark.parametrize("slip_limit", [False, True])
@pytest.mark.parametrize("slip_open", [False, True])
def test_no_slippage_setting_turns_a_full_buy_into_margin(
    slip_open, slip_limit, slip_match, slip_out
):
    rows = [(10, 11, 9, 10), (10.1, 10.3, 9, 10), (10, 11, 9, 10)]
    slippage = {"perc": 0.02, "slip_open": slip_open, "slip_limit": slip_limit}
    slippage |= {"slip_match": slip_match, "slip_out": slip_out}
    run = played(rows, [1.0, 1.0], broker={"commission": 0.01, "slippage": slippage})
    counts = run.order_counts
    assert counts["margin"] == 0
    # With neither matching nor limits, backtrader fills nothing that slips beyond the range.
    assert counts["completed"] + counts["expired"] > 0
    assert min(run.cash) >= 0


def test_an_open_above_the_collar_expires_the_buy_and_the_next_close_decides_anew(caplog):
    rows = [(10, 11, 9, 10), (10.5, 11, 10.2, 10.8), (10.8, 11, 10, 10.8), (10.8, 11, 10, 10.8)]
    run = played(rows, [1.0, 1.0], lot_size=1)
    # 1000 / (10.8 * 1.01) = 91.7 units at the second attempt.
    assert run.fills == [(2, 91, 10.8)]
    assert run.order_counts["expired"] == 1
    assert run.order_counts["completed"] == 1
    assert "Raise reserve (now 0.01)" in caplog.text


def test_a_bar_that_opens_above_the_collar_and_dips_to_it_fills_at_the_collar():
    run = played([(10, 11, 9, 10), (10.5, 11, 10, 10.8), (10, 11, 9, 10)], [0.5], lot_size=1)
    assert run.fills == [(1, 50, pytest.approx(10.1))]


def test_a_reversal_is_one_order_of_the_whole_difference():
    run = played(FLAT_10, [-0.5, 0.5, -0.5], lot_size=1)
    assert run.fills == [(1, -50, 10.0), (2, 100, 10.0), (3, -100, 10.0)]
    assert len(run.sent) == 3


def test_a_reversal_to_fully_long_is_bounded_by_the_cash_left_after_covering():
    run = played(FLAT_10, [-1.0, 1.0], broker={"commission": 0.01}, lot_size=1)
    # Sold 100 at 10 for 990; cash 1990 pays 1990 / 10.201 = 195.08 units.
    assert run.fills == [(1, -100, 10.0), (2, 195, 10.0)]
    assert run.order_counts["margin"] == 0


def test_a_reversal_pays_a_minimum_fee_for_each_of_its_two_parts():
    cerebro = cerebro_for(FLAT_10)
    cerebro.broker.addcommissioninfo(FeeWithMinimum(commission=0.0001))
    cerebro.addstrategy(Plays, targets=[-1.0, 1.0], lot_size=1, reserve=0.0)
    run = cerebro.run()[0]
    # Sold 100 at 10 for a fee of 5: cash 1995 pays 198 units at 10 and twice the fee.
    assert run.fills == [(1, -100, 10.0), (2, 198, 10.0)]
    assert run.cash[-1] == pytest.approx(5.0)


# Rules of the target


def test_nan_keeps_the_position():
    run = played(FLAT_10, [0.5, NAN, NAN, 0.0], lot_size=1)
    assert run.fills == [(1, 50, 10.0), (4, -50, 10.0)]


def test_differences_within_the_band_are_not_traded():
    run = played(FLAT_10, [0.5, 0.59, 0.41, 0.61], lot_size=1)
    assert run.fills == [(1, 50, 10.0), (4, 11, 10.0)]


def test_zero_closes_a_position_smaller_than_the_band():
    run = played(FLAT_10, [0.05, 0.0], band=0.04, lot_size=1)
    assert run.fills == [(1, 5, 10.0), (2, -5, 10.0)]


def test_a_change_of_sign_is_traded_within_the_band():
    run = played(FLAT_10, [0.05, -0.01], band=0.04, lot_size=1)
    assert run.fills == [(1, 5, 10.0), (2, -6, 10.0)]


def test_exposure_beyond_one_is_clipped():
    run = played(FLAT_10, [-3.0], lot_size=1)
    assert run.fills == [(1, -100, 10.0)]


def test_long_only_turns_shorts_into_cash():
    run = played(FLAT_10, [0.5, -1.0, -1.0], long_only=True, lot_size=1)
    assert run.fills == [(1, 50, 10.0), (2, -50, 10.0)]


@pytest.mark.parametrize("opinion", [-1.0, NAN], ids=["same target", "no opinion"])
def test_a_short_beyond_one_times_equity_is_cut_back_without_a_collar(opinion):
    rows = [(10, 11, 9, 10), (10, 13, 9, 12), (13, 14, 12.9, 13), (13, 14, 12, 13)]
    run = played(rows, [-1.0, opinion, NAN], lot_size=1)
    # Short 100 at 10, close 12: equity 800 holds 66 units. The open at 13 is above any collar.
    # Close 13: cash 2000 - 34 * 13 = 1558, equity 1558 - 66 * 13 = 700 holds 53 units.
    assert run.fills == [(1, -100, 10.0), (2, 34, 13.0), (3, 13, 13.0)]


NO_NUMBERS = {"text": "1", "nothing": None, "infinite": math.inf, "a list": [0.5]}


@pytest.mark.parametrize("answer", NO_NUMBERS.values(), ids=NO_NUMBERS)
def test_an_answer_that_is_no_number_is_refused(answer):
    remedy = "division by zero in the model" if answer == math.inf else r"Return float\("
    words = rf"must return a number in -1\.\.1.*2024-01-01.*{remedy}"
    with pytest.raises(TradingError, match=words):
        played(FLAT_10, [answer])


# Too small, last bar, ruin


def test_a_share_dearer_than_the_cash_is_counted_and_logged_once(caplog):
    rows = [(2270, 2271, 2269, 2270)] * 3
    run = played(rows, [0.5] * 3, lot_size=1)
    assert run.order_counts["too_small"] == 3
    assert run.fills == []
    assert len(caplog.records) == 1
    # One share at half of equity needs twice its price.
    assert "asks for 0.2203 units but lot_size is 1. Raise cash above 4,540.00" in caplog.text
    assert "2024-01-01" in caplog.text


def test_the_same_cash_trades_fractions_by_default():
    run = played([(2270, 2271, 2269, 2270)] * 3, [0.5])
    assert run.fills == [(1, pytest.approx(0.220264, abs=1e-9), 2270.0)]


def test_an_order_of_the_last_bar_is_counted_and_no_reason_for_a_warning(caplog):
    caplog.set_level("INFO")
    run = played(FLAT_10, [0.0] * 5 + [1.0])
    assert run.order_counts["unfilled_at_end"] == 1
    (record,) = caplog.records
    assert "never met an open" in record.getMessage()
    assert record.levelname == "INFO"


def test_a_run_without_trouble_logs_nothing(caplog):
    caplog.set_level(logging.DEBUG)
    run = played(FLAT_10, [1.0, 0.0])
    assert run.order_counts == {
        "completed": 2,
        "margin": 0,
        "rejected": 0,
        "expired": 0,
        "too_small": 0,
        "unsized": 0,
        "unfilled_at_end": 0,
        "cut": 0,
        "liquidated": 0,
        "ruined": 0,
    }
    assert caplog.records == []


def test_ruin_closes_everything_for_good(caplog):
    rows = [(10, 11, 9, 10), (10, 25, 9, 25), (26, 27, 25, 26), (10, 11, 9, 10), (10, 11, 9, 10)]
    run = played(rows, [-1.0, -1.0, 1.0, 1.0], lot_size=1)
    # Short 100 at 10: cash 2000, equity 2000 - 2500. Covered at 26 for 2600.
    assert run.fills == [(1, -100, 10.0), (2, 100, 26.0)]
    assert run.cash[-1] == pytest.approx(-600)
    assert run.order_counts["ruined"] == 1
    assert run.order_counts["margin"] == 0
    assert "equity fell to -500.00" in caplog.text


# Stops (ATR of 1 bar: the range of the bar, 2 unless a gap widens it)


def test_a_stop_loss_exits_at_the_next_open_and_stays_out_until_the_sign_changes():
    rows = [(10, 11, 9, 10)] * 3 + [(10, 10, 7, 7.9), (8, 9, 7, 8), (8, 9, 7, 8), (8, 9, 7, 8)]
    run = played(rows, [NAN] + [0.5] * 5 + [-0.5], stop_loss_atr=1, atr_length=1, lot_size=1)
    # Entry 10, ATR 2: out on a close below 8.
    assert run.fills == [(2, 50, 10.0), (4, -50, 8.0)]
    # The opposite sign is a new opinion: 900 of equity at 8, half of it.
    assert run.sent[-1].size == -56


def test_a_stop_loss_of_a_short_mirrors_that_of_a_long():
    rows = [(10, 11, 9, 10)] * 3 + [(10, 13, 10, 12.1), (12, 13, 11, 12), (12, 13, 11, 12)]
    run = played(rows, [NAN] + [-0.5] * 5, stop_loss_atr=1, atr_length=1, lot_size=1)
    assert run.fills == [(2, -50, 10.0), (4, 50, 12.0)]


def test_a_close_on_the_stop_level_holds():
    rows = [(10, 11, 9, 10)] * 3 + [(10, 10, 7, 8)] * 2
    run = played(rows, [NAN] + [0.5] * 4, stop_loss_atr=1, atr_length=1, lot_size=1)
    assert run.fills == [(2, 50, 10.0)]


def test_zero_lifts_the_ban_of_a_stop():
    rows = [(10, 11, 9, 10)] * 3 + [(10, 10, 7, 7.9)] + [(8, 9, 7, 8)] * 4
    targets = [NAN, 0.5, 0.5, 0.5, 0.5, 0.0, 0.5]
    run = played(rows, targets, stop_loss_atr=1, atr_length=1, lot_size=1)
    assert [fill[:2] for fill in run.fills] == [(2, 50), (4, -50), (7, 56)]


def test_a_trailing_stop_follows_the_highest_close():
    rows = [(10, 11, 9, 10)] * 3
    rows += [(12, 13, 11, 12), (14, 15, 13, 14), (13, 13, 11, 11.9), (12, 13, 11, 12)]
    run = played(rows, [NAN] + [0.5] * 6, trailing_stop_atr=0.6, atr_length=1, lot_size=1)
    # Highest close 14; the bar that falls to 11.9 has a true range of 3 (14 to 11): level 12.2.
    assert run.fills == [(2, 50, 10.0), (6, -50, 12.0)]


def test_a_stop_exit_of_a_short_is_not_held_up_by_a_gap():
    rows = [(10, 11, 9, 10)] * 3 + [(10, 13, 10, 12.1), (15, 16, 14.9, 15), (15, 16, 14, 15)]
    run = played(rows, [NAN] + [-0.5] * 5, stop_loss_atr=1, atr_length=1, lot_size=1)
    assert run.fills == [(2, -50, 10.0), (4, 50, 15.0)]


def test_no_atr_is_computed_unless_a_stop_asks_for_it():
    assert minimum_period(played(FLAT_10, [])) == 1


# Refusals


@pytest.mark.parametrize("stops", [{}, {"stop_loss_atr": 2}], ids=["no stop", "a stop"])
def test_a_parameter_out_of_range_is_named_before_it_can_do_harm(stops):
    with pytest.raises(TradingError, match=r"atr_length must be a whole number, got 2\.5"):
        played(FLAT_10, [], atr_length=2.5, **stops)


def test_numbers_of_numpy_are_parameters_like_any_other():
    params = {"long_only": np.True_, "atr_length": np.int64(1), "stop_loss_atr": np.float32(9)}
    assert played(FLAT_10, [NAN, 1.0], lot_size=1, **params).fills == [(2, 99, 10.0)]


def test_a_forgotten_super_init_is_named():
    class Forgets(TargetStrategy):
        def __init__(self):
            pass

    cerebro = cerebro_for(FLAT_10)
    cerebro.addstrategy(Forgets)
    with pytest.raises(TradingError, match=r"Forgets\.__init__ must call super\(\)"):
        cerebro.run()


@pytest.mark.parametrize(
    ("terms", "given"),
    [
        ({"commission": 2.0, "margin": 1000.0, "mult": 10.0}, "margin=1000.0, mult=10.0"),
        ({"commission": 0.001, "mult": 10.0}, "mult=10.0"),
        ({"commission": 0.001, "leverage": 3.0}, "leverage=3.0"),
        ({"commtype": bt.CommInfoBase.COMM_FIXED, "stocklike": False}, "margin=1.0"),
    ],
    ids=["futures", "a multiplier left over", "leverage", "not like stocks"],
)
def test_what_is_not_paid_in_full_at_its_price_is_refused(terms, given):
    cerebro = cerebro_for(FLAT_10)
    cerebro.broker.setcommission(**terms)
    cerebro.addstrategy(Plays)
    with pytest.raises(TradingError, match=rf"scheme has {given}\. Give the broker an instrument"):
        cerebro.run()


def test_a_commission_of_more_than_the_order_is_refused():
    cerebro = cerebro_for(FLAT_10)
    cerebro.broker.setcommission(commission=2.0)  # meant as 2 for each contract
    cerebro.addstrategy(Plays)
    with pytest.raises(TradingError, match="takes 200% of the value of each order"):
        cerebro.run()


def test_strategies_that_share_one_position_are_said_to_once(caplog):
    cerebro = cerebro_for(FLAT_10)
    cerebro.addstrategy(Plays)
    cerebro.addstrategy(Plays, long_only=True)
    cerebro.run()
    (message,) = [record.getMessage() for record in caplog.records]
    assert message.startswith("Plays and Plays trade the same data in one Cerebro")


class BuysOnce(bt.Strategy):
    """A strategy of somebody's own beside ours; it stays out where `bar` is 0."""

    params = (("bar", 2),)

    def next(self):
        if len(self) == self.p.bar:
            self.buy(data=self.datas[-1], size=1)


@pytest.mark.parametrize("ours_first", [True, False], ids=["ours first", "ours second"])
@pytest.mark.parametrize("bar", [2, len(FLAT_10)], ids=["early", "on the last bar"])
def test_a_strategy_of_another_kind_that_shares_the_position_is_said_to_once(
    ours_first, bar, caplog
):
    cerebro = cerebro_for(FLAT_10)
    for strategy, params in [(Plays, {}), (BuysOnce, {"bar": bar})][:: 1 if ours_first else -1]:
        cerebro.addstrategy(strategy, **params)
    cerebro.run()
    said = [record.getMessage() for record in caplog.records]
    assert [message.partition(" in one")[0] for message in said if "one Cerebro" in message] == [
        "Plays and BuysOnce trade the same data"
    ]


def test_a_strategy_that_only_looks_on_or_trades_other_data_is_no_rival(caplog):
    cerebro = cerebro_for(FLAT_10)
    cerebro.addstrategy(Plays)
    cerebro.addstrategy(BuysOnce, bar=0)
    cerebro.run()
    cerebro = cerebro_for(FLAT_10)
    cerebro.adddata(bt.feeds.PandasData(dataname=frame(FLAT_10)))
    cerebro.addstrategy(Plays)
    cerebro.addstrategy(BuysOnce)
    cerebro.run()
    assert not [record for record in caplog.records if "same data" in record.getMessage()]


@pytest.mark.parametrize(
    ("tell", "words"),
    [
        (lambda cerebro: cerebro.broker.set_shortcash(False), "With shortcash=False"),
        (lambda cerebro: cerebro.broker.set_coc(True), "With cheat-on-close"),
        (lambda cerebro: cerebro.addsizer(bt.sizers.AllInSizer), "The sizer AllInSizer has no"),
    ],
    ids=["shortcash", "cheat on close", "sizer"],
)
def test_settings_that_work_otherwise_than_expected_are_said_at_the_start(tell, words, caplog):
    cerebro = cerebro_for(FLAT_10)
    tell(cerebro)
    cerebro.addstrategy(Plays)
    cerebro.run()
    (message,) = [record.getMessage() for record in caplog.records]
    assert message.startswith(words)


def test_a_close_that_is_no_price_is_refused_with_its_date():
    with pytest.raises(TradingError, match=r"close must be a price above 0.*2024-01-02"):
        played([(10, 11, 9, 10), (10, 11, 9, NAN)], [0.5, 0.5])


# Modes of Cerebro

WAVE = [
    (p + 0.1, p + 1, p - 1, p) for p in (10, 10.5, 11, 10.2, 9.5, 9, 9.8, 10.6, 11.5, 11, 10.1, 9.2)
]


@pytest.mark.parametrize(
    "modes",
    [
        {"runonce": False},
        {"preload": False, "runonce": False},
        {"exactbars": 1},
        {"exactbars": -1},
        {"exactbars": -2},
        {"stdstats": True},
    ],
    ids=str,
)
def test_every_mode_of_cerebro_gives_the_same_fills(modes):
    # The last one is never filled: under exactbars=1 even its date is gone by then.
    targets = [0.3, 0.9, -0.5, NAN, 0.2, 1.0, 1.0, 0.0, -1.0, -1.0, 0.0, 0.5]
    stops = {"stop_loss_atr": 1.0, "trailing_stop_atr": 0.8, "atr_length": 2}

    def fills(**modes):
        cerebro = bt.Cerebro(**{"stdstats": False, **modes})
        cerebro.adddata(bt.feeds.PandasData(dataname=frame(WAVE)))
        cerebro.addstrategy(Plays, targets=targets, **stops)
        run = cerebro.run()[0]
        return run.fills, run.order_counts

    assert len(fills()[0]) >= 4
    assert fills()[1]["unfilled_at_end"] == 1
    assert fills(**modes) == fills()


class AnswersByDate(Plays):
    """Long on closes above 10, with the dates on which it was asked."""

    def target_exposure(self):
        return 0.5 if self.data.close[0] > 10 else 0.0


def test_replay_decides_once_a_bar_by_the_answer_to_the_complete_bar():
    # Two weeks and a bit: the first closes at 11 after lower days, the second at 9 after higher.
    closes = [9, 9, 9, 9, 9, 9, 11, 12, 12, 12, 12, 12, 12, 9, 9, 9, 9]
    bars = frame([(c, c + 1, c - 1, c) for c in closes])
    cerebro = bt.Cerebro(stdstats=False)
    feed = bt.feeds.PandasData(dataname=bars)
    cerebro.replaydata(feed, timeframe=bt.TimeFrame.Weeks)
    cerebro.addstrategy(AnswersByDate, lot_size=1, reserve=0.2)
    run = cerebro.run()[0]
    signs = [math.copysign(1, size) for _, size, _ in run.fills]
    # Bought on the second tick of week two (at 12), sold on the second tick of week three (at 9).
    assert signs == [1, -1]
    assert [price for _, _, price in run.fills] == [12, 9]
    assert run.order_counts["margin"] == 0


def test_a_buy_waits_for_a_new_bar_of_its_own_data():
    traded = frame([(8, 11, 7, 10), (11, 12, 10, 11), (11, 12, 10, 11)], freq="2D")
    other = frame([(1, 1, 1, 1)] * 5)  # has a bar on the day in between
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(bt.feeds.PandasData(dataname=traded))
    cerebro.adddata(bt.feeds.PandasData(dataname=other))
    cerebro.addstrategy(Plays, targets=[0.5], reserve=0.2, lot_size=1)
    run = cerebro.run()[0]
    # Without the wait it would fill at 8, the open of the very bar it was decided on.
    assert run.fills == [(1, 500, 11.0)]


def test_several_datas_still_decide_once_a_bar_of_the_first():
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(bt.feeds.PandasData(dataname=frame(FLAT_10[:3], freq="2D")))
    cerebro.adddata(bt.feeds.PandasData(dataname=frame([(1, 1, 1, 1)] * 5)))
    asked = []

    class Asked(Plays):
        def target_exposure(self):
            asked.append(self.data.datetime.date(0))
            return NAN

    cerebro.addstrategy(Asked)
    cerebro.run()
    assert asked == [dt.date(2024, 1, day) for day in (1, 3, 5)]


# Never Margin, never nothing


@st.composite
def gappy_rows(draw):
    n_bars = draw(st.integers(3, 25))
    price, rows = draw(st.floats(0.5, 5000)), []
    step = st.floats(-0.6, 0.6)
    for _ in range(n_bars):
        opened = price * math.exp(draw(step) if draw(st.booleans()) else 0.0)
        price = opened * math.exp(draw(step) / 3)
        spread = 1 + draw(st.floats(0, 0.05))
        rows.append((opened, max(opened, price) * spread, min(opened, price) / spread, price))
    return rows


@settings(max_examples=150)
@given(
    rows=gappy_rows(),
    data=st.data(),
    commission=st.floats(0, 0.01),
    slippage=st.floats(0, 0.02),
    cash=st.sampled_from([1_000.0, 100_000.0, 123_456.78]),
    lot_size=st.sampled_from([1e-6, 0.1, 1]),
    band=st.sampled_from([0.0, 0.1]),
    reserve=st.sampled_from([0.0, 0.01, 0.05]),
)
def test_no_order_ends_in_margin_and_every_order_is_accounted_for(
    rows, data, commission, slippage, cash, lot_size, band, reserve
):
    exposure = st.one_of(st.floats(-1, 1), st.sampled_from([-1.0, 0.0, 1.0, NAN]))
    targets = data.draw(st.lists(exposure, min_size=len(rows), max_size=len(rows)))
    broker = {"cash": cash, "commission": commission, "slippage": {"perc": slippage}}
    cerebro = cerebro_for(rows, **broker)
    sizing = {"lot_size": lot_size, "band": band, "reserve": reserve}
    cerebro.addstrategy(Plays, targets=targets, **sizing)
    run = cerebro.run()[0]

    counts = run.order_counts
    assert counts["margin"] == counts["rejected"] == 0
    endings = ("completed", "expired", "unfilled_at_end")
    assert sum(counts[kind] for kind in endings) == len(run.sent)
    if min(run.sizes) >= 0:  # only a short can lose more than there is
        assert min(run.cash) >= 0


def test_a_strategy_made_inside_another_is_refused():
    class Nests(bt.Strategy):
        def __init__(self):
            self.inner = Plays()

    cerebro = cerebro_for(FLAT_10)
    cerebro.addstrategy(Nests)
    with pytest.raises(TradingError, match="Plays can't be made inside another strategy"):
        cerebro.run()


def test_the_broker_lists_a_sale_that_only_closes_as_it_lists_the_buy():
    class HoldsTwoBars(TargetStrategy):
        def target_exposure(self):
            return 1.0 if len(self) < 3 else 0.0

    cerebro = cerebro_for([(10, 10, 10, 10)] * 6)
    cerebro.addstrategy(HoldsTwoBars, reserve=0.0)
    cerebro.run()
    bought, sold = (order.size for order in cerebro.broker.orders)
    assert sold == -bought
