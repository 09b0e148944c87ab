"""Runs and settings, worked by hand on a few bars."""

import datetime as dt
import math
import pickle

import backtrader as bt
import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal, assert_series_equal

from lstm_strategy.bars import CheckedBars
from lstm_strategy.errors import TooFewBarsError, TradingError
from lstm_strategy.trading.cerebro.broker import BrokerSettings
from lstm_strategy.trading.cerebro.outcome import collect_run
from lstm_strategy.trading.cerebro.run import run_cerebro, run_for_chart
from lstm_strategy.trading.execution import TargetStrategy

FREE = BrokerSettings(cash=1000, commission_rate=0, slippage_rate=0, lot_size=1)


class Always(TargetStrategy):
    params = (("exposure", 1.0),)

    def target_exposure(self):
        return self.p.exposure


class AfterAverage(Always):
    params = (("length", 3),)

    def __init__(self):
        super().__init__()
        bt.indicators.SMA(period=self.p.length)


class PlainNextStart(bt.Strategy):
    """The buy-and-hold of backtrader's own documentation: the order goes out in nextstart."""

    def nextstart(self):
        self.buy(size=10)


class PlainEveryBar(bt.Strategy):
    params = (("band", 2.0),)

    def __init__(self):
        self.seen = []

    def next(self):
        self.seen.append(len(self.data))
        self.buy(size=1)


class PlainPrenext(PlainEveryBar):
    def __init__(self):
        super().__init__()
        bt.indicators.SMA(period=3)

    def prenext(self):
        self.next()


class AtTheOpen(bt.Strategy):
    def next_open(self):
        if not self.position:
            self.buy(size=10)


class OnceAtTheOpen(bt.Strategy):
    def nextstart_open(self):
        self.buy(size=10)


class OnATimer(bt.Strategy):
    def __init__(self):
        self.add_timer(bt.Timer.SESSION_START)

    def notify_timer(self, timer, when, *args, **kwargs):
        self.buy(size=1)


class UpOrDown(bt.Indicator):
    """1 after a rise, -1 after a fall."""

    lines = ("direction",)

    def __init__(self):
        self.lines.direction = bt.Cmp(  # type: ignore[attr-defined]
            self.data.close, self.data.close(-1)
        )


class OnSignals(bt.SignalStrategy):
    """A signal strategy whose metaclass renames its `next`."""

    def __init__(self):
        self.setsizer(bt.sizers.FixedSize(stake=10))
        self.signal_add(bt.SIGNAL_LONG, UpOrDown())
        self.seen = []

    def next(self):
        self.seen.append(len(self.data))


class RenamesMethods(type(bt.Strategy)):
    """Another metaclass that gives `next` another name, as backtrader's own for signals does."""

    def __new__(meta, name, bases, body):
        body["act"] = body.pop("next")
        made = super().__new__(meta, name, bases, body)
        made.next = lambda self: self.act()
        return made


class Renamed(bt.Strategy, metaclass=RenamesMethods):
    def next(self):
        self.buy(size=1)


def bars_of(closes, opens=None, freq="D", tz=None):
    index = pd.date_range("2024-01-01", periods=len(closes), freq=freq, tz=tz)
    close = np.array(closes, dtype=float)
    open_ = close if opens is None else np.array(opens, dtype=float)
    high, low = np.maximum(open_, close) + 1, np.minimum(open_, close) - 1
    columns = {"open": open_, "high": high, "low": low, "close": close, "volume": 1.0}
    return pd.DataFrame(columns, index)


RISING = bars_of([10, 11, 12, 13, 14, 15])


# The run


