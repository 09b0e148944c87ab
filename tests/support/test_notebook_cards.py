"""What objects show in a notebook: escaped, without scripts, in the colours of the page."""

import html
import re

import pandas as pd
import pytest

from lstm_strategy import LSTMForecaster
from lstm_strategy.evaluation.verdict import verdict_on_returns
from lstm_strategy.learning.walk_forward import Refit, WalkForwardForecaster
from lstm_strategy.support import card_html, frame_html, line_svg


def two_returns():
    days = pd.date_range("2024-01-01", periods=40)
    own = pd.Series([0.01, -0.01] * 20, days)
    return pd.DataFrame({"Mine <i>": own, "Buy and hold": own + 0.001})


def objects_in_a_notebook():
    rsi = {"kind": "rsi", "length": 14}
    forecaster = LSTMForecaster(features=[rsi], units=(8,), members=2, target="direction")
    refits = [Refit(forecaster, pd.Timestamp("2013-01-02"))]
    ledger = pd.DataFrame({"fold": [1, 1]}, pd.date_range("2013-01-02", periods=2))
    return {
        "forecaster": forecaster,
        "walk forward": WalkForwardForecaster(refits, ledger),
        "verdict": verdict_on_returns(two_returns(), "Mine <i>", bars_per_year=252, reps=50),
    }


@pytest.mark.parametrize("kind", ["forecaster", "walk forward", "verdict"])
def test_a_card_needs_nothing_else_and_takes_over_the_colors_of_the_page(kind):
    card = objects_in_a_notebook()[kind]._repr_html_()
    assert card.startswith('<div style="color:inherit')
    assert re.findall(r"<script|<style|<link|https?:|<i>", card) == []
    assert "color:#" not in card.replace("background:#fff", "")


def test_a_forecaster_shows_its_settings():
    card = objects_in_a_notebook()["forecaster"]._repr_html_()
    assert "LSTM forecaster, not trained yet" in card
    for words in (
        "whether the close will be higher over the next bar",
        "1 feature: RSI (length 14)",
        "2 networks with one layer of 8 LSTM units each",
        "carried from bar to bar, after a warm-up of at least 60 bars",
    ):
        assert words in card
    assert re.findall(r"\w\(\)|RSI_14|\w=", re.sub("<[^>]*>", "", card)) == []


def test_a_walk_forward_shows_its_folds():
    walk = objects_in_a_notebook()["walk forward"]
    assert repr(walk).startswith("WalkForwardForecaster(1 fold from 2013-01-02, the first: LSTM")
    card = walk._repr_html_()
    assert "Walk forward of 1 fold" in card
    assert "2013-01-02" in card


def test_a_verdict_shows_its_sentence_reasons_and_numbers():
    judged = objects_in_a_notebook()["verdict"]
    lines = repr(judged).splitlines()
    assert lines[0] == f"Verdict: {judged.sentence}"
    assert lines[1:] == [f"  - {reason}" for reason in judged.reasons]
    card = judged._repr_html_()
    assert "Verdict on Mine &lt;i&gt;" in card
    assert "p-value of leading it by luck" in card
    reason = judged.reasons[0]
    assert f"{html.escape(reason[:1].upper() + reason[1:])}.</div>" in card


def test_only_the_row_that_stands_out_is_bold():
    table = frame_html(pd.DataFrame({"Return": ["1%", "2%"]}, ["LSTM", "MACD"]), strong="LSTM")
    weights = re.findall(r"font-weight:(\w+)", table)
    assert weights == ["bold", "bold", "normal", "normal"]


def test_everything_in_a_card_is_escaped():
    card = card_html("<b>", about="<u>", facts={"<k>": "<v>"}, notes=["<n>"])
    assert re.findall("<[bukvn]>", card) == ["<b>"]  # the title's own
    table = frame_html(pd.DataFrame({"<c>": ["<x>"]}, ["<r>"]))
    assert re.findall("<[cxr]>", table) == []
    assert "\u202e" not in card_html("a\u202eb", notes=["c\u202ed"])


def test_facts_without_a_value_are_left_out():
    card = card_html("Model", facts={"Held out": "", "Seed": 0, "Card": None})
    assert ("Held out" in card, "Seed" in card, "Card" in card) == (False, True, False)


def test_a_line_runs_from_the_lowest_to_the_highest_value():
    assert 'points="0.0,42.0 110.0,22.0 220.0,2.0"' in line_svg([1.0, 2.0, 3.0], "Loss")
    assert line_svg([1.0, float("nan")], "Loss") == ""
