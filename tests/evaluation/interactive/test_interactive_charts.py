"""What the charts hold, by hand-worked curves and a forecaster that always says the same."""

import base64
import gzip
import hashlib
import json
import re
import subprocess
import sys
from html.parser import HTMLParser

import backtrader as bt
import numpy as np
import pandas as pd
import pytest
from bokeh.core.properties import value

from lstm_strategy import (
    BASELINES,
    PORTFOLIO_BASELINES,
    BrokerSettings,
    LSTMStrategy,
    compare,
    run_backtest,
    sample_bars,
)
from lstm_strategy.evaluation.interactive import build_charts, content_policy, view_markets
from lstm_strategy.evaluation.interactive.panels import Timeline, draw_equity, draw_price
from lstm_strategy.evaluation.interactive.series import (
    MARKET_COLOR,
    Series,
    choose_series,
    milliseconds,
)
from lstm_strategy.evaluation.plots import plot_equity
from lstm_strategy.learning.forecaster import FORECAST_COLUMNS, Forecaster

HOSTILE = "</script><b>&\u2028Mine"


class Halves(Forecaster):
    warm_up, bars_columns, training_end = 0, ["close"], None

    def forecast(self, bars):
        frame = pd.DataFrame(index=bars.index, columns=FORECAST_COLUMNS, data=0.5)
        return frame.assign(uncertainty=0.125)

    def stream(self, history=None):
        raise NotImplementedError


class Signals(Halves):
    def forecast(self, bars):
        return super().forecast(bars).assign(forecast=np.nan, uncertainty=np.nan)


@pytest.fixture(scope="module")
def comparison():
    strategies = {
        HOSTILE: (LSTMStrategy, {"model": Halves()}),
        **{name: BASELINES[name] for name in ("Buy and hold", "MACD", "RSI reversion")},
    }
    return compare(strategies, sample_bars("sp500")["2015":], start="2016")


@pytest.fixture(scope="module")
def charts(comparison):
    bars = sample_bars("sp500")["2015":]
    return build_charts(comparison, bars, name="MACD", model=Halves())


@pytest.fixture(scope="module")
def sources(charts):
    """The columns of every source of the document, as numbers and texts."""
    return sources_of(charts)


def sources_of(charts):
    text = re.search(r'id="chart-data">(.*?)</script>', charts.data, re.DOTALL)[1]
    found = []
    collect(json.loads(text)["document"], found)
    return found


def collect(node, found):
    if isinstance(node, list):
        for each in node:
            collect(each, found)
    elif isinstance(node, dict):
        if node.get("name") == "ColumnDataSource":
            entries = node["attributes"]["data"]["entries"]
            found.append({name: unpack(values) for name, values in entries})
        for each in node.values():
            collect(each, found)


def unpack(values):
    if not isinstance(values, dict) or values.get("type") != "ndarray":
        return values
    data = base64.b64decode(values["array"]["data"])
    if data[:2] == b"\x1f\x8b":  # newer versions of bokeh compress them
        data = gzip.decompress(data)
    return np.frombuffer(data, values["dtype"])


def test_the_curves_are_those_of_the_backtests(comparison, sources):
    (curves,) = [source for source in sources if "s0_growth" in source]
    for number, result in enumerate(comparison.results.values()):
        growth = (result.equity / result.equity.iloc[0]).to_numpy()
        np.testing.assert_allclose(curves[f"s{number}_growth"], growth, rtol=1e-6)
        np.testing.assert_allclose(
            curves[f"s{number}_exposure"], result.exposure.to_numpy(), atol=1e-6
        )
    days = pd.to_datetime(curves["x"], unit="ms")
    assert list(days) == list(comparison.equity.index)


def test_every_trade_is_drawn_with_its_profit(comparison, sources):
    trades = comparison.find("MACD").trades
    (drawn,) = [source for source in sources if "entry_price" in source]
    np.testing.assert_allclose(drawn["entry_price"], trades["entry_price"])  # one fill each
    first = trades.iloc[0]
    assert drawn["profit"][0] == f"{first['pnl']:,.2f} ({first['return']:.2%})"
    assert drawn["out"][0].startswith(f"{first['exit']:%Y-%m-%d} at ")
    is_gain = (trades["pnl"] >= 0) & trades["exit"].notna()
    assert [color == "#0072b2" for color in drawn["color"]] == is_gain.to_list()


def test_a_trade_that_grows_is_marked_at_its_first_fill_and_says_its_average():
    days = pd.date_range("2024-01-01", periods=4)
    prices = [10.0, 10.0, 20.0, 24.0]
    columns = dict.fromkeys(("open", "high", "low", "close"), prices)
    bars = pd.DataFrame({**columns, "volume": 1.0}, days)
    free = BrokerSettings(commission_rate=0.0, slippage_rate=0.0)
    result = run_backtest(Grows, bars, broker=free)
    views = view_markets(result, bars)
    (trade,) = views.trades.to_dict("records")
    # 2,000 units at 10, then as many at 20
    assert trade["entry_price"] == pytest.approx(15.0)
    assert (trade["entry"], trade["entry_mark"]) == (days[1], 10.0)
    source = drawn_trades(views)
    assert source["entry_price"].tolist() == [10.0]
    assert source["into"] == ["2024-01-02 at 10"]
    assert source["average"] == ["15 in"]  # still open
    assert source["trade"] == [f"long, {trade['units']:,.0f} units"]  # those of the table


