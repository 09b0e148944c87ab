"""What the charts of a page do once a browser has drawn them, on a phone and on a wide screen."""

import html
import json
import re

import backtrader as bt
import pytest
from browser import needs_chromium, open_in_chromium
from made_up import ConstantForecaster, random_walk

from lstm_strategy import BASELINES, PORTFOLIO_BASELINES, LSTMStrategy, compare, sample_bars
from lstm_strategy.evaluation.interactive import build_charts, chart_style, content_policy

pytestmark = needs_chromium

_GAPS = """
const inside = document.querySelector("iframe").contentWindow;
const gaps = [];
for (const model of inside.Bokeh.documents[0]._all_models.values()) {
  if (model.type !== "Figure" || !model.below[0].visible) continue;
  const { start, end } = model.x_range;
  const { ticker } = model.below[0];
  const { major } = ticker.get_ticks_no_defaults(start, end, NaN, ticker.desired_num_ticks);
  const pixels = model.inner_width / (end - start);
  gaps.push(major.slice(1).map((tick, place) => Math.round((tick - major[place]) * pixels)));
}
return gaps;
"""


def page_of(charts):
    policy = content_policy(charts.scripts)
    head = f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
    head += f"<style>{chart_style()}</style>"
    places = charts.equity + charts.price + charts.markets
    return f"<!doctype html><head>{head}</head>{places}{charts.tail}"


def answer_of(charts, folder, *, width, question):
    """What a script answers that looks into the page once its charts are drawn."""
    text = html.escape(page_of(charts).replace("http-equiv", "data-http-equiv"))
    ask = f"""<script>
    const ask = () => {{ {question} }};
    const wait = setInterval(() => {{
        const inside = document.querySelector("iframe").contentDocument.documentElement;
        if (inside.dataset.charts !== "ready") return;
        clearInterval(wait);
        setTimeout(() => {{ document.title = JSON.stringify(ask()); }}, 500);
    }}, 50);</script>"""
    frame = f'<iframe style="width:{width}px;height:800px;border:0" srcdoc="{text}"></iframe>'
    dom, _ = open_in_chromium(f"<title></title>{ask}{frame}", folder)
    return json.loads(html.unescape(re.search("<title>(.*?)</title>", dom)[1]))


def answer_later(charts, folder, *, width, question):
    """The same of a script that sets the title by itself, after a while."""
    text = html.escape(page_of(charts).replace("http-equiv", "data-http-equiv"))
    ask = f"""<script>
    const wait = setInterval(() => {{
        const root = document.querySelector("iframe").contentDocument.documentElement;
        if (root.dataset.charts !== "ready") return;
        {question}
    }}, 50);</script>"""
    frame = f'<iframe style="width:{width}px;height:800px;border:0" srcdoc="{text}"></iframe>'
    dom, _ = open_in_chromium(f"<title></title>{ask}{frame}", folder)
    return json.loads(html.unescape(re.search("<title>(.*?)</title>", dom)[1]))


@pytest.fixture(scope="module")
def charts():
    bars = sample_bars("sp500")["2015":]
    return build_charts(compare({"MACD": BASELINES["MACD"]}, bars, start="2016"), bars)


@pytest.mark.parametrize("width", [390, pytest.param(1280, marks=pytest.mark.slow)])
def test_dates_below_the_charts_lie_apart(charts, tmp_path, width):
    equity, price = answer_of(charts, tmp_path, width=width, question=_GAPS)
    assert equity and price
    # "Jan 2020" takes 50 pixels, and bokeh alone would put one at every 42 on a phone
    assert min(equity + price) >= 60


def test_trades_too_many_for_the_screen_are_counted_and_a_zoom_shows_more(tmp_path):
    bars = random_walk(3_000, seed=5)
    comparison = compare({"MACD": BASELINES["MACD"]}, bars)
    n_trades = len(comparison.find("MACD").trades)
    question = """
    const inside = document.querySelector("iframe").contentDocument;
    const read = () => inside.querySelector(".chart-marked").textContent;
    const first = read();
    for (let n = 0; n < 5; n++) inside.querySelector("[data-zoom=in]").click();
    return [first, read()];
    """
    charts = build_charts(comparison, bars)
    first, zoomed = answer_of(charts, tmp_path, width=390, question=question)
    n_in_view, n_marked = re.match(r"Of (\d+) trades in view (\d+) are marked", first).groups()
    assert int(n_in_view) == n_trades
    assert 30 <= int(n_marked) <= 39
    assert zoomed == ""


