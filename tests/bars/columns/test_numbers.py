"""Numbers with the marks of any country."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_strategy.bars.columns.numbers import choose_decimal_mark, parse_numbers
from lstm_strategy.bars.columns.values import Column, Rows, text_of
from lstm_strategy.errors import BarsError


def choose_mark(*cells: str, are_points_likely: bool = False) -> str:
    column = Column("Close", text_of(cells))
    rows = Rows("line", range(2, 2 + len(cells)))
    return choose_decimal_mark([column], rows, are_points_likely=are_points_likely)


WRITTEN = [
    ("12.5", ".", 12.5),
    ("1,234.50", ".", 1234.5),
    ("1,10,000.50", ".", 110_000.5),
    ("1.234,50", ",", 1234.5),
    ("12.345", ",", 12_345),
    ("1 234,5", ",", 1234.5),
    ("1\u00a0234\u00a0567", ",", 1_234_567),
    ("1'234.5", ".", 1234.5),
    ("$1,234.50", ".", 1234.5),
    ("-$5", ".", -5),
    ("(12.5)", ".", -12.5),
    ("−12.5", ".", -12.5),  # noqa: RUF001 - the sign of minus
    ("1.20K", ".", 1200),
    ("62,33M", ",", 62_330_000),
    ("1.5B", ".", 1.5e9),
    ("12万", ".", 120_000),
    ("1,23 млрд", ",", 1.23e9),
    ("0.30%", ".", 0.003),
    ("1.5e-3", ".", 0.0015),
    ("18446744073709551617", ".", 2.0**64),
    (" 7 ", ".", 7),
]


@pytest.mark.parametrize(("cell", "decimal", "number"), WRITTEN, ids=[w[0] for w in WRITTEN])
def test_numbers_of_many_forms_are_read(cell, decimal, number):
    found = parse_numbers(text_of([cell, "5"]), decimal)
    assert found.values.tolist() == [number, 5.0]
    assert len(found.unread) == 0


@pytest.mark.parametrize("cell", ["", "-", "--", "—", "n/a", "N/A", "null", "NaN", "None", "#N/A"])
def test_signs_for_a_missing_value_are_read_as_none(cell):
    found = parse_numbers(text_of(["1.5", cell]), ".")
    assert math.isnan(found.values[1])
    assert len(found.unread) == 0


@pytest.mark.parametrize(
    ("cell", "decimal"),
    [
        ("1,5", "."),
        ("1.5", ","),
        ("1,,234", "."),
        ("12,34", "."),
        ("1_000", "."),
        ("0x10", "."),
        ("1.2.3", "."),
        ("12 5", "."),
        ("twelve", "."),
        ("0,123", "."),
        ("٣", "."),
    ],
)
def test_what_is_no_number_with_these_marks_is_named(cell, decimal):
    assert parse_numbers(text_of(["1", cell]), decimal).unread.tolist() == [1]


@pytest.mark.parametrize(
    ("cells", "mark"),
    [
        (["10", "12"], "."),
        (["1,234", "12.5"], "."),
        (["1,234,567"], "."),
        (["1.234", "12,5"], ","),
        (["1.234.567"], ","),
        (["12.345", "0,5"], ","),
        (["1,234", "5", "1,2"], ","),
        (["1.234", "12345"], "."),
    ],
)
def test_one_clear_cell_decides_for_the_file(cells, mark):
    assert choose_mark(*cells) == mark


@pytest.mark.parametrize("cell", ["1,234", "1.234"])
def test_marks_that_fit_both_readings_are_refused(cell):
    with pytest.raises(BarsError) as refused:
        choose_mark("950", cell)
    assert f"line 3, column Close: {cell!r} can be read as 1234 and as 1.234" in str(refused.value)


@pytest.mark.parametrize("cell", ["141.025", "1,234", "-1.234K", "12,345 €"])
def test_writing_one_number_as_the_message_says_decides_for_the_file(cell):
    with pytest.raises(BarsError) as refused:
        choose_mark("950", cell)
    remedies = re.search("Write that one as (.*) or as (.*): one", str(refused.value)).groups()
    marks = ".," if "." in cell else ",."
    assert "".join(choose_mark(remedy, cell) for remedy in remedies) == marks


def test_points_are_decimal_points_where_nothing_else_is_usual():
    assert choose_mark("141.025", are_points_likely=True) == "."
    with pytest.raises(BarsError, match="can be read as 1234"):
        choose_mark("1,234", are_points_likely=True)


def with_marks(number: float, thousands: str, decimal: str) -> str:
    whole, _, fraction = f"{number:,.2f}".partition(".")
    return whole.replace(",", thousands) + decimal + fraction


@given(
    numbers=st.lists(st.integers(-(10**10), 10**10).map(lambda cents: cents / 100), min_size=1),
    marks=st.sampled_from([",.", ".,", " ,", "'.", "\u202f,"]),
)
def test_numbers_written_with_any_marks_come_back(numbers, marks):
    thousands, decimal = marks
    cells = [with_marks(number, thousands, decimal) for number in numbers]
    assert choose_mark(*cells) == decimal
    assert parse_numbers(text_of(cells), decimal).values.tolist() == numbers


@given(cell=st.text(max_size=12))
def test_any_text_is_a_number_a_gap_or_named(cell):
    found = parse_numbers(text_of([cell]), ".")
    assert found.values.shape == (1,)
    assert len(found.unread) == 0 or math.isnan(found.values[0])