def test_equity_fills_and_costs_of_a_hand_worked_run():
    bars = bars_of([10, 12, 14], opens=[10, 10, 12])
    broker = BrokerSettings(cash=1000, commission_rate=0.01, slippage_rate=0.005, lot_size=1)
    run = run_cerebro(Always, bars, broker=broker)
    # Collar 10.1: 1000 / (10.1 * 1.01) = 98 units; fill 10 * 1.005 = 10.05; commission 9.849.
    cash = 1000 - 98 * 10.05 * 1.01
    assert run.equity.tolist() == pytest.approx([1000, cash + 98 * 12, cash + 98 * 14])
    assert run.exposure.tolist() == pytest.approx(
        [0, 98 * 12 / (cash + 98 * 12), 98 * 14 / (cash + 98 * 14)]
    )
    assert run.equity.index.equals(bars.index)
    assert run.fills.index.tolist() == [bars.index[1]]
    assert run.fills.iloc[0].tolist() == pytest.approx([98, 10.05, 9.849, 4.9, 984.9, 0, 0, 0])
    assert run.costs == pytest.approx(9.849 + 4.9)
    assert run.order_counts["completed"] == 1


def test_the_first_decision_falls_on_start_and_fills_at_the_next_open():
    run = run_cerebro(Always, RISING, start="2024-01-03", broker=FREE)
    assert run.first_tradable == pd.Timestamp("2024-01-03")
    assert run.equity.index[0] == pd.Timestamp("2024-01-03")
    assert run.equity.iloc[0] == 1000
    assert run.exposure.iloc[0] == 0
    assert run.fills.index.tolist() == [pd.Timestamp("2024-01-04")]


def test_bars_before_start_warm_the_indicators_up():
    run = run_cerebro(AfterAverage, RISING, start="2024-01-03", broker=FREE)
    assert run.first_tradable == pd.Timestamp("2024-01-03")


def test_a_longer_warm_up_than_start_allows_moves_the_first_tradable_bar():
    run = run_cerebro(AfterAverage, RISING, start="2024-01-02", broker=FREE)
    assert run.first_tradable == pd.Timestamp("2024-01-03")
    assert len(run.equity) == 4


def test_end_is_inclusive():
    run = run_cerebro(Always, RISING, start="2024-01-02", end="2024-01-04", broker=FREE)
    assert run.equity.index[-1] == pd.Timestamp("2024-01-04")


@pytest.mark.parametrize(
    "start",
    [
        "2024-01-02",
        dt.date(2024, 1, 2),
        dt.datetime(2024, 1, 2),
        np.datetime64("2024-01-02"),
        pd.Timestamp("2024-01-02"),
        pd.Timestamp("2024-01-02", tz="Europe/Berlin"),
    ],
    ids=lambda start: f"{type(start).__name__}",
)
def test_a_naive_start_is_taken_in_the_timezone_of_the_bars(start):
    bars = bars_of([10, 11] * 30, freq="h", tz="Europe/Berlin")
    run = run_cerebro(Always, bars, start=start, broker=FREE)
    assert run.first_tradable == pd.Timestamp("2024-01-02", tz="Europe/Berlin")
    assert run.equity.index.equals(bars.index[24:])
    assert run.fills.index.tz == bars.index.tz


def test_a_date_as_end_takes_the_whole_day():
    bars = bars_of([10, 11] * 30, freq="h")
    run = run_cerebro(Always, bars, end=dt.date(2024, 1, 1), broker=FREE)
    assert run.equity.index[-1] == pd.Timestamp("2024-01-01 23:00")


def test_changing_the_bars_leaves_the_callers_frame_alone():
    bars = RISING.copy()
    run_cerebro(Always, bars, start="2024-01-02", end="2024-01-05")
    assert_frame_equal(bars, RISING)


def test_checked_bars_are_not_checked_again_and_stay_as_they_are():
    class Writes(Always):
        def next(self):
            super().next()
            self.data.p.dataname["close"] = 0.0

    flat = bars_of([10, 10, 10])  # which a check would refuse
    assert run_cerebro(Writes, CheckedBars(flat), broker=FREE).equity.tolist() == [1000] * 3
    assert flat["close"].tolist() == [10] * 3


def test_the_run_survives_pickling():
    run = run_cerebro(Always, RISING, broker=FREE)
    copy = pickle.loads(pickle.dumps(run))
    assert_series_equal(copy.equity, run.equity)
    assert copy.params == run.params


