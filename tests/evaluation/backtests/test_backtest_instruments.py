"""What perpetuals pay, as results, files and pages show it."""

import backtrader as bt
import numpy as np
import pandas as pd
import pytest

from lstm_strategy.bars import aggregate_bars
from lstm_strategy.evaluation.backtests import run_backtest
from lstm_strategy.evaluation.comparison import compare
from lstm_strategy.trading.baselines import BASELINES, PORTFOLIO_BASELINES
from lstm_strategy.trading.cerebro import BrokerSettings
from lstm_strategy.trading.execution import TargetStrategy
from lstm_strategy.trading.instruments import Perpetual, Spot

HOLD = BASELINES["Buy and hold"]


class BuysAt(bt.Strategy):
    """Trades once, at the close of a bar counted from 1."""

    params = (("bar", 1), ("size", 1.0))

    def next(self):
        if len(self) == self.p.bar:
            self.buy(size=self.p.size) if self.p.size > 0 else self.sell(size=-self.p.size)


class TwiceLong(TargetStrategy):
    def target_exposure(self):
        return 2.0


def hourly_bars(n_days=30, *, seed=5):
    rng, n_bars = np.random.default_rng(seed), 24 * n_days
    closes = 100 * np.exp(np.cumsum(rng.normal(0, 0.004, n_bars)))
    opens = np.r_[100.0, closes[:-1]]
    bars = pd.DataFrame(
        {
            "open": opens,
            "high": np.maximum(opens, closes) * 1.001,
            "low": np.minimum(opens, closes) * 0.999,
            "close": closes,
            "volume": 1.0,
            "mark": closes * (1 + rng.normal(0, 2e-4, n_bars)),
        },
        pd.date_range("2024-01-01", periods=n_bars, freq="h", name="datetime"),
    )
    settles = np.arange(n_bars) % 8 == 0
    return bars.assign(funding_rate=np.where(settles, rng.normal(1e-4, 3e-4, n_bars), np.nan))


