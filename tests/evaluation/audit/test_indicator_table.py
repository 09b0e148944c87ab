"""All of pandas-ta's indicators, tried; the table in docs/ is the one that they give."""

import re
from pathlib import Path

import pytest

from lstm_strategy.evaluation.audit.indicator_table import (
    IndicatorVerdict,
    classify_indicator,
    classify_indicators,
    indicators_page,
)
from lstm_strategy.learning.features import indicator_library, known_kinds

PAGE = (Path(__file__).parents[3] / "docs" / "indicators.md").read_text()


def rows_of(page):
    cells = (re.split(r" ?\| ?", line)[1:-1] for line in page.splitlines() if line[:3] == "| `")
    return {kind.strip("`"): rest for kind, *rest in cells}


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [
        ("rsi", "causal"),
        ("adx", "causal"),
        ("relative_volume", "causal"),
        ("dpo", "looks ahead"),
        ("ichimoku", "looks ahead"),
        ("tos_stdevall", "looks ahead"),
        ("obv", "never converges"),
        ("ad", "never converges"),
        ("drawdown", "never converges"),
        ("mavp", "not usable"),
    ],
)
def test_an_indicator_gets_its_verdict(kind, verdict):
    assert classify_indicator(kind).verdict == verdict


def test_the_note_on_what_looks_ahead_names_the_change_and_the_causal_form():
    note = classify_indicator("dpo").note
    assert note.startswith("DPO_20 changes 11 bars back; causal as `dpo(centered=False)`")
    assert "`ichimoku(include_chikou=False)`" in classify_indicator("ichimoku").note


def test_a_running_total_is_a_feature_as_its_change():
    obv = classify_indicator("obv")
    assert [column.is_cumulative for column in obv.columns] == [True]
    assert "the change forgets" in obv.note


def test_the_table_names_every_kind_of_the_installed_library():
    _, library, version = indicator_library()
    assert f"{library} {version}" in PAGE
    assert list(rows_of(PAGE)) == [kind for kind in known_kinds() if kind != "column"]
    assert {verdict for verdict, *_ in rows_of(PAGE).values()} == set(IndicatorVerdict)


def test_the_table_says_how_each_kind_is_followed_bar_by_bar():
    followed = {kind: rest[4] for kind, rest in rows_of(PAGE).items()}
    assert {re.sub(r": [\d,]+", "", text) for text in followed.values()} == {
        "from its memory",
        "until it agrees",
        "from all bars",
        "refused",
    }
    assert followed["sma"] == classify_indicator("sma").bar_by_bar == "from its memory"
    assert followed["psar"] == classify_indicator("psar").bar_by_bar
    assert followed["psar"].startswith("until it agrees")
    assert followed["hilo"] == classify_indicator("hilo").bar_by_bar == "from all bars"
    assert followed["drawdown"] == classify_indicator("drawdown").bar_by_bar == "refused"


@pytest.mark.slow
def test_the_table_is_current():
    fresh, kept = rows_of(indicators_page(classify_indicators())), rows_of(PAGE)
    for kind, (verdict, columns, warm_up, memory, bar_by_bar, note) in fresh.items():
        assert kept[kind][:3] == [verdict, columns, warm_up]
        # the last digits of a running mean differ between builds of NumPy
        numbers = [float(text.replace(",", "") or 0) for text in (kept[kind][3], memory)]
        assert numbers[0] == pytest.approx(numbers[1], rel=0.1, abs=2)
        words = [re.sub(r"\d+", "", text) for text in (bar_by_bar, note)]
        assert [re.sub(r"\d+", "", text) for text in kept[kind][4:]] == words
