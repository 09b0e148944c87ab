import base64
import dataclasses
import hashlib
import math
import re
from copy import copy
from datetime import date
from html.parser import HTMLParser

import backtrader as bt
import numpy as np
import pandas as pd
import pytest
from browser import needs_chromium, open_in_chromium, sideways_pixels
from made_up import random_walk

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.backtests import span_text
from lstm_strategy.evaluation.comparison import Comparison, compare
from lstm_strategy.evaluation.plots import plot_equity
from lstm_strategy.evaluation.report.content import ReportContent
from lstm_strategy.evaluation.report.report import report_html, write_report
from lstm_strategy.evaluation.skill import hit_rates
from lstm_strategy.evaluation.verdict import Alarm, PermutationTest, verdict
from lstm_strategy.learning.forecaster import ForecasterKind
from lstm_strategy.learning.serving import PrecomputedForecasts
from lstm_strategy.learning.walk_forward import Refit, WalkForwardForecaster
from lstm_strategy.trading.baselines import BuyAndHold
from lstm_strategy.trading.cerebro import BrokerSettings
from lstm_strategy.trading.instruments import Spot
from lstm_strategy.trading.lstm import LSTMStrategy

BARS = random_walk(300)
ALARM = Alarm("lucky <member>", "2 of 3 & more lost money.", "Average more members.")
LEDGER = pd.DataFrame(
    {
        "fold": np.repeat([1, 2], [150, 100]),
        "train_end": np.repeat([BARS.index[48], BARS.index[198]], [150, 100]),
        "purge_bars": 1,
    },
    index=BARS.index[50:],
)
PRICES = ["open", "high", "low", "close"]
VOID_TAGS = {"meta", "link", "img", "source", "br"}


def forecasts(seed, *, training_end=BARS.index[49], ledger=None, kind=ForecasterKind.LSTM):
    signal = np.random.default_rng(seed).choice([-1.0, 0.0, 1.0], len(BARS))
    frame = pd.DataFrame({"signal": signal, "forecast": (1 + signal) / 2, "uncertainty": 0.0})
    return PrecomputedForecasts(
        frame.set_axis(BARS.index), 0, ["close"], training_end, kind=kind, ledger=ledger
    )


def compare_three(*, ledger=None, hostile="Rule & <b>co</b>", **settings):
    lstm = forecasts(0, ledger=ledger)
    rule = forecasts(2, kind=ForecasterKind.LEARNER)
    strategies = {
        "LSTM": (LSTMStrategy, {"model": lstm}),
        "Buy and hold": BuyAndHold,
        hostile: (LSTMStrategy, {"model": rule}),
    }
    return compare(strategies, BARS, **settings)


def content_of(comparison, **changes):
    return ReportContent(comparison, comparison.assess(), BARS, **changes)


@pytest.fixture(scope="module")
def comparison():
    return compare_three()


@pytest.fixture(scope="module")
def plain_page(comparison):
    """A page of results and their assessment alone."""
    return report_html(content_of(comparison))


@pytest.fixture(scope="module")
def trained_page(trained, tmp_path_factory):
    """A comparison of one trained model, and its page as it was written."""
    alone = compare({"LSTM": (LSTMStrategy, {"model": trained})}, random_walk(500))
    path = alone.to_html(
        tmp_path_factory.mktemp("pages") / "report.html",
        market="Gold <1>",
        made_on=date(2026, 11, 27),
        command="made it",
    )
    return alone, path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def full():
    """A comparison of which everything is known."""
    comparison = compare_three(ledger=LEDGER)
    return dataclasses.replace(comparison, left_out={"Slow <rule>": "It needs 400 bars."})


@pytest.fixture(scope="module")
def assessment(full):
    equity = full.find().equity
    robustness = dataclasses.replace(
        full.try_robustness(), equity_by_member=pd.DataFrame({7: equity, 8: equity * 1.1})
    )
    tested = PermutationTest.from_statistics(0.5, [0.1, 0.9, math.nan], block_bars=1)
    found = full.assess(robustness=robustness, permutation_test=tested, n_trials=9)
    judged = verdict(full, n_trials=9, reps=50, alarms=[ALARM])
    return dataclasses.replace(found, alarms=(ALARM,), verdict=judged)


