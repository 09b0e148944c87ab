from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_strategy.bars.validation import validate_bars
from lstm_strategy.errors import BarsError, LSTMStrategyError


def six_bars() -> pd.DataFrame:
    """Six days from Monday 2020-03-09; every bar closes one above its open."""
    opening = np.array([10.0, 11.0, 12.0, 11.0, 12.0, 13.0])
    return pd.DataFrame(
        {
            "open": opening,
            "high": opening + 2,
            "low": opening - 1,
            "close": opening + 1,
            "volume": [500.0, 400.0, 300.0, 0.0, 200.0, 100.0],
        },
        index=pd.DatetimeIndex(pd.bdate_range("2020-03-09", periods=6), name="datetime", freq=None),
    )


def with_cells(column: str, values: dict[int, object]) -> pd.DataFrame:
    bars = six_bars()
    cells = bars[column].astype(object)
    for row, value in values.items():
        cells.iloc[row] = value
    return bars.assign(**{column: cells})


def with_dates(*dates: object) -> pd.DataFrame:
    return six_bars().set_axis(pd.Index(list(dates)), axis=0)


DAYS = list(six_bars().index)
NEW_YORK_AND_TOKYO = [
    pd.Timestamp(day, tz="America/New_York" if place % 2 else "Asia/Tokyo")
    for place, day in enumerate(DAYS)
]

