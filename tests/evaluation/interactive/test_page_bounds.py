"""What a page holds of inputs without end: how many of how many is said."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy import BASELINES, compare
from lstm_strategy.evaluation.backtests import ResultSet
from lstm_strategy.evaluation.interactive import build_charts
from lstm_strategy.evaluation.interactive.bounds import MOST_CELLS, MOST_TRADES, most_rows
from lstm_strategy.evaluation.plots import choose_trades
from lstm_strategy.evaluation.report.page import table_html

BARS = random_walk(400, seed=5)
NAMES = ("MACD", "Buy and hold")


@pytest.fixture(scope="module")
def comparison():
    return compare({name: BASELINES[name] for name in NAMES}, BARS)


def test_of_many_trades_those_with_the_largest_profits_and_losses_are_marked(comparison):
    own = comparison.results["MACD"]
    trades = own.trades.iloc[[0] * 3_000].assign(pnl=np.arange(3_000.0) - 1_500)
    results = ResultSet({"MACD": replace(own, trades=trades)}, own.broker)
    charts = build_charts(results, BARS)
    assert "Of 3,000 trades 2,000 are marked" in charts.price
    marked = choose_trades(trades, most=MOST_TRADES)["pnl"]
    assert len(marked) == 2_000
    assert marked.is_monotonic_increasing  # in their own order
    assert marked.abs().min() >= trades["pnl"].abs().sort_values().iloc[999]


def test_all_of_few_trades_are_marked(comparison):
    assert "are marked:" not in build_charts(comparison, BARS).price


def test_of_many_strategies_the_best_are_drawn_and_all_are_listed(comparison):
    held, own = (comparison.results[name] for name in ("Buy and hold", "MACD"))
    many = {f"S{n}": replace(own, name=f"S{n}") for n in range(30)}
    for n, each in enumerate(many.values()):
        vars(each)["metrics"] = own.metrics.rename(each.label).where(
            own.metrics.index != "sharpe", n
        )
    results = ResultSet({"MACD": own, **many, "Hold": held}, own.broker)
    assert list(results.keep_best(4, "MACD").results) == ["MACD", "S28", "S29", "Hold"]
    assert results.keep_best(32) is results
    charts = build_charts(results, BARS, name="MACD")
    assert charts.equity.count("data-series=") == 24
    assert "24 of 32 are drawn" in charts.equity


@pytest.mark.parametrize("n_columns", [1, 3, 24, 72])
def test_a_chart_of_many_lines_has_fewer_rows(n_columns):
    assert 2 + 2 * n_columns <= most_rows(n_columns) <= 5_000
    assert n_columns * most_rows(n_columns) <= MOST_CELLS


def test_a_long_table_says_what_it_leaves_out_and_keeps_the_row_that_stands_out():
    names = [f"S{n}" for n in range(600)]
    table = pd.DataFrame({"Sharpe": ["1.00"] * 600}, names)
    page = table_html(table, "All strategies", first="Strategy", strong="S599")
    assert page.count("<tr") == 1 + 500 + 1
    assert "All strategies (the first 500 of 600 rows)" in page
    assert 'class="own"><th scope="row">S599<' in page
