"""Cash, positions and what they pay, added up by hand beside what backtrader says."""

import backtrader as bt
import numpy as np
import pandas as pd
import pytest

from lstm_strategy.trading.cerebro import BrokerSettings, run_cerebro
from lstm_strategy.trading.execution import PortfolioStrategy, TargetStrategy
from lstm_strategy.trading.instruments import Future, Perpetual, Spot

EXPOSURES = (-1.0, -0.6, 0.0, 0.3, 1.0, float("nan"))


class RandomExposures(TargetStrategy):
    params = (("seed", 0),)

    def __init__(self):
        super().__init__()
        self.rng = np.random.default_rng(self.p.seed)

    def target_exposure(self):
        return float(self.rng.choice(EXPOSURES)) * self.p.max_leverage


class RandomPortfolio(PortfolioStrategy):
    params = (("seed", 0),)

    def __init__(self):
        super().__init__()
        self.rng = np.random.default_rng(self.p.seed)

    def target_exposures(self):
        choices = self.rng.choice(EXPOSURES, len(self.markets)) * self.p.max_gross / 2
        return dict(zip(self.markets, choices, strict=True))


class RandomOrders(bt.Strategy):
    """Market, limit, stop and bracket orders of a strategy of somebody's own."""

    params = (("seed", 0), ("scale", 1.0))

    def __init__(self):
        self.rng = np.random.default_rng(self.p.seed)

    def next(self):
        price, size = self.data.close[0], self.p.scale * self.rng.uniform(0.1, 1.0)
        kind = self.rng.integers(6)
        side = self.buy if self.rng.random() < 0.5 else self.sell
        if kind == 0:
            side(size=size)
        elif kind == 1:
            side(size=size, exectype=bt.Order.Limit, price=price * self.rng.uniform(0.98, 1.02))
        elif kind == 2:
            side(size=size, exectype=bt.Order.Stop, price=price * self.rng.uniform(0.98, 1.02))
        elif kind == 3:
            self.buy_bracket(size=size, limitprice=1.02 * price, stopprice=0.98 * price)
        elif kind == 4:
            self.close()


def perpetual_bars(rng, *, n_bars=80, start="2024-01-01"):
    close = 100 * np.exp(np.cumsum(rng.normal(0, rng.choice([0.005, 0.03]), n_bars)))
    opens = np.r_[100.0, close[:-1]] * np.exp(rng.normal(0, 0.005, n_bars))
    index = pd.date_range(start, periods=n_bars, freq="h", name="datetime")
    bars = pd.DataFrame({"open": opens, "close": close, "volume": 300.0}, index)
    bars["high"] = bars[["open", "close"]].max(axis=1) * 1.004
    bars["low"] = bars[["open", "close"]].min(axis=1) * 0.996
    settles = np.arange(n_bars) % 8 == 0
    bars["funding_rate"] = np.where(settles, rng.normal(0, 1e-3, n_bars), np.nan)
    bars["mark"] = close * (1 + rng.normal(0, 5e-4, n_bars))
    bars.loc[rng.random(n_bars) < 0.05, "mark"] = np.nan
    if rng.random() < 0.5:
        bars["funding_payment"] = np.where(rng.random(n_bars) < 0.2, rng.normal(0, 0.05, n_bars), 0)
    return bars


def random_instrument(rng):
    leverage = float(rng.choice([1, 2, 5, 10, 25]))
    tick = {"tick_size": rng.choice([0.01, None]), "lot_size": rng.choice([0.001, None])}
    return [
        lambda: Perpetual(leverage=leverage, **tick),
        lambda: Perpetual(leverage=leverage, margin_mode="cross", liquidation_fee_rate=0.005),
        lambda: Perpetual(leverage=leverage, maintenance_margin_rate=((0, 0.01), (2e5, 0.02))),
        lambda: Future(
            multiplier=5, initial_margin=500 / leverage, commission_per_contract=0.4, lot_size=0.01
        ),
        lambda: Spot(commission_rate=0.0007, min_order_value=20),
        lambda: Spot(borrow_rate=0.5, half_spread_rate=0.0004, impact=0.5, participation=0.2),
        lambda: Perpetual(leverage=leverage, half_spread_rate=0.0003, participation=0.3),
    ][rng.integers(7)]()


