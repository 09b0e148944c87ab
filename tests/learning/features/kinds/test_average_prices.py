"""VWAP and TWAP by session, rolling and anchored, worked by hand on a few bars."""

import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy import FeatureSet, LSTMStrategyError
from lstm_strategy.learning.features.kinds import OWN_KINDS


def bars_at(prices, volumes, *, start="2024-01-01 22:00", freq="h", tz=None):
    index = pd.date_range(start, periods=len(prices), freq=freq, tz=tz)
    columns = dict.fromkeys(("open", "high", "low", "close"), np.array(prices, float))
    return pd.DataFrame({**columns, "volume": np.array(volumes, float)}, index)


def values_of(bars, kind, **arguments):
    return OWN_KINDS[kind](bars, **arguments)


def test_a_session_begins_at_midnight_on_the_clock_of_the_bars():
    # 22:00, 23:00 of one day, then 0:00 and 1:00 of the next
    bars = bars_at([10, 13, 20, 26], [1, 2, 1, 1], tz="America/New_York")
    vwap = values_of(bars, "session_vwap")["SESSION_VWAP_D"]
    np.testing.assert_allclose(vwap, [10, 12, 20, 23])
    twap = values_of(bars, "session_twap")["SESSION_TWAP_D"]
    np.testing.assert_allclose(twap, [10, 11.5, 20, 23])


def test_a_session_may_begin_at_another_time():
    bars = bars_at([10, 13, 20, 26], [1, 2, 1, 1])
    vwap = values_of(bars, "session_vwap", starts="23:00")["SESSION_VWAP_D_2300"]
    np.testing.assert_allclose(vwap, [10, 13, 46 / 3, 18])


@pytest.mark.parametrize(
    ("session", "start"), [("W", "2024-01-06"), ("M", "2024-01-30")], ids=["weeks", "months"]
)
def test_sessions_may_be_longer(session, start):
    # Monday the 8th of January, and the 1st of February
    bars = bars_at([10, 13, 20, 26], [1, 2, 1, 1], start=start, freq="D")
    vwap = values_of(bars, "session_vwap", session=session)[f"SESSION_VWAP_{session}"]
    np.testing.assert_allclose(vwap, [10, 12, 20, 23])


def test_a_deviation_is_in_units_of_the_weighted_deviation():
    bars = bars_at([10, 16, 16], [1, 1, 1], start="2024-01-01 00:00")
    deviation = values_of(bars, "session_vwap", unit="sigma")["SESSION_VWAP_D_SIGMA"]
    # 10 and 16 average 13 with a deviation of 3; with another 16 they do 14 and sqrt(8)
    np.testing.assert_allclose(deviation, [0, 1, 2 / np.sqrt(8)])


def test_bands_lie_deviations_below_and_above():
    bars = bars_at([10, 16], [1, 1], start="2024-01-01 00:00")
    frame = values_of(bars, "session_vwap", bands=2)
    assert frame.iloc[1].to_dict() == {
        "SESSION_VWAP_D": 13.0,
        "SESSION_VWAP_D_LOWER_2": 7.0,
        "SESSION_VWAP_D_UPPER_2": 19.0,
    }


def test_a_rolling_average_takes_the_last_bars():
    bars = bars_at([10, 13, 20, 26], [1, 2, 1, 1])
    vwap = values_of(bars, "rolling_vwap", length=2)["ROLLING_VWAP_2"]
    np.testing.assert_allclose(vwap, [np.nan, 12, 46 / 3, 23])
    twap = values_of(bars, "rolling_twap", length=2)["ROLLING_TWAP_2"]
    np.testing.assert_allclose(twap, [np.nan, 11.5, 16.5, 23])


def test_an_anchor_is_the_last_of_the_highest_bars():
    bars = bars_at([10, 30, 30, 15, 12], [1, 1, 1, 2, 1])
    vwap = values_of(bars, "anchored_vwap", length=3)["ANCHORED_VWAP_HIGH_3"]
    np.testing.assert_allclose(vwap, [np.nan, np.nan, 30, (30 + 2 * 15) / 3, (30 + 30 + 12) / 4])
    low = values_of(bars, "anchored_vwap", length=3, anchor="low")["ANCHORED_VWAP_LOW_3"]
    np.testing.assert_allclose(low[2:], [70 / 3, 15, 12])


def test_bars_weigh_alike_where_nothing_was_traded():
    bars = bars_at([10, 13, 16], [0, 0, 2], start="2024-01-01 00:00")
    vwap = values_of(bars, "session_vwap")["SESSION_VWAP_D"]
    np.testing.assert_allclose(vwap, [10, 11.5, 16])
    np.testing.assert_allclose(values_of(bars, "rolling_vwap", length=2).iloc[1:, 0], [11.5, 16])


def test_prices_that_dont_move_have_no_deviation():
    bars = bars_at([1e6 / 3] * 5, [3, 1, 4, 1, 5])
    for kind, arguments in [("session_vwap", {}), ("rolling_vwap", {"length": 3})]:
        values = values_of(bars, kind, unit="sigma", **arguments).iloc[2:, 0]
        assert (values == 0).all()


@pytest.mark.parametrize("kind", ["rolling_vwap", "anchored_vwap", "session_vwap"])
def test_an_average_is_that_of_the_obvious_loop(kind):
    bars = random_walk(300, freq="h")
    length = {"session_vwap": {}}.get(kind, {"length": 30})
    frame = values_of(bars, kind, bands=1, **length)
    typical = bars[["high", "low", "close"]].mean(axis=1)
    for row in (40, 123, 299):
        first = row - 29
        if kind == "session_vwap":
            first = bars.index.searchsorted(bars.index[row].normalize())
        if kind == "anchored_vwap":
            first += int(np.argmax(bars["high"].to_numpy()[first : row + 1]))
        part, weights = typical.iloc[first : row + 1], bars["volume"].iloc[first : row + 1]
        mean = np.average(part, weights=weights)
        deviation = np.sqrt(np.average((part - mean) ** 2, weights=weights))
        expected = [mean, mean - deviation, mean + deviation]
        np.testing.assert_allclose(frame.iloc[row], expected, rtol=1e-12)


def test_as_a_feature_a_level_is_its_distance_from_the_close():
    bars = bars_at([10, 13, 20, 26], [1, 2, 1, 1])
    frame = FeatureSet([{"kind": "rolling_vwap", "length": 2}]).frame(bars)
    assert frame.iloc[-1, 0] == pytest.approx(23 / 26 - 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "session_vwap", "session": "H"}, "session must be one of D, W, M, got 'H'"),
        ({"kind": "session_vwap", "starts": "25:00"}, "starts must be a time such as"),
        (
            {"kind": "rolling_vwap", "unit": "pips"},
            "rolling_vwap: unit must be one of price, sigma",
        ),
        ({"kind": "rolling_vwap", "bands": -1}, "bands must be a number of deviations above 0"),
        ({"kind": "rolling_vwap", "bands": 1, "unit": "sigma"}, "bands are levels"),
        ({"kind": "anchored_vwap", "anchor": "2024-01-01"}, "anchor must be one of high, low"),
        ({"kind": "anchored_vwap", "length": 0}, "whole number of bars"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(LSTMStrategyError, match=message):
        FeatureSet([arguments])
