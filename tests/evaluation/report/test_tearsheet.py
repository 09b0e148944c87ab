"""The page of quantstats beside the report."""

import dataclasses
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from browser import CHROMIUM, open_in_chromium, sideways_pixels
from made_up import random_walk

from lstm_strategy.errors import LSTMStrategyError
from lstm_strategy.evaluation.backtests import run_backtest
from lstm_strategy.evaluation.report import tearsheet
from lstm_strategy.evaluation.report.tearsheet import write_tearsheet
from lstm_strategy.trading.baselines import BASELINES


@pytest.fixture(scope="module")
def results():
    bars = random_walk(300)
    return {n: run_backtest(BASELINES[n], bars, name=n) for n in ("MACD", "Buy and hold")}


@pytest.mark.slow
def test_a_tearsheet_of_quantstats_needs_no_network(results, tmp_path):
    path = write_tearsheet(
        tmp_path / "tearsheet.html", results["MACD"], benchmark=results["Buy and hold"]
    )
    page = path.read_text(encoding="utf-8")
    assert "Key Performance Metrics" in page
    assert re.findall(r"<(?:link|script|img|iframe)\b[^>]*https?:", page) == []
    assert "onload" not in page
    if CHROMIUM is not None:
        dom, messages = open_in_chromium(page, tmp_path)
        assert (messages, "Key Performance Metrics" in dom) == ([], True)
        assert [sideways_pixels(page, tmp_path, width) for width in (390, 1280)] == [0, 0]


@pytest.mark.slow
def test_a_tearsheet_has_the_numbers_of_the_result(tmp_path):
    bars = random_walk(900)
    idle_first = run_backtest(BASELINES["SMA cross"], bars, start=bars.index[220])
    held = run_backtest(BASELINES["Buy and hold"], bars, start=bars.index[220])
    path = write_tearsheet(tmp_path / "tearsheet.html", idle_first, benchmark=held)
    page = path.read_text(encoding="utf-8")
    row = re.search(r"<tr><td>Sharpe *</td>(.*?)</tr>", page, re.DOTALL).group(1)
    shown = [float(cell) for cell in re.findall(r">(-?\d+\.\d+)\s*<", row)]
    expected = [idle_first.metrics["sharpe"], held.metrics["sharpe"]]
    assert sorted(shown) == pytest.approx(sorted(expected), abs=0.006)


def test_the_days_of_hourly_bars_add_up_to_the_return_of_the_result():
    hours = pd.date_range("2024-01-01 03:00", periods=50, freq="h")
    equity = pd.Series(100.0 + np.arange(50), hours)
    days = tearsheet._daily_returns(SimpleNamespace(equity=equity))
    assert (1 + days).prod() == pytest.approx(1.49)
    assert days.index.tolist() == pd.date_range("2024-01-01", periods=3).tolist()


def test_a_tearsheet_follows_the_colours_of_the_system_and_says_how_it_counts():
    repaired = tearsheet._repair_page("<head></head><h1>A</h1><hr>")
    assert "(prefers-color-scheme: dark)" in repaired
    assert "<p>quantstats takes the returns of calendar days" in repaired


def test_the_head_of_a_tearsheet_can_be_read_and_listened_to():
    head = "<h1>A <dt> 2009 - 2018</dt></h1>\n<h4>Benchmark: <a href='#'>B</a></h4>"
    page = f'<head></head><div class="container">{head}<hr><h3>Metrics</h3></div>'
    repaired = tearsheet._repair_page(page)
    assert '<h1>A <span class="span"> 2009 - 2018</span></h1>' in repaired
    assert '<p class="about">Benchmark: <a' in repaired
    assert '<div class="container" role="main">' in repaired
    assert re.findall(r"<h(\d)>", repaired) == ["1", "2"]


@pytest.mark.slow
def test_every_year_stands_below_its_own_bars(tmp_path):
    bars = random_walk(2_000)
    held = run_backtest(BASELINES["Buy and hold"], bars)
    page = write_tearsheet(tmp_path / "tearsheet.html", held).read_text(encoding="utf-8")
    picture = page[page.index('id="eoy_returns"') : page.index('id="monthly_dist"')]
    years = sorted({str(date.year) for date in held.equity.index})
    assert re.findall(r"<!-- (\d{4}) -->", picture) == years


def test_a_tearsheet_of_a_day_or_two_is_refused(results, tmp_path):
    short = dataclasses.replace(results["MACD"], equity=results["MACD"].equity.iloc[:3])
    with pytest.raises(LSTMStrategyError, match="at least 3 days, got 2"):
        write_tearsheet(tmp_path / "tearsheet.html", short)


def test_a_tearsheet_of_a_flat_equity_is_refused_without_asking_quantstats(results, tmp_path):
    flat = dataclasses.replace(results["MACD"], equity=results["MACD"].equity * 0 + 100.0)
    with pytest.raises(LSTMStrategyError, match="those of MACD never do"):
        write_tearsheet(tmp_path / "tearsheet.html", flat)


@pytest.mark.slow
def test_returns_that_quantstats_cannot_digest_are_refused_with_its_reason(
    results, tmp_path, monkeypatch
):
    monkeypatch.setattr(tearsheet, "_TEARSHEET_SCRIPT", "raise ValueError('no returns')")
    with pytest.raises(LSTMStrategyError, match=r"tearsheet of MACD: ValueError: no returns\."):
        write_tearsheet(tmp_path / "tearsheet.html", results["MACD"])
    assert list(tmp_path.iterdir()) == []


def test_a_tearsheet_without_quantstats_says_how_to_get_it(results, tmp_path, monkeypatch):
    monkeypatch.setattr(tearsheet.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(LSTMStrategyError, match="pip install quantstats"):
        write_tearsheet(tmp_path / "tearsheet.html", results["MACD"])


def test_pictures_of_quantstats_are_not_drawn_over_each_other():
    page = "<head></head><p style='stroke: #FEDD78'>CAGR\ufe6a</p>"
    repaired = tearsheet._repair_page(page)
    assert "#left svg, #monthly_heatmap svg { margin: 0 0 0.5rem; }" in repaired
    assert "<p style='stroke: #d98c00'>CAGR</p>" in repaired
