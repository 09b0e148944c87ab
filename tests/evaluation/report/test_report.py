import dataclasses
import html
import math
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy.errors import LSTMStrategyError, TradingError
from lstm_strategy.evaluation.comparison import Board, compare
from lstm_strategy.evaluation.plots import plot_equity
from lstm_strategy.evaluation.report import tearsheet as tearsheet_module
from lstm_strategy.evaluation.report.page import number_text
from lstm_strategy.evaluation.report.report import report_html, write_report
from lstm_strategy.evaluation.report.tables import worst_drawdowns
from lstm_strategy.evaluation.report.tearsheet import write_tearsheet
from lstm_strategy.evaluation.robustness import robustness
from lstm_strategy.evaluation.verdict import Alarm, PermutationTest, verdict
from lstm_strategy.learning.serving import PrecomputedForecasts
from lstm_strategy.trading.lstm import LSTMStrategy

BARS = random_walk(300)
ALARM = Alarm("lucky <seed>", "2 of 3 seeds & more lost money.", "Average more seeds.")
LEDGER = pd.DataFrame(
    {
        "fold": np.repeat([1, 2], [150, 100]),
        "train_end": np.repeat([BARS.index[48], BARS.index[198]], [150, 100]),
        "purge_bars": 1,
    },
    index=BARS.index[50:],
)
CHROMIUM = next(filter(None, map(shutil.which, ["chromium", "chromium-browser"])), None)
VOID_TAGS = {"meta", "link", "img", "source", "br"}


def forecasts(seed, *, training_end=BARS.index[49]):
    signal = np.random.default_rng(seed).choice([-1.0, 0.0, 1.0], len(BARS))
    frame = pd.DataFrame({"signal": signal, "forecast": (1 + signal) / 2, "uncertainty": 0.0})
    return PrecomputedForecasts(frame.set_axis(BARS.index), 0, ["close"], training_end)


def board_of_three(*, hostile="Rule & <b>co</b>", **settings):
    names = {"LSTM": 0, "Buy and hold": 1, hostile: 2}
    strategies = {name: (LSTMStrategy, {"model": forecasts(seed)}) for name, seed in names.items()}
    return compare(strategies, BARS, **settings)


@pytest.fixture(scope="module")
def board():
    return board_of_three()


@pytest.fixture(scope="module")
def full_page(board):
    """A page with everything that it can show."""
    robust = robustness(LSTMStrategy, BARS, model=forecasts(0), ledger=LEDGER)
    seeds = pd.DataFrame({7: robust.result.equity, 8: robust.result.equity * 1.1})
    return report_html(
        Board(board.results, board.broker, left_out={"Slow <rule>": "It needs 400 bars."}),
        verdict=verdict(board, "LSTM", reps=50, n_trials=9, alarms=[ALARM]),
        alarms=[ALARM],
        bars=BARS,
        model=forecasts(0),
        ledger=LEDGER,
        robustness=type(robust)(
            robust.result, robust.costs, robust.delays, robust.folds, equity_by_member=seeds
        ),
        permutation_test=PermutationTest.of(0.5, [0.1, 0.9, math.nan], block_bars=1),
        figures={"Close <of> bars": plot_equity({"close": BARS["close"]})},
        provenance={"Bars from": "sample:<sp500>"},
        tearsheet='tear"sheet.html',
    )