def test_bars_a_year_come_from_the_bars():
    run = run_cerebro(Always, bars_of([10, 11] * 30, freq="h"))
    # No weekend among these days: 252 days of 24 hours.
    assert run.bars_per_year == 6048
    assert run.params["bars_per_year"] == 6048


def test_a_run_has_the_name_of_its_strategy_unless_told():
    assert run_cerebro(Always, RISING).name == "Always"
    assert run_cerebro(Always, RISING, name="All in").name == "All in"


def test_a_run_without_fills_has_empty_tables_of_the_usual_columns():
    run = run_cerebro(Always, RISING, exposure=0.0)
    full = run_cerebro(Always, RISING)
    assert run.fills.columns.equals(full.fills.columns)
    assert run.trades.dtypes.equals(full.trades.dtypes)
    assert (len(run.fills), len(run.trades), run.costs) == (0, 0, 0.0)


# Plain strategies


def test_a_plain_strategy_is_silent_before_start():
    run = run_cerebro(PlainEveryBar, RISING, start="2024-01-04", broker=FREE)
    assert run.fills.index.tolist() == [pd.Timestamp("2024-01-05"), pd.Timestamp("2024-01-06")]
    assert run.first_tradable == pd.Timestamp("2024-01-04")


def test_nextstart_is_kept_for_the_first_tradable_bar_and_called_once():
    run = run_cerebro(PlainNextStart, RISING, start="2024-01-04", broker=FREE)
    assert run.fills["size"].tolist() == [10]
    assert run.fills.index.tolist() == [pd.Timestamp("2024-01-05")]


def test_a_strategy_that_trades_before_its_minimum_period_waits_for_start_too():
    strategy = run_for_chart(PlainPrenext, RISING, start="2024-01-02")
    assert strategy.seen == [2, 3, 4, 5, 6]
    assert strategy.first_decided_bar == 2


@pytest.mark.parametrize(
    ("strategy", "filled"),
    [
        pytest.param(AtTheOpen, [4], id="next_open"),
        pytest.param(OnceAtTheOpen, [4], id="nextstart_open"),
        pytest.param(OnATimer, [4, 5], id="a timer"),
        pytest.param(Renamed, [4, 5], id="a metaclass"),
        pytest.param(OnSignals, [4], id="signals"),
    ],
)
def test_every_way_to_send_orders_waits_for_start_and_fills_at_the_next_open(strategy, filled):
    run = run_cerebro(strategy, RISING, start="2024-01-04", broker=FREE)
    assert run.fills.index.tolist() == [RISING.index[bar] for bar in filled]
    assert run.fills["price"].tolist() == [RISING["open"].iloc[bar] for bar in filled]
    assert run.first_tradable == pd.Timestamp("2024-01-04")


def test_a_strategy_at_the_open_earns_what_it_does_in_plain_backtrader():
    bars = bars_of([10, 12, 9, 14, 13], opens=[10, 11, 12, 9, 15])
    cerebro = bt.Cerebro(cheat_on_open=True)
    cerebro.adddata(bt.feeds.PandasData(dataname=bars))
    cerebro.broker.setcash(1000)
    cerebro.addstrategy(AtTheOpen)
    cerebro.run()
    assert cerebro.broker.getvalue() == 1000 + 10 * (13 - 11)
    assert run_cerebro(AtTheOpen, bars, broker=FREE).equity.iloc[-1] == cerebro.broker.getvalue()


def test_backtraders_own_signal_strategy_runs():
    signals = [(bt.SIGNAL_LONGSHORT, UpOrDown, (), {})]
    run = run_cerebro(bt.SignalStrategy, bars_of([10, 11, 12, 11, 12]), signals=signals)
    assert run.fills["size"].tolist() == [1, -1, -1]


def test_a_strategy_that_skips_itself_is_refused():
    class Skips(bt.Strategy):
        def __init__(self):
            raise bt.errors.StrategySkipError

    with pytest.raises(TradingError, match="Skips raised StrategySkipError"):
        run_cerebro(Skips, RISING)


