import numpy as np
import pytest
from made_up import random_walk

from lstm_strategy.errors import FeatureError
from lstm_strategy.learning.features import complete_bars, price_lines

PERPETUAL = random_walk(4, freq="8h").assign(
    close=[101.0, 102, 101, 100], high=110.0, low=90.0, open=100.0, spot_close=100.0
)


def test_a_fair_perpetual_costs_spot_and_interest_less_funding():
    bars = PERPETUAL.assign(funding_rate=[1e-4, 3e-4, np.nan, np.nan])
    lines = price_lines(bars, [{"kind": "perpetual_mispricing", "interest_rate": 0.1095}])
    fair = 100 * np.exp(1e-4 - 3e-4)
    np.testing.assert_allclose(lines["PERPETUAL_FAIR"], [np.nan, fair, fair, fair])


@pytest.mark.parametrize("years", [0.25, -0.25], ids=["earlier held", "later held"])
def test_a_fair_future_is_the_other_contract_and_the_usual_carry(years):
    price, other = np.array([100.0, 102, 101]), np.array([101.0, 102.5, 103])
    columns = dict.fromkeys(("open", "high", "low", "close"), price)
    bars = random_walk(3).assign(**columns, price=price, carry_price=other, years_to_carry=years)
    lines = price_lines(bars, [{"kind": "futures_mispricing", "length": 3}])
    usual = np.mean(np.log(price / other) / years)
    expected = other[2] * np.exp(usual * years)
    assert lines["FUTURES_FAIR_3"].iloc[2] == pytest.approx(expected)


def test_averages_and_bands_are_prices():
    lines = price_lines(PERPETUAL, [{"kind": "sma", "length": 2}, {"kind": "session_twap"}])
    assert lines["SMA_2"].tolist()[1:] == [101.5, 101.5, 100.5]
    assert lines["SESSION_TWAP_D"].iloc[0] == pytest.approx((110 + 90 + 101) / 3)


@pytest.mark.parametrize(
    "spec", [{"kind": "rsi"}, {"kind": "rolling_vwap", "unit": "sigma"}, {"kind": "premium"}]
)
def test_what_is_no_price_is_refused(spec):
    bars = complete_bars([spec], random_walk(60))
    with pytest.raises(FeatureError, match="isn't a price that could be drawn over the bars"):
        price_lines(bars, [spec])
