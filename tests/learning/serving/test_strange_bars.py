"""The share of bars that are strange to a model: worked by hand."""

import math

import pandas as pd
import pytest

from lstm_strategy.learning.serving import (
    describe_strange_bars,
    novelty_of_bars,
    precomputed_frame,
    precomputed_markets,
    strange_shares,
)

DAYS = pd.date_range("2024-01-01", periods=6)
CLOSES = pd.Series([10.0, 11.0, 10.0, 10.0, 12.0, 11.0], DAYS)
BARS = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), CLOSES)).assign(volume=1.0)
SPAN = {"start": DAYS[1], "end": DAYS[4]}
NAN = math.nan


def told(novelty, days=DAYS):
    columns = {"signal": 1.0, "forecast": 0.5, "uncertainty": 0.0, "novelty": novelty}
    return pd.DataFrame(columns, days)


def novelty_of(novelty):
    return novelty_of_bars(precomputed_frame(told(novelty), BARS), BARS, **SPAN)


def test_the_bars_of_the_span_count_whose_novelty_is_known():
    novelty = novelty_of([9.0, NAN, 1.5, 1.0, 0.5, 9.0])
    assert novelty.index.tolist() == DAYS[1:5].tolist()
    # 1 itself is within the limit
    assert strange_shares(novelty).to_dict() == {"all": pytest.approx(1 / 3)}


def test_each_bar_of_each_market_counts_once():
    later = BARS.iloc[3:]
    panel = {"A": BARS, "B": later}
    frames = {
        "A": told([0.5, 2.0, 2.0, 0.5, 0.5, 0.5]),
        "B": told([0.5, 2.0, 2.0], DAYS[3:]),
    }
    novelty = novelty_of_bars(precomputed_markets(frames, panel), panel, **SPAN)
    assert novelty["B"].isna().tolist() == [True, True, False, False]
    assert strange_shares(novelty)["all"] == pytest.approx(3 / 6)


def test_shares_by_fold_leave_out_bars_of_no_fold():
    novelty = novelty_of([9.0, 2.0, 0.5, 0.5, 2.0, 9.0])
    folds = pd.Series([NAN, 1.0, 1.0, 2.0], DAYS[1:5])
    assert strange_shares(novelty, folds).to_dict() == {1: 0.0, 2: 1.0, "all": 0.5}


def test_bars_on_another_clock_are_found():
    bars = BARS.tz_localize("Asia/Tokyo")
    novelty = told([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]).set_axis(bars.index)
    model = precomputed_frame(novelty, bars)
    found = novelty_of_bars(model, bars, start=bars.index[1], end=bars.index[2])
    assert found[""].tolist() == [0.2, 0.3]


def test_nothing_is_said_where_no_novelty_is_known():
    share = strange_shares(novelty_of([NAN] * 6))["all"]
    assert math.isnan(share)
    assert describe_strange_bars(share) == ""


@pytest.mark.parametrize(
    ("share", "begins"),
    [(0.0, ""), (0.05, ""), (0.051, "5% of the bars are strange to the model: "), (1.0, "100% ")],
)
def test_bars_are_spoken_of_where_more_than_one_in_twenty_is_strange(share, begins):
    sentence = describe_strange_bars(share)
    assert sentence.startswith(begins)
    assert bool(sentence) == bool(begins)
