import numpy as np
import pandas as pd
import pytest

from lstm_strategy.bars.frequency import bar_spacing, bars_per_year
from lstm_strategy.errors import BarsError


def session_index(days: pd.DatetimeIndex, *, n_bars: int, timezone: str | None = None):
    """Hourly bars from 09:30 on each day."""
    opens = days + pd.Timedelta(hours=9, minutes=30)
    times = [opened + pd.Timedelta(hours=hour) for opened in opens for hour in range(n_bars)]
    return pd.DatetimeIndex(times).tz_localize(timezone)


MONDAY = "2024-01-01"
WEEKDAYS = pd.bdate_range(MONDAY, periods=60)


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        pytest.param(pd.bdate_range(MONDAY, periods=500), 252, id="daily stocks"),
        pytest.param(pd.date_range(MONDAY, periods=500, freq="D"), 365, id="daily crypto"),
        pytest.param(pd.date_range(MONDAY, periods=5, freq="D"), 252, id="Monday to Friday"),
        pytest.param(pd.date_range(MONDAY, periods=7, freq="D"), 365, id="Monday to Sunday"),
        pytest.param(pd.DatetimeIndex(["2024-01-05", "2024-01-08"]), 252, id="Friday and Monday"),
        pytest.param(pd.date_range(MONDAY, periods=24 * 30, freq="h"), 8760, id="hours 24/7"),
        pytest.param(pd.date_range(MONDAY, periods=1440 * 8, freq="min"), 525600, id="minutes"),
        pytest.param(pd.date_range(MONDAY, periods=6 * 30, freq="4h"), 2190, id="4 hours 24/7"),
        pytest.param(session_index(WEEKDAYS, n_bars=7), 1764, id="hours of a US session"),
        pytest.param(
            session_index(WEEKDAYS, n_bars=7, timezone="America/New_York"), 1764, id="aware session"
        ),
        pytest.param(pd.date_range(MONDAY, periods=60, freq="W-FRI"), 52, id="weekly"),
        pytest.param(pd.date_range(MONDAY, periods=60, freq="2W-FRI"), 26, id="every 2 weeks"),
        pytest.param(pd.date_range(MONDAY, periods=24, freq="ME"), 12, id="month ends"),
        pytest.param(pd.date_range("2024-02-01", periods=2, freq="MS"), 12, id="a short month"),
        pytest.param(pd.date_range(MONDAY, periods=24, freq="BME"), 12, id="business month ends"),
        pytest.param(pd.date_range(MONDAY, periods=12, freq="QE"), 4, id="quarterly"),
        pytest.param(pd.date_range(MONDAY, periods=4, freq="YE"), 1, id="yearly"),
        pytest.param(pd.date_range(MONDAY, periods=99, freq="2D"), 365.25 / 2, id="every 2 days"),
    ],
)
def test_bars_per_year_follow_the_bars_own_frequency(index, expected):
    assert bars_per_year(index) == expected


def test_half_days_and_holidays_leave_the_year_as_it_is():
    full = session_index(WEEKDAYS, n_bars=7)
    half_day = full[~((full.date == WEEKDAYS[20].date()) & (full.hour > 12))]
    with_holidays = half_day[~np.isin(half_day.date, [WEEKDAYS[9].date(), WEEKDAYS[30].date()])]
    assert len(with_holidays) == 7 * 60 - 3 - 14
    assert bars_per_year(with_holidays) == 1764


def test_missing_crypto_bars_leave_the_year_as_it_is():
    hours = pd.date_range(MONDAY, periods=24 * 60, freq="h")
    kept = hours[np.random.default_rng(7).random(len(hours)) > 0.01]
    assert bars_per_year(kept[50:-50]) == 8760


def test_days_cut_at_both_ends_do_not_count():
    hours = pd.date_range("2024-01-01 20:00", "2024-01-04 05:00", freq="h")
    assert bars_per_year(hours) == 24 * 252


def test_sunday_evenings_of_currencies_do_not_make_a_365_day_year():
    hours = pd.date_range("2024-01-01", periods=24 * 60, freq="h")
    is_closed = (
        (hours.day_of_week == 5)
        | ((hours.day_of_week == 4) & (hours.hour >= 22))
        | ((hours.day_of_week == 6) & (hours.hour < 22))
    )
    assert bars_per_year(hours[~is_closed]) == 24 * 252


def test_summer_time_does_not_move_daily_bars():
    index = pd.date_range("2024-02-01", periods=200, freq="B", tz="America/New_York")
    assert bars_per_year(index) == 252
    assert bars_per_year(index.tz_convert("UTC")) == 252


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_spacing_is_the_median_step_in_any_unit(unit):
    index = pd.DatetimeIndex(
        ["2024-01-02 09:00", "2024-01-02 10:00", "2024-01-02 11:00", "2024-01-03 09:00"]
    )
    assert bar_spacing(index.as_unit(unit)) == pd.Timedelta(hours=1)


def test_markets_beyond_the_year_2262_have_a_frequency():
    index = pd.bdate_range("2000-01-03", periods=200_000, unit="us")
    assert index[-1].year == 2766
    assert bar_spacing(index) == pd.Timedelta(days=1)
    assert bars_per_year(index) == 252
    assert bars_per_year(index.tz_localize("America/New_York")) == 252


@pytest.mark.parametrize("unit", ["s", "us"])
def test_a_spacing_between_two_units_keeps_its_half(unit):
    times = pd.to_datetime([0, 1, 3], unit="s").as_unit(unit)
    assert bar_spacing(times) == pd.Timedelta(milliseconds=1500)


@pytest.mark.parametrize("function", [bar_spacing, bars_per_year])
@pytest.mark.parametrize(
    ("index", "message"),
    [
        pytest.param(
            pd.DatetimeIndex(["2024-01-02"]),
            r"at least 2 bars are needed .* got 1\. Load more history",
            id="one bar",
        ),
        pytest.param(pd.DatetimeIndex([]), "got 0", id="no bars"),
        pytest.param(
            pd.RangeIndex(5), r"must be a DatetimeIndex, got RangeIndex\. Pass", id="no dates"
        ),
    ],
)
def test_an_index_without_a_frequency_is_refused(function, index, message):
    with pytest.raises(BarsError, match=message):
        function(index)
