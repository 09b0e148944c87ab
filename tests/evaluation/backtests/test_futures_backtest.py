"""Backtests of continuous futures: in contracts and points, or as shares of equity."""

import re

import numpy as np
import pandas as pd
import pytest

from lstm_strategy import (
    BASELINES,
    PORTFOLIO_BASELINES,
    BrokerSettings,
    Future,
    TargetStrategy,
    compare,
    run_backtest,
)
from lstm_strategy.bars import proportional_bars
from lstm_strategy.trading.baselines import BuyAndHold

CLOSES = [-11.0, -10.0, -9.0, -10.0, -8.0, -9.0]
PRICES = [100.0, 101.0, 102.0, 110.0, 112.0, 111.0]
CORN = Future(
    multiplier=50,
    initial_margin=400,
    maintenance_margin=200,
    commission_per_contract=2.5,
    half_spread=0.1,
    price="price",
)


def make_bars(closes=CLOSES, prices=PRICES, **columns):
    index = pd.date_range("2024-03-11", periods=len(closes))
    bars = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), closes), index)
    return bars.assign(volume=0.0, price=prices, **columns)


def long_bars(n_bars=400, seed=1):
    """A series that is adjusted by difference, below 0 for most of it, with a roll in 50 bars."""
    random = np.random.default_rng(seed)
    moves = random.normal(0.0, 0.01, n_bars)
    price = 100 * np.cumprod(1 + moves + np.where(np.arange(n_bars) % 50 == 49, 0.02, 0.0))
    close = np.cumsum(moves * np.append(100.0, price[:-1])) - 60
    return make_bars(close, price)


def terms(**settings):
    return BrokerSettings(instrument=CORN, slippage_rate=0, band=0, lot_size=1, **settings)


class HalfLong(TargetStrategy):
    """One half of equity long at each close."""

    def target_exposure(self):
        return 0.5


def test_contracts_are_sized_by_their_price_and_earn_points_to_the_cent():
    result = run_backtest(HalfLong, make_bars(), broker=terms(cash=24_000))
    # 12_000 are two contracts, whatever their price from 5_000 to 5_600
    assert result.fills["size"].tolist() == [2.0]
    assert result.fills["value"].tolist() == [10_100.0]  # 2 * 50 * 101: the contract, not the close
    # 15 to buy, 30 to roll, and points of 1, -1, 2, -1 at 100 money each
    expected = [24_000, 23_985, 24_085, 23_955, 24_155, 24_055]
    assert result.equity.tolist() == pytest.approx(expected, abs=1e-9)
    assert result.exposure.iloc[2] == pytest.approx(2 * 50 * 102 / 24_085)


def test_rolls_are_costs_and_listed():
    result = run_backtest(HalfLong, make_bars(), broker=terms(cash=24_000))
    (roll,) = result.rolls.itertuples()
    assert (str(roll.Index.date()), roll.size, roll.price) == ("2024-03-14", 2, 102)
    assert roll.amount == pytest.approx(30)
    assert result.costs == pytest.approx(45)
    assert result.metrics["costs"] == pytest.approx(45 / 24_000)
    assert result.metrics["funding"] == 0
    assert result.trades["commission"].tolist() == pytest.approx([45])
    assert result.trades["pnl"].tolist() == pytest.approx([55])
    assert result.notes[-2] == (
        "Rolls took 30.00 in 1 change of contract, 0.12% of the equity at the start."
    )


def test_slippage_is_a_share_of_the_contracts_price():
    bars = make_bars()
    bars["high"], bars["low"] = bars["high"] + 5, bars["low"] - 5
    settings = terms(cash=24_000).model_copy(update={"slippage_rate": 0.001, "reserve": 0.05})
    result = run_backtest(HalfLong, bars, broker=settings)
    assert result.fills["slippage_cost"].tolist() == pytest.approx([2 * 50 * 0.101])
    # the roll: two trades of 15 and 0.001 of 2 * 50 * 102
    assert result.rolls["amount"].tolist() == pytest.approx([2 * (15 + 10.2)])


def test_a_portfolio_of_futures_adds_up():
    panel = {"CORN": long_bars(seed=1), "GOLD": long_bars(seed=2)}
    result = run_backtest(PORTFOLIO_BASELINES["Equal weight"], panel, broker=terms(cash=1e6))
    assert len(result.rolls) > 2
    earned = result.contribution.sum(axis=1)
    assert (1e6 + earned).to_numpy() == pytest.approx(result.equity.to_numpy(), abs=1e-6)
    assert result.by_market["costs"].sum() == pytest.approx(result.metrics["costs"])


def test_without_an_instrument_shares_of_equity_earn_the_returns_of_the_contracts():
    bars = long_bars()
    free = BrokerSettings(commission_rate=0, slippage_rate=0, reserve=0, band=0)
    result = run_backtest(BuyAndHold, bars, broker=free)
    known = proportional_bars(bars).drop(columns="price")
    assert result.equity.tolist() == run_backtest(BuyAndHold, known, broker=free).equity.tolist()
    assert "changes of contract cost nothing" in result.notes[0]
    # which the note says, since this price is neither the contract's nor the series'
    assert "begins at the price of the first contract" in result.notes[0]
    bought = result.fills.iloc[0]
    assert bought["price"] == pytest.approx(known["open"][bought.name])
    assert bought["price"] != pytest.approx(bars["open"][bought.name])
    assert 'price="price") as the instrument they do. Where' in result.notes[0]


def test_notes_on_many_futures_are_said_once():
    panel = {
        name: long_bars(seed=seed) for seed, name in enumerate(["CORN", "GOLD", "OIL", "US10"])
    }
    result = run_backtest(PORTFOLIO_BASELINES["Equal weight"], panel)
    (in_shares,) = result.market_notes
    assert 'instruments={"CORN": Future(...)} gives a market its own.' in in_shares
    held = run_backtest(PORTFOLIO_BASELINES["Equal weight"], panel, broker=terms(cash=1e6))
    (rolls,) = held.market_notes
    assert re.match(
        r"CORN, GOLD and 2 more( \(numbers of CORN\))?: The bars have \d+ changes", rolls
    )


@pytest.mark.parametrize("name", ["Volatility target", "12-1 momentum", "RSI reversion", "MACD"])
def test_rules_decide_alike_on_contracts_and_on_shares(name):
    bars = long_bars(700, seed=4)
    small = Future(multiplier=0.001, initial_margin=0.01, maintenance_margin=0.001, price="price")
    fine = {"band": 0.02, "slippage_rate": 0.0}
    contracts = run_backtest(
        BASELINES[name], bars, broker=BrokerSettings(instrument=small, lot_size=1e-6, **fine)
    )
    shares = run_backtest(BASELINES[name], bars, broker=BrokerSettings(commission_rate=0, **fine))
    held = [np.sign(result.exposure.to_numpy()) for result in (contracts, shares)]
    assert (held[0] == held[1]).mean() > 0.8


def test_futures_are_compared():
    comparison = compare(
        {"Half": HalfLong, "Hold": BuyAndHold}, long_bars(), broker=terms(cash=1e6)
    )
    assert len(comparison.table) == 2
    assert (comparison.table["costs"] > 0).all()