def test_a_strategy_may_end_the_run_and_read_its_observers():
    class Leaves(bt.Strategy):
        def next(self):
            if len(self.data) == 1:
                self.buy(size=10)
            if self.stats.broker.value[0] > 1010:
                self.cerebro.runstop()

    # 10 units bought at 11 earn 20 to the close at 13; an observer shows that a bar later, at 14
    run = run_cerebro(Leaves, RISING, broker=FREE)
    assert run.equity.tolist() == [1000, 1000, 1010, 1020, 1030]
    assert run.n_bars_left == 1


def test_a_strategy_that_ends_the_run_before_it_decides_is_refused():
    class LeavesEarly(AfterAverage):
        def prenext(self):
            self.cerebro.runstop()

    with pytest.raises(TradingError, match="LeavesEarly ended the run before its first decision"):
        run_cerebro(LeavesEarly, RISING)


def test_a_strategy_that_ends_the_run_at_the_first_bar_is_refused():
    class LeavesAtOnce(bt.Strategy):
        def next(self):
            self.cerebro.runstop()

    with pytest.raises(TradingError, match=r"LeavesAtOnce ended the run .* or at the first bar"):
        run_cerebro(LeavesAtOnce, RISING)


def test_orders_without_a_size_are_counted_and_said_once(caplog):
    class Unsized(bt.Strategy):
        def next(self):
            self.buy()

    run = run_cerebro(Unsized, RISING, broker=FREE)
    assert run.order_counts["unsized"] == 6
    (record,) = caplog.records
    assert "Unsized at 2024-01-01 00:00:00: an order without a size trades one unit, 1%" in (
        record.getMessage()
    )


def test_a_sizer_of_ones_own_is_not_remarked(caplog):
    class Sized(bt.Strategy):
        def __init__(self):
            self.setsizer(bt.sizers.PercentSizer(percents=50))

        def next(self):
            self.buy()

    assert run_cerebro(Sized, RISING, broker=FREE).order_counts["unsized"] == 0
    assert not caplog.records


def test_a_plain_strategys_own_band_is_left_alone():
    run = run_cerebro(PlainEveryBar, RISING)
    assert run.params == {"band": 2.0}


def test_orders_of_a_plain_strategy_are_counted():
    class Greedy(bt.Strategy):
        def next(self):
            if len(self.data) in (1, 6):
                self.buy(size=1e9)
            if len(self.data) == 2:
                self.buy(size=1)

    run = run_cerebro(Greedy, RISING)
    counts = {kind: count for kind, count in run.order_counts.items() if count}
    assert counts == {"margin": 1, "completed": 1, "unfilled_at_end": 1}


def test_the_strategy_that_runs_carries_the_name_and_module_of_its_class():
    strategy = run_for_chart(PlainEveryBar, RISING)
    assert type(strategy).__name__ == "PlainEveryBar"
    assert type(strategy).__module__ == __name__
    assert isinstance(strategy, PlainEveryBar)


def test_a_run_for_a_chart_has_observers_and_the_same_equity():
    strategy = run_for_chart(Always, RISING, start="2024-01-02", broker=FREE)
    assert [type(observer).__name__ for observer in strategy.getobservers()] == [
        "Broker",
        "BuySell",
        "Trades",
    ]
    run = run_cerebro(Always, RISING, start="2024-01-02", broker=FREE)
    assert_series_equal(collect_run(strategy, name="x").equity, run.equity)


# Settings and refusals


def test_sizing_comes_from_the_broker_unless_given():
    broker = BrokerSettings(band=0.3, reserve=0.02, lot_size=5)
    params = run_cerebro(Always, RISING, broker=broker, reserve=0.05).params
    assert {key: params[key] for key in ("band", "reserve", "lot_size")} == {
        "band": 0.3,
        "reserve": 0.05,
        "lot_size": 5,
    }


