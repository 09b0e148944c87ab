"""How a page prints numbers, and shades the cells of a table."""

import math

import pandas as pd
import pytest

from lstm_strategy.evaluation.report.page.numbers import (
    CHANGE,
    PERCENT,
    WHOLE,
    date_texts,
    money_form,
    texts_of,
)
from lstm_strategy.evaluation.report.page.tables import shade_classes, table_html


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        pytest.param(0.123, PERCENT, "12.3%", id="above zero"),
        pytest.param(-0.123, PERCENT, "-12.3%", id="below zero"),
        pytest.param(-0.0001, PERCENT, "0.0%", id="rounds to zero from below"),
        pytest.param(0.0001, CHANGE, "0.0%", id="no change"),
        pytest.param(0.01, CHANGE, "+1.0%", id="a change"),
        pytest.param(-1234.5, WHOLE, "-1,234", id="money"),
        pytest.param(-0.4, WHOLE, "0", id="no money"),
        pytest.param(math.nan, PERCENT, "n/a", id="unknown"),
        pytest.param(math.inf, PERCENT, "inf%", id="without bounds"),
    ],
)
def test_numbers_are_printed_by_one_rule(value, form, text):
    assert texts_of([value], form) == [text]


@pytest.mark.parametrize(
    "cash, text",
    [(1e18, "1"), (100_000.0, "1"), (1_000.0, "1"), (999.0, "1.23"), (1.0, "1.2346")],
)
def test_money_of_a_small_account_has_decimals(cash, text):
    assert money_form(cash).format(1.23456) == text


@pytest.mark.parametrize(
    "times, texts",
    [
        (["2024-01-02", "2024-01-03"], ["2024-01-02", "2024-01-03"]),
        (["2024-01-02 10:00", "2024-01-03"], ["2024-01-02 10:00", "2024-01-03 00:00"]),
        (["2024-01-02 10:00:07", "NaT"], ["2024-01-02 10:00:07", "open"]),
    ],
)
def test_a_date_has_the_time_that_it_needs(times, texts):
    assert date_texts(pd.to_datetime(times, format="mixed"), missing="open") == texts


def test_a_cell_is_shaded_by_its_size_and_side():
    values = pd.DataFrame({"Jan": [0.06, -0.011], "Feb": [0.0, math.nan]})
    shades = shade_classes(values, most=0.05)
    assert shades.to_numpy().tolist() == [["gain-4", ""], ["loss-1", ""]]
    table = table_html(values.astype(str), "Months", first="Year", shades=shades)
    assert '<td class="gain-4">0.06</td><td>0.0</td>' in table
