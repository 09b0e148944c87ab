"""Dates of frames and files that few exporters write: in words, in zones, or apart from times."""

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from bar_files import DAYS, NUMBERS, assert_same_bars, dated_csv, three_bars, write_file

from lstm_strategy import load_bars
from lstm_strategy.bars.columns.dates.digits import read_digits
from lstm_strategy.bars.columns.dates.pieces import offset_seconds, read_clock
from lstm_strategy.bars.columns.dates.times import reads_as_times
from lstm_strategy.bars.columns.values import Column, Rows, plain_values, text_of
from lstm_strategy.bars.load import read_bars
from lstm_strategy.errors import BarsError

HEADER = "Date,Open,High,Low,Close,Volume"


def rows_of(values):
    return Rows("row", range(len(values)))


def test_many_bars_of_a_day_each_with_its_time_are_read_as_one_by_one(tmp_path):
    index = pd.date_range("2024-01-02 09:30", periods=1_200, freq="h")
    rows = "".join(
        f"{date:%d.%m.%Y %H:%M},10,12,9,{10 + place % 3},5\n" for place, date in enumerate(index)
    )
    found = load_bars(write_file(tmp_path, f"{HEADER}\n{rows}"))
    assert list(found.index) == list(index)


def test_dates_in_several_named_zones_become_utc(tmp_path):
    dates = [
        "2024-01-02 09:30 America/New_York",
        "2024-01-03 09:30 Europe/London",
        "2024-01-16 09:30 +0100",
    ]
    found, notes = read_bars(write_file(tmp_path, dated_csv(HEADER, dates)))
    moments = ["2024-01-02 14:30", "2024-01-03 09:30", "2024-01-16 08:30"]
    assert list(found.index) == list(pd.DatetimeIndex(moments, tz="UTC"))
    assert notes == ("the dates are in several zones and were put into UTC",)


@pytest.mark.parametrize("clock", ["09:30", "9:30 am", "9:30 AM", "9:30a.m."])
@pytest.mark.parametrize("zone", ["America/New_York", "America/Sao_Paulo", "Asia/Tokyo"])
def test_the_name_of_a_zone_in_america_is_no_am(tmp_path, clock, zone):
    dates = [f"{day} {clock} {zone}" for day in DAYS]
    found = load_bars(write_file(tmp_path, dated_csv(HEADER, dates)))
    assert list(found.index) == [pd.Timestamp(f"{day} 09:30", tz=zone) for day in DAYS]


def test_months_alone_are_their_first_days(tmp_path):
    path = write_file(tmp_path, dated_csv(HEADER, ["2024-01", "2024-02", "2024-03"]))
    assert list(load_bars(path).index) == list(pd.date_range("2024-01-01", periods=3, freq="MS"))


def test_an_hour_that_a_zone_leaves_out_is_told_with_its_remedy(tmp_path):
    dates = [f"03/31/2024 0{hour}:30 Europe/Berlin" for hour in (1, 2, 3)]
    with pytest.raises(BarsError, match=r"can't be put into their zone .* Write them in UTC"):
        load_bars(write_file(tmp_path, dated_csv(HEADER, dates)))


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("9:30", 34_200_000_000),
        ("9h30", 34_200_000_000),
        ("093000", 34_200_000_000),
        ("12:00 AM", 0),
        ("12:00:00.5 PM", 43_200_500_000),
        ("24:00", 86_400_000_000),
        ("24:01", None),
        ("23:60", None),
        ("0:30 PM", None),
        ("13:00 PM", None),
        ("9", None),
        ("half past nine", None),
    ],
)
def test_times_of_day_worked_by_hand(text, microseconds):
    assert read_clock(text) == microseconds


@pytest.mark.parametrize(
    ("offset", "seconds"),
    [(("+", "05", "30"), 19_800), (("-", "14", None), -50_400), (("+", "14", "01"), None)],
)
def test_offsets_worked_by_hand(offset, seconds):
    assert offset_seconds(*offset) == seconds


def test_an_offset_has_less_than_sixty_minutes():
    assert offset_seconds("+", "05", "60") is None


def test_digits_with_a_gap_or_without_end_are_no_dates():
    assert read_digits(np.array([20240102.0, np.inf])) is None


def test_whole_nanoseconds_keep_their_last_digits():
    moment = 1_704_186_000_000_000_001
    found = read_digits(np.array([moment, moment + 10**9]))
    assert [date.value for date in found.dates] == [moment, moment + 10**9]
    assert found.has_times


def test_seconds_with_a_fraction_are_rounded_to_microseconds():
    found = read_digits(np.array([1_704_186_000.25, 1_704_186_001.5]))
    expected = pd.to_datetime(["2024-01-02 09:00:00.25", "2024-01-02 09:00:01.5"], utc=True)
    assert list(found.dates) == list(expected)