def test_an_object_among_the_parameters_is_named_by_its_type():
    assert run_cerebro(Always, RISING, exposure=np.float32(0.5)).params["exposure"] == "float32"


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"cash": 0}, "cash must be greater than 0, got 0. Give starting money"),
        ({"cash": "much"}, "cash must be a number, got 'much'"),
        ({"commission_rate": 1}, "commission_rate must be less than 1, got 1. Give a fraction"),
        ({"slippage_rate": math.nan}, "slippage_rate must be a finite number, got nan"),
        ({"lot_size": 0}, "lot_size must be greater than 0, got 0. Give units"),
        ({"reserve": 1.5}, "reserve must be less than 1, got 1.5"),
        ({"band": -1}, "band must be at least 0, got -1"),
        ({"comission_rate": 0.1}, "no setting 'comission_rate'.*commission_rate"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_broker_settings_out_of_range_are_named(setting, message):
    with pytest.raises(TradingError, match=message):
        BrokerSettings(**setting)


def test_an_unknown_parameter_is_answered_with_the_nearest():
    with pytest.raises(TradingError, match=r"Always has no parameter 'exposur'.*exposure"):
        run_cerebro(Always, RISING, exposur=1)


def test_too_few_bars_are_counted():
    with pytest.raises(
        TooFewBarsError, match=r"AfterAverage needs 7 bars .*, got 6 bars from.*shorten its"
    ):
        run_cerebro(AfterAverage, RISING, length=7)


def test_a_single_bar_is_refused_without_speaking_of_an_end():
    with pytest.raises(TradingError) as refused:
        run_cerebro(Always, RISING.iloc[:1])
    assert str(refused.value) == (
        "a run needs at least 2 bars, got 1 of 1 bar from 2024-01-01 to 2024-01-01. "
        "Load more history."
    )


def test_a_refusal_that_is_not_for_the_warm_up_is_no_lack_of_bars():
    with pytest.raises(TradingError, match=r"must return a number in -1\.\.1") as refused:
        run_cerebro(Always, RISING, exposure="all")
    assert not isinstance(refused.value, TooFewBarsError)


def test_a_market_beyond_the_year_2262_runs():
    close = 10.0 + np.arange(3000) % 7
    index = pd.bdate_range("2755-01-01", periods=3000, unit="us")
    bars = bars_of(close).set_axis(index, axis=0)
    run = run_cerebro(Always, bars, broker=FREE)
    assert run.equity.index.equals(index)
    assert run.bars_per_year == 252
    assert run.fills.index.tolist() == [index[1]]


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ({"start": "2025"}, 'no bar at or after start="2025" among the 6 bars from 2024'),
        ({"start": "2024-01-05", "end": "2024-01-03"}, "Choose a later end or an earlier start"),
        ({"end": "2023"}, 'at least 2 bars up to end="2023", got 0'),
        ({"start": 2013}, "start must be a date .*got 2013"),
        ({"start": "soon"}, "must be a date .*got 'soon'"),
        ({"start": pd.Timestamp("2024-01-02", tz="UTC")}, "start must have no timezone"),
    ],
    ids=str,
)
def test_dates_that_leave_nothing_to_trade_are_refused(when, message):
    with pytest.raises(TradingError, match=message):
        run_cerebro(Always, RISING, **when)


@pytest.mark.parametrize("strategy", ["SMACross", bt.indicators.SMA, TargetStrategy.next])
def test_a_strategy_must_be_a_class_of_its_kind(strategy):
    with pytest.raises(TradingError, match=r"must be a class derived from backtrader\.Strategy"):
        run_cerebro(strategy, RISING)


def test_many_runs_share_one_class():
    first = type(run_for_chart(Always, RISING))
    assert type(run_for_chart(Always, RISING, start="2024-01-03")) is first


def test_a_run_equals_itself_alone():
    run, again = (run_cerebro(Always, RISING) for _ in range(2))
    assert run == run
    assert run != again
    assert len({run, again}) == 2


# The terms that every strategy shares


class ChangesTerms(bt.Strategy):
    """Does one thing to its broker, `when` a bar closes or while it is made, and trades on."""

    params = (("change", None), ("when", 3))

    def __init__(self):
        if self.p.when == 0:
            self.p.change(self)

    def next(self):
        if len(self) == self.p.when:
            self.p.change(self)
        self.order_target_size(target=len(self) % 2)


class NoFee(bt.CommInfoBase):
    def _getcommission(self, size, price, pseudoexec):
        return 0.0


