"""Dates in the many ways that files write them."""

import datetime as dt

import pandas as pd
import pytest
from bar_files import DAYS, assert_same_bars, dated_csv, three_bars, write_file
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_strategy.bars.load import load_bars, read_bars
from lstm_strategy.errors import BarsError


@pytest.mark.parametrize(
    "dates",
    [
        ["2024/01/02", "2024/01/03", "2024/01/16"],
        ["20240102", "20240103", "20240116"],
        ["01/02/2024", "01/03/2024", "01/16/2024"],
        ["1/2/2024", "1/3/2024", "1/16/2024"],
        ["02.01.2024", "03.01.2024", "16.01.2024"],
        ["2024.01.02", "2024.01.03", "2024.01.16"],
        ['"Jan 02, 2024"', '"Jan 03, 2024"', '"Jan 16, 2024"'],
        ["02 Jan 2024", "03 Jan 2024", "16 Jan 2024"],
        ["2-Jan-2024", "3-Jan-2024", "16-Jan-2024"],
        ["2024-01-02T00:00:00", "2024-01-03T00:00:00", "2024-01-16T00:00:00"],
        ["01/02/2024 12:00 AM", "01/03/2024 12:00 AM", "01/16/2024 12:00 AM"],
        ["2024-01-02 12-AM", "2024-01-03 12-AM", "2024-01-16 12-AM"],
        ["02.01.2024 00:00:00.000", "03.01.2024 00:00:00.000", "16.01.2024 00:00:00.000"],
    ],
    ids=lambda dates: dates[0],
)
def test_the_usual_date_formats_are_read(tmp_path, dates):
    path = write_file(tmp_path, dated_csv("Date,Open,High,Low,Close,Volume", dates))
    assert_same_bars(load_bars(path), three_bars())


def test_dates_that_can_be_read_in_two_ways_are_refused(tmp_path):
    dates = ["01/02/2024", "01/03/2024", "01/12/2024"]
    path = write_file(tmp_path, dated_csv("Date,Open,High,Low,Close,Volume", dates))
    with pytest.raises(BarsError, match="'01/02/2024' can be read as day/month and as month/day"):
        load_bars(path)


@pytest.mark.parametrize(
    "dates",
    [
        pytest.param(["01/12/2024", "01/13/2024", "01/16/2024"], id="month first"),
        pytest.param(["12/01/2024", "13/01/2024", "16/01/2024"], id="day first"),
        pytest.param(["01/31/24", "02/01/24", "02/02/24"], id="year of two digits"),
        pytest.param(["31/01/2024", "01/02/2024", "02/02/2024"], id="day first, two months"),
        pytest.param(["02.01.2024", "03.01.2024", "04.01.2024"], id="dots"),
        pytest.param(["30-01-24", "31-01-24", "01-02-24"], id="day first, year of two digits"),
    ],
)
def test_days_and_months_are_told_apart_by_what_is_possible(tmp_path, dates):
    found = load_bars(write_file(tmp_path, dated_csv("Date,Open,High,Low,Close,Volume", dates)))
    assert (found.index[-1] - found.index[0]).days in (2, 4)


def test_days_and_months_are_told_apart_by_the_order_of_the_bars(tmp_path):
    # Day first would give 11 January, 12 January, 1 February.
    dates = ["11/01/2024", "12/01/2024", "01/02/2024"]
    found = load_bars(write_file(tmp_path, dated_csv("Date,Open,High,Low,Close,Volume", dates)))
    assert list(found.index) == list(pd.to_datetime(["2024-01-11", "2024-01-12", "2024-02-01"]))


@pytest.mark.parametrize(
    ("unit", "a_second"), [("seconds", 1), ("milliseconds", 10**3), ("microseconds", 10**6)]
)
def test_epochs_are_read_as_utc(tmp_path, unit, a_second):
    dates = [str(int(pd.Timestamp(day).timestamp()) * a_second) for day in DAYS]
    path = write_file(tmp_path, dated_csv("timestamp,open,high,low,close,volume", dates))
    assert_same_bars(load_bars(path), three_bars().tz_localize("UTC"))


def test_seconds_and_milliseconds_may_be_mixed_as_some_exchanges_do(tmp_path):
    dates = ["1704153600", "1704240000", "1705363200000"]
    path = write_file(tmp_path, dated_csv("unix,open,high,low,close,volume", dates))
    assert_same_bars(load_bars(path), three_bars().tz_localize("UTC"))


