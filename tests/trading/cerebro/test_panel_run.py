"""Runs on many markets, worked by hand."""

import backtrader as bt
import pandas as pd
import pytest

from lstm_strategy.errors import TooFewBarsError, TradingError
from lstm_strategy.trading.cerebro import BrokerSettings, run_cerebro
from lstm_strategy.trading.execution import PortfolioStrategy, TargetStrategy, choose_length

BROKER = BrokerSettings(
    cash=1000, commission_rate=0.01, slippage_rate=0, reserve=0, lot_size=1, band=0
)


class Holds(PortfolioStrategy):
    """Holds the same exposures at every date."""

    params = (("exposures", {"A": 0.5, "B": -0.2}),)

    def target_exposures(self):
        return self.p.exposures


class HoldsAfterAverage(Holds):
    def __init__(self):
        super().__init__()
        self.averages = {name: bt.ind.SMA(data, period=3) for name, data in self.markets.items()}


def bars_of(closes, days, tz=None):
    index = pd.to_datetime([f"2024-01-{day:02}" for day in days]).tz_localize(tz)
    close = pd.Series(closes, index, dtype=float)
    open_ = close.shift(fill_value=close.iloc[0])
    high, low = pd.concat([open_, close], axis=1).max(axis=1), close.where(close < open_, open_)
    return pd.DataFrame(
        {"open": open_, "high": high, "low": low, "close": close, "volume": 1.0}
    ).rename_axis("datetime")


PANEL = {
    "A": bars_of([10, 10, 12, 12], [1, 2, 3, 4]),
    "B": bars_of([20, 20, 25], [2, 3, 4]),
}


def test_equity_exposure_contribution_and_trades_of_a_hand_worked_panel():
    run = run_cerebro(Holds, PANEL, broker=BROKER, band=0.3)
    # Day 2: 50 A at 10 for 505. Day 3: B is known since day 2, and 9 are sold short at 20 for
    # 178.20 (0.2 of 995 is 199, so 9 whole ones). Day 4: B closes at 25.
    assert run.equity.tolist() == pytest.approx([1000, 995, 1093.2, 1048.2])
    days = pd.date_range("2024-01-01", periods=4)
    pd.testing.assert_frame_equal(
        run.contribution,
        pd.DataFrame({"A": [0, -5, 95, 95], "B": [0, 0, -1.8, -46.8]}, days, dtype=float),
        check_names=False,
        check_freq=False,
    )
    assert (1000 + run.contribution.sum(axis=1)).tolist() == pytest.approx(run.equity.tolist())
    assert run.exposure["A"].tolist() == pytest.approx([0, 500 / 995, 600 / 1093.2, 600 / 1048.2])
    assert run.exposure["B"].tolist() == pytest.approx([0, 0, -180 / 1093.2, -225 / 1048.2])
    assert run.net_exposure.iloc[-1] == pytest.approx(375 / 1048.2)
    assert run.gross_exposure.iloc[-1] == pytest.approx(825 / 1048.2)
    assert run.fills[["symbol", "size", "price"]].values.tolist() == [
        ["A", 50.0, 10.0],
        ["B", -9.0, 20.0],
    ]
    assert run.trades[["symbol", "pnl"]].values.tolist() == [
        ["A", pytest.approx(95)],
        ["B", pytest.approx(-46.8)],
    ]
    assert run.costs == pytest.approx(5 + 1.8)
    assert run.order_counts_by_market["B"]["completed"] == 1


def test_bars_of_a_trade_are_those_of_its_own_market():
    panel = PANEL | {
        "A": bars_of([10, 10, 12, 12], [1, 3, 5, 7]),
        "B": bars_of(range(20, 27), range(1, 8)),
    }
    run = run_cerebro(Holds, panel, broker=BROKER, band=0.9, exposures={"A": 0.95})
    assert run.trades["symbol"].tolist() == ["A"]
    assert run.trades["bars"].tolist() == [2]  # from the 3rd over the 5th to the 7th
    ended = panel | {"A": panel["A"].iloc[:3]}
    run = run_cerebro(Holds, ended, broker=BROKER, band=0.9, exposures={"A": 0.95})
    assert run.trades["bars"].tolist() == [1]
    assert run.order_counts_by_market["A"]["stranded"] == 1
    assert run.order_counts_by_market["B"]["stranded"] == 0


