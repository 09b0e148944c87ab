"""Metrics as a reader sees them."""

import pandas as pd
import pytest

from lstm_strategy.evaluation.backtests import extrapolation_note, readable_metrics


def test_what_a_market_contributed_is_a_percentage():
    table = pd.DataFrame({"contribution": [-0.03, 0.0004]}, ["A", "B"])
    assert readable_metrics(table)["Contribution"].to_list() == ["-3.00%", "0.04%"]


@pytest.mark.parametrize(
    "first, last, words",
    [
        ("2024-01-02", "2024-03-28", "from 86 days."),
        ("2023-10-01 00:00", "2023-12-31 23:00", "from 92 days."),
        ("2024-01-02", "2024-12-31", ""),  # a year of trading days
    ],
)
def test_annual_figures_of_less_than_a_year_are_called_extrapolated(first, last, words):
    note = extrapolation_note(pd.Series(1.0, pd.to_datetime([first, last])))
    assert note.endswith(words) and bool(note) == bool(words)