@pytest.mark.parametrize("lowest, decimals", [(100.0, 4), (0.002, 7), (1e-30, 20), (-5.0, 4)])
def test_prices_far_below_one_are_written_with_their_digits(lowest, decimals):
    close = pd.Series([lowest + 1, lowest, lowest + 2], pd.date_range("2024-01-01", periods=3))
    timeline = Timeline(0.0, 1.0, n_bars=3)
    layout = draw_price(timeline, {"": close}, pd.DataFrame(), {})
    (form,) = {axis.formatter.format for axis in layout.children[0].yaxis}
    assert form == f"0,0.[{'0' * decimals}]"


class Grows(bt.Strategy):
    def next(self):
        if len(self) <= 2:
            self.buy(size=2_000)


def drawn_trades(views):
    (close,) = views.closes.values()
    timeline = Timeline(*milliseconds(close.index[[0, -1]]), n_bars=len(close))
    layout = draw_price(timeline, views.closes, views.trades, {})
    sources = [each.data_source for each in layout.children[0].renderers]
    return next(source.data for source in sources if "entry" in source.data)


def test_the_forecast_has_its_uncertainty_around_it(sources):
    (said,) = [source for source in sources if "forecast" in source]
    assert set(said["forecast"]) == {0.5}
    assert set(said["low"]) == {0.375} and set(said["high"]) == {0.625}


def test_close_and_forecast_of_a_thinned_chart_stand_at_the_same_dates():
    rises = np.arange(6_000.0)
    dates = pd.date_range("2020-01-01", periods=len(rises), freq="h")
    close = pd.Series(rises, dates, name="close")
    forecast = pd.DataFrame({"forecast": -rises, "uncertainty": rises % 7}, dates)
    timeline = Timeline(*milliseconds(dates[[0, -1]]), n_bars=len(dates))
    layout = draw_price(timeline, {"": close}, pd.DataFrame(), {"": forecast})
    (source,) = {renderer.data_source for panel in layout.children for renderer in panel.renderers}
    assert len(source.data["x"]) < len(rises)
    np.testing.assert_array_equal(
        milliseconds(dates)[source.data["close"].astype(int)], source.data["x"]
    )
    np.testing.assert_array_equal(source.data["forecast"], -source.data["close"])


def test_a_model_that_only_signals_has_no_chart_of_its_forecast(comparison):
    charts = build_charts(comparison, sample_bars("sp500")["2015":], name="MACD", model=Signals())
    assert '"Forecast"' not in charts.data and '"Price"' in charts.data


def test_shown_first_are_the_strategy_the_market_and_the_best_baseline(comparison, charts):
    pressed = re.findall(r'aria-pressed="(\w+)"', charts.equity)
    best = comparison.table.drop(["MACD", "Buy and hold", HOSTILE])["sharpe"].idxmax()
    shown = [name in ("MACD", "Buy and hold", best) for name in comparison.results]
    assert pressed == [str(each).lower() for each in shown]


def test_the_library_that_runs_is_the_one_that_the_policy_allows(charts):
    packed = re.search(r'id="chart-library">(.*?)</script>', charts.library)[1]
    library = gzip.decompress(base64.b64decode(packed)).decode()
    policy = content_policy(charts.scripts)
    own = re.search(r"<script>(.*?)</script>", charts.tail, re.DOTALL)[1]
    for script in (own, library):
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert "unsafe-eval" not in policy


def test_no_name_leaves_the_text_that_it_stands_in(charts):
    assert "<b>" not in charts.equity
    inside = re.search(r'id="chart-data">(.*)</script>', charts.data, re.DOTALL)[1]
    assert "<" not in inside and "\u2028" not in inside


def test_the_same_charts_give_the_same_page(comparison, charts):
    bars = sample_bars("sp500")["2015":]
    again = build_charts(comparison, bars, name="MACD", model=Halves())
    assert again == charts


def test_a_figure_shows_itself_and_makes_a_page(comparison, tmp_path):
    figure = comparison.plot(interactive=True, highlight="MACD")
    page = figure.save(tmp_path / "charts.html").read_text(encoding="utf-8")
    assert "<title>MACD</title>" in page
    assert '<div class="static"><img alt="Growth, drawdown and exposure' in page  # without scripts
    assert len(page) < 1_500_000


