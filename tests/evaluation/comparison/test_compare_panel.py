"""Strategies compared on many markets."""

import re

import numpy as np
import pandas as pd
import pytest
from made_up import ConstantForecaster, RememberingForecaster, random_walk

from lstm_strategy import (
    BASELINES,
    PORTFOLIO_BASELINES,
    BrokerSettings,
    LSTMStrategy,
    RankStrategy,
    compare,
)
from lstm_strategy.errors import StrategyFailedError
from lstm_strategy.evaluation.backtests import Role, check_markets, market_close

PANEL = {name: random_walk(200, seed=seed) for seed, name in enumerate("ABC")}
PANEL["C"] = PANEL["C"].iloc[50:]
BROKER = BrokerSettings(commission_rate=0.0005)


@pytest.fixture(scope="module")
def comparison():
    strategies = {
        "LSTM": (LSTMStrategy, {"model": RememberingForecaster()}),
        "Rank": (RankStrategy, {"model": RememberingForecaster(), "share": 0.3}),
        "Equal weight": PORTFOLIO_BASELINES["Equal weight"],
        "Risk": PORTFOLIO_BASELINES["Volatility-scaled hold"],
    }
    return compare(strategies, PANEL, broker=BROKER, n_jobs=1)


def test_all_begin_on_the_date_on_which_the_last_is_warm(comparison):
    firsts = {result.first_tradable for result in comparison.results.values()}
    assert firsts == {PANEL["A"].index[60]}
    assert list(comparison.table.index) == ["LSTM", "Rank", "Equal weight", "Risk"]


def test_equal_weight_is_the_market_of_a_panel(comparison):
    assert comparison.buy_and_hold.name == "Equal weight"
    assert comparison.results["Risk"].role is Role.RULE
    assert comparison.judged_name == "LSTM"


def test_correlations_are_those_of_the_returns(comparison):
    returns = comparison.equity.pct_change()
    expected = np.corrcoef(returns["Risk"].iloc[1:], returns["Equal weight"].iloc[1:])[0, 1]
    correlations = comparison.correlations("Risk")
    assert correlations.index.tolist() == ["LSTM", "Rank", "Equal weight"]
    assert correlations["Equal weight"] == pytest.approx(expected)


def alt_of(page):
    """The words of the picture of what each market earned."""
    return re.search(r'alt="(What each market earned over time[^"]*)"', page)[1]


@pytest.mark.usefixtures("no_pictures")
def test_the_report_has_every_market_and_the_correlations(comparison, tmp_path):
    robustness = comparison.try_robustness()
    assert robustness.delays["sharpe"].notna().all()
    assessment = comparison.assess(robustness=robustness)
    page = comparison.to_html(tmp_path / "report.html", assessment=assessment).read_text()
    correlations = "correlate with those of the other"
    for words in ("Each market, with contribution", correlations, "3: A, B, C"):
        assert words in page
    earned = comparison.find().by_market["contribution"]
    told = {
        name: float(number) for name, number in re.findall(r"\b([ABC]) (-?[\d.]+)%", alt_of(page))
    }
    assert told == pytest.approx((100 * earned).to_dict(), abs=0.006)
    assert 'id="chart-markets"' in page
    assert comparison.save(tmp_path / "out").joinpath("metrics.csv").exists()


@pytest.mark.slow  # starts two processes
def test_worker_processes_give_the_same():
    names = ("Equal weight", "Volatility-scaled hold")
    strategies = {name: PORTFOLIO_BASELINES[name] for name in names}
    alone, together = (compare(strategies, PANEL, n_jobs=n_jobs) for n_jobs in (1, 2))
    pd.testing.assert_frame_equal(alone.equity, together.equity)


def test_a_strategy_of_one_market_is_named():
    strategies = {"MACD": BASELINES["MACD"], "All": PORTFOLIO_BASELINES["Equal weight"]}
    with pytest.raises(StrategyFailedError, match="MACD trades one market, and the panel has 3"):
        compare(strategies, PANEL, n_jobs=1)


def test_models_of_the_same_forecasts_are_asked_once():
    model = ConstantForecaster(0.5)
    both = {name: (LSTMStrategy, {"model": model}) for name in ("One", "Other")}
    compare(both, PANEL, n_jobs=1)
    assert model.n_batch_calls == 3  # one market at a time


def test_the_market_of_a_panel_is_the_mean_return_of_its_markets():
    days = pd.date_range("2024-01-01", periods=3)

    def bars(closes, index):
        prices = dict.fromkeys(("open", "high", "low", "close"), pd.Series(closes, index))
        return pd.DataFrame({**prices, "volume": 1.0})

    panel = {"A": bars([10.0, 11.0, 11.0], days), "B": bars([20.0, 30.0], days[1:])}
    # Day 2: A alone rises by 10%. Day 3: nothing and 50%.
    assert market_close(check_markets(panel)).tolist() == pytest.approx([1, 1.1, 1.1 * 1.25])