BAD_BARS = {
    "not a frame": (
        [1, 2, 3],
        "bars must be a pandas DataFrame, got list. Use load_bars to read a file or a sample.",
    ),
    "columns of two levels": (
        pd.concat({"SPY": six_bars()}, axis=1),
        "columns must have one level, got 2. "
        "Choose one asset, or use load_bars when there is only one.",
    ),
    "repeated column": (
        pd.concat([six_bars(), six_bars()[["close"]]], axis=1),
        "column close occurs more than once. Drop or rename the others.",
    ),
    "missing column": (
        six_bars().drop(columns="volume"),
        "column volume is missing (found: open, high, low, close). "
        "Add it, or rename the column that holds it; "
        "load_bars does that for the usual spellings only.",
    ),
    "capital letters": (
        six_bars().rename(columns=str.title),
        "column open is missing (found: Open, High, Low, Close, Volume). "
        "Add it, or rename the column that holds it; "
        "load_bars does that for the usual spellings only.",
    ),
    "no columns": (
        pd.DataFrame(index=DAYS),
        "column open is missing (found: no columns). "
        "Add it, or rename the column that holds it; "
        "load_bars does that for the usual spellings only.",
    ),
    "no rows": (
        six_bars().iloc[:0],
        "there are no bars: 0 rows. Load at least one bar.",
    ),
    "row numbers": (
        six_bars().reset_index(drop=True),
        "the index must be a DatetimeIndex, got RangeIndex (int64) that starts with 0. "
        'Put the column of dates there: bars = bars.set_index("date"), or use load_bars.',
    ),
    "seconds": (
        six_bars().set_axis(range(1583712000, 1583712006), axis=0),
        "the index must be a DatetimeIndex, got RangeIndex (int64) that starts with 1583712000. "
        "Say what it counts since 1970, for instance seconds: "
        'bars.index = pd.to_datetime(bars.index, unit="s").',
    ),
    "dates as text": (
        with_dates(*[str(day.date()) for day in DAYS]),
        "the index must be a DatetimeIndex, got Index (str) that starts with '2020-03-09'. "
        "Convert it: bars.index = pd.to_datetime(bars.index).",
    ),
    "periods": (
        six_bars().to_period("D"),
        "the index must be a DatetimeIndex, got PeriodIndex (period[D]) that starts with "
        "Period('2020-03-09', 'D'). Convert it: bars.index = bars.index.to_timestamp().",
    ),
    "two timezones": (
        with_dates(*NEW_YORK_AND_TOKYO),
        "the index mixes timezones: America/New_York, Asia/Tokyo. "
        "Convert it: bars.index = pd.to_datetime(bars.index, utc=True).",
    ),
    "dates with and without a timezone": (
        with_dates(*DAYS[:2], *[day.tz_localize("UTC") for day in DAYS[2:]]),
        "the index mixes dates with and without a timezone: 2020-03-11 00:00:00+00:00 of row 2 "
        "has one, 2020-03-09 00:00:00 of row 0 has none. Give all of them a timezone, or none.",
    ),
    "a date missing": (
        with_dates(*DAYS[:2], pd.NaT, *DAYS[3:]),
        "the date of row 2 is missing (NaT; 1 such row). "
        "Drop those rows: bars[bars.index.notna()].",
    ),
    "unsorted dates": (
        six_bars().iloc[[0, 2, 1, 3, 5, 4]],
        "the date goes back to 2020-03-10 after 2020-03-11 (2 such rows). "
        "Sort the bars: bars.sort_index().",
    ),
    "repeated dates": (
        six_bars().iloc[[0, 1, 1, 1, 2, 3]],
        "the date is repeated at 2020-03-10 (2 such rows). "
        'Keep one bar per date: bars[~bars.index.duplicated(keep="last")].',
    ),
    "a string among prices": (
        with_cells("close", {1: "n/a", 4: "12.5"}),
        "close holds the string 'n/a' at 2020-03-10 (2 such rows). "
        "Turn them into numbers, or drop those rows.",
    ),
    "prices as strings": (
        six_bars().astype({"open": str}),
        "open holds the string '10.0' at 2020-03-09 (6 such rows). "
        "Turn them into numbers, or drop those rows.",
    ),
    "a list among volumes": (
        with_cells("volume", {5: [1]}),
        "volume holds the list [1] at 2020-03-16 (1 such row). "
        "Turn them into numbers, or drop those rows.",
    ),
    "NaN price": (
        with_cells("close", {0: np.nan, 3: np.nan, 4: np.nan}),
        "close is NaN at 2020-03-09 (3 such rows). Fill or drop those rows.",
    ),
    "NA price": (
        with_cells("low", {2: pd.NA}),
        "low is NaN at 2020-03-11 (1 such row). Fill or drop those rows.",
    ),
    "infinite price": (
        with_cells("high", {5: np.inf}),
        "high is inf at 2020-03-16 (1 such row). Correct or drop those rows.",
    ),
    "zero price": (
        with_cells("low", {1: 0.0}),
        "low is 0 at 2020-03-10 (1 such row). "
        "Prices must be above zero: correct or drop those rows.",
    ),
    "negative price": (
        with_cells("low", {1: -37.63, 2: -1.0}),
        "low is -37.63 at 2020-03-10 (2 such rows). Returns of prices below zero mean nothing: "
        "use prices that are adjusted by ratio, put the raw price of the contract beside those of "
        "a future, in a column named price, or drop those rows.",
    ),
    "price whose square is infinite": (
        with_cells("high", {1: 1e154}),
        "high is 1e+154 at 2020-03-10 (1 such row). "
        "Prices must lie between 1e-100 and 1e+100: change their unit.",
    ),
    "volume whose square is infinite": (
        with_cells("volume", {1: 1e200}),
        "volume is 1e+200 at 2020-03-10 (1 such row). Volume must be below 1e+100: "
        "change its unit.",
    ),
    "dates before the year 1": (
        six_bars().set_axis(
            pd.DatetimeIndex(np.arange(-800_000, -799_994).astype("M8[D]").astype("M8[s]")), axis=0
        ),
        "the date of row 0 lies before the year 1 (6 such rows). Correct it.",
    ),
    "high below low": (
        with_cells("high", {3: 9.0}),
        "high 9 is below low 10 at 2020-03-12 (1 such row). Correct or drop those rows.",
    ),
    "high below open": (
        with_cells("high", {3: 10.5}),
        "high 10.5 is below open 11 at 2020-03-12 (1 such row). Correct or drop those rows.",
    ),
    "high below close": (
        with_cells("high", {3: 11.5}),
        "high 11.5 is below close 12 at 2020-03-12 (1 such row). Correct or drop those rows.",
    ),
    "low above open": (
        with_cells("low", {0: 10.5}),
        "low 10.5 is above open 10 at 2020-03-09 (1 such row). Correct or drop those rows.",
    ),
    "low above close": (
        with_cells("close", {5: 11.5}),
        "low 12 is above close 11.5 at 2020-03-16 (1 such row). Correct or drop those rows.",
    ),
    "NaN volume": (
        with_cells("volume", {2: None}),
        "volume is NaN at 2020-03-11 (1 such row). Fill it with 0 or drop those rows.",
    ),
    "negative volume": (
        with_cells("volume", {0: -5.0}),
        "volume is -5 at 2020-03-09 (1 such row). "
        "Volume must be zero or more: correct or drop those rows.",
    ),
    "infinite volume": (
        with_cells("volume", {0: np.inf}),
        "volume is inf at 2020-03-09 (1 such row). Correct or drop those rows.",
    ),
    "constant price": (
        six_bars().assign(open=10.0, high=11.0, low=9.0, close=10.5),
        "close is 10.5 on every bar from 2020-03-09 to 2020-03-16 (6 such rows). "
        "Load prices that move.",
    ),
    "infinite extra": (
        six_bars().assign(funding_rate=[0.1, np.nan, -np.inf, 0.1, 0.1, 0.1]),
        "funding_rate is -inf at 2020-03-11 (1 such row). Replace it with a number or NaN.",
    ),
    "text column": (
        six_bars().assign(symbol="SPY"),
        "extra column symbol is not numeric: it holds the string 'SPY' at 2020-03-09 "
        "(6 such rows). Drop it: bars.drop(columns='symbol').",
    ),
    "column of dates": (
        six_bars().assign(settled=DAYS),
        "extra column settled is not numeric: it holds the Timestamp "
        "Timestamp('2020-03-09 00:00:00') at 2020-03-09 (6 such rows). "
        "Drop it: bars.drop(columns='settled').",
    ),
}