def test_one_offset_is_kept_and_offsets_of_no_exchange_become_utc(tmp_path):
    header = "Date,Open,High,Low,Close,Volume"
    summer_only = [f"2024-07-0{day} 00:00:00-04:00" for day in (1, 2, 3)]
    found = load_bars(write_file(tmp_path, dated_csv(header, summer_only)))
    assert found.index[0].utcoffset() == dt.timedelta(hours=-4)
    both = ["2024-01-02 09:30:00-05:00", "2024-03-08 09:30:00-06:00", "2024-07-01 09:30:00-04:00"]
    found, notes = read_bars(write_file(tmp_path, dated_csv(header, both)))
    assert str(found.index.tz) == "UTC"
    assert found.index[-1] == pd.Timestamp("2024-07-01 13:30", tz="UTC")
    assert notes == ("the offsets of the dates change, so the dates were put into UTC",)


@pytest.mark.parametrize(
    ("offsets", "zone"),
    [
        (("-05:00", "-05:00", "-04:00"), "America/New_York"),
        (("+01:00", "+01:00", "+02:00"), "Europe/Berlin"),
        (("+03:00", "+01:00", "+07:00"), None),
    ],
    ids=["New York", "Berlin", "nowhere"],
)
def test_midnights_with_an_offset_keep_their_calendar_day(tmp_path, offsets, zone):
    days = pd.DatetimeIndex(["2024-01-02", "2024-03-08", "2024-07-01"])
    dates = [f"{day} 00:00:00{offset}" for day, offset in zip(days.date, offsets, strict=True)]
    header = "Date,Open,High,Low,Close,Volume"
    found, notes = read_bars(write_file(tmp_path, dated_csv(header, dates)))
    assert list(found.index.tz_localize(None)) == list(days)
    assert (None if found.index.tz is None else str(found.index.tz)) == zone
    assert len(notes) == 1


def test_days_and_times_in_two_columns_are_joined(tmp_path):
    path = write_file(
        tmp_path,
        "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<VOL>\n"
        "2024.01.02\t09:30\t10\t12\t9\t11\t500\n"
        "2024.01.02\t10:30\t11\t13\t10\t12\t400\n"
        "2024.01.03\t09:30\t12.5\t14\t11.25\t13\t1200\n",
        "prices.txt",
    )
    dates = ["2024-01-02 09:30", "2024-01-02 10:30", "2024-01-03 09:30"]
    assert_same_bars(load_bars(path), three_bars(dates))


def test_days_and_times_written_as_numbers_are_joined(tmp_path):
    path = write_file(
        tmp_path,
        """
        <TICKER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>
        EURUSD,20240102,000000,10,12,9,11,500
        EURUSD,20240102,093000,11,13,10,12,400
        EURUSD,20240103,220000,12.5,14,11.25,13,1200
        """,
    )
    dates = ["2024-01-02 00:00", "2024-01-02 09:30", "2024-01-03 22:00"]
    assert_same_bars(load_bars(path), three_bars(dates))


def many_bars(dates) -> pd.DataFrame:
    """Return one bar a date, with the dates in a column as they are."""
    rows = range(len(dates))
    prices = three_bars().iloc[[row % 3 for row in rows]].reset_index(drop=True)
    return prices.assign(Date=pd.Series(dates, dtype=object))


def hundred_dates(form: str) -> list[str]:
    return list(pd.date_range("2001-01-01", periods=100).strftime(form))


def test_changing_offsets_give_the_zone_that_the_dates_had(tmp_path):
    hours = pd.date_range("2024-03-08", "2024-03-12", freq="h", tz="America/New_York")
    bars = many_bars(hours).set_index("Date")
    bars.to_csv(tmp_path / "prices.csv")
    assert_same_bars(load_bars(tmp_path / "prices.csv"), load_bars(bars))


@pytest.mark.parametrize("row", [0, 49, 99])
@pytest.mark.parametrize(
    "dates",
    [
        pytest.param(hundred_dates("%Y-%m-%d"), id="ISO"),
        pytest.param(hundred_dates("%Y-%m-%d 09:30:00+02:00"), id="ISO with a zone"),
        pytest.param(hundred_dates("%d/%m/%Y"), id="day first"),
        pytest.param(hundred_dates("%b %d, %Y"), id="words"),
        pytest.param(hundred_dates("%Y%m%d"), id="digits"),
        pytest.param([str(978_307_200 + 86_400 * day) for day in range(100)], id="epoch"),
        pytest.param(list(pd.date_range("2001-01-01", periods=100)), id="timestamps"),
    ],
)
def test_one_bad_date_is_named_with_its_row(dates, row):
    dates = [*dates[:row], "31 Brumaire", *dates[row + 1 :]]
    with pytest.raises(BarsError) as refused:
        load_bars(many_bars(dates))
    assert str(refused.value) == (
        f"row {row}, column Date: the date '31 Brumaire' can't be read (1 such row). "
        "Write dates as YYYY-MM-DD HH:MM:SS."
    )


