import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_strategy.bars.fingerprint import bars_fingerprint
from lstm_strategy.errors import BarsError


def three_bars() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "open": [10.0, 11.0, 12.0],
            "high": [12.0, 13.0, 14.0],
            "low": [9.0, 10.0, 11.0],
            "close": [11.0, 12.0, 13.0],
            "volume": [500.0, 400.0, 0.0],
            "funding_rate": [0.0001, np.nan, -0.0002],
        },
        index=pd.DatetimeIndex(["2024-01-02", "2024-01-03", "2024-01-04"], name="datetime"),
    )


def test_the_fingerprint_is_sixty_four_hex_digits_that_never_change():
    # Saved models carry fingerprints, so another release must give the same one.
    assert bars_fingerprint(three_bars()) == (
        "2a4920e36398039fe83f3e29c1589fd990744aa1e043d302e5f6cba958e44766"
    )


@pytest.mark.parametrize(
    "same",
    [
        pytest.param(lambda bars: bars[sorted(bars.columns)], id="column order"),
        pytest.param(lambda bars: bars.rename_axis("Date"), id="index name"),
        pytest.param(lambda bars: bars.set_axis(bars.index.as_unit("s")), id="index unit"),
        pytest.param(lambda bars: bars.set_axis(bars.index.as_unit("ns")), id="nanoseconds"),
        pytest.param(lambda bars: bars.tz_localize("UTC"), id="UTC made explicit"),
        pytest.param(
            lambda bars: bars.tz_localize("UTC").tz_convert("Asia/Tokyo"), id="another zone"
        ),
        pytest.param(
            lambda bars: pd.DataFrame(np.asfortranarray(bars.to_numpy()), bars.index, bars.columns),
            id="memory layout",
        ),
        pytest.param(lambda bars: bars.loc[bars.index.repeat(2)].iloc[::2], id="strided"),
        pytest.param(lambda bars: bars.convert_dtypes(), id="nullable dtypes"),
        pytest.param(lambda bars: bars.assign(volume=[500.0, 400.0, -0.0]), id="minus zero"),
    ],
)
def test_the_same_bars_have_the_same_fingerprint(same):
    assert bars_fingerprint(same(three_bars())) == bars_fingerprint(three_bars())


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(lambda bars: bars.iloc[:-1], id="one bar less"),
        pytest.param(lambda bars: bars.iloc[::-1], id="another order"),
        pytest.param(lambda bars: bars.drop(columns="funding_rate"), id="one column less"),
        pytest.param(lambda bars: bars.rename(columns={"funding_rate": "rate"}), id="a name"),
        pytest.param(
            lambda bars: bars.rename(columns={"high": "low", "low": "high"}), id="names swapped"
        ),
        pytest.param(lambda bars: bars.fillna(0.0), id="NaN filled"),
        pytest.param(
            lambda bars: bars.set_axis(bars.index + pd.Timedelta(microseconds=1)), id="dates"
        ),
        pytest.param(lambda bars: bars.tz_localize("Asia/Tokyo"), id="other instants"),
    ],
)
def test_other_bars_have_another_fingerprint(other):
    assert bars_fingerprint(other(three_bars())) != bars_fingerprint(three_bars())


def far_bars(unit="us", n_bars=200_000):
    index = pd.bdate_range("2000-01-03", periods=n_bars, unit=unit)
    return pd.DataFrame({"close": np.arange(float(n_bars))}, index)


def test_dates_beyond_the_year_2262_have_a_fingerprint_that_ignores_their_unit():
    bars = far_bars()
    assert bars.index[-1].year == 2766
    assert bars_fingerprint(bars) == bars_fingerprint(far_bars("s"))
    assert bars_fingerprint(bars) == bars_fingerprint(bars.tz_localize("UTC"))


def test_another_date_beyond_the_year_2262_changes_the_fingerprint():
    bars = far_bars()
    moved = bars.set_axis([*bars.index[:-1], bars.index[-1] + pd.Timedelta(microseconds=1)], axis=0)
    assert bars_fingerprint(moved) != bars_fingerprint(bars)


@given(row=st.integers(0, 2), column=st.integers(0, 4), factor=st.sampled_from([-1, 1]))
def test_the_smallest_change_of_any_value_changes_the_fingerprint(row, column, factor):
    bars = three_bars()
    bars.iloc[row, column] = np.nextafter(bars.iloc[row, column], factor * np.inf)
    assert bars_fingerprint(bars) != bars_fingerprint(three_bars())


def test_the_frame_is_left_as_it_was():
    bars = three_bars()
    bars_fingerprint(bars)
    pd.testing.assert_frame_equal(bars, three_bars())


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        pytest.param(
            lambda bars: bars.reset_index(drop=True), "needs a DatetimeIndex", id="no dates"
        ),
        pytest.param(
            lambda bars: bars.assign(symbol="SPY"),
            r"needs numbers, got str in column symbol\. .* drop that column",
            id="text",
        ),
    ],
)
def test_what_has_no_fingerprint_is_refused(bad, message):
    with pytest.raises(BarsError, match=message):
        bars_fingerprint(bad(three_bars()))