class ByTheClose(ConstantForecaster):
    """Forecasts a hundredth of the close, so that each market has its own."""

    def forecast(self, bars):
        return super().forecast(bars).assign(forecast=bars["close"] / 100, uncertainty=0.5)


def test_the_forecast_follows_the_market_that_is_chosen(tmp_path):
    panel = {name: random_walk(300, seed=seed) for seed, name in enumerate("AB")}
    model = ByTheClose(0.5)
    comparison = compare({"LSTM": (LSTMStrategy, {"model": model})}, panel, n_jobs=1)
    charts = build_charts(comparison, panel, model=model)
    question = """
    const inside = document.querySelector("iframe").contentWindow;
    const choice = inside.document.querySelector(".market select");
    choice.value = "m1";
    choice.dispatchEvent(new Event("change"));
    const drawn = [...inside.Bokeh.documents[0]._all_models.values()]
      .filter((model) => model.type === "GlyphRenderer" && /^m[01]$/.test(model.name));
    const shown = drawn.filter((model) => model.visible);
    const line = shown.find((model) => model.glyph.y?.field === "forecast");
    const { data } = line.data_source;
    return [choice.selectedOptions[0].text, shown.every((model) => model.name === "m1"),
            drawn.length > shown.length, data.forecast.at(-1), data.high.at(-1)];
    """
    market, *flags, forecast, high = answer_of(charts, tmp_path, width=390, question=question)
    assert flags == [True, True]
    assert forecast == pytest.approx(panel[market]["close"].iloc[-1] / 100, rel=1e-5)
    assert high == pytest.approx(forecast + 0.5, rel=1e-5)


def test_the_buttons_of_markets_leave_the_strategies_alone(tmp_path):
    panel = {name: random_walk(300, seed=seed) for seed, name in enumerate("AB")}
    comparison = compare({"Equal weight": PORTFOLIO_BASELINES["Equal weight"]}, panel, n_jobs=1)
    question = """
    const inside = document.querySelector("iframe").contentWindow;
    inside.document.querySelector('[data-series="c0"]').click();
    const lines = [...inside.Bokeh.documents[0]._all_models.values()]
      .filter((model) => model.type === "GlyphRenderer" && /^(c\\d|s0|sum)$/.test(model.name));
    return lines.filter((model) => !model.visible).map((model) => model.name);
    """
    charts = build_charts(comparison, panel)
    assert answer_of(charts, tmp_path, width=390, question=question) == ["c0"]


_VIEWS = """
const inside = document.querySelector("iframe").contentWindow;
const panels = [...inside.Bokeh.documents[0]._all_models.values()]
  .filter((model) => model.type === "Figure")
  .map((model) => inside.Bokeh.index.find_one(model));
const panelOf = (title) => panels.find((view) => view.model.left[0].axis_label.startsWith(title));
"""


def test_a_span_that_is_drawn_fits_the_heights_of_all_panels(charts, tmp_path):
    question = f"""{_VIEWS}
    clearInterval(wait);
    const heights = () => ["Growth", "Drawdown"].map((title) => {{
      const {{ start, end }} = panelOf(title).model.y_range;
      return [start, end];
    }});
    const drag = (panel, from, to) => {{  // as bokeh ends a drag with the mouse
      const tool = [...panel.tool_views.values()].find((view) => view.model.type === "BoxZoomTool");
      const {{ width, height }} = panel.frame.bbox;
      tool._update([from * width, to * width], [0, height]);
    }};
    const shown = [heights()];
    drag(panelOf("Growth"), 0.1, 0.5);
    setTimeout(() => {{ drag(panelOf("Drawdown"), 0.4, 0.9); }}, 400);
    setTimeout(() => {{
      shown.push(heights());
      const {{ start, end }} = panelOf("Growth").model.x_range;
      const {{ data }} = [...inside.Bokeh.documents[0]._all_models.values()]
        .find((model) => model.name === "series");
      const rows = [...data.x.keys()].filter((row) => start <= data.x[row] && data.x[row] <= end);
      const ends = (panel) => {{
        const values = rows.map((row) => data[`s0_${{panel}}`][row]);
        return [Math.min(...values), Math.max(...values)];
      }};
      document.title = JSON.stringify([...shown, [ends("growth"), ends("drawdown")]]);
    }}, 900);
    """
    before, after, drawn = answer_later(charts, tmp_path, width=1280, question=question)
    for was, now, (low, high) in zip(before, after, drawn, strict=True):
        assert now != was
        assert now[0] <= low
        assert now[1] >= high
        assert now[0] >= low - 0.04
        assert now[1] <= high + 0.04