class Elements(HTMLParser):
    """The names and attributes of the elements of a page, one after the other."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def test_in_a_notebook_a_picture_stands_before_the_frame_that_takes_its_place(comparison, charts):
    shown = comparison.plot(interactive=True, highlight="MACD")._repr_html_()
    (outer, _), (image, picture), (hint, _), (frame, attributes) = Elements(shown).found
    assert [outer, image, hint, frame] == ["div", "img", "div", "iframe"]
    assert picture["src"].startswith("data:image/png;base64,")
    assert "height: 0" in attributes["style"] and "data-charts" in attributes  # until it is filled
    page = attributes["srcdoc"]
    assert picture["src"] not in page
    assert all(script in page for script in charts.scripts[:1])
    assert HOSTILE not in page and "MACD" in page
    assert len(shown) < 800_000


def test_many_markets_can_be_chosen_from():
    bars = sample_bars("sp500")["2015":"2016"]
    other = bars.assign(**{name: bars[name] * 2 for name in ("open", "high", "low", "close")})
    panel = {"A <1>": bars, "B": other}
    name, strategy = next(iter(PORTFOLIO_BASELINES.items()))
    comparison = compare({name: strategy}, panel)
    charts = build_charts(comparison, panel)
    assert re.findall(r"<option[^>]*>(.*?)</option>", charts.price) == ["A &lt;1&gt;", "B"]
    buttons = re.findall(r'data-series="(\w+)".*?</svg>(.*?)</button>', charts.markets)
    assert buttons == [("c0", "A &lt;1&gt;"), ("c1", "B"), ("sum", "All markets")]
    (earned,) = [source for source in sources_of(charts) if "sum" in source]
    result = comparison.find(name)
    change = (result.equity / result.equity.iloc[0] - 1).to_numpy()
    np.testing.assert_allclose(earned["sum"], change, atol=1e-6)
    np.testing.assert_allclose(earned["c0"] + earned["c1"], earned["sum"], atol=1e-6)


def test_no_two_nested_elements_of_a_chart_have_the_same_name(charts):
    for place in (charts.equity, charts.price):
        labels = re.findall(r'aria-label="(.*?)"', place)
        assert len(labels) == len(set(labels))


def test_one_market_has_no_chart_of_contributions(charts):
    assert charts.markets == "" and "chart-markets" not in charts.data


def test_bokeh_waits_until_a_chart_is_asked_for():
    code = (
        "import sys, lstm_strategy.evaluation.comparison, lstm_strategy.evaluation.interactive;"
        "assert 'bokeh' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("growth", "low", "high"),
    [([1.0, 0.5, 1.2], 0.5, 1.2), ([1.0, 0.25, 0.0, -0.5], 0.25, 1.0), ([0.0, -1.0], 1.0, 1.0)],
)
def test_the_growth_axis_spans_what_is_above_zero(growth, low, high):
    panel = draw_growth(growth)
    assert panel.y_range.start == pytest.approx(low / 1.03)
    assert panel.y_range.end == pytest.approx(high * 1.03)


def test_the_growth_axis_has_steps_of_one_two_and_five():
    # in a browser: 1, 1.05, 1.1, 1.15, 1.2; and 1, 1.5, 2, 2.5, 3; and 1, 10, 100, 1000
    panel = draw_growth([1.0, 1.2])
    assert list(panel.yaxis.ticker.mantissas) == [1, 2, 5]
    assert panel.yaxis.formatter.format == "0.[0000]"


def draw_growth(growth):
    dates = pd.date_range("2020-01-01", periods=len(growth))
    columns = {f"s0_{panel}": growth for panel in ("growth", "drawdown", "exposure")}
    timeline = Timeline(*milliseconds(dates[[0, -1]]), n_bars=len(dates))
    series = [Series("s0", "Mine", "#0072b2", "solid", is_shown=True)]
    return draw_equity(timeline, pd.DataFrame(columns, dates), series, None).children[0]


def test_a_strategy_looks_the_same_in_the_chart_and_in_the_picture(comparison):
    series = choose_series(comparison, HOSTILE)
    lines = plot_equity(comparison, highlight=HOSTILE).axes[0].get_lines()
    for each, line in zip(series, lines, strict=False):  # behind them comes the line of 1
        color = "black" if each.color == MARKET_COLOR else each.color
        assert color == line.get_color()
        assert (each.dash == "solid") == (line.get_linestyle() == "-")
    assert [each.dash for each in series].count("solid") == 1


def test_charts_are_written_in_the_font_of_their_page():
    panel = Timeline(0.0, 1.0, n_bars=3).add_panel("Price", height=100)
    fonts = {
        getattr(axis, f"{part}_label_text_font")
        for axis in panel.axis
        for part in ("axis", "major")
    }
    assert fonts == {"system-ui, sans-serif"}


def test_the_numbers_of_folds_have_a_font_and_not_a_column_of_that_name():
    days = pd.date_range("2024-01-01", periods=3)
    columns = {f"s0_{panel}": [1.0, 1.0, 1.0] for panel in ("growth", "drawdown", "exposure")}
    series = [Series("s0", "A", "#123456", "solid", is_shown=True)]
    ledger = pd.DataFrame({"fold": [1, 1, 2]}, days)
    timeline = Timeline(*milliseconds(days[[0, -1]]), n_bars=3)
    layout = draw_equity(timeline, pd.DataFrame(columns, days), series, ledger)
    glyphs = [renderer.glyph for panel in layout.children for renderer in panel.renderers]
    (text,) = [glyph for glyph in glyphs if hasattr(glyph, "text_font")]
    assert text.text_font == value("system-ui, sans-serif")
