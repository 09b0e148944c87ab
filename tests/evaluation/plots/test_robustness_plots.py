import math

import numpy as np
import pandas as pd
import pytest

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.plots.robustness import (
    plot_cost_break_even,
    plot_delay_break_even,
    plot_each_cost,
    plot_folds,
    plot_members,
    plot_permutation_test,
)


def line_named(ax, name):
    return next(line for line in ax.get_lines() if line.get_label() == name)


def sharpes(values, name="delay_bars"):
    return pd.DataFrame({"sharpe": values}).rename_axis(name)


@pytest.mark.parametrize(
    ("values", "break_even_bps", "title"),
    [
        ({0: 1.0, 10: -1.0}, 5.0, "The edge is gone at 5 bps per trade"),
        ({0: 1.0, 50: 0.2}, math.inf, "Still above zero at 50 bps"),
        ({0: -0.1, 50: -2.0}, math.nan, "No profit even without commission"),
    ],
    ids=["between", "beyond", "never"],
)
def test_the_cost_curve_says_where_the_edge_is_gone(values, break_even_bps, title):
    costs = sharpes(values)
    figure = plot_cost_break_even(costs, break_even_bps=break_even_bps, charged_bps=10.0)
    (ax,) = figure.axes
    assert ax.get_title(loc="left") == title
    assert ax.get_lines()[0].get_xydata().tolist() == [[x, y] for x, y in values.items()]
    assert "charged here: 10" in [text.get_text().strip() for text in ax.texts]


def test_the_delay_curve_says_what_one_bar_costs():
    ax = plot_delay_break_even(sharpes([1.5, 0.25, np.nan])).axes[0]
    assert ax.get_title(loc="left") == "Sharpe ratio 1.50, one bar later 0.25"
    assert ax.get_lines()[0].get_ydata().tolist() == [1.5, 0.25]
    flat = plot_delay_break_even(sharpes([np.nan, np.nan])).axes[0]
    assert flat.get_title(loc="left") == "Orders that come late"


def test_each_cost_is_shown_without_it_as_charged_and_twice():
    keys = [("spread", 0), ("spread", 1), ("spread", 2), ("funding", 0), ("funding", 1)]
    index = pd.MultiIndex.from_tuples(keys, names=["cost", "times"])
    ax = plot_each_cost(pd.DataFrame({"sharpe": [0.7, 0.5, 0.3, 0.9, 0.5]}, index)).axes[0]
    assert ax.get_title(loc="left") == "Sharpe ratio 0.50, without funding 0.90"
    assert line_named(ax, "spread").get_xydata().tolist() == [[0, 0.7], [1, 0.5], [2, 0.3]]
    assert line_named(ax, "funding").get_xydata().tolist() == [[0, 0.9], [1, 0.5]]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["none", "as charged", "twice"]


def test_the_members_are_shown_as_worst_best_and_median():
    day = pd.date_range("2020-01-01", periods=2, tz="Asia/Tokyo")
    curves = pd.DataFrame({7: [100.0, 90.0], 8: [100.0, 120.0], 9: [200.0, 220.0]}, index=day)
    ax = plot_members(curves, own=pd.Series([50.0, 60.0], index=day)).axes[0]
    assert ax.get_title(loc="left") == "3 members: -10% to 20%, 1 with a loss"
    assert line_named(ax, "median member").get_ydata().tolist() == pytest.approx([1.0, 1.1])
    assert line_named(ax, "ensemble").get_ydata().tolist() == pytest.approx([1.0, 1.2])
    heights = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == pytest.approx((0.9, 1.2))


def test_members_that_all_ended_alike_are_said_with_one_number():
    day = pd.date_range("2020-01-01", periods=2)
    curves = pd.DataFrame({0: [100.0, 211.0], 1: [100.0, 211.2]}, day)
    assert (
        plot_members(curves).axes[0].get_title(loc="left") == "2 members: 111% each, 0 with a loss"
    )


def test_a_figure_without_members_is_refused():
    with pytest.raises(TradingError, match="at least one member"):
        plot_members(pd.DataFrame(index=pd.date_range("2020-01-01", periods=2)))


def test_the_permutation_test_shows_where_the_real_result_falls():
    (ax,) = plot_permutation_test(2.0, [0.0, 1.0, math.nan], p_value=0.5).axes
    assert ax.get_title(loc="left") == "1 of 3 shuffles did as well, p = 0.500"
    marks = {tuple(line.get_xdata()) for line in ax.lines}
    assert marks == {(0.0, 1.0), (2.0, 2.0)}


@pytest.mark.parametrize("has_market", [True, False])
def test_each_fold_is_a_bar(has_market):
    folds = pd.DataFrame(
        {
            "first": pd.to_datetime(["2020-01-01", "2021-01-01"]),
            "total_return": [0.1, -0.2],
            "market_return": [0.3, 0.4],
        },
        index=[1, 2],
    )
    folds = folds if has_market else folds.drop(columns="market_return")
    ax = plot_folds(folds).axes[0]
    heights = [bar.get_height() for bar in ax.patches]
    assert heights == [0.1, -0.2, 0.3, 0.4] if has_market else [0.1, -0.2]
    assert ax.get_title(loc="left") == "1 of 2 folds with a profit"
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert labels == ["1\n2020-01", "2\n2021-01"]


def test_a_return_that_is_shown_as_nothing_is_no_profit():
    first = pd.to_datetime(["2020", "2021", "2022", "2023"])
    folds = pd.DataFrame({"total_return": [0.0006, 0.0004, 0.0, -0.1], "first": first})
    assert plot_folds(folds).axes[0].get_title(loc="left") == "1 of 4 folds with a profit"
