"""Pictures of markets, by prices and trades made up by hand."""

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
import pytest

from lstm_strategy.evaluation.plots import (
    choose_trades,
    most_marked,
    plot_contributions,
    plot_course,
    plot_price,
    rank_trades,
)

DAYS = pd.date_range("2024-01-01", periods=5, tz="America/New_York")
CLOSE = pd.Series([10.0, 12.0, 11.0, 9.0, 8.0], DAYS)
TRADES = pd.DataFrame(
    {
        "entry": DAYS[[0, 2, 3]],
        "exit": [DAYS[1], DAYS[3], pd.NaT],
        "size": [5.0, 5.0, -5.0],
        "entry_price": [10.0, 11.0, 9.0],
        "exit_price": [12.0, 9.0, np.nan],
        "pnl": [10.0, -10.0, 5.0],
    }
)
PROFIT, LOSS, OPEN = "#0072b2", "#d55e00", "#7f7f7f"


def spans_of(ax):
    """Color and prices at both ends of the lines from entries to exits."""
    return [(line.get_color(), line.get_ydata().tolist()) for line in ax.get_lines()[1:]]


def marked_days(ax):
    """The places of all marks: entries of longs, entries of shorts, exits."""
    return [
        [(mdates.num2date(x).day, float(y)) for x, y in marks.get_offsets()]
        for marks in ax.collections
    ]


def test_each_trade_runs_from_its_entry_to_its_exit_or_to_the_last_close():
    (ax,) = plot_price(CLOSE, TRADES).axes
    assert ax.get_lines()[0].get_ydata().tolist() == CLOSE.to_list()
    assert spans_of(ax) == [(PROFIT, [10.0, 12.0]), (LOSS, [11.0, 9.0]), (OPEN, [9.0, 8.0])]
    longs, shorts, exits = [(1, 10.0), (3, 11.0)], [(4, 9.0)], [(2, 12.0), (4, 9.0)]
    assert marked_days(ax) == [longs, shorts, exits]


def test_the_key_names_only_the_kinds_of_trades_that_there_are():
    (legend,) = plot_price(CLOSE, TRADES.iloc[:1]).legends
    said = [text.get_text() for text in legend.get_texts()]
    assert said == ["profit", "entry, long", "exit"]


def test_a_price_without_trades_has_no_key():
    figure = plot_price(CLOSE, TRADES.iloc[:0])
    assert not figure.legends and len(figure.axes[0].get_lines()) == 1


def test_the_forecast_stands_below_with_its_uncertainty_around_it():
    told = pd.DataFrame({"forecast": 0.5, "uncertainty": [0.1, 0.1, 0.1, 0.1, np.nan]}, DAYS)
    price, below = plot_price(CLOSE, TRADES, forecast=told).axes
    assert below.get_ylabel() == "Forecast"
    assert price.get_xlim() == below.get_xlim()
    (band,) = below.collections
    heights = {round(float(y), 3) for y in band.get_paths()[0].vertices[:, 1]}
    assert heights == {0.4, 0.5, 0.6}


def test_of_trades_without_room_the_largest_are_marked():
    many = TRADES.iloc[[0] * 100].assign(pnl=np.arange(100.0))
    (ax,) = plot_price(CLOSE, many, width_inches=5.0).axes
    assert len(spans_of(ax)) == most_marked(5.0) == 40
    assert choose_trades(many, most=40)["pnl"].to_list() == list(range(60, 100))


def test_open_trades_rank_before_all_and_equals_by_their_time():
    assert rank_trades(TRADES).tolist() == [1, 2, 0]


@pytest.mark.parametrize("width", [5.2, 11.0])
def test_contributions_have_a_line_each_and_their_sum_in_black(width):
    earned = pd.DataFrame({"A": [0.0, 0.5, 0.25], "B": [0.0, -0.5, 0.5]}, DAYS[:3])
    figure = plot_contributions(earned, width_inches=width)
    drawn = {line.get_label(): line for line in figure.axes[0].get_lines()[:3]}
    assert list(drawn) == ["A  25.0%", "B  50.0%", "All markets  75.0%"]
    total = drawn["All markets  75.0%"]
    assert total.get_ydata().tolist() == [0.0, 0.0, 0.75] and total.get_color() == "black"
    legend = figure.legends[0] if width < 8 else figure.axes[0].get_legend()
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["All markets  75.0%", "B  50.0%", "A  25.0%"]  # as at the right edge


def test_no_two_of_ten_markets_look_alike():
    earned = pd.DataFrame(0.0, DAYS, [f"M{number}" for number in range(10)])
    lines = plot_contributions(earned).axes[0].get_lines()[:11]
    # the style that matplotlib names is one for all broken lines
    assert len({(line.get_color(), str(line._unscaled_dash_pattern)) for line in lines}) == 11


def test_forecasts_of_many_markets_share_their_axes():
    told = pd.DataFrame({"forecast": [0.1, 0.2], "uncertainty": np.nan}, DAYS[:2])
    upper, lower = plot_course({"A": told, "B": told * 3}, label="Return").axes
    assert upper.get_ylim() == lower.get_ylim()
    assert upper.get_lines()[0].get_ydata().tolist() == [0.1, 0.2]


def test_marks_stand_at_the_first_and_last_fill_where_these_are_known():
    (ax,) = plot_price(CLOSE, TRADES.iloc[:1].assign(entry_mark=9.5, exit_mark=12.5)).axes
    assert spans_of(ax) == [(PROFIT, [9.5, 12.5])]