@pytest.mark.parametrize(
    ("written", "zone"),
    [
        (" EST", "EST"),
        ("CEST", "CEST"),
        (" (CEST)", "CEST"),
        (" [Europe/Zurich]", "Europe/Zurich"),
    ],
)
def test_the_name_of_a_zone_is_refused_with_what_to_write(written, zone):
    dates = [f"2001-01-{day:02d} 16:00:00{written}" for day in range(1, 29)]
    with pytest.raises(BarsError) as refused:
        load_bars(many_bars(dates))
    assert str(refused.value) == (
        f"row 0, column Date: the date '2001-01-01 16:00:00{written}' can't be read (28 such "
        f"rows). Instead of the zone's name, {zone}, write its offset from UTC, as in "
        "2024-01-31 16:00:00-05:00, or leave it out."
    )


def test_one_impossible_day_does_not_move_all_bars_to_1970(tmp_path):
    dates = ["20240228", "20240230", "20240301"]
    path = write_file(tmp_path, dated_csv("Date,Open,High,Low,Close,Volume", dates))
    with pytest.raises(
        BarsError, match=r"line 3, column Date: the date '20240230' .* February 2024 has 29"
    ):
        load_bars(path)


def test_an_impossible_day_beside_a_column_of_times_is_named(tmp_path):
    path = write_file(
        tmp_path,
        """
        <DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>
        20240102,093000,10,12,9,11,500
        20240230,093000,11,13,10,12,400
        """,
    )
    with pytest.raises(BarsError, match="line 3, column <DATE>: the date '20240230' can't be read"):
        load_bars(path)


def test_seconds_in_the_summer_of_1970_are_no_calendar(tmp_path):
    dates = ["19000100", "19086500", "19172900"]
    path = write_file(tmp_path, dated_csv("unix,open,high,low,close,volume", dates))
    assert load_bars(path).index[0] == pd.Timestamp(19_000_100, unit="s", tz="UTC")


@pytest.mark.parametrize(
    "dates", [["1704153600", "", "1705363200"], ["2024-01-02", "", "2024-01-16"]], ids=str
)
def test_a_missing_date_is_named_by_its_row(tmp_path, dates):
    path = write_file(tmp_path, dated_csv("timestamp,open,high,low,close,volume", dates))
    with pytest.raises(BarsError, match=r"line 3: the date is missing \(1 such row\)\. Drop"):
        load_bars(path)


NAIVE, AWARE = "2024-01-02 00:00:00", "2024-01-03 00:00:00+00:00"


@pytest.mark.parametrize(
    "dates",
    [
        pytest.param([NAIVE, NAIVE, AWARE], id="an aware one"),
        pytest.param([AWARE, AWARE, NAIVE], id="a naive one"),
        pytest.param(["2024-01-02", "2024-01-02", "2024-01-03T00:00:00Z"], id="days and Z"),
        pytest.param(
            [pd.Timestamp(NAIVE), pd.Timestamp(NAIVE), pd.Timestamp(AWARE)], id="timestamps"
        ),
        pytest.param(
            [pd.Timestamp(AWARE), pd.Timestamp(AWARE), pd.Timestamp(NAIVE)],
            id="timestamps, a naive one",
        ),
    ],
)
def test_dates_with_and_without_a_timezone_are_not_mixed(dates):
    with pytest.raises(BarsError) as refused:
        load_bars(many_bars(dates))
    assert str(refused.value).startswith(
        "row 2, column Date: dates with and without a timezone are mixed: "
    )