@pytest.fixture(scope="module")
def full_page(full, assessment):
    """A page with everything that it can show."""
    content = ReportContent(
        results=full,
        assessment=assessment,
        bars=BARS,
        model=full.prepared.models["LSTM"],
        figures={"Close <of> bars": plot_equity({"close": BARS["close"]})},
        provenance={"Bars from": "sample:<sp500>"},
        tearsheet='tear"sheet.html',
        market="sample:sp500",
    )
    return report_html(content)


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


def sections_of(page):
    return [attrs["id"] for attrs in Page(page).of("section")]


def test_a_full_page_has_every_section_in_order(full_page):
    page, sections = Page(full_page), sections_of(full_page)
    assert sections[:3] == ["verdict", "strategies", "equity"]
    assert sections[3:6] == ["calendar", "costs", "drawdowns"]
    assert sections[6:9] == ["robustness", "permutation-test", "folds"]
    assert sections[9:12] == ["forecasts", "trade-statistics", "trades"]
    assert sections[12:] == ["pictures", "alarms", "left-out", "provenance"]
    links = [attrs["href"] for attrs in page.of("a") if attrs["href"].startswith("#")]
    assert links == [f"#{section}" for section in sections]
    assert len(page.ids) == len(set(page.ids))
    titles = {attrs["aria-labelledby"] for attrs in page.of("section")}
    assert titles <= set(page.ids)


