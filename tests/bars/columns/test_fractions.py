"""An apostrophe in a price stands between thousands only where nothing else can be meant."""

import numpy as np
import pytest

from lstm_strategy.bars.columns.fractions import describe_fraction, refuse_fractions
from lstm_strategy.bars.columns.values import Column, Rows, text_of
from lstm_strategy.errors import BarsError


def refuse(*cells: str) -> None:
    column = Column("Close", text_of(cells))
    refuse_fractions([column], Rows("line", np.arange(2, len(cells) + 2)))


@pytest.mark.parametrize(
    "cells",
    [
        ("110'160", "110'165", "109'312"),
        ("98", "110’160"),  # noqa: RUF001
        ("11'122", "11'160"),  # an index or a bond
        ("", "110'160"),
    ],
)
def test_prices_that_may_be_32nds_are_refused(cells):
    with pytest.raises(BarsError, match=r"line \d, column Close: .* can be read as 11\d+ and as "):
        refuse(*cells)


@pytest.mark.parametrize(
    "cells",
    [
        ("110'160", "1'110'160"),
        ("11'122.5", "11'160.0"),
        ("11'122", "11'640"),  # there is no 64th 32nd
        ("11'122", "11'118"),  # nor a ninth eighth
        ("998", "1'005"),  # neighbours agree
        ("110", "111.5"),
        ("110-16", "110'16"),  # refused where numbers are read
    ],
)
def test_marks_between_thousands_are_left_alone(cells):
    refuse(*cells)


@pytest.mark.parametrize("cell", ["118-16", "118'16", "110-16+", "110'165", "110'16.5", "110 - 16"])
def test_a_cell_that_looks_like_32nds_is_described(cell):
    assert "and 16/32?" in describe_fraction(cell)


@pytest.mark.parametrize("cell", ["118-33", "5p", "2024-01-02", "1'160'000", "-16"])
def test_another_cell_is_not(cell):
    assert describe_fraction(cell) == ""