@pytest.mark.parametrize(("bars", "message"), BAD_BARS.values(), ids=BAD_BARS.keys())
def test_the_first_offence_is_named_with_its_date_and_remedy(bars, message):
    with pytest.raises(BarsError) as refused:
        validate_bars(bars)
    assert str(refused.value) == message


def test_the_earliest_bad_price_is_named_whichever_column_holds_it():
    bars = six_bars()
    bars.iloc[4, 0] = np.nan
    bars.iloc[2, 3] = np.nan
    with pytest.raises(BarsError, match=r"^close is NaN at 2020-03-11"):
        validate_bars(bars)


def test_intraday_offences_are_named_with_their_time_and_zone():
    bars = six_bars().set_axis(pd.date_range("2020-03-09", periods=6, freq="h", tz="UTC"))
    bars.iloc[2, 3] = np.nan
    with pytest.raises(BarsError, match=r"close is NaN at 2020-03-09 02:00:00\+00:00 \(1 such row"):
        validate_bars(bars)


def test_the_source_stands_in_front_of_the_message():
    with pytest.raises(LSTMStrategyError, match=r"^prices\.csv: column volume is missing"):
        validate_bars(six_bars().drop(columns="volume"), source="prices.csv")


def test_good_bars_come_back_in_the_usual_shape():
    bars = six_bars().assign(mark=range(6)).astype({"volume": "int64"}).rename_axis("Date")
    shuffled = bars[["mark", "volume", "close", "low", "high", "open"]]
    expected = six_bars().assign(mark=[0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
    pd.testing.assert_frame_equal(validate_bars(shuffled), expected)


@pytest.mark.parametrize(
    "same",
    [
        pytest.param(lambda bars: bars.convert_dtypes(), id="nullable dtypes"),
        pytest.param(lambda bars: bars.astype(object), id="objects"),
        pytest.param(lambda bars: bars.map(lambda value: Decimal(str(value))), id="decimals"),
        pytest.param(lambda bars: bars.astype("float32"), id="float32"),
        pytest.param(
            lambda bars: bars.convert_dtypes(dtype_backend="pyarrow"), id="pyarrow dtypes"
        ),
    ],
)
def test_numbers_of_any_dtype_become_float64(same):
    bars = six_bars().assign(mark=[1.0, np.nan, 3.0, 4.0, 5.0, 6.0])
    pd.testing.assert_frame_equal(validate_bars(same(bars)), bars)


def test_missing_extras_of_any_kind_become_nan():
    bars = six_bars().assign(mark=[1, None, pd.NA, np.nan, pd.NaT, True])
    expected = [1.0, np.nan, np.nan, np.nan, np.nan, 1.0]
    np.testing.assert_array_equal(validate_bars(bars)["mark"], expected)


def test_one_bar_is_enough():
    assert validate_bars(six_bars().iloc[:1]).shape == (1, 5)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata"])
def test_a_timezone_is_kept(zone):
    assert str(validate_bars(six_bars().tz_localize(zone)).index.tz) == zone


def test_rounding_noise_passes_and_a_real_difference_does_not():
    noisy = six_bars()
    noisy["high"] = noisy["close"] * (1 - 1e-12)
    assert len(validate_bars(noisy)) == 6
    noisy["high"] = noisy["close"] * (1 - 1e-7)
    with pytest.raises(BarsError, match=r"high .* is below close 11 at 2020-03-09"):
        validate_bars(noisy)


def test_writing_into_the_result_leaves_the_callers_frame_as_it_was():
    bars = six_bars()
    valid = validate_bars(bars)
    valid.iloc[:, :] = -1.0
    pd.testing.assert_frame_equal(bars, six_bars())


@given(
    row=st.integers(0, 5),
    column=st.sampled_from(["open", "high", "low", "close", "volume"]),
    value=st.one_of(st.floats(), st.text(max_size=3), st.none()),
)
def test_one_changed_cell_gives_valid_bars_or_an_error_that_names_its_date(row, column, value):
    bars = with_cells(column, {row: value})
    before = bars.copy(deep=True)
    try:
        valid = validate_bars(bars)
    except BarsError as error:
        assert f"{DAYS[row]:%Y-%m-%d}" in str(error)
    else:
        assert np.isfinite(valid.to_numpy()).all()
        assert (valid.high >= valid.low).all()
    pd.testing.assert_frame_equal(bars, before)