class Page(HTMLParser):
    """The parts of a page that tests ask for; refuses tags that aren't closed in order."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.ids, self._open, self.text = [], [], [], []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append((tag, attrs))
        if "id" in attrs:
            self.ids.append(attrs["id"])
        if tag not in VOID_TAGS:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def of(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


def words(page):
    return " ".join(" ".join(Page(page).text).split())


def test_a_full_page_has_every_section_in_order(full_page):
    page = Page(full_page)
    assert [attrs["id"] for attrs in page.of("section")] == [
        "verdict", "strategies", "equity", "drawdowns", "robustness", "null-test", "folds",
        "trades",
        "pictures", "alarms", "left-out", "provenance",
    ]  # fmt: skip
    links = [attrs["href"] for attrs in page.of("a") if attrs["href"].startswith("#")]
    assert links == [f"#{attrs['id']}" for attrs in page.of("section")]
    assert len(page.ids) == len(set(page.ids))
    titles = {attrs["aria-labelledby"] for attrs in page.of("section")}
    assert titles <= set(page.ids)


def test_the_page_needs_nothing_from_anywhere(full_page):
    page = Page(full_page)
    assert page.of("script") == []
    resources = [attrs.get(key) for _, attrs in page.tags for key in ("src", "srcset")]
    resources += [attrs["href"] for attrs in page.of("link")]
    assert {resource[:5] for resource in resources if resource} == {"data:"}
    style = full_page[full_page.index("<style>") : full_page.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    assert "http" not in re.sub(r"data:image/png;base64,[^\"]*", "", full_page).replace(
        "http-equiv", ""
    )


def test_the_browser_is_told_to_load_nothing(full_page):
    policies = [attrs["content"] for attrs in Page(full_page).of("meta") if "http-equiv" in attrs]
    assert policies == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


def test_text_from_outside_is_shown_and_never_obeyed(full_page):
    assert "<b>" not in full_page
    text = words(full_page)
    for outside in (
        "Rule & <b>co</b>", "Lucky <seed>", "2 of 3 seeds & more", "Slow <rule>",
        "Close <of> bars", "sample:<sp500>",
    ):  # fmt: skip
        assert outside in text
    assert 'tear"sheet.html' in [attrs["href"] for attrs in Page(full_page).of("a")]


def test_the_verdict_comes_first_and_its_reasons_next(board, full_page):
    judged = verdict(board, "LSTM", reps=50, n_trials=9, alarms=[ALARM])
    text = words(full_page)
    places = [text.index(part) for part in (judged.sentence, judged.reasons[0][1:])]
    assert places == sorted(places)
    assert text.index("All strategies", places[-1]) > places[-1]


def test_every_picture_says_in_words_what_it_shows(full_page):
    alts = [attrs["alt"] for attrs in Page(full_page).of("img")]
    assert len(alts) == 7
    assert alts[0].startswith("Growth of 1, drawdown and exposure. Total returns: LSTM ")
    assert alts[1].startswith("Sharpe ratio by commission in basis points: ")
    assert alts[2].startswith("Sharpe ratio by delay in bars: ")
    assert alts[3].startswith("Growth of 1 by seed. Total returns: ")
    assert alts[4].startswith("Return by fold: ")
    assert (
        alts[5] == "Sharpe ratio on real bars 0.50; on permutation: 0.10 at 1, 0.90 at 2, n/a at 3"
    )
    assert alts[6] == "Close <of> bars"


def test_every_table_scrolls_in_a_box_and_names_its_columns(full_page):
    page = Page(full_page)
    boxes = [attrs for attrs in page.of("div") if attrs.get("class") == "scroll"]
    assert len(boxes) == len(page.of("table")) == 6
    assert all(box["aria-label"] and box["tabindex"] == "0" for box in boxes)
    assert {attrs["scope"] for attrs in page.of("th")} == {"col", "row"}


def test_the_table_has_each_strategy_with_its_metrics_and_p_value(board, full_page):
    table = full_page[full_page.index('id="strategies"') : full_page.index('id="equity"')]
    rows = re.findall(r'<tr[^>]*><th scope="row">(.*?)</th>(.*?)</tr>', table)
    assert [name for name, _ in rows] == [
        "LSTM",
        "Buy and hold",
        "Rule &amp; &lt;b&gt;co&lt;/b&gt;",
    ]
    p_values = verdict(board, "LSTM", reps=50, n_trials=9).p_values
    cells = dict(
        zip(board.results, (re.findall("<td>(.*?)</td>", row) for _, row in rows), strict=True)
    )
    assert cells["LSTM"][:5] == [
        f"{board.table.loc['LSTM', 'total_return']:.1%}",
        f"{board.table.loc['LSTM', 'cagr']:.1%}",
        f"{board.table.loc['LSTM', 'volatility']:.1%}",
        f"{board.table.loc['LSTM', 'sharpe']:.2f}",
        "",
    ]
    assert cells["Buy and hold"][4] == f"{p_values['Buy and hold']:.3f}"


def test_the_origin_of_everything_is_told(full_page):
    text = words(full_page)
    for part in (
        "Fingerprint of the bars", "commission_rate 0.001", "Trials 9", "300 bars", "min_signal",
        "Folds 2; bars purged before each: 1", "Versions", "numpy",
    ):  # fmt: skip
        assert part in text


def test_the_page_says_what_was_left_of_the_result_on_shuffled_bars(full_page):
    assert "2 of 3 did as well as the real result of 0.50 (p-value 0.750)" in words(full_page)


def test_the_page_says_what_the_number_of_trials_means(board, full_page):
    assert "9 trials are counted: settings whose results were looked at" in words(full_page)
    assert "One trial is counted: these settings and no others." in words(report_html(board))


def test_only_the_board_is_needed(board):
    page = report_html(board)
    assert [attrs["id"] for attrs in Page(page).of("section")] == [
        "verdict", "strategies", "equity", "drawdowns", "trades", "alarms", "left-out",
        "provenance",
    ]  # fmt: skip
    text = words(page)
    assert verdict(board, "LSTM").sentence in text
    for missing in (
        "Only one trial is counted.",
        "No alarm was looked for, because the bars weren't given.",
        "Other costs, late orders and single seeds weren't tried.",
    ):
        assert missing in text


def test_alarms_are_looked_for_in_all_that_is_given(board):
    frozen = PrecomputedForecasts(forecasts(0).frame.assign(forecast=0.5), 0, ["close"], None)
    assert "Frozen forecast" in words(report_html(board, bars=BARS, model=frozen))
    assert "Frozen forecast" not in words(report_html(board, bars=BARS, model=forecasts(0)))


def test_a_trained_model_tells_its_settings(trained):
    bars = random_walk(500)
    board = compare({"LSTM": (LSTMStrategy, {"model": trained})}, bars)
    text = words(report_html(board, bars=bars, model=trained))
    for part in ("Seed 5", "lookback 10", "relative_volume", trained.card.training.sha256, "keras"):
        assert part in text
    assert "No verdict: a single strategy has nothing to be compared with." in text
    assert board.standing("LSTM") in text


def test_an_in_sample_result_is_called_that_first(board):
    inside = board_of_three(start=BARS.index[10])
    page = report_html(inside)
    text = words(page)
    assert "LSTM (IN-SAMPLE): evaluation" in text
    assert text.index("In-sample. The model was trained") < text.index("No evidence of skill")


def test_the_first_strategy_is_reported_where_none_is_called_lstm(board):
    others = {name: board.results[name] for name in ("Buy and hold",)}
    assert "Buy and hold: evaluation" in words(report_html(Board(others, board.broker)))


def test_an_unknown_name_and_an_empty_board_are_refused(board):
    with pytest.raises(TradingError, match="no strategy 'LTSM'"):
        report_html(board, name="LTSM")
    with pytest.raises(TradingError, match="the board has none"):
        report_html(Board({}, board.broker))


def test_a_strategy_that_never_traded_has_a_page_too():
    flat = PrecomputedForecasts(forecasts(0).frame * 0.0, 0, ["close"], None)
    strategies = {"LSTM": (LSTMStrategy, {"model": flat}), "Rule": (LSTMStrategy, {"model": flat})}
    text = words(report_html(compare(strategies, BARS), bars=BARS))
    assert "No trade was made." in text
    assert "The equity never fell below an earlier peak." in text
    assert "nan" not in text.lower().split()


def test_a_written_page_is_whole_and_the_same_every_time(board, tmp_path):
    path = write_report(tmp_path / "new" / "report.html", board, bars=BARS, name="LSTM")
    assert path.read_text(encoding="utf-8") == report_html(board, bars=BARS, name="LSTM")
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]


def test_the_worst_drawdowns_are_those_of_the_curve_by_hand():
    day = pd.date_range("2024-01-01", periods=8)
    curve = pd.Series([10.0, 9.0, 10.0, 12.0, 6.0, 9.0, 12.0, 11.0], index=day)
    table = worst_drawdowns(curve)
    assert table["depth"].to_list() == pytest.approx([-0.5, -0.1, -1 / 12])
    assert table["peak"].to_list() == [day[3], day[0], day[6]]
    assert table["bottom"].to_list() == [day[4], day[1], day[7]]
    assert table["recovered"].to_list() == [day[6], day[2], pd.NaT]
    assert table["bars"].to_list() == [3, 2, 1]
    assert worst_drawdowns(curve, n=1)["depth"].to_list() == [-0.5]


def test_the_worst_drawdown_is_the_maximum_drawdown(board):
    for result in board.results.values():
        assert worst_drawdowns(result.equity)["depth"].iloc[0] == result.metrics["max_drawdown"]


@pytest.mark.slow
def test_a_tearsheet_of_quantstats_needs_no_network(board, tmp_path):
    results = board.results
    path = write_tearsheet(
        tmp_path / "tearsheet.html", results["LSTM"], benchmark=results["Buy and hold"]
    )
    page = path.read_text(encoding="utf-8")
    assert "Key Performance Metrics" in page
    assert re.findall(r"<(?:link|script|img|iframe)\b[^>]*https?:", page) == []
    assert "onload" not in page
    if CHROMIUM is not None:
        dom, messages = in_chromium(page, tmp_path)
        assert (messages, "Key Performance Metrics" in dom) == ([], True)
        assert [sideways_pixels(page, tmp_path, width) for width in (390, 1280)] == [0, 0]


def test_a_tearsheet_of_a_day_or_two_is_refused(board, tmp_path):
    short = dataclasses.replace(board.results["LSTM"], equity=board.results["LSTM"].equity.iloc[:3])
    with pytest.raises(LSTMStrategyError, match="at least 3 days, got 2"):
        write_tearsheet(tmp_path / "tearsheet.html", short)


@pytest.mark.slow
def test_returns_that_quantstats_cannot_digest_are_told_with_its_reason(
    board, tmp_path, monkeypatch
):
    monkeypatch.setattr(tearsheet_module, "_TEARSHEET_SCRIPT", "raise ValueError('no returns')")
    with pytest.raises(LSTMStrategyError, match=r"tearsheet of LSTM: ValueError: no returns\."):
        write_tearsheet(tmp_path / "tearsheet.html", board.results["LSTM"])
    assert list(tmp_path.iterdir()) == []


def test_a_tearsheet_without_quantstats_says_how_to_get_it(board, tmp_path, monkeypatch):
    monkeypatch.setattr(tearsheet_module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(LSTMStrategyError, match="pip install quantstats"):
        write_tearsheet(tmp_path / "tearsheet.html", board.results["LSTM"])


def in_chromium(page, folder, *arguments):
    """What Chromium says of a page: its DOM after loading, and the messages of its console."""
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    done = subprocess.run(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
            f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=3000",
            "--dump-dom", *arguments, path.as_uri(),
        ],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    messages = [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
    return done.stdout, messages


needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")


@needs_chromium
def test_a_browser_shows_the_page_without_complaint(full_page, tmp_path):
    dom, messages = in_chromium(full_page, tmp_path)
    assert messages == []
    assert dom.count("<section") == 12


@needs_chromium
def test_a_browser_that_complains_is_heard(full_page, tmp_path):
    broken = full_page.replace("</main>", '<script src="https://example.org/x.js"></script></main>')
    assert in_chromium(broken, tmp_path)[1]


def sideways_pixels(page, folder, width):
    """How far a page of that width scrolls sideways; None if one of its pictures is broken."""
    measured = """
    <script>addEventListener("load", () => {
        const inside = document.querySelector("iframe").contentDocument;
        const isWhole = [...inside.images].every(image => image.naturalWidth > 0);
        const root = inside.documentElement;
        document.title = isWhole ? root.scrollWidth - root.clientWidth : "broken";
    });</script>"""
    # the policy of the page would hold in the frame too, and no script could look into it
    text = html.escape(page.replace("http-equiv", "data-http-equiv"))
    frame = f'<iframe style="width:{width}px;height:800px;border:0" srcdoc="{text}"></iframe>'
    dom, _ = in_chromium(f"<title></title>{measured}{frame}", folder)
    title = re.search("<title>(.*?)</title>", dom)[1]
    return None if title == "broken" else int(title)


@needs_chromium
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_scrolls_sideways_but_the_tables(full_page, tmp_path, width):
    assert sideways_pixels(full_page, tmp_path, width) == 0


@needs_chromium
def test_a_page_that_scrolls_sideways_is_found(full_page, tmp_path):
    wide = full_page.replace("<main>", '<main><div style="width:2000px">wide</div>')
    assert sideways_pixels(wide, tmp_path, 1280) > 700
    broken = full_page.replace("base64,iVBOR", "base64,xxxxx")
    assert sideways_pixels(broken, tmp_path, 1280) is None


def test_numbers_that_dont_exist_are_called_that():
    assert number_text(math.nan) == "n/a"