def test_a_market_that_closes_some_hours_earlier_on_the_last_day_has_not_ended():
    days = [1, 2, 3, 4, 5]
    zones = {"A": "UTC", "B": "America/New_York"}
    panel = {name: bars_of([10, 11, 12, 13, 14], days, zone) for name, zone in zones.items()}
    run = run_cerebro(Holds, panel, broker=BROKER, exposures={"A": 0.4, "B": 0.4})
    assert run.exposure.iloc[-1].gt(0.1).all()
    assert run.order_counts["stranded"] == 0
    ended = panel | {"A": panel["A"].iloc[:-1]}
    run = run_cerebro(Holds, ended, broker=BROKER, exposures={"A": 0.4, "B": 0.4})
    assert run.order_counts_by_market["A"]["stranded"] == 1


def test_the_equity_of_markets_that_close_at_different_hours_is_counted_by_days():
    zones = {"A": "Asia/Tokyo", "B": "America/New_York"}
    panel = {
        name: rising(SHARE_DAYS.tz_localize(zone) + pd.Timedelta(hours=16))
        for name, zone in zones.items()
    }
    run = run_cerebro(Holds, panel, broker=BROKER, exposures={"A": 0.4, "B": 0.4})
    assert run.bars_per_year == 252
    # the first value is that of the first decision, at the close in Tokyo
    hours = run.equity.index.hour[1:]
    assert (len(run.equity), set(hours)) == (301, {20, 21})
    assert run.equity.index[0] == run.first_tradable == panel["A"].index[0]
    assert run.exposure.index.equals(run.equity.index)
    assert run.contribution.sum(axis=1).add(run.equity.iloc[0]).to_numpy() == pytest.approx(
        run.equity.to_numpy()
    )
    hours = pd.date_range("2024-01-01", periods=300, freq="h")
    hourly = {"A": rising(hours), "B": rising(hours + pd.Timedelta(minutes=30))}
    run = run_cerebro(Holds, hourly, broker=BROKER, exposures={"A": 0.4, "B": 0.4})
    assert len(run.equity) == 600


SHARE_DAYS = pd.bdate_range("2024-01-01", periods=300)
COIN_DAYS = pd.date_range("2024-01-01", periods=420)


def rising(index):
    close = pd.Series(range(1, len(index) + 1), index, dtype=float)
    prices = dict.fromkeys(("open", "high", "low", "close"), close)
    return pd.DataFrame({**prices, "volume": 1.0}).rename_axis("datetime")


class Counts(Holds):
    """Counts a year of each market, and of the dates."""

    def __init__(self):
        super().__init__()
        Counts.seen = {
            name: choose_length(self, None, months=12, market=name) for name in self.markets
        } | {"dates": choose_length(self, None, months=12)}


@pytest.mark.parametrize(
    ("markets", "given", "expected"),
    [
        (
            {"A": SHARE_DAYS, "B": COIN_DAYS},
            {},
            {"A": 252, "B": 365, "dates": 365},
        ),
        (
            {"A": SHARE_DAYS.tz_localize("UTC"), "B": SHARE_DAYS.tz_localize("America/New_York")},
            {},
            {"A": 252, "B": 252, "dates": 504},
        ),
        (
            {"A": SHARE_DAYS, "B": COIN_DAYS},
            {"bars_per_year": 260},
            {"A": 260, "B": 260, "dates": 260},
        ),
        ({"A": SHARE_DAYS, "B": SHARE_DAYS[:1]}, {}, {"A": 252, "B": 252, "dates": 252}),
    ],
    ids=["share and coin", "two zones", "given", "one bar"],
)
def test_a_year_has_the_bars_of_each_market(markets, given, expected):
    panel = {name: rising(index) for name, index in markets.items()}
    run = run_cerebro(Counts, panel, broker=BROKER, exposures={}, **given)
    assert Counts.seen == expected
    # the equity has a value on every day of any market, so those make its year
    has_coin = len(markets["B"]) == len(COIN_DAYS)
    assert run.bars_per_year == (365 if has_coin else 252)


