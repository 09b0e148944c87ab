import subprocess
import sys
from types import SimpleNamespace

import matplotlib
import matplotlib.dates
import numpy as np
import pandas as pd
import pytest

from lstm_strategy import BrokerSettings
from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.plots.curves import build_curves
from lstm_strategy.evaluation.plots.equity import plot_equity
from lstm_strategy.evaluation.plots.style import STRONG_COLORS


def build_result(name, equity, *, exposure=None, in_sample=False, tz=None, role=""):
    """Just enough of a `BacktestResult` for a figure."""
    index = pd.date_range("2020-01-01", periods=len(equity), freq="D", tz=tz)
    return SimpleNamespace(
        label=f"{name} (IN-SAMPLE)" if in_sample else name,
        equity=pd.Series(equity, index=index, dtype=float),
        exposure=pd.Series(exposure or [1.0] * len(equity), index=index),
        broker=BrokerSettings(commission_rate=0.001, slippage_rate=0.0005),
        is_lstm=role == "LSTM",
        is_buy_and_hold=role == "buy and hold",
        in_sample=in_sample,
    )


def three_results():
    lstm = {"exposure": [0.0, 1.0, -1.0, 0.5], "role": "LSTM"}
    results = [
        build_result("Buy and hold", [100.0, 110.0, 99.0, 120.0], role="buy and hold"),
        build_result("LSTM", [200.0, 190.0, 210.0, 220.0], **lstm),
        build_result("Momentum", [50.0, 50.0, 40.0, 45.0]),
    ]
    return {result.label: result for result in results}


def line_named(ax, name):
    return next(line for line in ax.get_lines() if line.get_label() == name)


def test_the_upper_panel_shows_each_equity_curve_as_growth_of_one():
    panel = plot_equity(three_results()).axes[0]
    drawn = {name: line_named(panel, name).get_ydata().tolist() for name in three_results()}
    assert drawn == {
        "Buy and hold": pytest.approx([1.0, 1.1, 0.99, 1.2]),
        "LSTM": pytest.approx([1.0, 0.95, 1.05, 1.1]),
        "Momentum": pytest.approx([1.0, 1.0, 0.8, 0.9]),
    }


def test_the_panels_are_named_and_share_the_time_axis():
    figure = plot_equity(three_results())
    labels = [ax.get_ylabel() for ax in figure.axes]
    assert labels == ["Growth of 1 (log)", "Drawdown", "Exposure"]
    assert figure.axes[0].get_yscale() == "log"
    assert len({ax.get_xlim() for ax in figure.axes}) == 1


def test_the_legend_is_sorted_by_final_value_and_says_it():
    legend = plot_equity(three_results()).axes[0].get_legend()
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts == ["Buy and hold  20.0%", "LSTM  10.0%", "Momentum  -10.0%"]
    colors = [handle.get_color() for handle in legend.legend_handles]
    assert colors[0] == "black"
    assert len(set(colors)) == 3


def test_the_drawdown_panel_shows_the_distance_from_the_peak():
    panel = plot_equity(three_results()).axes[1]
    assert line_named(panel, "Momentum").get_ydata().tolist() == pytest.approx([0, 0, -0.2, -0.1])


def test_only_the_highlighted_strategy_shows_its_exposure():
    panel = plot_equity(three_results()).axes[2]
    names = [line.get_label() for line in panel.get_lines() if line.get_label()[0] != "_"]
    assert names == ["LSTM"]
    assert line_named(panel, "LSTM").get_ydata().tolist() == [0.0, 1.0, -1.0, 0.5]


def test_highlight_chooses_the_strategies_in_strong_colours():
    panel = plot_equity(three_results(), highlight=["Momentum", "Buy and hold"]).axes[2]
    names = [line.get_label() for line in panel.get_lines() if line.get_label()[0] != "_"]
    assert names == ["Buy and hold", "Momentum"]


def test_highlighting_an_unknown_strategy_names_the_known_ones():
    with pytest.raises(TradingError, match=r"got 'LTSM'.*Buy and hold, LSTM, Momentum"):
        plot_equity(three_results(), highlight="LTSM")


