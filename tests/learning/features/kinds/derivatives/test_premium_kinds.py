"""Premium, mark, mispricing and open interest, worked by hand."""

import numpy as np
import pytest
from made_up import random_walk

from lstm_strategy import FeatureSet, LSTMStrategyError
from lstm_strategy.learning.features.kinds.derivatives import DERIVATIVE_KINDS


def bars_with(**columns):
    n_bars = len(next(iter(columns.values())))
    bars = random_walk(n_bars, freq="8h", start="2024-01-01")
    return bars.assign(**columns)


def values_of(bars, kind, **arguments):
    return DERIVATIVE_KINDS[kind](bars, **arguments).iloc[:, 0].to_numpy()


def test_a_premium_is_the_log_of_the_perpetual_over_spot():
    bars = bars_with(close=[102.0, 101, 99], spot_close=[100.0, 100, 100])
    np.testing.assert_allclose(values_of(bars, "premium"), np.log([1.02, 1.01, 0.99]))


def test_where_spot_is_missing_the_premium_stays_not_the_price():
    bars = bars_with(close=[102.0, 110, 120], spot_close=[100.0, np.nan, 120])
    np.testing.assert_allclose(values_of(bars, "premium"), [np.log(1.02), np.log(1.02), 0])


def test_the_mark_is_seen_from_the_last_trade():
    bars = bars_with(close=[100.0, 100], mark=[100.1, 99.8])
    np.testing.assert_allclose(values_of(bars, "mark_premium"), np.log([1.001, 0.998]))


def test_a_fair_basis_is_the_interest_of_the_interval_less_the_funding():
    bars = bars_with(
        close=[101.0, 101, 101], spot_close=[100.0, 100, 100], funding_rate=[1e-4, 3e-4, np.nan]
    )
    # 10.95% a year are 0.01% in eight hours; funding of 0.03% makes the fair basis -0.02%
    gap = values_of(bars, "perpetual_mispricing", interest_rate=0.1095)
    np.testing.assert_allclose(gap, [np.nan, np.log(1.01) + 2e-4, np.log(1.01) + 2e-4])


@pytest.mark.parametrize("interest_rate", [5, -2, "0.05", float("nan")])
def test_an_interest_rate_is_a_fraction_a_year(interest_rate):
    with pytest.raises(LSTMStrategyError, match="a fraction a year between -1 and 1"):
        FeatureSet([{"kind": "perpetual_mispricing", "interest_rate": interest_rate}])


def test_open_interest_is_measured_by_its_change_and_by_the_volume():
    bars = bars_with(open_interest=[100.0, 110, np.nan, 121], volume=[10.0, 20, 30, 40])
    change = values_of(bars, "open_interest_change", length=1)
    np.testing.assert_allclose(change, [np.nan, np.log(1.1), 0, np.log(1.1)])
    ratio = values_of(bars, "open_interest_to_volume", length=2)
    np.testing.assert_allclose(ratio[1:], np.log([110 / 30, 110 / 50, 121 / 70]))


def test_hardly_any_volume_counts_as_a_thousandth_of_the_open_interest():
    bars = bars_with(open_interest=[100.0, 100], volume=[0.0, 0])
    np.testing.assert_allclose(
        values_of(bars, "open_interest_to_volume", length=1), np.log([1000, 1000])
    )