TERM_CHANGES = {
    "deposit": (lambda s: s.broker.add_cash(500), "orders: at 2024-01-04 it has 100,500.95, and "),
    "withdrawal": (lambda s: s.broker.add_cash(-500), "orders: at 2024-01-04"),
    "cash set": (lambda s: s.broker.set_cash(5000), "cash of the broker is 5000 inst"),
    "cash written": (lambda s: setattr(s.broker, "cash", 5000.0), "orders: at 2024-01-04"),
    "position written": (
        lambda s: setattr(s.position, "size", s.position.size + 7),
        "orders: at 2024-01-04 it has 100,091.85, and ",
    ),
    "commission": (lambda s: s.broker.setcommission(0.0), "commission of the broker is 0.0 inst"),
    "scheme": (
        lambda s: s.broker.addcommissioninfo(NoFee(commission=0.001, percabs=True)),
        "is 'NoFee' instead",
    ),
    "commission written": (
        lambda s: setattr(s.broker.getcommissioninfo(s.data).p, "commission", 0.0),
        "commission of the broker is 0.0",
    ),
    "leverage": (lambda s: s.broker.setcommission(0.001, leverage=5), "leverage .* is 5 instead"),
    "slippage": (lambda s: s.broker.set_slippage_perc(0), "slip_perc of the broker is 0 instead"),
    "fixed slippage": (lambda s: s.broker.set_slippage_fixed(0.01), "slip_perc .* is 0.0 instead"),
    "cheat on close": (lambda s: s.broker.set_coc(True), "coc of the broker is True instead"),
    "cheat on open": (lambda s: s.broker.set_coo(True), "coo of the broker is True instead"),
    "filler": (lambda s: s.broker.set_filler(lambda *_: 1), "filler of the broker"),
    "no check": (lambda s: s.broker.set_checksubmit(False), "checksubmit .* is False instead"),
    "short cash": (lambda s: s.broker.set_shortcash(False), "shortcash .* is False instead"),
}


@pytest.mark.parametrize("kind", TERM_CHANGES)
def test_a_strategy_that_changes_the_terms_of_its_run_is_refused(kind):
    change, message = TERM_CHANGES[kind]
    with pytest.raises(TradingError, match=f"ChangesTerms changed .*{message}"):
        run_cerebro(ChangesTerms, RISING, change=change)


@pytest.mark.parametrize("kind", ["cash set", "commission", "slippage", "cheat on close"])
def test_terms_changed_while_the_strategy_is_made_are_refused_too(kind):
    with pytest.raises(TradingError, match="ChangesTerms changed the terms of its run"):
        run_cerebro(ChangesTerms, RISING, change=TERM_CHANGES[kind][0], when=0)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda s: s.broker.setcommission(0.001), id="the same commission again"),
        pytest.param(lambda s: s.broker.set_fundmode(True), id="fund mode, which costs nothing"),
        pytest.param(lambda s: s.broker.get_value([s.data]), id="a look"),
    ],
)
def test_a_strategy_that_leaves_the_terms_as_they_are_runs(change):
    run = run_cerebro(ChangesTerms, RISING, change=change)
    assert run.order_counts["completed"] == 5


def test_the_account_of_many_fills_of_either_side_is_its_own():
    class Flips(bt.Strategy):
        def next(self):
            self.order_target_percent(target=(-0.9, 0.3, 0.9)[len(self) % 3])

    prices = 100 * np.exp(np.cumsum(np.random.default_rng(0).normal(0, 0.03, 2_000)))
    assert len(run_cerebro(Flips, bars_of(prices)).fills) > 1_900


def test_a_fill_at_a_price_that_its_bar_did_not_have_is_refused():
    class WritesHistory(bt.Strategy):
        def start(self):
            self.broker.add_order_history([[RISING.index[2].to_pydatetime(), 10, 1.0]], False)

    message = r"filled at 1, which lies outside of the bar \(11 to 13\)"
    with pytest.raises(TradingError, match=message):
        run_cerebro(WritesHistory, RISING)