@pytest.mark.parametrize("width", [390, 1280])
def test_the_numbers_stand_beside_the_pointer(charts, tmp_path, width):
    question = f"""{_VIEWS}
    clearInterval(wait);
    const area = panelOf("Growth").canvas_view.events_el;
    const box = area.getBoundingClientRect();
    const [x, y] = [box.left + box.width * 0.6, box.top + 100];
    const move = {{ clientX: x, clientY: y, pointerType: "mouse", isPrimary: true }};
    const upwards = {{ bubbles: true, composed: true }};
    area.dispatchEvent(new inside.PointerEvent("pointermove", {{ ...move, ...upwards }}));
    setTimeout(() => {{
    const note = inside.document.querySelector(".chart-pointer:not([hidden])");
    const place = note.getBoundingClientRect();
    const texts = [...inside.document.querySelectorAll(".chart-reading")].map((e) => e.textContent);
    const places = [place.left, place.right, place.top, place.bottom, x, y];
    const said = note.textContent;
    area.dispatchEvent(new inside.PointerEvent("pointerup", {{ ...move, ...upwards }}));
    document.title = JSON.stringify([said, ...places, texts, note.hidden]);
    }}, 300);
    """
    text, left, right, top, bottom, x, y, below, hidden_after_a_drag = answer_later(
        charts, tmp_path, width=width, question=question
    )
    date, *lines = text.splitlines()
    assert re.fullmatch(r"201\d-\d\d-\d\d", date)
    (line,) = lines
    numbers = r" growth [\d.]+"
    if width > 560:
        numbers += r", drawdown -?[\d.]+%, exposure -?[\d.]+%"
    assert re.fullmatch("MACD:" + numbers, line)
    assert 0 <= left < right <= (x if width > 560 else width)
    # on a phone it covers no panel below
    assert 0 < (top - y if width > 560 else y - bottom) < 30
    assert not any(below)
    assert hidden_after_a_drag


_PRESS = """
const press = (place, key) => inside.document.getElementById(place).dispatchEvent(
  new inside.KeyboardEvent("keydown", { key, shiftKey: key.startsWith("Arrow"), bubbles: true }));
const lines = () => [...inside.document.querySelectorAll(".chart-reading")];
const said = () => lines().map((line) => line.textContent);
"""


def test_a_key_lets_one_chart_speak_from_the_first_bar_in_view(charts, tmp_path):
    question = f"""{_VIEWS}{_PRESS}
    press("chart-equity", "ArrowRight");
    const first = said();
    press("chart-price", "ArrowRight");
    return [...first, ...said()];
    """
    equity, none, nothing, price = answer_of(charts, tmp_path, width=390, question=question)
    assert equity.startswith("2016-01-04: MACD: growth 1.00")
    assert (none, nothing) == ("", "")
    assert price.startswith("2016-01-05: close ")


def test_shift_and_left_begins_at_the_last_bar_in_view(charts, tmp_path):
    question = f"""{_VIEWS}{_PRESS}
    press("chart-equity", "ArrowLeft");
    return said();
    """
    equity, price = answer_of(charts, tmp_path, width=390, question=question)
    assert equity.startswith("2018-12-31: ")
    assert price == ""


class SellsFourTimesItsMoney(bt.Strategy):
    """Is ruined where the price rises by a quarter."""

    def next(self):
        if len(self) == 30:
            self.sell(size=4 * self.broker.getvalue() / self.data.close[0])


def test_the_heights_fit_where_a_ruined_account_has_no_exposure(tmp_path):
    bars = random_walk(600)
    prices = ["open", "high", "low", "close"]
    bars.loc[bars.index[200:], prices] *= 1.6
    strategies = {"Ruined": SellsFourTimesItsMoney, "Buy and hold": BASELINES["Buy and hold"]}
    comparison = compare(strategies, bars)
    assert comparison.results["Ruined"].exposure.min() < -3
    assert comparison.results["Ruined"].exposure.iloc[-100:].isna().all()
    question = f"""{_VIEWS}
    const range = panelOf("Exposure").model.x_range;
    range.setv({{ start: range.end - (range.end - range.start) / 8 }});
    const {{ start, end }} = panelOf("Exposure").model.y_range;
    return [start, end];
    """
    charts = build_charts(comparison, bars)
    low, high = answer_of(charts, tmp_path, width=390, question=question)
    assert 0.8 < low < high < 1.2