def test_the_page_needs_nothing_from_anywhere(full_page):
    page = Page(full_page)
    resources = [attrs.get(key) for _, attrs in page.tags for key in ("src", "srcset")]
    resources += [attrs["href"] for attrs in page.of("link")]
    assert {resource[:5] for resource in resources if resource} == {"data:"}
    style = full_page[full_page.index("<style>") : full_page.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    assert "http" not in re.sub(r"data:image/png;base64,[^\"]*", "", full_page).replace(
        "http-equiv", ""
    )


def test_the_browser_is_told_to_load_nothing_and_to_run_the_own_scripts_only(full_page):
    (policy,) = [attrs["content"] for attrs in Page(full_page).of("meta") if "http-equiv" in attrs]
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'; script")
    assert "unsafe-eval" not in policy
    scripts = re.findall(r"<script>(.*?)</script>", full_page, re.DOTALL)
    hashes = [
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts
    ]
    assert len(hashes) == 2 and all(f"'sha256-{each}'" in policy for each in hashes)


def test_still_pictures_stand_where_no_script_runs(full_page):
    assert re.search(r'<div class="static"><figure><picture>', full_page)
    assert ".chart { display: none; }" in full_page


def test_text_from_outside_is_shown_and_never_obeyed(full_page):
    assert "<b>" not in full_page
    text = words(full_page)
    hostile = ["Rule & <b>co</b>", "Lucky <member>", "2 of 3 & more", "Slow <rule>"]
    for outside in [*hostile, "Close <of> bars", "sample:<sp500>"]:
        assert outside in text
    assert 'tear"sheet.html' in [attrs["href"] for attrs in Page(full_page).of("a")]


def test_the_verdict_comes_first_and_its_reasons_next(assessment, full_page):
    text, judged = words(full_page), assessment.verdict
    places = [text.index(part) for part in (judged.sentence, judged.reasons[0][1:])]
    assert places == sorted(places)
    assert text.index("All strategies", places[-1]) > places[-1]


def test_every_picture_says_in_words_what_it_shows(full_page):
    alts = [attrs["alt"] for attrs in Page(full_page).of("img")]
    beginnings = [
        "Growth of 1, drawdown and exposure. Total returns: LSTM ",
        "Sharpe ratio by commission in basis points: ",
        "Sharpe ratio by delay in bars: ",
        "Growth of 1 by member. Total returns: ",
        "Return by fold: ",
        "Sharpe ratio on real bars 0.50; on shuffled ones: 0.10 at 1, 0.90 at 2, n/a at 3",
        "Signal at each close, between -1 and 1",
        "Hit rate by horizon: ",
        "Information coefficient by horizon: ",
        "Mean return by mean forecast: ",
        "Price between ",
        "Close <of> bars",
    ]
    assert len(alts) == len(beginnings)
    assert all(map(str.startswith, alts, beginnings))


def test_costs_of_the_instrument_are_shown_each_alone_and_no_longer_called_missing(no_pictures):
    broker = BrokerSettings(instrument=Spot(half_spread_rate=0.001, impact=1.0))
    comparison = compare_three(broker=broker)
    assessment = comparison.assess(robustness=comparison.try_robustness())
    page = report_html(ReportContent(comparison, assessment, BARS))
    (alt,) = [
        attrs["alt"] for attrs in Page(page).of("img") if "multiple of each cost" in attrs["alt"]
    ]
    sharpe = assessment.robustness.each_cost["sharpe"]
    spread = ", ".join(f"{value:.2f} at {times}" for times, value in sharpe["spread"].items())
    assert alt.startswith(f"Sharpe ratio by multiple of each cost: spread {spread}; impact ")
    assert "the market impact of orders" not in page
    own = comparison.find()
    fills, start = own.fills, own.equity.iloc[0]
    for name in ("Spread", "Impact"):
        took = fills[name.lower()].sum()
        assert took > 0
        assert f"{-took / start:.2%}" in page
        assert f">{name}</th>" in page
    assert (fills["spread"] + fills["impact"]).le(fills["commission"]).all()
    assert (
        "Not included: taxes, borrowing fees, the funding of perpetual futures, and dividends"
        in page
    )


def test_the_forecasts_stand_beside_always_up_with_their_errors(full, assessment, full_page):
    model, index = full.prepared.models["LSTM"], full.find().equity.index
    told = model.forecast(BARS)["signal"][index[0] : index[-1]]
    row = hit_rates(told, BARS[: index[-1]], horizons=1).table.loc[1]
    text = words(full_page)
    assert f"{row['hit_rate']:.1%} ± {row['hit_rate_error']:.1%}" in text
    assert f"{row['always_up']:.1%} ± {row['always_up_error']:.1%}" in text
    assert "The signal of LSTM beside the returns that followed" in text
    without = report_html(ReportContent(full, assessment, BARS))
    assert "forecasts" not in sections_of(without)


def test_every_table_scrolls_in_a_box_and_names_its_columns(full_page):
    page = Page(full_page)
    boxes = [attrs for attrs in page.of("div") if attrs.get("class") == "scroll"]
    assert len(boxes) == len(page.of("table")) == 13
    assert all(box["aria-label"] and box["tabindex"] == "0" for box in boxes)
    assert {attrs["scope"] for attrs in page.of("th")} == {"col", "row"}


def test_the_table_has_each_strategy_with_its_metrics_and_p_value(full, assessment, full_page):
    table = full_page[full_page.index('id="strategies"') : full_page.index('id="equity"')]
    rows = re.findall(r'<tr[^>]*><th scope="row">(.*?)</th>(.*?)</tr>', table)
    names = ["LSTM", "Buy and hold", "Rule &amp; &lt;b&gt;co&lt;/b&gt;"]
    assert [name for name, _ in rows] == names
    own, held, _ = (re.findall("<td>(.*?)</td>", row) for _, row in rows)
    metrics = full.table.loc["LSTM"]
    percents = [f"{metrics[name]:.1%}" for name in ("total_return", "cagr", "volatility")]
    assert own[:5] == [*percents, f"{metrics['sharpe']:.2f}", ""]
    assert held[4] == f"{assessment.verdict.p_values['Buy and hold']:.3f}"


def test_the_page_says_where_everything_came_from(full_page):
    text = words(full_page)
    bars = ["Fingerprint of the bars", "300 bars", "Folds 2, with bars purged before each: 1"]
    for part in [*bars, "Commission 0.10% of each trade", "Trials 9", "Min signal", "numpy"]:
        assert part in text


def test_bars_are_the_same_number_in_the_head_the_folds_and_the_verdict(full, full_page):
    n_bars = len(full.find().equity)
    assert f" {n_bars:,} bars, against 2 other strategies." in words(full_page)
    assert f"Bars judged {n_bars - 1:,} " in words(full_page)
    folds = full_page[full_page.index('id="folds"') : full_page.index('id="forecasts"')]
    rows = re.findall(r'<th scope="row">\d+</th>(.*?)</tr>', folds)
    assert sum(int(re.findall("<td[^>]*>(.*?)</td>", row)[3]) for row in rows) == n_bars
    assert f"Bars traded {span_text(full.find().equity)}" in words(full_page)


def test_the_name_of_a_market_is_written_as_it_was_given(full_page):
    assert ">sample:sp500, " in full_page


def test_the_page_says_what_was_left_of_the_result_on_shuffled_bars(full_page):
    assert "2 of 3 did as well as the real result of 0.50 (p-value 0.750)" in words(full_page)


def test_the_page_says_what_the_number_of_trials_means(plain_page, full_page):
    assert "9 trials are counted" in words(full_page)
    assert "Only one trial is counted" in words(plain_page)


def test_only_results_and_their_assessment_are_needed(comparison, plain_page):
    sections = sections_of(plain_page)
    assert sections[:4] == ["verdict", "strategies", "equity", "calendar"]
    assert sections[4:8] == ["costs", "drawdowns", "trade-statistics", "trades"]
    assert sections[8:] == ["alarms", "left-out", "provenance"]
    text = words(plain_page)
    assert comparison.assess().verdict.sentence in text
    assert "Only one trial is counted." in text
    assert "Other costs, late orders and single members weren't tried." in text


def test_the_page_of_a_trained_model_shows_its_settings(trained, trained_page):
    alone, page = trained_page
    text = words(page)
    sha256 = trained.card.training.sha256
    for part in ("Seed 5", "a warm-up of at least 10 bars", "relative volume", sha256, "keras"):
        assert part in text
    assert "No verdict: a single strategy has nothing to be compared with." in text
    assert alone.describe_standing() in text


def test_title_and_head_say_what_was_traded_when_by_what_and_when_this_was_written(trained_page):
    alone, page = trained_page
    assert "<title>LSTM on Gold &lt;1&gt;: evaluation</title>" in page
    head = words(page[page.index("<header>") : page.index("<nav")] + "</header>")
    assert f"Gold <1>, {span_text(alone.find().equity)}, alone." in head
    assert "The model predicts whether the close will be higher over the next bar: " in head
    assert " LSTM units each, trained once." in head
    assert head.endswith("Report dated 2026-11-27.")
    assert "Command made it" in words(page)


def test_a_page_is_of_today_unless_told_otherwise(comparison, tmp_path, no_pictures):
    path = comparison.to_html(tmp_path / "report.html")
    assert f"Report dated {date.today():%Y-%m-%d}." in path.read_text(encoding="utf-8")


def test_the_page_of_a_walk_forward_shows_the_settings_of_its_models(
    trained, tmp_path, no_pictures
):
    bars = random_walk(500)
    ledger = pd.DataFrame({"fold": 1}, index=bars.index[450:])
    walked = WalkForwardForecaster([Refit(trained, bars.index[450])], ledger)
    alone = compare({"LSTM": (LSTMStrategy, {"model": walked})}, bars)
    text = words(alone.to_html(tmp_path / "report.html").read_text(encoding="utf-8"))
    for part in ("Folds 1", "Seed 5", "a warm-up of at least 10 bars", "relative volume"):
        assert part in text
    assert "Trained on" not in text
    assert "Share of the signal" not in text  # all of it


def test_the_page_shows_what_each_fold_kept_of_its_signal(trained, tmp_path, no_pictures):
    bars = random_walk(500)
    models = []
    for kept in (0.58, 0.0):
        signal = trained.card.signal.model_copy(update={"confidence": kept})
        model = copy(trained)
        model.card = trained.card.model_copy(update={"signal": signal})
        models.append(model)
    refits = [Refit(model, bars.index[n]) for model, n in zip(models, (430, 460), strict=True)]
    ledger = pd.DataFrame({"fold": [1] * 30 + [2] * 40}, index=bars.index[430:])
    walked = WalkForwardForecaster(refits, ledger)
    alone = compare({"LSTM": (LSTMStrategy, {"model": walked})}, bars)
    text = words(alone.to_html(tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "Share of the signal kept 58%, 0%, by how it held up on held-out bars" in text


def test_an_in_sample_result_is_called_that_first(no_pictures):
    text = words(report_html(content_of(compare_three(start=BARS.index[10]))))
    assert "LSTM (IN-SAMPLE): evaluation" in text
    assert text.index("In-sample. The model was trained") < text.index("No evidence of skill")


def test_a_comparison_without_results_has_no_page(comparison, tmp_path):
    empty = Comparison({}, comparison.broker, prepared=comparison.prepared)
    with pytest.raises(TradingError, match="no strategy to judge"):
        empty.to_html(tmp_path / "report.html")


def test_a_strategy_that_never_traded_has_a_page_too():
    flat = PrecomputedForecasts(forecasts(0).frame * 0.0, 0, ["close"], None)
    strategies = {"LSTM": (LSTMStrategy, {"model": flat}), "Rule": (LSTMStrategy, {"model": flat})}
    text = words(report_html(content_of(compare(strategies, BARS))))
    assert "No trade was made." in text
    assert "The equity never changed, so there is no drawdown." in text
    assert "Its equity never varied, so there is nothing to judge." in text
    assert "n/a to n/a" not in text
    assert "nan" not in text.lower().split()


def test_a_written_page_is_whole_and_the_same_every_time(comparison, plain_page, tmp_path):
    path = write_report(tmp_path / "new" / "report.html", content_of(comparison))
    assert path.read_text(encoding="utf-8") == plain_page
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]


@needs_chromium
def test_a_browser_shows_the_page_without_complaint(full_page, tmp_path):
    dom, messages = open_in_chromium(full_page, tmp_path)
    assert messages == []
    assert 'data-charts="ready"' in dom and 'class="sort"' in dom
    assert dom.count("<section ") == 16


@pytest.mark.slow
@needs_chromium
def test_a_planted_complaint_of_the_browser_is_found(full_page, tmp_path):
    broken = full_page.replace("</main>", '<script src="https://example.org/x.js"></script></main>')
    assert open_in_chromium(broken, tmp_path)[1]


@needs_chromium
@pytest.mark.parametrize("width", [390, pytest.param(1280, marks=pytest.mark.slow)])
def test_nothing_scrolls_sideways_but_the_tables(full_page, tmp_path, width):
    assert sideways_pixels(full_page, tmp_path, width) == 0


@needs_chromium
def test_the_cover_of_a_wide_tables_shade_moves_with_the_table(full_page, tmp_path):
    # in front the cover, which ends where the table does; behind it the shade, at the edge
    ask = """<script>
    const { backgroundAttachment, backgroundImage } =
      getComputedStyle(document.querySelector(".scroll"));
    document.title = `${backgroundAttachment}: ${backgroundImage.match(/gradient/g).length}`;
    </script>"""
    page = full_page.replace("http-equiv", "data-http-equiv")  # the policy allows no such script
    dom, _ = open_in_chromium(page + ask, tmp_path)
    assert re.search("<title>(.*?)</title>", dom)[1] == "local, scroll: 2"


@pytest.mark.slow
@needs_chromium
def test_a_planted_page_that_scrolls_sideways_is_found(full_page, tmp_path):
    wide = full_page.replace("<main>", '<main><div style="width:2000px">wide</div>')
    assert sideways_pixels(wide, tmp_path, 1280) > 700
    broken = full_page.replace("base64,iVBOR", "base64,xxxxx")
    assert sideways_pixels(broken, tmp_path, 1280) is None


class ShortsTwice(bt.Strategy):
    """Sells twice its equity at the close of the first bar that may be traded."""

    def next(self):
        if not self.position:
            self.sell(size=2.0 * self.broker.getvalue() / self.data.close[0])


def test_a_ruined_account_is_called_that_and_has_no_skill():
    rising = BARS.assign(**{name: BARS[name] * 1.01 ** np.arange(len(BARS)) for name in PRICES})
    comparison = compare({"Short": ShortsTwice, "Buy and hold": BuyAndHold}, rising)
    page = report_html(ReportContent(comparison, comparison.assess(), rising))
    text = words(page)
    assert comparison.find().ruin_note in text
    assert "No evidence of skill in Short: its account was ruined after" in text
    assert not re.search(r"[> ][-+]?(nan|inf)[<%]", page)
    # one Sharpe ratio in the table and in the verdict
    sharpe = f"{comparison.table.loc['Short', 'sharpe']:.2f}"
    assert f"Sharpe ratio {sharpe} " in text