def test_colours_follow_the_roles_whatever_the_names_are():
    results = {
        "LSTM": build_result("LSTM", [1.0, 2.0]),
        "Buy and hold": build_result("Buy and hold", [1.0, 1.5]),
        "X": build_result("X", [1.0, 1.2], role="buy and hold"),
        "Y": build_result("Y", [1.0, 1.1], role="LSTM"),
    }
    figure = plot_equity(results)
    colors = {name: line_named(figure.axes[0], name).get_color() for name in results}
    assert colors["X"] == "black"
    assert colors["Y"] == STRONG_COLORS[0]
    assert not {colors["LSTM"], colors["Buy and hold"]} & {"black", STRONG_COLORS[0]}
    assert figure.axes[2].get_lines()[0].get_label() == "Y"


def test_without_an_lstm_the_first_strategy_is_highlighted():
    results = {name: build_result(name, [1.0, 2.0]) for name in ("Momentum", "LSTM")}
    assert line_named(plot_equity(results).axes[2], "Momentum").get_color() == STRONG_COLORS[0]


def test_the_title_gives_span_and_costs():
    title = plot_equity(three_results()).axes[0].get_title(loc="left")
    assert title.splitlines() == [
        "3 strategies on the same bars, 2020-01-01 to 2020-01-04",
        "after costs: commission 0.10% and slippage 0.05% of each trade",
    ]


@pytest.mark.parametrize("highlight", ["LSTM", "LSTM (IN-SAMPLE)"])
def test_an_in_sample_result_is_called_that_in_title_and_legend(highlight):
    results = {"LSTM": build_result("LSTM", [1.0, 2.0], in_sample=True)}
    panel = plot_equity(results, highlight=highlight).axes[0]
    assert panel.get_title(loc="left").startswith("IN-SAMPLE")
    assert panel.get_legend().get_texts()[0].get_text() == "LSTM (IN-SAMPLE)  100.0%"


def test_results_in_sample_keep_the_names_under_which_they_are_drawn():
    results = {
        "first": build_result("LSTM", [1.0, 2.0], in_sample=True),
        "second": build_result("LSTM", [1.0, 3.0], in_sample=True),
    }
    legend = plot_equity(results).axes[0].get_legend()
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts == ["second (IN-SAMPLE)  200.0%", "first (IN-SAMPLE)  100.0%"]
    assert len({handle.get_color() for handle in legend.legend_handles}) == 2


def test_a_legend_shows_the_look_of_each_line_where_two_have_one_name():
    results = {
        "LSTM": build_result("LSTM", [1.0, 2.0], in_sample=True),
        "LSTM (IN-SAMPLE)": build_result("Rule", [1.0, 3.0]),
    }
    legend = plot_equity(results).axes[0].get_legend()
    assert [text.get_text()[-6:] for text in legend.get_texts()] == ["200.0%", "100.0%"]
    assert [each.get_color() == STRONG_COLORS[0] for each in legend.legend_handles] == [False, True]


def test_a_single_result_and_plain_curves_can_be_drawn_too():
    single = plot_equity(three_results()["Momentum"])
    assert single.axes[0].get_title(loc="left").startswith("Momentum, 2020-01-01")
    plain = plot_equity({"mine": three_results()["LSTM"].equity}, log=False)
    assert [ax.get_ylabel() for ax in plain.axes] == ["Growth of 1", "Drawdown"]


def test_twelve_strategies_all_look_different():
    curves = {f"s{i}": build_result(f"s{i}", [1.0, 1.0 + i]) for i in range(12)}
    looks = [curve.look for curve in build_curves(curves, None)]
    assert len({(look["color"], look["ls"]) for look in looks}) == 12


@pytest.mark.parametrize(
    "equity",
    [[100.0], [100.0, 100.0], [100.0, -5.0, -5.0], [1.0, 1e6]],
    ids=["one value", "flat", "ruined", "six decades"],
)
def test_awkward_curves_are_drawn_without_a_warning(equity):
    assert plot_equity(build_result("odd", equity))._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize("width", [11.0, 5.2], ids=["wide", "phone"])
def test_whatever_the_names_there_is_room_for_the_curves(width):
    names = ["N" * 200, "$\\wrong{$", "a\nb", "\N{ROCKET}", "_hidden", "\u05d0\u05d1"]
    curves = {name: build_result(name, [1.0, 1.1, 1.2]).equity for name in names}
    figure = plot_equity(curves, width_inches=width)
    assert figure._repr_png_().startswith(b"\x89PNG")
    left, _, share, _ = figure.axes[0].get_position().bounds
    assert left + share > 0.5
    legend = figure.axes[0].get_legend() or figure.legends[0]
    assert len(legend.get_texts()) == len(names)