@pytest.mark.parametrize(
    ("values", "is_time"),
    [
        (np.array([93000.0, 103000.0]), True),
        (np.array([9.5, 10.5]), False),
        (np.array([93000.0, np.nan]), False),
        (np.array([-1, 5]), False),
        (np.array([99.0, 98.0]), False),
        ([dt.time(9, 30), dt.time(10, 30)], True),
        ([dt.time(9, 30), "later"], False),
        (pd.DatetimeIndex(["2024-01-02 09:30"]), False),
        (text_of(["9:30", "10:30"]), True),
        (text_of(["high", "low"]), False),
    ],
    ids=str,
)
def test_what_holds_times_of_day(values, is_time):
    assert reads_as_times(Column("Time", values), rows_of(values)) == is_time


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array([93000, 106100]), "row 1, column Time: the time 106100 can't be read"),
        (text_of(["9:30", "10:61"]), "row 1, column Time: the time '10:61' can't be read"),
    ],
    ids=["digits", "text"],
)
def test_a_time_that_no_clock_shows_is_named(values, message):
    with pytest.raises(BarsError, match=f"{message}. Write times as HH:MM:SS"):
        reads_as_times(Column("Time", values), rows_of(values))


def test_times_that_a_frame_holds_as_objects_are_joined_with_their_days():
    frame = three_bars().reset_index(drop=True)
    frame.insert(0, "Date", ["2024-01-02", "2024-01-02", "2024-01-03"])
    frame.insert(1, "Time", [dt.time(9, 30), dt.time(10, 30), dt.time(9, 30)])
    dates = ["2024-01-02 09:30", "2024-01-02 10:30", "2024-01-03 09:30"]
    assert_same_bars(load_bars(frame), three_bars(dates))


@pytest.mark.parametrize(
    "dates",
    [
        pd.PeriodIndex(DAYS, freq="D"),
        pd.array(pd.to_datetime(DAYS), dtype=pd.ArrowDtype(pa.timestamp("us"))),
        [dt.date.fromisoformat(day) for day in DAYS],
    ],
    ids=["periods", "pyarrow", "objects"],
)
def test_dates_of_any_type_of_pandas_are_read(dates):
    frame = three_bars().reset_index(drop=True)
    frame.insert(0, "Date", dates)
    assert_same_bars(load_bars(frame), three_bars())


def test_objects_are_chosen_by_mask_position_and_slice():
    column = Column("Date", [dt.date(2024, 1, day) for day in (2, 3, 4)])
    last_two = [dt.date(2024, 1, 3), dt.date(2024, 1, 4)]
    assert column.take(np.array([False, True, True])).values == last_two
    assert column.take(np.array([1, 2])).values == last_two
    assert column.take(slice(1, 3)).values == last_two


def test_numbers_too_large_for_a_float_are_infinite():
    found = plain_values(pd.Series([10**400, -(10**400), 1], dtype=object))
    assert list(found) == [np.inf, -np.inf, 1.0]


def test_half_a_surrogate_pair_is_kept_as_a_question_mark():
    assert text_of(["a\ud800", None]).to_pylist() == ["a?", None]


@pytest.mark.parametrize(
    ("dates", "message"),
    [
        (["high", "low", "high"], "the date 'high' can't be read .3 such rows"),
        (["", "", ""], "column Date holds no dates"),
        (["1", "2", "3"], r"1 isn't a date that can be read unambiguously \(row numbers\?\)"),
        (["2021", "2022", "2024"], r"\(years\?\)"),
        (["930", "1030", "1130"], r"\(hours or minutes of a day\?\)"),
        (["45293", "45294", "45307"], r"\(days as Excel counts them\?\)"),
    ],
    ids=["words", "empty", "row numbers", "years", "minutes", "Excel"],
)
def test_a_column_of_dates_that_holds_none_is_told_why(tmp_path, dates, message):
    with pytest.raises(BarsError, match=message):
        load_bars(write_file(tmp_path, dated_csv(HEADER, dates)))


def test_two_columns_of_dates_without_a_usual_name_are_a_choice_of_the_user(tmp_path):
    header = "one,two,Open,High,Low,Close,Volume"
    rows = [f"{day},{day},{row}" for day, row in zip(DAYS, NUMBERS, strict=True)]
    path = write_file(tmp_path, "\n".join([header, *rows]) + "\n")
    with pytest.raises(BarsError, match=r"several columns hold dates \(one, two\).* Choose one"):
        load_bars(path)


def test_an_unnamed_column_of_doubtful_dates_is_refused(tmp_path):
    dates = ["01/02/2024", "01/03/2024", "01/12/2024"]
    path = write_file(tmp_path, dated_csv("one,Open,High,Low,Close,Volume", dates))
    with pytest.raises(BarsError, match="can be read as day/month and as month/day"):
        load_bars(path)