def test_start_and_end_are_dates_of_any_market():
    run = run_cerebro(Holds, PANEL, start="2024-01-02", end="2024-01-03", broker=BROKER)
    assert run.first_tradable == pd.Timestamp("2024-01-02")
    assert run.equity.index.day.tolist() == [2, 3]
    assert run.fills["symbol"].tolist() == ["B", "A"]


def test_the_first_decision_waits_for_the_first_market_that_is_warm():
    run = run_cerebro(HoldsAfterAverage, PANEL, broker=BROKER)
    assert run.first_tradable == pd.Timestamp("2024-01-03")
    assert run.fills["symbol"].tolist() == ["A"]


def test_markets_of_several_zones_share_one_clock():
    panel = {
        "A": PANEL["A"].tz_localize("America/New_York"),
        "B": PANEL["B"].tz_localize("Asia/Tokyo"),
    }
    run = run_cerebro(Holds, panel, broker=BROKER)
    assert str(run.equity.index.tz) == "UTC"
    # the first date, and the last one of each of four days
    assert len(run.equity) == 5
    assert run.fills["symbol"].tolist()[:2] == ["A", "B"]


def test_a_market_too_short_for_the_indicators_is_left_alone_and_said(caplog):
    panel = PANEL | {"C": bars_of([5, 6], [1, 2])}
    run = run_cerebro(HoldsAfterAverage, panel, broker=BROKER)
    assert run.fills["symbol"].tolist() == ["A"]
    assert "it has 2 bars, and HoldsAfterAverage needs 3" in caplog.text
    assert "market C is never traded" in caplog.text


def test_where_no_market_has_bars_enough_the_first_is_named():
    panel = {name: bars.iloc[-2:] for name, bars in PANEL.items()} | {"A": bars_of([1, 2], [1, 2])}
    with pytest.raises(TooFewBarsError, match="needs 3 bars of market A"):
        run_cerebro(HoldsAfterAverage, panel, broker=BROKER)


class PlainOnTwo(bt.Strategy):
    """A strategy of somebody's own that buys in the second market."""

    def next(self):
        if not self.getposition(self.data1):
            self.buy(self.data1, size=1)


def test_a_plain_strategy_runs_on_a_panel():
    run = run_cerebro(PlainOnTwo, PANEL, broker=BROKER)
    # backtrader waits for the first bar of B, day 2.
    assert run.first_tradable == pd.Timestamp("2024-01-02")
    assert run.fills[["symbol", "size", "price"]].values.tolist() == [["B", 1.0, 20.0]]
    assert run.equity.iloc[-1] == pytest.approx(1000 - 20.2 + 25)


class OneMarket(TargetStrategy):
    def target_exposure(self):
        return 1.0


def test_a_strategy_of_one_market_is_refused_on_many():
    with pytest.raises(TradingError, match=r"OneMarket trades one market, and the panel has 2"):
        run_cerebro(OneMarket, PANEL)


def test_a_portfolio_runs_on_the_bars_of_one_market():
    run = run_cerebro(Holds, PANEL["A"], broker=BROKER, exposures={"data0": 0.5})
    assert run.exposure.iloc[1] == pytest.approx(500 / 995)
    assert run.contribution is None


class Deposits(Holds):
    def next(self):
        super().next()
        if len(self) == 3:
            self.broker.add_cash(50)


def test_money_that_no_fill_explains_is_found_in_a_panel():
    with pytest.raises(TradingError, match="changed its account by other than orders"):
        run_cerebro(Deposits, PANEL, broker=BROKER)


class NoFee(bt.CommInfoBase):
    def _getcommission(self, size, price, pseudoexec):
        return 0.0


class Cheapens(Holds):
    def start(self):
        super().start()
        self.broker.addcommissioninfo(NoFee(), name="B")


def test_other_costs_for_one_market_are_found():
    with pytest.raises(TradingError, match="changed the terms of its run"):
        run_cerebro(Cheapens, PANEL, broker=BROKER)


def test_a_bad_market_is_named():
    with pytest.raises(TradingError.__mro__[1], match="market B: "):
        run_cerebro(Holds, PANEL | {"B": PANEL["B"].drop(columns="close")}, broker=BROKER)