def test_bars_with_a_time_zone_are_drawn_at_their_local_time():
    figure = plot_equity(build_result("LSTM", [1.0, 2.0, 3.0], tz="Asia/Tokyo"))
    assert str(line_named(figure.axes[0], "LSTM").get_xdata()[0])[:16] == "2020-01-01T00:00"


def test_nothing_to_draw_is_refused():
    with pytest.raises(TradingError, match="at least one strategy"):
        plot_equity({})


def ledger_of(fold, *, tz=None):
    index = pd.date_range("2020-01-01", periods=len(fold), freq="D", tz=tz)
    return pd.DataFrame({"fold": fold, "train_end": pd.Timestamp("2019-12-31")}, index=index)


def strip_of(figure):
    return next(ax for ax in figure.axes if ax.get_ylabel() == "Fold")


@pytest.mark.parametrize("tz", [None, "Asia/Tokyo"])
def test_the_ledger_is_a_strip_with_a_piece_for_each_fold(tz):
    result = build_result("LSTM", [1.0, 1.1, 1.2, 1.3, 1.2, 1.1], tz=tz)
    figure = plot_equity(result, ledger=ledger_of([3, 3, 3, 4, 4, 4], tz=tz))
    strip = strip_of(figure)
    day = matplotlib.dates.date2num(pd.Timestamp("2020-01-01"))
    pieces = [(piece.get_x() - day, piece.get_width()) for piece in strip.patches]
    assert pieces == [(0.0, 2.0), (3.0, 2.0)]
    assert strip.patches[0].get_facecolor() != strip.patches[1].get_facecolor()
    texts = [text.get_text() for text in strip.texts]
    assert texts == ["3: to 2019-12", "4: to 2019-12"]
    labels = [ax.get_ylabel() for ax in figure.axes]
    assert labels == ["Growth of 1 (log)", "Fold", "Drawdown", "Exposure"]


def test_a_piece_of_the_strip_says_only_what_it_has_room_for():
    n_folds = 30
    curve = build_result("LSTM", [1.0] * (10 * n_folds))
    figure = plot_equity(curve, ledger=ledger_of(np.repeat(range(1, n_folds + 1), 10)))
    texts = [text.get_text() for text in strip_of(figure).texts]
    assert texts == [str(number) for number in range(1, n_folds + 1)]


def test_folds_outside_of_the_curve_are_not_drawn():
    result = build_result("LSTM", [1.0, 1.1, 1.2])
    strip = strip_of(plot_equity(result, ledger=ledger_of([1, 1, 1, 2, 2])))
    assert len(strip.patches) == 1
    assert strip.get_xlim() == strip.figure.axes[0].get_xlim()


@pytest.mark.parametrize("width_inches", [4.0, 11.0])
def test_dates_have_ticks_whatever_the_span(width_inches):
    for days in (12, 90, 700, 1_079, 1_564, 5_000):  # three and four years: 7 ticks at most
        index = pd.date_range("2000-01-03", periods=2, freq=f"{days}D")
        figure = plot_equity({"LSTM": pd.Series([1.0, 2.0], index)}, width_inches=width_inches)
        figure.draw_without_rendering()  # matplotlib's warnings are errors here
        assert 3 <= len(figure.axes[-1].get_xticks()) <= 12


def test_a_narrow_figure_has_its_legend_below_and_its_title_within():
    figure = plot_equity(three_results(), width_inches=4.0)
    assert figure.axes[0].get_legend() is None
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["Buy and hold  20.0%", "LSTM  10.0%", "Momentum  -10.0%"]
    assert max(map(len, figure.axes[0].get_title(loc="left").splitlines())) <= 50
    figure.draw_without_rendering()
    title = figure.axes[0]._left_title
    assert title.get_window_extent().x1 <= figure.bbox.x1
    assert title.get_size() < plot_equity(three_results()).axes[0]._left_title.get_size() == 11


def test_the_users_matplotlib_settings_survive():
    with matplotlib.rc_context({"font.size": 23.0}):
        plot_equity(three_results())
        assert matplotlib.rcParams["font.size"] == 23.0


def test_equity_figures_need_neither_pyplot_nor_a_backend():
    script = (
        "import sys, pandas as pd, matplotlib\n"
        "from lstm_strategy.evaluation.plots import plot_equity\n"
        "plot_equity({'a': pd.Series([1.0, 2.0])\n"
        "    .set_axis(pd.date_range('2020', periods=2))})._repr_png_()\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "assert matplotlib.rcParams._get_backend_or_none() is None\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
