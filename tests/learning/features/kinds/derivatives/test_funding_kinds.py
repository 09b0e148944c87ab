"""Funding as features, worked by hand: settlements are counted as they come, windows are times."""

import numpy as np
import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy import FeatureSet, LSTMStrategyError
from lstm_strategy.learning.features.kinds.derivatives import DERIVATIVE_KINDS

BP = 1e-4


def bars_with(rates, *, freq="8h", start="2024-01-01", **columns):
    bars = random_walk(len(rates), freq=freq, start=start)
    return bars.assign(funding_rate=rates, **columns)


def values_of(bars, kind, **arguments):
    return DERIVATIVE_KINDS[kind](bars, **arguments).iloc[:, 0].to_numpy()


def test_a_rate_stays_in_force_until_the_next_settlement():
    bars = bars_with([np.nan, BP, np.nan, -2 * BP, np.nan])
    np.testing.assert_array_equal(
        values_of(bars, "funding_rate"), [np.nan, BP, BP, -2 * BP, -2 * BP]
    )


def test_a_day_of_funding_is_the_sum_of_the_settlements_of_24_hours():
    bars = bars_with(np.array([1.0, 2, 4, 8, 16]) * BP)
    expected = np.array([np.nan, np.nan, np.nan, 2 + 4 + 8, 4 + 8 + 16]) * BP
    np.testing.assert_allclose(values_of(bars, "funding_sum", days=1), expected)


def test_funding_is_summed_by_time_where_the_interval_changes():
    # every eight hours at first, every four hours then: all that fall into the day count
    hours = [0, 8, 16, 24, 28, 32]
    times = pd.Timestamp("2024-01-01") + pd.to_timedelta(hours, unit="h")
    bars = bars_with(np.array([1.0, 2, 4, 8, 16, 32]) * BP).set_axis(times)
    expected = np.array([np.nan, np.nan, np.nan, 14, 30, 60]) * BP
    np.testing.assert_allclose(values_of(bars, "funding_sum", days=1), expected)


@pytest.mark.parametrize("hours", [1, 2, 4])
def test_a_week_of_funding_is_the_same_in_bars_of_any_length(hours):
    times = pd.date_range("2024-01-01", "2024-01-20", freq=f"{hours}h")
    rates = pd.Series(np.where(times.hour % 8 == 0, times.day_of_year * BP, np.nan), times)
    bars = bars_with(rates.to_numpy(), freq=f"{hours}h")
    week = DERIVATIVE_KINDS["funding_sum"](bars, days=7)["FUNDING_SUM_7D"]
    # on the 15th, at 8: a settlement of the 8th at 16, three on each of six days, two of the 15th
    expected = (8 + 3 * sum(range(9, 15)) + 2 * 15) * BP
    assert week["2024-01-15 08:00"] == pytest.approx(expected)


def test_what_was_paid_within_longer_bars_counts_too():
    close = random_walk(3, freq="D")["close"].to_numpy()
    bars = bars_with([BP, BP, BP], freq="D", start="2024-01-01", funding_payment=2 * BP * close)
    paid = values_of(bars, "funding_sum", days=1, payment="funding_payment")
    np.testing.assert_allclose(paid, [np.nan, 3 * BP, 3 * BP])


def test_a_surprise_is_the_distance_from_the_mean_of_the_week_before():
    rates = [BP, 3 * BP] * 11 + [4 * BP, np.nan]
    surprise = values_of(bars_with(rates), "funding_surprise", days=7)
    # 21 settlements of a week lie before the last one, eleven of them at 3 bp: mean 43/21 bp
    before = np.array(rates[1:22])
    expected = (4 * BP - before.mean()) / before.std()
    assert before.mean() == pytest.approx(43 / 21 * BP)
    np.testing.assert_allclose(surprise[-2:], expected)
    assert np.isnan(surprise[:21]).all() and np.isfinite(surprise[21:]).all()


def test_a_first_move_after_constant_funding_counts_as_five_deviations():
    surprise = values_of(bars_with([BP] * 30 + [BP + 1e-3]), "funding_surprise")
    np.testing.assert_allclose(surprise[21:30], 0, atol=1e-9)
    assert surprise[30] == 5


def test_a_run_is_the_time_since_funding_changed_its_sign():
    rates = [BP, -BP, -BP, BP, 3 * BP, 2 * BP, 0.0]
    run = values_of(bars_with(rates), "funding_run", days=1)
    expected = [np.nan, np.nan, np.nan, 0, 1 / 3, 2 / 3, 0]
    np.testing.assert_allclose(run, expected, atol=1e-12)


def test_a_run_counts_as_whole_once_it_is_as_long_as_the_window():
    np.testing.assert_allclose(values_of(bars_with([-BP] * 6), "funding_run", days=1)[3:], -1)


def test_predicted_rates_are_a_column_of_their_own():
    bars = bars_with([BP, np.nan, BP], predicted_funding_rate=[2 * BP, np.nan, 3 * BP])
    features = FeatureSet([{"kind": "predicted_funding"}, {"kind": "funding_rate"}])
    assert features.bars_columns[5:] == ["predicted_funding_rate", "funding_rate"]
    expected = np.array([[2, 1], [2, 1], [3, 1]]) * BP
    np.testing.assert_allclose(features.frame(bars), expected)


def test_another_column_of_rates_can_be_named():
    features = FeatureSet([{"kind": "funding_sum", "days": 2, "rate": "paid"}])
    assert features.names == ["FUNDING_SUM_2D_paid"]
    assert features.bars_columns[5:] == ["paid"]


@pytest.mark.parametrize("days", [0, -1, float("nan"), "7", True])
def test_a_window_must_be_a_number_of_days(days):
    with pytest.raises(LSTMStrategyError, match="days must be a number of days above 0"):
        FeatureSet([{"kind": "funding_sum", "days": days}])


def test_a_column_must_have_a_name():
    with pytest.raises(LSTMStrategyError, match="rate must be the name of a column of the bars"):
        FeatureSet([{"kind": "funding_sum", "rate": 8}])