def leverage_of(instrument):
    return min(instrument.leverage_at(100.0), 20.0)


def explained_equity(run, markets, instruments, cash):
    """Start, plus moves of what is held, less commission and funding, bar by bar."""
    equity = np.full(len(run.equity), cash)
    dates = run.equity.index
    for symbol, bars in markets.items():
        own = run.fills if not symbol else run.fills[run.fills["symbol"] == symbol]
        funding = run.funding if not symbol else run.funding[run.funding["symbol"] == symbol]
        held, last, gained = 0.0, np.nan, 0.0
        closes = bars["close"].reindex(dates)
        for number, date in enumerate(dates):
            if date in bars.index:
                multiplier = instruments[symbol].multiplier
                if held:
                    gained += held * (closes[date] - last) * multiplier
                for fill in own[own.index == date].itertuples():
                    gained += fill.size * (closes[date] - fill.price) * multiplier
                    gained += fill.insurance - fill.commission
                    held += fill.size
                gained -= funding.loc[funding.index == date, "amount"].sum()
                last = closes[date]
            equity[number] += gained
    return pd.Series(equity, dates)


def check_random_run(seed):
    rng = np.random.default_rng(seed)
    kind = rng.integers(3)
    terms = {"cash": 10_000.0, "slippage_rate": float(rng.choice([0.0, 0.001])), "band": 0.05}
    if kind == 2:
        markets = {name: perpetual_bars(rng, n_bars=80 - 20 * n) for n, name in enumerate("AB")}
        instruments = {name: random_instrument(rng) for name in markets}
        gross = float(rng.choice([1.0, min(map(leverage_of, instruments.values()))]))
        broker = BrokerSettings(instruments=instruments, **terms)
        params = {"max_gross": gross, "max_leverage": gross, "seed": seed}
        run = run_cerebro(RandomPortfolio, markets, broker=broker, **params)
    else:
        markets, instruments = {"": perpetual_bars(rng)}, {"": random_instrument(rng)}
        broker = BrokerSettings(instrument=instruments[""], **terms)
        most = leverage_of(instruments[""])
        if kind == 0:
            stops = {"stop_loss_atr": 2.0, "atr_length": 5} if rng.random() < 0.5 else {}
            run = run_cerebro(
                RandomExposures, markets[""], broker=broker, max_leverage=most, seed=seed, **stops
            )
        else:
            scale = 50.0 * most / instruments[""].multiplier
            run = run_cerebro(RandomOrders, markets[""], broker=broker, scale=scale, seed=seed)
    first = run.equity.index[0]
    cut = {symbol: bars[first:] for symbol, bars in markets.items()}
    explained = explained_equity(run, cut, instruments, terms["cash"])
    off = (run.equity - explained).abs().max()
    assert off <= 1e-8 * max(terms["cash"], run.equity.abs().max()), f"seed {seed}: {off}"
    earned = run.equity.iloc[-1] - terms["cash"]
    # a trade is over where rounding is all that is left of it
    assert run.trades["pnl"].sum() == pytest.approx(earned, abs=1e-4), f"seed {seed}"
    assert run.trades["funding"].sum() == pytest.approx(run.funding_paid, abs=1e-9)
    if kind != 1:
        assert run.order_counts["margin"] == run.order_counts["rejected"] == 0, f"seed {seed}"
    isolated = all(getattr(each, "margin_mode", "") == "isolated" for each in instruments.values())
    if isolated:
        assert (run.equity >= 0).all(), f"seed {seed}"
    return run


@pytest.mark.parametrize("seed", range(16))
def test_the_equity_is_what_moves_costs_and_funding_explain(seed):
    check_random_run(seed)


@pytest.mark.slow
def test_the_equity_of_200_random_runs_is_explained_and_many_are_liquidated():
    runs = [check_random_run(seed) for seed in range(16, 216)]
    assert sum(bool(len(run.liquidations)) for run in runs) >= 20
    assert sum(bool(len(run.funding)) for run in runs) >= 80
    assert sum((run.trades["size"] < 0).any() for run in runs) >= 100
