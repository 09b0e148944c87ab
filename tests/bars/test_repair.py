"""What is repaired without asking, and what only on demand."""

import pandas as pd
import pytest
from bar_files import DAYS, assert_same_bars, dated_csv, three_bars, write_file

from lstm_strategy.bars.load import load_bars, read_bars
from lstm_strategy.errors import BarsError

HEADER = "Date,Open,High,Low,Close,Volume"
DAILY = dated_csv(HEADER, DAYS)


def read_changed(folder, old: str, new: str, **wishes):
    return read_bars(write_file(folder, DAILY.replace(old, new)), **wishes)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param(
            "2024-01-16",
            "2024-01-05,,,,,0\n2024-01-16",
            "1 row without any price was dropped (first at 2024-01-05)",
            id="no price",
        ),
        pytest.param(
            "2024-01-16",
            "2024-01-03,11,13,10,12,400\n" * 2 + "2024-01-16",
            "2 rows the same as another were dropped (first at 2024-01-03)",
            id="twice the same",
        ),
    ],
)
def test_rows_that_say_nothing_are_dropped_and_counted(tmp_path, old, new, said):
    found, notes = read_changed(tmp_path, old, new)
    assert_same_bars(found, three_bars())
    assert notes == (said,)


def with_last(volumes: list[int], last: str) -> str:
    """A file of bars around a close of 10, with one row more at its end."""
    rows = [f"2024-01-{n:02},10,12,9,{10 + n % 2},{volume}" for n, volume in enumerate(volumes, 1)]
    return "\n".join([HEADER, *rows, last]) + "\n"


@pytest.mark.parametrize(
    "last",
    [
        pytest.param("2024-01-31,60,72,54,63,150", id="sums of the prices"),
        pytest.param(",60,72,54,63,150", id="without a date"),
    ],
)
def test_a_row_of_totals_is_dropped_and_said(tmp_path, last):
    text = with_last([10, 20, 30, 40, 50], last)
    found, notes = read_bars(write_file(tmp_path, text))
    assert found["volume"].tolist() == [10, 20, 30, 40, 50]
    where = " (first at 2024-01-31)" if last.startswith("2024") else ""
    assert notes == (
        "1 row whose volume is the sum of all the others was dropped, being one of totals" + where,
    )


def test_totals_beside_prices_like_the_others_are_known_by_many_volumes(tmp_path):
    text = with_last(list(range(1, 22)), "2024-01-31,10,12,9,10.5,231")
    assert len(load_bars(write_file(tmp_path, text))) == 21


@pytest.mark.parametrize(
    ("volumes", "last"),
    [
        pytest.param([0, 0, 0, 0, 100], "60,72,54,63,100", id="one day of trades before"),
        pytest.param([1, 1, 1, 1, 1], "10,12,9,11.5,5", id="little traded"),
        pytest.param([0, 0, 0, 0, 0], "60,72,54,63,0", id="no volume"),
        pytest.param([10, 20, 30, 40, 50], "60,72,54,63,151", id="another volume"),
    ],
)
def test_a_last_bar_that_may_be_one_is_kept(tmp_path, volumes, last):
    path = write_file(tmp_path, with_last(volumes, f"2024-01-31,{last}"))
    assert len(load_bars(path)) == 6


def test_prices_a_hair_outside_high_and_low_widen_the_bar_and_are_counted(tmp_path):
    found, notes = read_changed(tmp_path, "11,13,10,12,400", "11,13,11.0001,13.0001,400")
    assert found.iloc[1].tolist() == [11.0, 13.0001, 11.0, 13.0001, 400.0]
    assert notes == (
        "1 row with prices at most 0.005% outside high and low was given a wider range "
        "(first at 2024-01-03)",
    )


def test_rounding_noise_is_neither_changed_nor_counted():
    bars = three_bars()
    bars.loc["2024-01-03", "high"] = 12 * (1 - 1e-12)
    found, notes = read_bars(bars)
    assert_same_bars(found, bars)
    assert notes == ()


def test_prices_further_outside_are_refused_unless_a_repair_is_wanted(tmp_path):
    change = ("11,13,10,12,400", "11,13,10,13.0013,400")
    with pytest.raises(BarsError, match=r"line 3: high 13 is below close 13\.0013 .*repair=True"):
        read_changed(tmp_path, *change)
    found, notes = read_changed(tmp_path, *change, repair=True)
    assert found["high"].tolist() == [12.0, 13.0013, 14.0]
    assert notes[0].startswith("1 row with prices at most 1% outside high and low")


def test_a_wanted_repair_says_all_that_it_did(tmp_path):
    text = (
        f"{HEADER}\n2024-01-02,10,12,9,11,500\n2024-01-16,12.5,14,11.25,13,1200\n"
        "2024-01-03,11,13,10,12,\n2024-01-04,11,13,10,15,400\n2024-01-05,11,0,0,12,400\n"
        "2024-01-16,12.5,14,11.25,12,1200\n"
    )
    path = write_file(tmp_path, text)
    with pytest.raises(BarsError, match="line 4: the date goes back"):
        load_bars(path)
    found, notes = read_bars(path, repair=True)
    expected = three_bars()
    expected.loc["2024-01-03", "volume"] = 0.0
    expected.loc["2024-01-16", "close"] = 12.0
    assert_same_bars(found, expected)
    assert [note.partition(" (")[0] for note in notes] == [
        "3 rows out of order were sorted in",
        "1 row with the date of a later row was dropped",
        "1 row without a volume of 0 or more was given 0",
        "1 row with a missing price or one not above 0 was dropped",
        "1 row with prices more than 1% outside high and low was dropped",
    ]


def test_negative_prices_get_a_clear_answer(tmp_path):
    change = ("11,13,10,12,400", "11,13,-40.32,-37.63,400")
    with pytest.raises(BarsError) as refused:
        read_changed(tmp_path, *change)
    assert "line 3: low is -40.32 at 2024-01-03 (1 such row). Returns of prices below zero" in str(
        refused.value
    )
    found, _ = read_changed(tmp_path, *change, repair=True)
    assert list(found.index) == [pd.Timestamp("2024-01-02"), pd.Timestamp("2024-01-16")]


def test_the_callers_frame_stays_as_it_was():
    bars = three_bars().iloc[[0, 1, 1, 2]]
    before = bars.copy(deep=True)
    assert_same_bars(load_bars(bars, repair=True), three_bars())
    pd.testing.assert_frame_equal(bars, before)