@pytest.mark.parametrize("size", [3.0, -3.0], ids=["long", "short"])
def test_the_same_path_pays_the_same_funding_through_bars_of_any_length(size):
    hourly, paid = hourly_bars(), []
    terms = BrokerSettings(instrument=Perpetual())
    for hours in (1, 4, 8, 24):
        bars = hourly if hours == 1 else aggregate_bars(hourly, f"{hours}h")
        run = run_backtest(BuysAt, bars, broker=terms, bar=24 // hours, size=size)
        # all of them trade at the open of the second day
        assert run.fills.index.tolist() == [hourly.index[24]]
        paid.append(run.funding_paid)
    assert paid == pytest.approx([paid[0]] * 4, abs=1e-9)
    held = hourly.iloc[25:]
    marks = hourly["mark"].shift().loc[held.index]
    assert paid[0] == pytest.approx(size * (marks * held["funding_rate"]).sum(), abs=1e-9)


@pytest.fixture(scope="module")
def liquidated():
    bars = hourly_bars(6)
    bars.loc[bars.index[100:], ["open", "high", "low", "close", "mark"]] *= 0.4
    terms = BrokerSettings(instrument=Perpetual(leverage=2))
    return run_backtest(TwiceLong, bars, broker=terms, max_leverage=2)


def test_net_is_gross_less_costs_and_funding(liquidated):
    metrics = liquidated.metrics
    start = liquidated.equity.iloc[0]
    assert metrics["funding"] == pytest.approx(liquidated.funding_paid / start)
    assert metrics["liquidations"] == 1
    assert metrics["total_return"] == pytest.approx(
        metrics["gross_return"] - metrics["costs"] - metrics["funding"]
    )


def test_a_liquidation_is_said_with_its_date_wherever_the_result_is_shown(liquidated):
    words = "1 position was liquidated: 2024-01-05 04:00:00."
    assert words in liquidated.note
    assert words in repr(liquidated)
    assert words in liquidated._repr_html_()


def test_funding_and_liquidations_are_written_beside_the_trades(liquidated, tmp_path):
    liquidated.save(tmp_path)
    assert {"funding.csv", "liquidations.csv"} <= {file.name for file in tmp_path.iterdir()}
    metrics = pd.read_csv(tmp_path / "metrics.csv").iloc[0]
    assert metrics["funding"] == pytest.approx(liquidated.metrics["funding"])
    assert pd.read_csv(tmp_path / "trades.csv")["funding"].sum() == pytest.approx(
        liquidated.funding_paid
    )


def test_a_page_shows_gross_and_net_and_the_part_that_is_funding(tmp_path):
    bars = hourly_bars(12)
    terms = BrokerSettings(instrument=Perpetual(taker_rate=0.0004, leverage=2))
    strategies = {"Twice": (TwiceLong, {"max_leverage": 2.0}), "Hold": HOLD}
    comparison = compare(strategies, bars, broker=terms, start="2024-01-02")
    page = comparison.to_html(tmp_path / "page.html").read_text()
    header, provenance = page.split("</header>")[0], page.split('id="provenance"')[1]
    words = "perpetual, leverage 2, taker fee 0.04%"
    assert f"Orders fill at the next open; {words}, slippage 0.05% of each trade" in header
    assert "Perpetual(" not in header
    assert "taker fee 0.04%, maker fee 0.02%, half spread 0.00%" in provenance  # what is usual too
    assert "leverage = 2.0, taker_rate = 0.0004}" in provenance  # as it can be given again
    assert "Liquidations" not in page  # a column of zeros
    for heading in ("Gross and net", "Gross return", "Commission", "Slippage", "Funding"):
        assert heading in page
    assert "the funding of perpetual futures" not in page
    assert "Funding paid" in repr(comparison)


def test_what_is_missing_from_the_funding_is_said_once():
    bars = hourly_bars(20)
    bars.loc[bars.index[96], "funding_rate"] = np.nan
    terms = BrokerSettings(instrument=Perpetual())
    comparison = compare({"Hold": HOLD, "Twice": TwiceLong}, bars, broker=terms)
    (note,) = comparison.market_notes
    assert note.startswith("1 settlement missing from funding_rate")
    assert repr(comparison).count(note) == 1


@pytest.mark.parametrize("held", [{}, {"instrument": Spot()}], ids=["shares", "spot"])
def test_funding_that_nobody_pays_is_said_unless_spot_says_so(held):
    result = run_backtest(HOLD, hourly_bars(2), broker=BrokerSettings(**held))
    notes = list(result.market_notes)
    assert [note for note in notes if "no funding is paid" in note] == notes
    assert len(notes) == (not held)
    assert all("Perpetual" in note for note in notes)


def test_the_market_of_a_panel_whose_funding_nobody_pays_is_named_once():
    bars = hourly_bars(2)
    panel = {"A": bars, "B": bars, "C": bars.drop(columns="funding_rate"), "D": bars}
    terms = BrokerSettings(instruments={"A": Perpetual()})
    result = run_backtest(PORTFOLIO_BASELINES["Equal weight"], panel, broker=terms)
    (note,) = [note for note in result.notes if "no funding is paid" in note]
    assert note.startswith("B, D: the bars have funding rates")
    assert not result.by_market["funding"][["B", "C", "D"]].any()


def test_a_comparison_says_once_that_no_funding_is_paid():
    comparison = compare({"Hold": HOLD, "Twice": TwiceLong}, hourly_bars(20))
    assert [note[:31] for note in comparison.market_notes] == ["The bars have funding rates, an"]


def test_a_page_lists_liquidations_under_costs_and_funding_as_what_was_paid(tmp_path):
    bars = hourly_bars(12)
    bars.loc[bars.index[100:], ["open", "high", "low", "close", "mark"]] *= 0.4
    bars["funding_rate"] = bars["funding_rate"].abs()  # longs pay
    terms = BrokerSettings(instrument=Perpetual(leverage=2))
    strategies = {
        "Twice": (TwiceLong, {"max_leverage": 2.0}),
        "Again": (TwiceLong, {"max_leverage": 2.0}),
    }
    comparison = compare(strategies, bars, broker=terms, start="2024-01-02")
    page = comparison.to_html(tmp_path / "page.html").read_text()
    (costs, _), (trades, _), (left_out, _) = (
        page.split(f">{title}</h2>")[1].split("</section>", 1)
        for title in ("Gross and net", "Trades", "What was left out")
    )
    assert "All liquidated positions of Twice" in costs
    assert "Again: 1 position was liquidated: " in costs
    assert "liquidated" not in left_out
    (paid,) = {result.metrics["funding"] for result in comparison.results.values()}
    assert paid > 0
    assert f"-{paid:.2%}" in costs
    assert "Funding paid" in trades
    amount = comparison.results["Twice"].trades["funding"].iloc[0]
    assert f">{amount:,.0f}<" in trades