NOT_DATES = {
    "row numbers": (
        ["0", "1", "2"],
        "unambiguously (row numbers?)",
    ),
    "days as Excel counts them": (["45293", "45294", "45295"], "45293 isn't a date"),
    "parts of such days": (["45293.25", "45293.5", "45293.75"], "45293.25 isn't a date"),
    "yymmdd": (["240102", "240103", "240201"], "240102 isn't a date"),
    "months or days of 2001": (["200101", "200102", "200103"], "200101 isn't a date"),
    "years": (
        ["2001", "2002", "2003"],
        "unambiguously (years?)",
    ),
    "ticks of .NET": (
        ["638397504000000000", "638398368000000000", "638399232000000000"],
        "unambiguously (ticks of .NET or of Windows?)",
    ),
    "ticks of Windows": (
        ["133486272000000000", "133487136000000000", "133488000000000000"],
        "unambiguously (ticks of .NET or of Windows?)",
    ),
    "an exponent": (["1.7E+12", "1.8E+12", "1.9E+12"], "the date '1.7E+12' can't be read"),
    "400 digits": (["1" * 400, "2" * 400, "3" * 400], "can't be read (3 such rows)"),
    "before the year 1": (["0000-01-01", "0000-01-02", "0000-01-03"], "outside the years 1700"),
    "three digits of offset": (
        [f"2024-01-02 09:3{minute}:00+005" for minute in range(3)],
        "the date '2024-01-02 09:30:00+005' can't be read",
    ),
    "year or day first": (
        ["24/01/02 09:00", "24/01/02 10:00", "24/01/03 09:00"],
        "dates such as '24/01/02 09:00' can be read as day/month and as year/month",
    ),
}


@pytest.mark.parametrize(("dates", "message"), NOT_DATES.values(), ids=NOT_DATES.keys())
def test_what_may_be_no_date_is_refused(tmp_path, dates, message):
    path = write_file(tmp_path, dated_csv("Date,Open,High,Low,Close,Volume", dates))
    with pytest.raises(BarsError) as refused:
        load_bars(path)
    assert message in str(refused.value)


DIGITS = {
    "hours": (["2024010209", "2024010210", "2024010211"], "2024-01-02 09:00"),
    "minutes": (["202401020930", "202401020931", "202401021000"], "2024-01-02 09:30"),
    "seconds": (["20240102093000", "20240102093001", "20240102093100"], "2024-01-02 09:30"),
    "milliseconds": (
        ["20240102093500000", "20240102094000000", "20240102100000000"],
        "2024-01-02 09:35",
    ),
    "months": (["202401", "202402", "202403"], "2024-01-01"),
    "seconds before 1973, by the days behind": (
        ["86400", "172800", "157766400"],
        "1970-01-02 00:00Z",
    ),
    "seconds of the epoch before 1990": (
        ["504921600", "505008000", "505094400"],
        "1986-01-01 00:00Z",
    ),
    "milliseconds, then microseconds": (
        ["1735686000000", "1735689600000000", "1735693200000000"],
        "2024-12-31 23:00Z",
    ),
}


@pytest.mark.parametrize(("dates", "first"), DIGITS.values(), ids=DIGITS.keys())
@pytest.mark.parametrize("kind", ["CSV", "frame"])
def test_digits_are_read_as_what_they_can_only_be(tmp_path, dates, first, kind):
    path = write_file(tmp_path, dated_csv("time,Open,High,Low,Close,Volume", dates))
    found = load_bars(path if kind == "CSV" else pd.read_csv(path))
    assert found.index[0] == pd.Timestamp(first)


FORMATS = [
    "%d-%m-%y",
    "%d-%b-%y",
    "%d %B %Y",
    "%Y%m%d  %H:%M:%S",
    "%d.%m.%Y %H:%M:%S.000 GMT+0100",
    "%Y-%m-%d %H:%M:%S UTC",
    "%m/%d/%Y %I:%M:%S %p",
    "%Y%m%d %H%M%S",
    "%Y-%m-%dT%H:%M:%S.%fZ",
    "%Y%m%d %H:%M:%S US/Eastern",
    "%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)",
    "%Y年%m月%d日",
    "%Y- %m- %d",
    "%d de %b de %Y",
]


@pytest.mark.parametrize("form", FORMATS)
@given(days=st.sets(st.dates(dt.date(1990, 1, 1), dt.date(2024, 12, 31)), min_size=40, max_size=60))
@settings(max_examples=5)
def test_dates_of_any_usual_format_come_back(form, days):
    dates = [dt.datetime.combine(day, dt.time(9, 30)) for day in sorted(days)]
    found = load_bars(many_bars([date.strftime(form) for date in dates]))
    has_times = "%H" in form or "%I" in form
    expected = pd.DatetimeIndex(dates if has_times else [date.date() for date in dates])
    assert list(found.index.tz_localize(None)) == list(expected)
